"""What ``contribd top`` shows of a daemon: from its answers to a picture, a line or a document. Pure.

Two things are told apart that a frozen screen would hide: a daemon that does not answer, and one that answers with an
old picture of itself, since its own worker makes no progress.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from contribd.ops.lines import printable
from contribd.terminal.cells import UNKNOWN, Line, Piece, Tone, age, chart, clock, duration, per_second, share, shown
from contribd.terminal.picture import Picture
from contribd.terminal.top_tables import TABLES, rows_of
from contribd.terminal.totals import Answer, History, Process, totals_of, unix

STALE_SECONDS: Final = 5.0
"""A picture of the daemon that does not move on for so long is said to be old."""

CHART_STEPS: Final = 24

MAX_WARNINGS: Final = 2
"""Lines for them: further ones are counted."""

VERDICT_TONES: Final = {
    "contributing": Tone.GOOD,
    "degraded": Tone.DOUBTFUL,
    "paused": Tone.DOUBTFUL,
    "stopping": Tone.DOUBTFUL,
}


class Verdict(NamedTuple):
    """What the daemon does, in one word or two, why, and since when (ISO 8601)."""

    state: str
    reason: str
    since: str


def verdict_of(status: Mapping[str, Any]) -> Verdict:
    """The daemon's own; its reason begins with the state."""
    given = status["verdict"]
    state = str(given["state"])
    return Verdict(state, str(given["reason"]).removeprefix(state).lstrip(": "), str(given["since"]))


