"""Which fields have, after a change, what other fields had before it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from contribd.mapping.numbers import NUMBERS
from contribd.mapping.outcome import FieldValue
from contribd.plan.patterns import SAMPLE, SHARE

LIKELY: Final = 0.5
"""Of the sample's changes, for a pair of fields to be followed further."""


class _Taken:
    """How often a field had what another one had: to the last digit, or rounded otherwise."""

    __slots__ = ("exactly", "rounded")

    def __init__(self) -> None:
        self.exactly = 0
        self.rounded = 0

    def add(self, value: FieldValue, other: FieldValue, own: FieldValue) -> None:
        """One more post: what the field has, what the other one had, and what it had itself."""
        if value is None or value == own:
            return
        if value == other:
            self.exactly += 1
        elif _rounded_otherwise(value, other, own):
            self.rounded += 1

    @property
    def all(self) -> int:
        """Either way."""
        return self.exactly + self.rounded


class Exchanges:
    """Pairs of fields are found in the first ``SAMPLE`` posts, and counted exactly from the first one on.

    ``add`` needs ``number_patterns.CONTEXT`` to be current.
    """

    def __init__(self) -> None:
        self._posts = 0
        self._changes: dict[str, int] = {}
        """Of each field, in the sample."""
        self._taken: dict[str, dict[str, _Taken]] = {}
        """By field, then by the one whose former value it has."""
        self._followed: list[tuple[str, str, _Taken]] = []

    def add(self, changed: Iterable[str], old: Mapping[str, FieldValue], new: Mapping[str, FieldValue]) -> None:
        """One more post in which some fields have other values."""
        self._posts += 1
        if self._posts <= SAMPLE:
            self._look(changed, old, new)
            return
        for name, other, taken in self._followed:
            taken.add(new.get(name), old.get(other), old.get(name))

    def _look(self, changed: Iterable[str], old: Mapping[str, FieldValue], new: Mapping[str, FieldValue]) -> None:
        for name in changed:
            self._changes[name] = self._changes.get(name, 0) + 1
            found = self._taken.setdefault(name, {})
            for other, value in old.items():
                if other != name and other in new:
                    found.setdefault(other, _Taken()).add(new[name], value, old[name])
        if self._posts == SAMPLE:
            self._follow()

    def _follow(self) -> None:
        for name, found in self._taken.items():
            least = LIKELY * self._changes[name]
            self._followed += [(name, other, taken) for other, taken in found.items() if taken.all >= least]

    def partner_of(self, name: str, changes: Mapping[str, int]) -> tuple[str, int] | None:
        """The field with which this one has exchanged its values, and in how many posts; None where there is none.

        ``changes``: posts in which each field has another value.
        """
        for other in self._best(name):
            here, there = self._taken[name][other], self._taken.get(other, {}).get(name)
            if (
                there is not None
                and here.all >= SHARE * changes.get(name, 0)
                and there.all >= SHARE * changes.get(other, 0)
            ):
                return other, here.all
        return None

    def source_of(self, name: str, changes: int) -> tuple[str, int] | None:
        """The field whose former values this one has exactly, and in how many of its ``changes``; or None."""
        for other in self._best(name):
            if (posts := self._taken[name][other].exactly) >= SHARE * changes:
                return other, posts
        return None

    def _best(self, name: str) -> list[str]:
        found = self._taken.get(name, {})
        return sorted((other for other in found if found[other].all), key=lambda other: (-found[other].all, other))


def _rounded_otherwise(value: FieldValue, other: FieldValue, own: FieldValue) -> bool:
    """Whether two numbers are the same but for their decimals; then what the field had itself must be farther off."""
    if type(value) is not Decimal or type(other) is not Decimal or type(own) not in NUMBERS:
        return False
    if value.quantize(other) != other and other.quantize(value) != value:
        return False
    return abs(value - other) < abs(value - own)  # type: ignore[operator]  # a number, as was seen
