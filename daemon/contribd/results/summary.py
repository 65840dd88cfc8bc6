"""Many results in few numbers: how many of each status and code, and how long they took."""

from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contribd.results.result import Result

PERCENTILES = {"p50": 500, "p90": 900, "p99": 990, "p99.9": 999}
"""In thousandths: ranks are found in whole numbers, where 99.9 % of 1,000 is 999."""


class Summary:
    """Counts results as they are added. Latencies are kept (8 bytes each), so percentiles are exact."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """Results of records by (status, code), code empty where there is none."""
        self.withdrawals: Counter[tuple[str, str]] = Counter()
        """Results of withdrawals by (reason, status)."""
        self.parts = 0
        """Results of records with several posts."""
        self.posts = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.ack_seconds = array("d")
        self.delivery_seconds = array("d")

    def add(self, result: Result) -> None:
        """Count one result."""
        if result.withdrawal is None:
            self.counts[result.status.value, result.code or ""] += 1
            self.parts += result.source is not None and result.source.part is not None
        else:
            self.withdrawals[result.withdrawal.reason.value, result.status.value] += 1
        self.posts += len(result.posts)
        self.first = result.settled_at if self.first is None else min(self.first, result.settled_at)
        self.last = result.settled_at if self.last is None else max(self.last, result.settled_at)
        if (seconds := result.ack_seconds) is not None:
            self.ack_seconds.append(seconds)
        if (seconds := result.delivery_seconds) is not None:
            self.delivery_seconds.append(seconds)

    def document(self) -> dict[str, Any]:
        """As plain JSON values; durations in seconds."""
        return {
            "results": self.counts.total(),
            "parts": self.parts,
            "first_settled_at": self.first,
            "last_settled_at": self.last,
            "counts": [{"status": status, "code": code, "count": n} for (status, code), n in self.by_status()],
            "withdrawals": [
                {"reason": reason, "status": status, "count": n}
                for (reason, status), n in sorted(self.withdrawals.items())
            ],
            "posts": self.posts,
            "ack_seconds": latencies(self.ack_seconds),
            "delivery_seconds": latencies(self.delivery_seconds),
        }

    def by_status(self) -> list[tuple[tuple[str, str], int]]:
        """(status, code) and count, the most frequent first."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))


def latencies(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """Their count, percentiles by the nearest rank (a value that really occurred), and the longest."""
    ordered = sorted(seconds)
    found: dict[str, float | int | None] = {"count": len(ordered)}
    for name, thousandths in PERCENTILES.items():
        rank = -(-len(ordered) * thousandths // 1000)
        found[name] = ordered[rank - 1] if ordered else None
    found["max"] = ordered[-1] if ordered else None
    return found
