"""Regularities between a number and what it becomes: each a claim that can be held against further pairs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final, TypeAlias

from contribd.mapping.numbers import NUMBERS, plain_text
from contribd.mapping.outcome import FieldValue

MAX_DIGITS: Final = 8
"""Significant digits of a factor that is worth naming."""

MAX_TRIED: Final = 5
"""Factors, and differences, that are held against the sample."""

Number: TypeAlias = int | Decimal

CONTEXT: Final = Context(prec=40, traps=[])
"""The context of every comparison: what goes beyond it is equal to nothing, and raises nothing."""

_WHOLE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Sign:
    """The other sign."""

    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return _numbers(old, new) and old == -new  # type: ignore[operator]  # both are numbers

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return "changes its sign"


@dataclass(frozen=True, slots=True)
class Factor:
    """A constant multiple, exact or rounded to the decimals that are posted."""

    factor: Decimal
    places: int | None = None
    """The decimals that it is rounded to, where it is."""

    @property
    def least(self) -> int:
        """How many different values must show it: one is no proof but for a power of ten."""
        return 1 if _is_power_of_ten(self.factor) else 2

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return _numbers(old, new) and _comes_to(old * self.factor, new)  # type: ignore[operator,arg-type]

    @property
    def words(self) -> str:
        """What becomes of the field."""
        inverse = 1 / self.factor
        if abs(self.factor) < 1 and inverse == int(inverse):
            return f"is divided by {int(inverse):,}{_and_rounded(self.places)}"
        return f"is multiplied by {self.factor.normalize():,f}{_and_rounded(self.places)}"


@dataclass(frozen=True, slots=True)
class Shift:
    """A constant difference, exact or rounded to the decimals that are posted."""

    by: Decimal
    places: int | None = None
    """The decimals that it is rounded to, where it is."""
    least: int = 2

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return _numbers(old, new) and _comes_to(old + self.by, new)  # type: ignore[operator,arg-type]

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return f"is {'larger' if self.by > 0 else 'smaller'} by {shown(abs(self.by))}{_and_rounded(self.places)}"


@dataclass(frozen=True, slots=True)
class Rounded:
    """Fewer decimals: rounded, or cut off."""

    places: int
    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        if not _numbers(old, new) or places_of(new) > self.places:
            return False
        return places_of(old) > self.places and abs(new - old) * 10**self.places < 1  # type: ignore[operator]

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return f"is rounded to {_decimals(self.places)}"


@dataclass(frozen=True, slots=True)
class Finer:
    """More decimals: what was posted before is the new value, rounded."""

    before: int
    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return Rounded(self.before).holds(new, old)

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return f"is no longer rounded to {_decimals(self.before)}"


NumberPattern: TypeAlias = Sign | Factor | Shift | Rounded | Finer


def number_patterns(pairs: list[tuple[FieldValue, FieldValue]]) -> Iterator[NumberPattern]:
    """What may be so for these pairs, the most telling first."""
    numbers = [(old, new) for old, new in pairs if type(old) in NUMBERS and type(new) in NUMBERS]
    if not numbers:
        return
    yield Sign()
    places = max(places_of(new) for _, new in numbers)
    yield Rounded(places)
    ratios = [ratio for old, new in numbers if (ratio := _ratio(old, new)) is not None]  # type: ignore[arg-type]
    for factor in _in_order(ratios):
        exact = all(old * factor == new for old, new in numbers if _comes_to(old * factor, new))  # type: ignore[operator,arg-type]
        yield Factor(factor, None if exact else places)
    for by in _in_order([Decimal(new) - Decimal(old) for old, new in numbers]):  # type: ignore[arg-type]
        exact = all(old + by == new for old, new in numbers if _comes_to(old + by, new))  # type: ignore[operator,arg-type]
        yield Shift(by, None if exact else places)
    yield Finer(max(places_of(old) for old, _ in numbers))


def places_of(number: FieldValue) -> int:
    """Decimals as they are written, less the zeros at their end."""
    if type(number) is int or not isinstance(number, Decimal):
        return 0
    return max(0, -int(number.normalize().as_tuple().exponent))


def shown(number: Number) -> str:
    """A number for people: plain digits without zeros at the end."""
    text = plain_text(number) or str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_order(values: list[Decimal]) -> list[Decimal]:
    """Each once, the most frequent first, and of those no more than are worth a try."""
    return [value for value, _ in Counter(values).most_common(MAX_TRIED)]


def _ratio(old: Number, new: Number) -> Decimal | None:
    """The factor with the fewest digits that leads from one to the other."""
    if not old or not new:
        return None
    exact = Decimal(new) / Decimal(old)
    for digits in range(1, MAX_DIGITS + 1):
        factor = Decimal(f"{exact:.{digits - 1}e}")
        if factor != 1 and _comes_to(old * factor, new):
            return factor.normalize()
    return None


def _comes_to(exact: Decimal, posted: Number) -> bool:
    """Whether a number is posted as another: the same, or rounded to its decimals."""
    return exact == posted or exact.quantize(posted if type(posted) is Decimal else _WHOLE) == posted


def _numbers(old: FieldValue, new: FieldValue) -> bool:
    return type(old) in NUMBERS and type(new) in NUMBERS


def _is_power_of_ten(number: Decimal) -> bool:
    return abs(number).normalize().as_tuple().digits == (1,)


def _and_rounded(places: int | None) -> str:
    return "" if places is None else f" and rounded to {_decimals(places)}"


def _decimals(places: int) -> str:
    return "whole numbers" if not places else f"{places} decimal{'s' if places > 1 else ''}"
