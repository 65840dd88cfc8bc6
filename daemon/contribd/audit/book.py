"""What a verification has found and counted, and how far it is; kept in its store."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from contribd.audit.claim import Placed
from contribd.audit.findings import Finding, Wrong
from contribd.audit.store import ClaimStore, rows_of


class Bookkeeping(Protocol):
    """What a step of a verification has before it, in whichever process it is done."""

    store: ClaimStore
    """To be read."""
    counts: Counter[str]
    """What was looked at."""

    def tick(self, offsets: int) -> None:
        """So many were passed."""

    def add(self, placed: Iterable[Placed]) -> None:
        """Claims for the store."""

    def report(self, finding: Finding) -> None:
        """Something is off."""

    def keep(self, name: str, reached: Any) -> None:
        """All so far is durable, and that it reaches so far under this name."""


class Book:
    """``Bookkeeping`` in the one process that writes the store. ``found`` hears of each finding as it is made, ``tick``
    of offsets that were passed."""

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
        self._unknown_rules = {each.text for each in store.findings() if each.wrong is Wrong.UNKNOWN_RULES}
        """What was said of rules that nobody has: once for each set of them."""

    def add(self, placed: Iterable[Placed]) -> None:
        """Claims for the store."""
        self.store.add(rows_of(placed))

    def report(self, finding: Finding) -> None:
        """Something is off."""
        if finding.wrong is Wrong.UNKNOWN_RULES:
            if finding.text in self._unknown_rules:
                return
            self._unknown_rules.add(finding.text)
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
