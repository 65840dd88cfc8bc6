"""What a daemon's counters say over time: rates, shares and latencies of the last seconds. Pure.

A daemon tells totals since its start. Two of them make a rate; a daemon that was started anew begins at
nothing, and what was read of the one before says nothing of it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, Final, TypeAlias

RATE_SECONDS: Final = 10.0
"""A rate is over so long: shorter, and a single price a second flickers."""

LATENCY_SECONDS: Final = 60.0
"""Latencies are over so long: a 99th percentile wants some hundred posts."""

REFUSALS: Final = frozenset({"NAK", "ERROR"})

Counts: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Process:
    """What the process uses."""

    memory_bytes: float | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking once, ``at`` (Unix seconds, by this host's clock): a status, or why there is none."""

    at: float
    status: Mapping[str, Any] | None = None
    process: Process | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values up to ``bounds[i]`` seconds and above the bound before; the last count is of the rest."""

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = (0,)

    def since(self, earlier: "Histogram") -> "Histogram":
        """What was counted after an earlier one."""
        if earlier.bounds != self.bounds:
            return self
        return Histogram(self.bounds, tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True)))

    def quantile(self, part: float) -> float | None:
        """Seconds that ``part`` (0 to 1) of the values took at most, estimated inside its bucket; None: no values.

        What lies above the last bound is said to be that bound.
        """
        sums = list(accumulate(self.counts))
        if not sums[-1] or not self.bounds:
            return None
        wanted = part * sums[-1]
        place = next(index for index, each in enumerate(sums) if each >= wanted and self.counts[index])
        if place == len(self.bounds):
            return self.bounds[-1]
        low = self.bounds[place - 1] if place else 0.0
        before = sums[place] - self.counts[place]
        return low + (self.bounds[place] - low) * (wanted - before) / self.counts[place]


@dataclass(frozen=True, slots=True)
class Totals:
    """The counters of one ``/status``, taken ``at`` (Unix seconds, by the daemon's clock)."""

    at: float
    started: str
    results: Counts = field(default_factory=dict)
    """By status and code."""
    posts: Counts = field(default_factory=dict)
    """By type and answer."""
    positions: Counts = field(default_factory=dict)
    """By topic and partition: the next offset to read."""
    ack: Histogram = Histogram()
    delivery: Histogram = Histogram()
    cpu_seconds: float | None = None


def totals_of(status: Mapping[str, Any], cpu_seconds: float | None) -> Totals:
    """Of a status document. Raises KeyError, TypeError or ValueError where it is none."""
    return Totals(
        at=unix(status["taken_at"]),
        started=str(status["started_at"]),
        results=_counts(status["results"], "status", "code"),
        posts=_counts(status["posts"], "type", "answer"),
        positions={(each["topic"], str(each["partition"])): int(each["position"]) for each in status["partitions"]},
        ack=_histogram(status["ack_seconds"]),
        delivery=_histogram(status["delivery_seconds"]),
        cpu_seconds=cpu_seconds,
    )


def unix(time: str) -> float:
    """ISO 8601 as Unix seconds."""
    return datetime.fromisoformat(time).timestamp()


def _counts(rows: Sequence[Mapping[str, Any]], first: str, second: str) -> Counts:
    return {(str(row[first]), str(row[second])): int(row["count"]) for row in rows}


def _histogram(found: Mapping[str, Any]) -> Histogram:
    return Histogram(tuple(map(float, found["bounds"])), tuple(map(int, found["counts"])))


class History:
    """The totals of the last minute."""

    def __init__(self) -> None:
        self._all: deque[Totals] = deque()

    @property
    def last(self) -> Totals | None:
        """The newest; None: there was none."""
        return self._all[-1] if self._all else None

    def add(self, new: Totals) -> bool:
        """One more. False where it is the one that there is: the daemon's own picture of itself has not moved on."""
        last = self.last
        if last is not None and new.started == last.started and new.at <= last.at:
            return False
        if last is not None and new.started != last.started:
            self._all.clear()
        self._all.append(new)
        while new.at - self._all[0].at > LATENCY_SECONDS:
            self._all.popleft()
        return True

    def results_per_second(self, status: str | None = None, code: str | None = None) -> float | None:
        """All of them, or those of a status and code."""
        ends = self._ends(RATE_SECONDS)
        return ends and _rate(ends, *(_sum(each.results, status, code) for each in ends))

    def posts_per_second(self) -> float | None:
        """Posts that were settled."""
        ends = self._ends(RATE_SECONDS)
        return ends and _rate(ends, *(_sum(each.posts) for each in ends))

    def consumed_per_second(self, partition: tuple[str, str]) -> float | None:
        """Offsets of a partition that were passed."""
        ends = self._ends(RATE_SECONDS)
        if ends is None or any(partition not in each.positions for each in ends):
            return None
        return _rate(ends, *(each.positions[partition] for each in ends))

    def refused_share(self) -> float | None:
        """NAKs and Errors among the answered posts of the last minute; None: none was answered."""
        ends = self._ends(LATENCY_SECONDS)
        if ends is None:
            return None
        first, last = (each.posts for each in ends)
        settled = {key: count - first.get(key, 0) for key, count in last.items()}
        refused = sum(count for (_, answer), count in settled.items() if answer in REFUSALS)
        answered = refused + sum(count for (_, answer), count in settled.items() if answer == "ACK")
        return refused / answered if answered else None

    def ack_seconds(self, part: float) -> float | None:
        """From sending a post to its answer, of the last minute."""
        ends = self._ends(LATENCY_SECONDS)
        return ends and ends[1].ack.since(ends[0].ack).quantile(part)

    def delivery_seconds(self, part: float) -> float | None:
        """From a record's timestamp to sending its post, of the last minute."""
        ends = self._ends(LATENCY_SECONDS)
        return ends and ends[1].delivery.since(ends[0].delivery).quantile(part)

    def cpu_share(self) -> float | None:
        """Of one core, as far back as it is known."""
        known = [each for each in self._all if each.cpu_seconds is not None]
        if len(known) < 2:
            return None
        first, last = known[-2:]
        return ((last.cpu_seconds or 0.0) - (first.cpu_seconds or 0.0)) / (last.at - first.at)

    def steps(self, count: int) -> list[float]:
        """Results a second between each two of the last totals, ``count`` at most, oldest first."""
        newest = list(self._all)[-count - 1 :]
        return [(_sum(b.results) - _sum(a.results)) / (b.at - a.at) for a, b in pairwise(newest)]

    def _ends(self, seconds: float) -> tuple[Totals, Totals] | None:
        """The oldest totals of the last so many seconds, and the newest; None where there is but one."""
        last = self.last
        if last is None:
            return None
        first = next(each for each in self._all if last.at - each.at <= seconds)
        if first is last and len(self._all) > 1:
            first = self._all[-2]  # asked more rarely than that
        return None if first is last else (first, last)


def _sum(counts: Counts, status: str | None = None, code: str | None = None) -> int:
    return sum(count for (first, second), count in counts.items() if status in (None, first) and code in (None, second))


def _rate(ends: tuple[Totals, Totals], first: int, last: int) -> float:
    return (last - first) / (ends[1].at - ends[0].at)
