"""The tables of ``contribd top``, from a status document and its history. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from contribd.terminal.cells import Column, Row, Tone, age, per_second, share
from contribd.terminal.picture import Table
from contribd.terminal.totals import History, unix

TONES: Final = {
    "ACK": Tone.GOOD,
    "NAK": Tone.BAD,
    "ERROR": Tone.BAD,
    "UNANSWERED": Tone.BAD,
    "TIMEOUT": Tone.BAD,
    "LOST": Tone.BAD,
    "EXPIRED": Tone.DOUBTFUL,
    "REJECTED": Tone.DOUBTFUL,
    "SUPPRESSED": Tone.DOUBTFUL,
    "CONFLATED": Tone.DIM,
    "IGNORED": Tone.DIM,
}
"""Of a result's status, or a post's answer."""

RESULTS: Final = Table(
    "results",
    "Results",
    (
        Column("status", "Status", 11, toned=True),
        Column("code", "Code", 20, grows=True),
        Column("count", "Since start", 13, right=True),
        Column("rate", "Now", 10, show=per_second, right=True),
        Column("share", "Of all now", 11, show=share, right=True),
    ),
    "no result yet",
)
POSTS: Final = Table(
    "posts",
    "Posts",
    (
        Column("type", "Type", 10),
        Column("answer", "Answer", 20, grows=True, toned=True),
        Column("count", "Since start", 13, right=True),
    ),
    "no post yet",
)
PARTITIONS: Final = Table(
    "partitions",
    "Partitions",
    (
        Column("topic", "Topic", 12, grows=True),
        Column("partition", "Part.", 5, right=True),
        Column("lag", "Lag", 9, right=True, toned=True),
        Column("waiting", "Waiting", 8, right=True),
        Column("rate", "Now", 9, show=per_second, right=True),
        Column("position", "Position", 12, right=True),
        Column("committed", "Committed", 12, rank=1, right=True),
        Column("paused", "Paused", 6),
    ),
    "no partition is assigned to this daemon",
)
WRONG: Final = Table(
    "wrong",
    "Wrong now",
    (
        Column("ric", "RIC", 18),
        Column("what", "What", 10, toned=True),
        Column("why", "Why", 28, grows=True),
        Column("for", "For", 9, show=age, right=True),
        Column("source", "Last record", 20, rank=1),
        Column("service", "Service", 10, rank=2),
        Column("mapping", "Mapping", 12, rank=3),
    ),
    "nothing is wrong with any RIC as far as this daemon knows",
)
SESSION: Final = Table(
    "session",
    "Session",
    (
        Column("kind", "What", 8),
        Column("name", "Name", 34, grows=True),
        Column("state", "State", 16, toned=True),
        Column("lost", "Lost", 6, right=True),
        Column("reason", "For", 24, rank=1),
    ),
    "no endpoint",
)
TABLES: Final = (RESULTS, WRONG, PARTITIONS, SESSION, POSTS)


def rows_of(status: Mapping[str, Any], history: History) -> dict[str, Sequence[Row]]:
    """Of all tables."""
    return {
        RESULTS.name: list(_results(status, history)),
        WRONG.name: list(_wrong(status)),
        PARTITIONS.name: list(_partitions(status, history)),
        SESSION.name: [*_endpoints(status), *_services(status)],
        POSTS.name: list(_posts(status)),
    }


def _results(status: Mapping[str, Any], history: History) -> Iterator[Row]:
    total = history.results_per_second()
    for each in sorted(status["results"], key=lambda one: -one["count"]):
        name, code = each["status"], each["code"]
        rate = history.results_per_second(name, code)
        part = rate / total if rate is not None and total else None
        yield Row(f"{name} {code}", (name, code or None, each["count"], rate, part), TONES.get(name, Tone.PLAIN))


def _posts(status: Mapping[str, Any]) -> Iterator[Row]:
    for each in sorted(status["posts"], key=lambda one: -one["count"]):
        kind, answer = each["type"], each["answer"]
        yield Row(f"{kind} {answer}", (kind, answer, each["count"]), TONES.get(answer, Tone.PLAIN))


def _partitions(status: Mapping[str, Any], history: History) -> Iterator[Row]:
    for each in status["partitions"]:
        topic, number = each["topic"], each["partition"]
        rate = history.consumed_per_second((topic, str(number)))
        tone = Tone.DOUBTFUL if each["paused"] or each["lag"] is None or each["lag"] > 10_000 else Tone.PLAIN
        values = (topic, number, each["lag"], each["waiting"], rate, each["position"], each["committed"])
        yield Row(f"{topic}:{number}", (*values, each["paused"]), tone)


def _wrong(status: Mapping[str, Any]) -> Iterator[Row]:
    now = unix(status["taken_at"])
    for each in status["wrong"]:
        why = ": ".join(part for part in (each["code"], each["text"]) if part) or None
        lasting = None if each["since"] is None else now - unix(each["since"])
        values = (each["ric"], each["what"], why, lasting, each["source"], each["service"], each["mapping"])
        tone = Tone.DOUBTFUL if each["what"] == "silent" else Tone.BAD
        yield Row(f"{each['service']} {each['ric']}", values, tone)


def _endpoints(status: Mapping[str, Any]) -> Iterator[Row]:
    session = status["session"]
    for url in session["endpoints"]:
        lost = [each for each in status["reconnects"] if each["endpoint"] == url]
        in_use = url == session["endpoint"]
        state = session["state"] if in_use else "not in use"
        tone = (Tone.GOOD if session["up"] else Tone.BAD) if in_use else Tone.DIM
        reasons = ", ".join(f"{each['reason']} {each['count']}" for each in lost) or None
        yield Row(f"endpoint {url}", ("endpoint", url, state, sum(each["count"] for each in lost), reasons), tone)


def _services(status: Mapping[str, Any]) -> Iterator[Row]:
    for each in status["services"]:
        state, tone = ("Up", Tone.GOOD) if each["up"] else ("Down or unknown", Tone.BAD)
        yield Row(f"service {each['name']}", ("service", each["name"], state, None, None), tone)
