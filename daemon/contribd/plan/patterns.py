"""What is regular in the changes of one field, found in the first of them and counted in all."""

from decimal import localcontext
from typing import Final, NamedTuple, TypeAlias

from contribd.mapping.outcome import FieldValue
from contribd.plan.number_patterns import CONTEXT, NumberPattern, number_patterns
from contribd.plan.text_patterns import TextPattern, text_patterns

Pattern: TypeAlias = NumberPattern | TextPattern

SAMPLE: Final = 40
"""Changes that are looked at for what may be regular in them."""

SHARE: Final = 0.9
"""Of the changes, for a regularity to be named."""


class Regular(NamedTuple):
    """What becomes of a field, in words, and in how many of its changes. ``constant``: always the same."""

    text: str
    changes: int
    constant: bool = False


class Regularity:
    """The changes of one field: a pattern is chosen once ``SAMPLE`` have come, and counted exactly from the first on.

    What is kept is that many pairs, and then the pattern with its count. ``add`` needs ``CONTEXT`` to be current.
    """

    def __init__(self) -> None:
        self._sample: list[tuple[FieldValue, FieldValue]] = []
        self._pattern: Pattern | None = None
        self._count = 0
        self._held = 0
        self._first_new: FieldValue = None
        self._constant = 0
        self._old_varies = False
        self._first_old: FieldValue = None

    def add(self, old: FieldValue, new: FieldValue) -> None:
        """One more change of the field."""
        self._count += 1
        if self._count <= SAMPLE:
            self._begin(old, new)
        elif self._pattern is not None and self._pattern.holds(old, new):
            self._held += 1
        if new == self._first_new:
            self._constant += 1
        if not self._old_varies:
            self._old_varies = old != self._first_old

    def _begin(self, old: FieldValue, new: FieldValue) -> None:
        if self._count == 1:
            self._first_old, self._first_new = old, new
        self._sample.append((old, new))
        if self._count == SAMPLE:
            self._choose()

    def _choose(self) -> None:
        pairs, self._sample = self._sample, []
        different = len({old for old, _ in pairs})
        for pattern in (*number_patterns(pairs), *text_patterns(pairs)):
            held = sum(pattern.holds(old, new) for old, new in pairs)
            if held >= SHARE * len(pairs) and different >= pattern.least and held > self._held:
                self._pattern, self._held = pattern, held

    def found(self) -> Regular | None:
        """What is regular; None where nothing is."""
        if self._sample:
            with localcontext(CONTEXT):
                self._choose()
        if self._count and self._constant >= SHARE * self._count and self._old_varies:
            return Regular(_always(self._first_new), self._constant, constant=True)
        if self._pattern is not None and self._held >= SHARE * self._count:
            return Regular(self._pattern.words, self._held)
        if self._count > 1 and self._constant == self._count:
            text = f"{_always(self._first_new)} (it was {_text(self._first_old)})"
            return Regular(text, self._constant, constant=True)
        return None


def _always(value: FieldValue) -> str:
    return "is always blank" if value is None else f"is always {_text(value)}"


def _text(value: FieldValue) -> str:
    return "blank" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
