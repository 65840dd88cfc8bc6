"""``as``, ``lookup`` and ``round``: what happens to a value between its expression and the last guard."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import partial
from typing import Final, cast

from contribd.mapping import times
from contribd.mapping.fraction_prices import TREASURIES, Notation, from_fraction
from contribd.mapping.mistakes import RAISED, out_of_range, wrong_type
from contribd.mapping.number_functions import to_text
from contribd.mapping.numbers import CONTEXT, NUMBERS, parse_number
from contribd.mapping.operators import Value, kind_name
from contribd.mapping.outcome import FieldValue
from contribd.mapping.rmtes import rmtes_text
from contribd.mapping.syntax import Scalar
from contribd.mapping.tape import GATE, current_tape, noted
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

    def ready(self, last: Callable[[Value], Value]) -> dict[str, Value]:
        """Each entry that ``last`` can be applied to, with what comes of it."""
        found: dict[str, Value] = {}
        with localcontext(CONTEXT):
            for key, value in self._table.items():
                with suppress(*RAISED):
                    found[key] = last(value)
        return found

    def __call__(self, value: Value) -> Scalar:
        key = value if type(value) is str else _short(value)
        if key in self._table:
            return self._table[key]
        if self._default:
            return self._default[0]
        raise out_of_range(f"lookup has no entry for {key[:40]!a} and no default")


def _short(value: Value) -> str:
    """The shortest plain digits of a number; anything else as text."""
    text = to_text(value)
    return text.rstrip("0").rstrip(".") if type(value) is Decimal and "." in text else text


def conversion(lookup: Lookup | None, reading: Reading, places: int | None) -> Convert:
    """One function for all that a field asks for; null passes every step and posts a blank."""
    last: Convert = noted(GATE, _guard(reading.to)) if places is None else noted(f"round: {places}", _rounding(places))
    step = reading.step()
    if step is not None:
        last = _behind(noted(f"as: {reading.to}", step), last)
    if lookup is None:
        return last
    ready = {} if current_tape() is not None else lookup.ready(last)
    return _looked_up(ready, _behind(noted("lookup", lookup), last))


def _behind(step: Callable[[Value], Value], last: Convert) -> Convert:
    """``last`` of what ``step`` gives; null passes both."""
    if last is _as_it_is:
        return lambda value: None if value is None else step(value)
    return lambda value: None if value is None else last(step(value))


def _looked_up(ready: Mapping[str, FieldValue], otherwise: Convert) -> Convert:
    def convert(value: Value) -> FieldValue:
        if type(value) is str and value in ready:
            return ready[value]
        return otherwise(value)

    return convert


def _guard(to: As | None) -> Convert:
    if to is As.RMTES or to in OF_TIMES:
        return _as_it_is
    return text_value if to is As.TEXT else field_value


def _as_it_is(value: Value) -> FieldValue:
    """Dates, times and RMTES: all was looked at when they were made."""
    return cast("FieldValue", value)


def _rounding(places: int) -> Convert:
    quantum = Decimal(1).scaleb(-places)

    def convert(value: Value) -> FieldValue:
        return rounded(value, quantum)

    return convert
