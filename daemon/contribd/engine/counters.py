"""Plain counters the engine keeps; whoever shows them reads copies."""

from bisect import bisect_left
from collections import Counter

from contribd.engine.limits import ACK_BUCKETS, DELIVERY_BUCKETS


class Histogram:
    """Counts by upper bound (seconds); the last count is what lies above every bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One observation."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class EngineCounters:
    """What happened so far, since the process started."""

    __slots__ = (
        "ack_seconds",
        "delivery_seconds",
        "future_timestamps",
        "posts",
        "reconnects",
        "records",
        "republished",
        "results",
        "unmatched",
        "withdrawals",
    )

    def __init__(self) -> None:
        self.records = 0
        self.results: Counter[tuple[str, str]] = Counter()
        """Results by (status, code), code empty where there is none."""
        self.posts: Counter[tuple[str, str]] = Counter()
        """Posts by (type, answer)."""
        self.reconnects: Counter[tuple[str, str]] = Counter()
        """Sessions lost or not made, by (endpoint, reason)."""
        self.unmatched = 0
        self.future_timestamps = 0
        """Records stamped further ahead of this host's clock than clocks may differ."""
        self.withdrawals: Counter[tuple[str, str]] = Counter()
        """Results of withdrawals by (reason, status); they are not among ``results``."""
        self.republished: Counter[str] = Counter()
        """Values posted once more by order, by what came of it (a status); they have no results."""
        self.ack_seconds = Histogram(ACK_BUCKETS)
        self.delivery_seconds = Histogram(DELIVERY_BUCKETS)

    def count_records(self, records: int) -> None:
        """So many were taken."""
        self.records += records

    def count_future_timestamp(self) -> None:
        """A record is stamped in the future."""
        self.future_timestamps += 1

    def count_unmatched(self) -> None:
        """An answer belonged to no post."""
        self.unmatched += 1
