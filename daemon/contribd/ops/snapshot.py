"""What the worker publishes of itself several times a second, for everyone who only looks: metrics, health, pages.

A snapshot is frozen and holds plain values only. The worker replaces the whole snapshot by one assignment, so
readers in other threads need no lock and never see half of one. Times are Unix seconds, durations seconds.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

ACK_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
"""Seconds from sending a post to its answer: from an ADS on the same host to past the default ack_timeout (15 s)."""

DELIVERY_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0)
"""Seconds from a record's Kafka timestamp to its post: from no queue at all to catching up after an outage."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values were at most ``bounds[i]`` and above the bound before it; the last count is of the rest."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    def cumulative(self) -> tuple[int, ...]:
        """How many values were at most each bound, and last how many there were."""
        return tuple(accumulate(self.counts))

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> "Histogram":
        """A histogram nothing was counted in."""
        return cls(bounds, (0,) * (len(bounds) + 1), 0.0)


class HistogramCounter:
    """Counts values into a histogram. Belongs to one thread, which publishes ``frozen()``."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value. Negative values (two hosts' clocks apart) count as zero, so that the sum never falls."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def frozen(self) -> Histogram:
        """What was counted so far."""
        return Histogram(self._bounds, tuple(self._counts), self._sum)


@dataclass(frozen=True, slots=True)
class SessionView:
    """The session with the ADS. ``endpoint`` is the one in use or being tried; ``endpoints`` are all configured."""

    state: str
    up: bool
    endpoint: str | None
    endpoints: tuple[str, ...]
    since: float
    last_failure: str | None = None
    last_failure_at: float | None = None


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One assigned partition of a prices topic. ``position`` is the next offset to read, ``committed`` the group's.

    ``lag`` is what the log holds beyond ``position``; None while it is not known. ``waiting`` counts records read and
    not settled.
    """

    topic: str
    partition: int
    position: int
    committed: int | None
    lag: int | None
    waiting: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals since the process started; every key is a bounded set of names, never a RIC or a PostID."""

    results: tuple[tuple[str, str, int], ...] = ()
    """(status, code, count); code is "" where the result has none."""
    posts: tuple[tuple[str, str, int], ...] = ()
    """(type, answer, count)."""
    reconnects: tuple[tuple[str, str, int], ...] = ()
    """(endpoint, reason, count)."""
    unmatched_answers: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state of the daemon at ``taken_at``."""

    taken_at: float
    started_at: float
    version: str
    instance: str
    config: str
    """Digest of the configuration and mappings in force."""
    session: SessionView
    services: tuple[tuple[str, bool], ...] = ()
    """(name, up) for each service a mapping names; a service the ADS does not know is down."""
    outstanding: int = 0
    max_outstanding: int = 0
    waiting: int = 0
    """Records read and not settled, over all partitions."""
    instruments: int = 0
    """RIC and service pairs that have a post or a record under way."""
    partitions: tuple[PartitionView, ...] = ()
    counters: Counters = Counters()
    ack_seconds: Histogram = field(default_factory=lambda: Histogram.empty(ACK_BOUNDS))
    delivery_seconds: Histogram = field(default_factory=lambda: Histogram.empty(DELIVERY_BOUNDS))
    last_ack_at: float | None = None
    config_reloaded: bool = True
    """Whether the last load of the configuration took effect."""
    stopping: bool = False
    not_ready: tuple[str, ...] = ()
    """Why the daemon cannot contribute just now, in plain words; empty: it can."""

    @property
    def ready(self) -> bool:
        """Whether the daemon can contribute just now."""
        return not self.not_ready