class TopModel:
    """Takes in answers, oldest first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._history = History()
        self._status: Mapping[str, Any] | None = None
        self._process = Process()
        self._asked_at: float | None = None
        self._answered_at: float | None = None
        self._moved_at = 0.0
        self._failure: str | None = None

    def take(self, answer: Answer) -> None:
        """One answer, or none."""
        self._asked_at = self._asked_at or answer.at
        if answer.status is None:
            self._failure = answer.failure
        elif self._understood(answer, answer.status):
            self._failure, self._answered_at = None, answer.at
        else:
            self._failure = "its /status is that of another version of contribd"

    def _understood(self, answer: Answer, status: Mapping[str, Any]) -> bool:
        try:
            totals = totals_of(status, answer.process.cpu_seconds if answer.process else None)
            rows_of(status, self._history)
            _headline(status, stale=False)
            list(_warnings(status))
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        if self._history.add(totals):
            self._moved_at = answer.at
        self._status, self._process = status, answer.process or self._process
        return True

    @property
    def answers(self) -> bool:
        """Whether the daemon answered when it was asked last."""
        return self._failure is None and self._status is not None

    def picture(self, now: float) -> Picture:
        """All there is to see, ``now`` (Unix seconds, this host's clock)."""
        status = self._status
        if status is None:
            return Picture(
                (self._trouble(now) or (Piece(f"asking {self._url} …"),),), {each.name: () for each in TABLES}
            )
        trouble = self._trouble(now)
        head = ([trouble] if trouble else []) + [
            _headline(status, stale=trouble is not None),
            _where(status),
            self._rates(),
            self._latencies(status),
            self._itself(status),
            *_warnings(status),
        ]
        return Picture(tuple(head), rows_of(status, self._history))

    def line(self, now: float) -> str:
        """The same in one line, for a pipe."""
        status, history = self._status, self._history
        if not self.answers or status is None:
            return f"{clock(now)}  {_text(self._trouble(now) or ())}"
        verdict = verdict_of(status)
        numbers = (
            f"{per_second(history.results_per_second())} results",
            f"refused {share(history.refused_share())}",
            f"ack p50 {duration(history.ack_seconds(0.5))} p99 {duration(history.ack_seconds(0.99))}",
            f"outstanding {status['window']['outstanding']} of {status['window']['max']}",
            f"waiting {shown(status['records_waiting'])}",
            f"lag {shown(_lag(status))}",
        )
        old = self._trouble(now)
        reason = str(status["verdict"]["reason"])  # which most often begins with the word for the state
        told = printable(reason if reason.startswith(verdict.state) else f"{verdict.state}: {reason}")
        return f"{clock(now)}  {'  '.join(numbers)}  {f'{_text(old)}: ' if old else ''}{told}"

    def document(self, now: float) -> dict[str, Any]:
        """The same as one JSON document; times in UTC, durations in seconds, what is not known is null."""
        status, history = self._status, self._history
        if not self.answers or status is None:
            return {"url": self._url, "answers": False, "failure": self._failure, "last_answer_at": self._answered_at}
        verdict = verdict_of(status)
        return {
            "url": self._url,
            "answers": True,
            "stale": self._is_stale(now),
            "instance": status["instance"],
            "verdict": {"state": verdict.state, "reason": verdict.reason, "since": verdict.since},
            "taken_at": status["taken_at"],
            "results_per_second": history.results_per_second(),
            "posts_per_second": history.posts_per_second(),
            "refused_share": history.refused_share(),
            "ack_seconds": {"p50": history.ack_seconds(0.5), "p99": history.ack_seconds(0.99)},
            "delivery_seconds": {"p50": history.delivery_seconds(0.5), "p99": history.delivery_seconds(0.99)},
            "outstanding": status["window"]["outstanding"],
            "max_outstanding": status["window"]["max"],
            "records_waiting": status["records_waiting"],
            "lag": _lag(status),
            "memory_bytes": self._process.memory_bytes,
            "cpu_share": history.cpu_share(),
            "tables": {
                table.name: [
                    {column.name: value for column, value in zip(table.columns, row.values, strict=True)}
                    for row in rows_of(status, history)[table.name]
                ]
                for table in TABLES
            },
        }

    # Lines

    def _trouble(self, now: float) -> Line | None:
        if self._failure is not None:
            since = self._answered_at or self._asked_at or now
            never = "" if self._answered_at else "yet; asked "
            text = f"NO ANSWER {never}since {clock(since)} ({age(now - since)}) from {self._url}: {self._failure}"
            return (Piece(printable(text), Tone.BAD),)
        if self._is_stale(now):
            text = f"OLD: the daemon answers, but shows itself as it was {age(now - self._moved_at)} ago"
            return (Piece(text, Tone.BAD),)
        return None

    def _is_stale(self, now: float) -> bool:
        return self._status is not None and now - self._moved_at > STALE_SECONDS

    def _rates(self) -> Line:
        history = self._history
        refused = history.refused_share()
        return (
            Piece(f"results {per_second(history.results_per_second()):>8} "),
            Piece(chart(history.steps(CHART_STEPS)).rjust(CHART_STEPS), Tone.GOOD),
            Piece(f"  posts {per_second(history.posts_per_second()):>8}"),
            Piece(f"  refused {share(refused)}", Tone.BAD if refused else Tone.PLAIN),
        )

    def _latencies(self, status: Mapping[str, Any]) -> Line:
        history = self._history
        return (
            Piece(f"ack p50 {duration(history.ack_seconds(0.5))} p99 {duration(history.ack_seconds(0.99))}   "),
            Piece(f"delivery p50 {duration(history.delivery_seconds(0.5))} "),
            Piece(f"p99 {duration(history.delivery_seconds(0.99))}   "),
            Piece(printable(f"{status['version']}, rules {str(status['config'])[:8]}"), Tone.DIM),
        )

    def _itself(self, status: Mapping[str, Any]) -> Line:
        memory, window = self._process.memory_bytes, status["window"]
        parts = (
            f"unanswered {window['outstanding']} of {window['max']}",
            f"waiting {shown(status['records_waiting'])}",
            f"lag {shown(_lag(status))}",
            f"memory {UNKNOWN if memory is None else f'{memory / 2**20:.0f} MiB'}",
            f"CPU {share(self._history.cpu_share())}",
            f"up {age(unix(status['taken_at']) - unix(status['started_at']))}",
        )
        return (Piece("  ".join(parts)),)


def _headline(status: Mapping[str, Any], *, stale: bool) -> Line:
    verdict = verdict_of(status)
    tone = Tone.DIM if stale else VERDICT_TONES.get(verdict.state, Tone.BAD)
    return (
        Piece(printable(f"{status['instance']}  "), Tone.STRONG),
        Piece(printable(verdict.state.upper()), tone),
        Piece(printable(f" {verdict.reason}, since {clock(unix(verdict.since))}")),
    )


def _where(status: Mapping[str, Any]) -> Line:
    session = status["session"]
    services = (
        ", ".join(f"{each['name']} {'Up' if each['up'] else 'Down'}" for each in status["services"]) or "none yet"
    )
    return (
        Piece(printable(f"session {session['state']} "), Tone.GOOD if session["up"] else Tone.BAD),
        Piece(printable(f"at {session['endpoint'] or 'no endpoint'}, since {clock(unix(session['since']))}")),
        Piece(printable(f"   services {services}")),
    )


def _warnings(status: Mapping[str, Any]) -> Iterator[Line]:
    wrong, warnings = sum(status["wrong_counts"].values()), status["warnings"]
    if wrong > len(status["wrong"]):
        yield (Piece(f"! {wrong:,} RICs are wrong now, of which {len(status['wrong'])} are named", Tone.BAD),)
    for text in warnings[:MAX_WARNINGS]:
        yield (Piece(printable(f"! {text}"), Tone.DOUBTFUL),)
    if len(warnings) > MAX_WARNINGS:
        yield (Piece(f"! and {len(warnings) - MAX_WARNINGS} more warnings in /status", Tone.DOUBTFUL),)


def _lag(status: Mapping[str, Any]) -> int | None:
    """Of all partitions; None where that of one is not known."""
    lags = [each["lag"] for each in status["partitions"]]
    return None if None in lags else sum(lags)


def _text(line: Line) -> str:
    return "".join(piece.text for piece in line)
