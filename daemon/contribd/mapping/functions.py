"""The functions of the mapping language."""

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from contribd.mapping.fraction_prices import fraction
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ErrorKind, EvaluationError, as_evaluation_error, missing, out_of_range, wrong_type
from contribd.mapping.numbers import NUMBERS, parse_number, plain_text
from contribd.mapping.operators import MAX_TEXT, Value, bounded_text, kind_name

MAX_PLACES = 34
"""Decimal places that ``round`` can be asked for."""

_ONE = Decimal(1)


def round_(value: Value, places: Value = 0) -> Value:
    """Half to even, the rule of the contribution itself: 1.084135 to 5 places is 1.08414, 2.5 to 0 places is 2."""
    number = _number("round", value)
    if type(places) is not int or not 0 <= places <= MAX_PLACES:
        raise out_of_range(f"round(x, places): places is a whole number from 0 to {MAX_PLACES}")
    if type(number) is int:
        return number
    return number.quantize(_ONE.scaleb(-places))


def absolute(value: Value) -> Value:
    """The number without its sign."""
    return abs(_number("abs", value))


def smallest(*values: Value) -> Value:
    """The least of the numbers."""
    return min([_number("min", value) for value in values])


def largest(*values: Value) -> Value:
    """The greatest of the numbers."""
    return max([_number("max", value) for value in values])


def floor(value: Value) -> Value:
    """The whole number at or below."""
    number = _number("floor", value)
    return number if type(number) is int else number.to_integral_value(decimal.ROUND_FLOOR)


def ceil(value: Value) -> Value:
    """The whole number at or above."""
    number = _number("ceil", value)
    return number if type(number) is int else number.to_integral_value(decimal.ROUND_CEILING)


def upper(text: Value) -> str:
    """In capitals."""
    return bounded_text(_text("upper", text).upper())


def lower(text: Value) -> str:
    """In small letters."""
    return bounded_text(_text("lower", text).lower())


def trim(text: Value) -> str:
    """Without the white space at both ends."""
    return _text("trim", text).strip()


def replace(text: Value, old: Value, new: Value) -> str:
    """Every ``old`` in ``text`` turned into ``new``."""
    before, out, into = _text("replace", text), _text("replace", old), _text("replace", new)
    if not out:
        raise out_of_range("replace(text, old, new): old is empty")
    if len(before) + before.count(out) * (len(into) - len(out)) > MAX_TEXT:
        raise out_of_range(f"replace: the text would have more than {MAX_TEXT} characters")
    return before.replace(out, into)


def slice_(text: Value, start: Value, end: Value = None) -> str:
    """The characters from position ``start`` up to, not including, ``end``; negative positions count from the end."""
    characters = _text("slice", text)
    if type(start) is not int or (end is not None and type(end) is not int):
        raise wrong_type("slice(text, start, end): positions are whole numbers")
    return characters[start:end]


def length(value: Value) -> int:
    """Characters of a text, entries of a list or an object."""
    if type(value) in {str, list, dict}:
        return len(value)
    raise wrong_type(f"len takes text, a list or an object, not {kind_name(value)}")


def to_text(value: Value) -> str:
    """A number in plain digits, text as it is, ``true`` or ``false``."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    plain = plain_text(_number("text", value))
    if plain is None:
        raise out_of_range("text: the number has too many digits")
    return bounded_text(plain)


def to_number(value: Value) -> Value:
    """Text as a number; numbers as they are."""
    if type(value) in NUMBERS:
        return value
    number = parse_number(_text("number", value))
    if number is None:
        raise out_of_range(f'number: "{value[:40]}" is not a number')
    return number


def starts_with(text: Value, start: Value) -> bool:
    """Whether the text begins so."""
    return _text("starts_with", text).startswith(_text("starts_with", start))


def ends_with(text: Value, end: Value) -> bool:
    """Whether the text ends so."""
    return _text("ends_with", text).endswith(_text("ends_with", end))


def exists(evaluate: Callable[[], Value]) -> bool:
    """Whether the record has that path, null included."""
    try:
        evaluate()
    except (EvaluationError, KeyError) as error:
        _only_missing(error)
        return False
    return True


def coalesce(*alternatives: Callable[[], Value]) -> Value:
    """The first value that is there and not null; null where one is there; MISSING where none is."""
    found = False
    for evaluate in alternatives:
        try:
            value = evaluate()
        except (EvaluationError, KeyError) as error:
            _only_missing(error)
        else:
            if value is not None:
                return value
            found = True
    if found:
        return None
    raise missing("the record has no value for any argument of coalesce")


@dataclass(frozen=True, slots=True)
class Function:
    """How a function is called: kinds of its parameters (the last one repeats where ``most`` allows more)."""

    call: Callable[..., Value]
    signature: str
    takes: tuple[Kind, ...]
    gives: Kind
    least: int
    most: int
    lazy: bool = False
    """Arguments are handed over unevaluated, since one that is missing is no error."""


_N, _T, _B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
FUNCTIONS: dict[str, Function] = {
    "round": Function(round_, "round(number, places)", (_N, _N), _N, 1, 2),
    "abs": Function(absolute, "abs(number)", (_N,), _N, 1, 1),
    "min": Function(smallest, "min(number, …)", (_N,), _N, 1, 20),
    "max": Function(largest, "max(number, …)", (_N,), _N, 1, 20),
    "floor": Function(floor, "floor(number)", (_N,), _N, 1, 1),
    "ceil": Function(ceil, "ceil(number)", (_N,), _N, 1, 1),
    "upper": Function(upper, "upper(text)", (_T,), _T, 1, 1),
    "lower": Function(lower, "lower(text)", (_T,), _T, 1, 1),
    "trim": Function(trim, "trim(text)", (_T,), _T, 1, 1),
    "replace": Function(replace, "replace(text, old, new)", (_T, _T, _T), _T, 3, 3),
    "slice": Function(slice_, "slice(text, start, end)", (_T, _N, _N), _T, 2, 3),
    "len": Function(length, "len(text, list or object)", (_T | Kind.LIST | Kind.OBJECT,), _N, 1, 1),
    "text": Function(to_text, "text(value)", (_N | _T | _B,), _T, 1, 1),
    "number": Function(to_number, "number(value)", (_N | _T,), _N, 1, 1),
    "fraction": Function(fraction, "fraction(text, of)", (_N | _T, _N), _N, 1, 2),
    "starts_with": Function(starts_with, "starts_with(text, start)", (_T, _T), _B, 2, 2),
    "ends_with": Function(ends_with, "ends_with(text, end)", (_T, _T), _B, 2, 2),
    "exists": Function(exists, "exists(path)", (Kind.ANY,), _B, 1, 1, lazy=True),
    "coalesce": Function(coalesce, "coalesce(value, …)", (Kind.ANY,), Kind.ANY, 1, 20, lazy=True),
}


def _number(function: str, value: Value) -> Value:
    if type(value) in NUMBERS:
        return value
    raise wrong_type(f"{function} takes a number, not {kind_name(value)}")


def _text(function: str, value: Value) -> str:
    if type(value) is str:
        return value
    raise wrong_type(f"{function} takes text, not {kind_name(value)}")


def _only_missing(error: Exception) -> None:
    if as_evaluation_error(error).kind is not ErrorKind.MISSING:
        raise error
