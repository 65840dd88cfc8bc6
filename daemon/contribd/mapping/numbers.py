"""Numbers: decimal throughout, bounded, and never dependent on the calling thread's decimal context."""

import decimal
import re
from decimal import Decimal

DIGITS = 34
"""Significant digits a computation keeps (those of IEEE 754 decimal128): far beyond any price, cheap to compute."""

LIMIT = 10**DIGITS
"""A computed number stays below this magnitude, integers and decimals alike; beyond it evaluation ends in an error."""

CONTEXT = decimal.Context(
    prec=DIGITS,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999,
    Emax=DIGITS - 1,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""The context of every evaluation. It is made current while records are mapped and the caller's own is put back:
operators then use it, which costs a third of calling the context's methods."""

_NUMBER_TEXT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_PLAIN_EXPONENT = 100
_WHOLE = 10**15


class PlainDecimal(Decimal):
    """A Decimal whose text is plain digits, for numbers so small that ``str(Decimal)`` would write an exponent.

    JSON encoders that know only Decimal itself need ``contribd.mapping.encode.plain_digits`` as their hook.
    """

    def __str__(self) -> str:
        return format(self, "f")


NUMBERS = frozenset({int, Decimal, PlainDecimal})
"""The exact types of a number. ``bool`` is an ``int`` to Python and no number here."""


def parse_number(text: str) -> Decimal | None:
    """``text`` as a number, or None where it is not one. No spaces, underscores, NaN or infinities."""
    return Decimal(text) if _NUMBER_TEXT.fullmatch(text) else None


def whole(value: object) -> int | None:
    """``value`` where it is a whole number by value (2, 2.0) of a magnitude below 1e15; else None."""
    if type(value) is int:
        return value if -_WHOLE < value < _WHOLE else None
    if type(value) is Decimal and -_WHOLE < value < _WHOLE and value == value.to_integral_value():
        return int(value)
    return None


def key_text(number: int | Decimal) -> str | None:
    """``number`` as a key: plain digits without trailing zeros, so that 100, 100.0 and 1e2 are one key."""
    plain = plain_text(number)
    return plain.rstrip("0").rstrip(".") if plain and "." in plain else plain


def plain_text(number: int | Decimal) -> str | None:
    """``number`` in plain digits, trailing zeros kept; None where its exponent is beyond 100 either way.

    The magnitude is looked at before anything is formatted: ``1e999999999`` must not become a gigabyte.
    """
    if type(number) is int:
        return str(number) if -LIMIT < number < LIMIT else None
    decimal_number = Decimal(number)
    if abs(decimal_number.adjusted()) > _PLAIN_EXPONENT:
        return None if decimal_number else "0"
    return format(decimal_number or abs(decimal_number), "f")
