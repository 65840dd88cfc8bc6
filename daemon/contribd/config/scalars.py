"""What an unquoted YAML scalar means: the core schema of YAML 1.2, narrowed where people are caught out.

Numbers are decimal only. Text that YAML 1.1 and 1.2 read differently (``010``, ``1:30``, ``0x1F``, dates) stays text,
exactly as written. The booleans of YAML 1.1 become :class:`Doubtful`, which only a place for true or false accepts.
"""

import re
from decimal import Decimal
from typing import TypeAlias

Scalar: TypeAlias = str | int | Decimal | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DOUBTFUL = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z", re.ASCII)
_REAL = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)

MAX_NUMBER_LENGTH = 64
"""Longer than any price, quantity or identifier; Python itself refuses integers of more than 4300 digits."""
MAX_EXPONENT = 308
"""The range of a double: beyond it, writing a Decimal out in digits would take unbounded memory."""


class Doubtful(str):
    """An unquoted word that YAML 1.1 takes for a boolean and YAML 1.2 for text (``NO``, the country or the answer?)."""

    __slots__ = ()

    @property
    def truth(self) -> bool:
        return _DOUBTFUL[self.lower()]


class NumberError(ValueError):
    """A number beyond what a configuration can hold."""


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises NumberError for a number out of all proportion."""
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text.lower() in _DOUBTFUL:
        return Doubtful(text)
    if _REAL.match(text) is None:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise NumberError(f"a number of more than {MAX_NUMBER_LENGTH} characters; write text in quotes")
    if _INTEGER.match(text):
        return int(text)
    number = Decimal(text)
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise NumberError(f"a number with an exponent beyond {MAX_EXPONENT}; write text in quotes")
    return _bounded_zero(number)


def _bounded_zero(number: Decimal) -> Decimal:
    # 0e999999999 is zero, but writing it out in digits would not end.
    exponent = number.as_tuple().exponent
    return Decimal(0) if not number and abs(int(exponent)) > MAX_EXPONENT else number


def kind(value: object) -> str:
    """The name of a value's kind, as messages say it."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (Decimal, "a number"),
        (str, "text"),
        (dict, "a section"),
        (list, "a list"),
    )
    return next((name for type_, name in names if isinstance(value, type_)), "nothing")
