"""What ``contribd tap`` shows: results, the newest first, and how many were left out. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from contribd.results.reader import StoredResult
from contribd.results.result import Result
from contribd.terminal.cells import Column, Line, Piece, Row, Tone, Value, age, clock_ms, duration, per_second
from contribd.terminal.picture import Picture, Table
from contribd.terminal.top_tables import TONES

KEPT: Final = 2_000
"""Rows that can be looked at; older ones make room."""

RATE_SECONDS: Final = 5.0

URGENCY: Final = {Tone.BAD: 0, Tone.DOUBTFUL: 1, Tone.GOOD: 2, Tone.DIM: 3}
"""Which results are shown first where not all can be: what went wrong before what went right."""

RESULTS: Final = Table(
    "results",
    "Results",
    (
        Column("settled_at", "Settled", 13, show=clock_ms),
        Column("status", "Status", 10, toned=True),
        Column("ric", "RIC", 14),
        Column("ack_seconds", "Ack", 9, show=duration, right=True),
        Column("what", "Fields, or why", 28, grows=True),
        Column("source", "Record", 20, rank=1),
        Column("delivery_seconds", "Delivery", 9, rank=2, show=duration, right=True),
        Column("mapping", "Mapping", 12, rank=3),
        Column("instance", "Instance", 14, rank=4),
    ),
    "no result has come since this view began",
)


def tone_of(result: Result) -> Tone:
    """Of its status."""
    return TONES.get(result.status.value, Tone.PLAIN)


def urgency_of(result: Result) -> int:
    """0 for what somebody should see first."""
    return URGENCY.get(tone_of(result), 1)


def key_of(stored: StoredResult) -> str:
    """Its place in the results topic."""
    return f"{stored.topic}:{stored.partition}:{stored.offset}"


def what_of(result: Result) -> str:
    """What was posted, or what became of it instead."""
    if result.carried_by is not None:
        return f"carried by {result.carried_by.place}"
    fields = " ".join(f"{name} {'blank' if value is None else value}" for name, value in (result.fields or {}).items())
    if tone_of(result) is Tone.GOOD:
        return fields
    return ": ".join(part for part in (result.code, result.text) if part) or fields


def row_of(stored: StoredResult) -> Row:
    """A result as a row."""
    result = stored.result
    values: tuple[Value, ...] = (
        result.settled_at.timestamp(),
        result.status.value,
        result.ric,
        result.ack_seconds,
        what_of(result),
        result.place,
        result.delivery_seconds,
        result.mapping,
        result.instance,
    )
    return Row(key_of(stored), values, tone_of(result))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a reader has read since it was asked before. Counts are since its start, by status.

    ``problem``: why nothing can be read just now. ``last_at``: when the newest result came (Unix seconds).
    """

    results: Sequence[StoredResult]
    seen: Counter[str]
    left_out: Counter[str]
    unreadable: int
    problem: str | None
    last_at: float | None


class TapModel:
    """Takes in what was read, oldest first."""

    def __init__(self, subject: str, rate: int, began: float) -> None:
        """``rate``: lines a second at most. ``began`` and every later time: Unix seconds."""
        self._subject = subject
        self._rate = rate
        self._began = began
        self._kept: deque[StoredResult] = deque(maxlen=KEPT)
        self._counts: deque[tuple[float, Counter[str]]] = deque()
        self._last: Taken | None = None
        self._rows: tuple[Row, ...] = ()

    def take(self, taken: Taken, now: float) -> None:
        """What was read by now."""
        self._last = taken
        self._counts.append((now, Counter(taken.seen)))
        while now - self._counts[0][0] > RATE_SECONDS:
            self._counts.popleft()
        if taken.results:
            self._kept.extend(taken.results)
            fresh = tuple(row_of(stored) for stored in reversed(taken.results))
            self._rows = (*fresh, *self._rows)[:KEPT]

    def find(self, key: str) -> StoredResult | None:
        """The result of a row; None where it had to make room."""
        return next((stored for stored in self._kept if key_of(stored) == key), None)

    def picture(self, now: float) -> Picture:
        """All there is to see."""
        return Picture(tuple(self._head(now)), {RESULTS.name: self._rows})

    def _head(self, now: float) -> Iterable[Line]:
        taken = self._last
        yield (Piece(self._subject, Tone.STRONG), Piece(f"   at most {self._rate} lines a second"))
        if taken is None:
            return
        if taken.problem is not None:
            yield (Piece(f"NOTHING CAN BE READ: {taken.problem}; trying again", Tone.BAD),)
        yield tuple(self._came(taken, now))
        yield tuple(self._statuses())

    def _came(self, taken: Taken, now: float) -> Iterable[Piece]:
        seen, left_out = taken.seen.total(), taken.left_out.total()
        yield Piece(f"{seen:,} results since this view began, {left_out:,} of them left out")
        quiet = now - (taken.last_at or self._began)
        if quiet > 2:
            yield Piece(f"   none for {age(quiet)}", Tone.DOUBTFUL)
        if taken.unreadable:
            yield Piece(f"   {taken.unreadable:,} records are no results", Tone.BAD)

    def _statuses(self) -> Iterable[Piece]:
        (first_at, first), (last_at, last) = self._counts[0], self._counts[-1]
        seconds = last_at - first_at
        yield Piece("now ")
        for name, count in sorted(last.items()):
            rate = (count - first[name]) / seconds if seconds else None
            yield Piece(f" {name} {per_second(rate)} ", TONES.get(name, Tone.PLAIN))


def left_out_text(left_out: Counter[str]) -> str:
    """``980 more left out: ACK 977, NAK 3``."""
    kinds = ", ".join(f"{name} {count:,}" for name, count in sorted(left_out.items()))
    return f"{left_out.total():,} more left out: {kinds}"
