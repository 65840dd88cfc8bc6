"""What a verification has found and counted, and how far it is; kept in its store."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from contribd.audit.findings import Finding
from contribd.audit.store import ClaimStore


class Book:
    """One verification's. ``found`` hears of each finding as it is made, ``tick`` of offsets that were passed."""

    def __init__(
        self,
        store: ClaimStore,
        found: Callable[[Finding], None] = lambda _finding: None,
        tick: Callable[[int], None] = lambda _offsets: None,
    ) -> None:
        self.store = store
        self.tick = tick
        self.counts: Counter[str] = Counter(store.recall("counts", {}))
        self._found = found

    def report(self, finding: Finding) -> None:
        """Something is off."""
        self.store.report(finding)
        self.counts[f"wrong {finding.wrong}"] += 1
        self._found(finding)

    def keep(self, name: str, reached: Any) -> None:
        """All so far is durable, and that it reaches so far under this name."""
        self.store.note(name, reached)
        self.store.note("counts", self.counts)
        self.store.keep()

    @property
    def wrong(self) -> int:
        """How many findings there are."""
        return sum(count for name, count in self.counts.items() if name.startswith("wrong "))
