"""The RICs that either set of rules posts to: which are gained, and which are lost."""

from collections.abc import Iterator
from typing import Final, NamedTuple

MOST_RICS: Final = 2_000_000
"""RICs, by service, that are told apart: some 110 bytes each."""

SHOWN: Final = 20
"""Names that are given of those gained, and of those lost."""

_OLD, _NEW, _BOTH = 1, 2, 3


class RicCount(NamedTuple):
    """So many, and the first of them as ``RIC`` or ``RIC of SERVICE``."""

    total: int
    first: tuple[str, ...]


class RicLedger:
    """Who posts to what. Exact for the first ``MOST_RICS``; those that come later are counted as records only."""

    def __init__(self, most: int = MOST_RICS) -> None:
        self._most = most
        self._seen: dict[str, dict[str, int]] = {}
        self._room = most
        self.untold = 0
        """Posts to RICs that came after the first ``most``."""

    def both(self, service: str, ric: str) -> None:
        """Both post to it, of one record."""
        seen = self._seen.get(service)
        if seen is None or seen.get(ric) != _BOTH:
            self._note(service, ric, _BOTH)

    def old(self, service: str, ric: str) -> None:
        """The old rules post to it."""
        self._note(service, ric, _OLD)

    def new(self, service: str, ric: str) -> None:
        """The new rules post to it."""
        self._note(service, ric, _NEW)

    def _note(self, service: str, ric: str, who: int) -> None:
        seen = self._seen.setdefault(service, {})
        before = seen.get(ric, 0)
        if before:
            seen[ric] = before | who
        elif self._room:
            self._room -= 1
            seen[ric] = who
        else:
            self.untold += 1

    @property
    def count(self) -> int:
        """RICs told apart."""
        return self._most - self._room

    def gained(self) -> RicCount:
        """Those that only the new rules post to."""
        return self._those(_NEW)

    def lost(self) -> RicCount:
        """Those that only the old rules post to."""
        return self._those(_OLD)

    def _those(self, who: int) -> RicCount:
        first: list[str] = []
        count = 0
        for service, ric in self._of(who):
            count += 1
            if count <= SHOWN:
                first.append(ric if len(self._seen) == 1 else f"{ric} of {service}")
        return RicCount(count, tuple(first))

    def _of(self, who: int) -> Iterator[tuple[str, str]]:
        return ((service, ric) for service, seen in self._seen.items() for ric, bits in seen.items() if bits == who)
