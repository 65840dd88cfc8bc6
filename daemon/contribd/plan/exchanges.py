"""Which fields have, after a change, what other fields had before it."""

from collections.abc import Iterable, Mapping
from typing import Final

from contribd.mapping.outcome import FieldValue
from contribd.plan.patterns import SAMPLE, SHARE

LIKELY: Final = 0.5
"""Of the sample's changes, for a pair of fields to be followed further."""


class Exchanges:
    """Pairs of fields are found in the first ``SAMPLE`` records, and counted exactly from the first record on."""

    def __init__(self) -> None:
        self._records = 0
        self._changes: dict[str, int] = {}
        """Of each field, in the sample."""
        self._taken: dict[str, dict[str, int]] = {}
        """By field, then by the one whose former value it has: records."""
        self._followed: list[tuple[str, str, dict[str, int]]] = []

    def add(self, changed: Iterable[str], old: Mapping[str, FieldValue], new: Mapping[str, FieldValue]) -> None:
        """One more record in which some fields have other values."""
        self._records += 1
        if self._records <= SAMPLE:
            self._look(changed, old, new)
            return
        for name, other, counts in self._followed:
            value = new.get(name)
            if value is not None and value == old.get(other) and value != old.get(name):
                counts[other] += 1

    def _look(self, changed: Iterable[str], old: Mapping[str, FieldValue], new: Mapping[str, FieldValue]) -> None:
        had: dict[FieldValue, list[str]] = {}
        for name, value in old.items():
            if value is not None and name in new:
                had.setdefault(value, []).append(name)
        for name in changed:
            self._changes[name] = self._changes.get(name, 0) + 1
            counts = self._taken.setdefault(name, {})
            for other in had.get(new[name], ()):
                counts[other] = counts.get(other, 0) + 1
        if self._records == SAMPLE:
            self._follow()

    def _follow(self) -> None:
        for name, counts in self._taken.items():
            least = LIKELY * self._changes[name]
            self._followed += [(name, other, counts) for other, count in counts.items() if count >= least]

    def source_of(self, name: str, changes: int) -> tuple[str, int] | None:
        """The field whose former values this one has now, and in how many records of the ``changes`` that it has.

        None where there is none. Of several, one that has this field's in turn.
        """
        counts = self._taken.get(name, {})
        best = max(
            counts, key=lambda other: (counts[other], self._taken.get(other, {}).get(name, 0), other), default=""
        )
        return (best, counts[best]) if best and counts[best] >= SHARE * changes else None
