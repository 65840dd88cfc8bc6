"""The last ten minutes, a row a second, so that a page that is opened now shows what was before.

Bounded: 600 rows of a dozen numbers. Rows are made of the difference between two snapshots, in the worker's thread, and
never changed; other threads read them.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from contribd.engine.records.price import Status
from contribd.ops.snapshot import HistogramView, Snapshot
from contribd.ops.verdict import VerdictState

ROWS: Final = 600
"""Ten minutes: how an incident began is still there when somebody has come to look."""

EVERY: Final = 1.0
"""Seconds between two rows."""

STATES: Final = tuple(state.value for state in VerdictState)


class Row(NamedTuple):
    """One second. ``at``: Unix seconds at its end; ``state``: the verdict's, by its place in ``STATES``.

    Rates are results a second. ``refused``: by a NAK or an Error, or not answered; ``unposted``: rejected, expired,
    suppressed or ignored. Latencies in milliseconds, None where there were none. ``lag`` is None where it is not known.
    """

    at: float
    state: int
    accepted: float
    refused: float
    conflated: float
    unposted: float
    ack_p50: float | None
    ack_p99: float | None
    delivery_p50: float | None
    delivery_p99: float | None
    outstanding: int
    waiting: int
    lag: int | None


class History:
    """Told of snapshots; gives rows, oldest first."""

    def __init__(self, rows: int = ROWS) -> None:
        self._rows: deque[Row] = deque(maxlen=rows)
        self._before: Snapshot | None = None
        self._at = 0.0

    def take(self, now: Snapshot, state: VerdictState, mono: float) -> None:
        """The newest snapshot; a row is made of it where it is time to. ``mono``: monotonic seconds."""
        before, seconds = self._before, mono - self._at
        if before is None or seconds >= EVERY:
            self._before, self._at = now, mono
            if before is not None:
                self._rows.append(_row(before, now, state, seconds))

    def rows(self, last: int = ROWS) -> list[Row]:
        """The last ones. For any thread."""
        # A copy by one call: a row may be added meanwhile.
        return list(self._rows.copy())[-last:]


_GROUPS: Final[Mapping[str, str]] = {
    Status.ACK: "accepted",
    Status.NAK: "refused",
    Status.ERROR: "refused",
    Status.UNANSWERED: "refused",
    Status.CONFLATED: "conflated",
}


def _row(before: Snapshot, now: Snapshot, state: VerdictState, seconds: float) -> Row:
    old, new = _counted(before), _counted(now)
    rates = {group: round((new[group] - old[group]) / seconds, 1) for group in new}
    lags = [each.lag for each in now.partitions]
    ack = _between(before.ack_seconds, now.ack_seconds)
    delivery = _between(before.delivery_seconds, now.delivery_seconds)
    return Row(
        at=round(now.taken_at, 1),
        state=STATES.index(state.value),
        **rates,
        ack_p50=quantile(ack, 0.5),
        ack_p99=quantile(ack, 0.99),
        delivery_p50=quantile(delivery, 0.5),
        delivery_p99=quantile(delivery, 0.99),
        outstanding=now.outstanding,
        waiting=now.waiting,
        lag=None if None in lags else sum(lag for lag in lags if lag is not None),
    )


def _counted(snapshot: Snapshot) -> dict[str, int]:
    found = {"accepted": 0, "refused": 0, "conflated": 0, "unposted": 0}
    for status, _, count in snapshot.counters.results:
        found[_GROUPS.get(status, "unposted")] += count
    return found


def _between(before: HistogramView, now: HistogramView) -> tuple[Sequence[float], list[int]]:
    """Bounds, and what was counted between two moments."""
    return now.bounds, [new - old for new, old in zip(now.counts, before.counts, strict=True)]


def quantile(counted: tuple[Sequence[float], Sequence[int]], share: float) -> float | None:
    """Milliseconds that ``share`` of what was counted took at most, as far as the bounds tell: within two of them it is
    taken to be spread evenly, above the last one it is that bound. None where nothing was counted."""
    bounds, counts = counted
    rank = share * sum(counts)
    if not rank:
        return None
    below = 0.0
    for low, high, count in zip((0.0, *bounds), bounds, counts[:-1], strict=False):
        if below + count >= rank:
            return round((low + (high - low) * (rank - below) / count) * 1000, 2)
        below += count
    return round(bounds[-1] * 1000, 2)
