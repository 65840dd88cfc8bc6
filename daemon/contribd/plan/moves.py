"""The changes of one field of one mapping: how many, how far, what is regular in them, and examples."""

from decimal import Decimal
from typing import Final, NamedTuple

from contribd.mapping.inputs import Input
from contribd.mapping.numbers import NUMBERS
from contribd.mapping.outcome import FieldValue
from contribd.plan.outcomes import Example
from contribd.plan.patterns import Regularity

EXAMPLES: Final = 3
"""Posts that are kept of each kind of difference: the first ones."""


class Move(NamedTuple):
    """How far a number moved at most, and the record that shows it. ``relative``: None where it was 0."""

    distance: Decimal
    relative: Decimal | None
    example: Example


class Differences:
    """The posts that differ in one way: how many, of how many records, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        """Posts; a record that makes none counts as one."""
        self.further = 0
        """Of them, those that are not the first of their record."""
        self.examples: list[Example] = []
        self._record: Input | None = None

    def add(self, record: Input, ric: str, old: FieldValue, new: FieldValue) -> None:
        """One more of them; a value that is not there is None. Those of one record come one after the other."""
        self.count += 1
        if record is self._record:
            self.further += 1
        self._record = record
        if self.count <= EXAMPLES:
            self.examples.append(Example(record.place, ric, old, new))

    @property
    def records(self) -> int:
        """Of how many records they are."""
        return self.count - self.further


class FieldChanges(Differences):
    """The posts in which a field has another value, by both sets of rules."""

    def __init__(self) -> None:
        super().__init__()
        self.farthest: Move | None = None
        """By distance."""
        self.steepest: Move | None = None
        """By the share of what it was."""
        self.regularity = Regularity()
        self._distance = Decimal(-1)
        self._share = Decimal(-1)

    def add(self, record: Input, ric: str, old: FieldValue, new: FieldValue) -> None:
        """One more of them."""
        Differences.add(self, record, ric, old, new)  # super() costs as much again
        self.regularity.add(old, new)
        if type(old) in NUMBERS and type(new) in NUMBERS:
            distance: Decimal = abs(new - old)  # type: ignore[operator]  # both are numbers
            if distance > self._distance:
                self._distance = distance
                self.farthest = _move(record, ric, old, new)
            if old and distance > self._share * abs(old):  # type: ignore[arg-type,operator]  # as above
                self.steepest = _move(record, ric, old, new)
                self._share = self.steepest.relative or Decimal(0)


def _move(record: Input, ric: str, old: FieldValue, new: FieldValue) -> Move:
    before, after = Decimal(old), Decimal(new)  # type: ignore[arg-type]  # both are numbers
    distance = abs(after - before)
    relative = distance / abs(before) if before else None
    return Move(distance, relative, Example(record.place, ric, old, new))
