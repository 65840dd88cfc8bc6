"""What the functions of numbers do. Positions and places are whole numbers by value: 2, 2.0 and 4 / 2 are the same."""

import decimal
from decimal import Decimal

from contribd.mapping.mistakes import out_of_range, wrong_type
from contribd.mapping.numbers import NUMBERS, parse_number, plain_text, whole
from contribd.mapping.operators import Value, kind_name, shown

MAX_PLACES = 34
"""Decimal places that ``round`` and ``fixed`` can be asked for."""

_ONE = Decimal(1)


def number_argument(function: str, value: Value) -> Value:
    """``value`` where ``function`` takes a number."""
    if type(value) in NUMBERS:
        return value
    raise wrong_type(f"{function} takes a number, not {kind_name(value)}")


def whole_argument(function: str, what: str, value: Value, least: int, most: int) -> int:
    """``value`` where ``function`` takes a whole number within bounds as ``what``."""
    number = whole(value)
    if number is None or not least <= number <= most:
        raise out_of_range(f"{function}: {what} is a whole number from {least} to {most}, not {shown(value)}")
    return number


def round_(value: Value, places: Value = 0) -> Value:
    """Half to even, the rule of the contribution itself: 1.084135 to 5 places is 1.08414, 2.5 to 0 places is 2."""
    number = number_argument("round", value)
    decimals = whole_argument("round", "places", places, 0, MAX_PLACES)
    if type(number) is int and not decimals:
        return number
    return Decimal(number).quantize(_ONE.scaleb(-decimals))


def fixed(value: Value, places: Value) -> str:
    """A number rounded as ``round`` does, as text with exactly so many decimals: 1.5 to 3 places is "1.500"."""
    number = number_argument("fixed", value)
    decimals = whole_argument("fixed", "places", places, 0, MAX_PLACES)
    rounded = Decimal(number).quantize(_ONE.scaleb(-decimals))
    return format(rounded or abs(rounded), "f")  # no sign where nothing is left of the number


def absolute(value: Value) -> Value:
    """The number without its sign."""
    return abs(number_argument("abs", value))


def least(*values: Value) -> Value:
    """The least of the numbers."""
    return min([number_argument("min", value) for value in values])


def greatest(*values: Value) -> Value:
    """The greatest of the numbers."""
    return max([number_argument("max", value) for value in values])


def floor(value: Value) -> Value:
    """The whole number at or below."""
    number = number_argument("floor", value)
    return number if type(number) is int else number.to_integral_value(decimal.ROUND_FLOOR)


def ceil(value: Value) -> Value:
    """The whole number at or above."""
    number = number_argument("ceil", value)
    return number if type(number) is int else number.to_integral_value(decimal.ROUND_CEILING)


def to_number(value: Value) -> Value:
    """Text as a number; numbers as they are."""
    if type(value) in NUMBERS:
        return value
    if type(value) is not str:
        raise wrong_type(f"number takes text or a number, not {kind_name(value)}")
    number = parse_number(value)
    if number is None:
        raise out_of_range(f"number: {shown(value)} is not a number")
    return number


def to_text(value: Value) -> str:
    """A number in plain digits, text as it is, ``true`` or ``false``."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) not in NUMBERS:
        raise wrong_type(f"text takes a number, text, true or false, not {kind_name(value)}")
    plain = plain_text(value)
    if plain is None:
        raise out_of_range("text: the number has too many digits")
    return plain
