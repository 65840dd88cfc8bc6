"""``as``, ``lookup`` and ``round``: what happens to a value between its expression and the last guard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Final, cast

from contribd.mapping import times
from contribd.mapping.fraction_prices import TREASURIES, Notation, from_fraction
from contribd.mapping.mistakes import out_of_range, wrong_type
from contribd.mapping.numbers import NUMBERS, parse_number, plain_text
from contribd.mapping.operators import Value, kind_name
from contribd.mapping.outcome import FieldValue
from contribd.mapping.rmtes import rmtes_text
from contribd.mapping.syntax import Scalar
from contribd.mapping.tape import GATE, noted
from contribd.mapping.times import PLAIN, DateReading
from contribd.mapping.values import Convert, field_value, rounded, text_value


class As(StrEnum):
    """The kind of field a value is made into."""

    REAL = "real"
    INT = "int"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    FRACTION = "fraction"
    RMTES = "rmtes"


NUMERIC = frozenset({None, As.REAL, As.FRACTION})
"""What gives numbers that can be rounded."""


def to_real(value: Value) -> int | Decimal:
    """A number, or text that is one."""
    if type(value) in NUMBERS:
        return cast("int | Decimal", value)
    if type(value) is not str:
        raise wrong_type(f"as: real takes a number or text that is one, not {kind_name(value)}")
    number = parse_number(value)
    if number is None:
        raise out_of_range(f"as: real: {value[:40]!a} is not a number")
    return number


def to_int(value: Value) -> int:
    """A number without a fraction, or text that is one."""
    number = to_real(value)
    if type(number) is int:
        return number
    bounded = field_value(number)
    if bounded is None or isinstance(bounded, str) or bounded != number or int(bounded) != bounded:
        raise out_of_range("as: int takes a whole number; use round or floor")
    return int(bounded)


def to_text(value: Value) -> str:
    """Text as it is, a number in plain digits, ``true`` or ``false``."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) not in NUMBERS:
        raise wrong_type(f"expected text, a number, true or false, not {kind_name(value)}")
    plain = plain_text(value)
    if plain is None:
        raise out_of_range("the number has too many digits")
    return plain


def ric_text(value: Value) -> str:
    """A part of a RIC: text as it is, a number in plain digits without trailing zeros (100.0 is 100)."""
    if type(value) is str:
        return value
    if type(value) not in NUMBERS:
        raise wrong_type(f"a part of a RIC is text or a number, not {kind_name(value)}")
    return _short(value)


def to_rmtes(value: Value) -> str:
    """The same with the escapes that RMTES needs."""
    return rmtes_text(to_text(value))


_TO: dict[As, Callable[[Value], Value]] = {
    As.REAL: to_real,
    As.INT: to_int,
    As.TEXT: to_text,
    As.RMTES: to_rmtes,
}
_TIMES: dict[As, Callable[..., Value]] = {
    As.DATE: times.to_date,
    As.TIME: times.to_time,
    As.DATETIME: times.to_datetime,
}
OF_TIMES = frozenset(_TIMES)
"""What reads dates and times."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How ``as`` reads what it is given."""

    to: As | None = None
    notation: Notation = TREASURIES
    dates: DateReading = PLAIN

    def step(self) -> Callable[[Value], Value] | None:
        """The function that does it."""
        if self.to is As.FRACTION:
            return partial(from_fraction, notation=self.notation)
        if self.to in _TIMES:
            read = _TIMES[self.to]
            return read if self.dates is PLAIN else partial(read, reading=self.dates)
        return None if self.to is None else _TO[self.to]


AS_IT_COMES: Final = Reading()


class Lookup:
    """A table from values of the record to values of a field.

    Keys are text, as YAML keys are here. A number is looked up in plain digits without trailing zeros (1.50 as
    ``"1.5"``), true and false by those words.
    """

    __slots__ = ("_default", "_table")

    def __init__(self, table: Mapping[str, Scalar], default: tuple[Scalar, ...]) -> None:
        """``default`` holds the value for whatever the table lacks, or nothing."""
        self._table = table
        self._default = default

    def __call__(self, value: Value) -> Scalar:
        key = value if type(value) is str else _short(value)
        if key in self._table:
            return self._table[key]
        if self._default:
            return self._default[0]
        raise out_of_range(f"lookup has no entry for {key[:40]!a} and no default")


def _short(value: Value) -> str:
    """The shortest plain digits of a number; anything else as text."""
    return to_text(value.normalize() if type(value) is Decimal else value)


def conversion(lookup: Lookup | None, reading: Reading, places: int | None) -> Convert:
    """One function for all that a field asks for; null passes every step and posts a blank."""
    last: Convert = noted(GATE, _guard(reading.to)) if places is None else noted(f"round: {places}", _rounding(places))
    step = reading.step()
    if lookup is None and step is None:
        return last
    steps: list[Callable[[Value], Value]] = [noted("lookup", lookup)] if lookup is not None else []
    steps += [noted(f"as: {reading.to}", step)] if step is not None else []

    def convert(value: Value) -> FieldValue:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return last(value)

    return convert


def _guard(to: As | None) -> Convert:
    return text_value if to is As.TEXT else _guarded if to is As.RMTES else field_value


def _guarded(value: Value) -> FieldValue:
    """RMTES text: all was looked at when it was made."""
    return cast("FieldValue", value)


def _rounding(places: int) -> Convert:
    quantum = Decimal(1).scaleb(-places)

    def convert(value: Value) -> FieldValue:
        return rounded(value, quantum)

    return convert
