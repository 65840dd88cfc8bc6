"""The last gate before a post: what a value must be so that the ADS neither refuses it nor, worse, misreads it.

An ADS stores ``true``, ``{}`` and ``[]`` for a Real as 0 and acknowledges it, refuses a whole frame for a number with
15 decimals, and drops a message in silence for a control character: so nothing of the kind leaves here.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

from contribd.mapping.mistakes import ErrorKind, EvaluationError, out_of_range, wrong_type
from contribd.mapping.numbers import PlainDecimal
from contribd.mapping.operators import Value, kind_name
from contribd.mapping.outcome import FieldValue

MAX_DECIMALS = 14
"""Decimals of a Real on the wire (its smallest exponent is -14); more are rounded, half to even."""

MAX_MAGNITUDE = 10**15
"""Numbers from here on are refused by the ADS."""

MAX_FIELD_TEXT = 4096
"""Characters of a text field. RDM's longest are 255; this leaves room for a buffer field within one message."""

MAX_RIC = 255
"""Characters of a RIC: the name in an RWF message key has an 8-bit length."""

COMMANDS = "ATS_"
"""What the names begin with that LSEG's ATS takes as commands: ATS_INSERT_S, ATS_DELETE, ATS_DELETE_ALL."""

Convert: TypeAlias = Callable[[Value], FieldValue]

_NO_NUMBERS = frozenset(sign + word for sign in ("", "+", "-") for word in ("nan", "inf", "infinity", ".nan", ".inf"))
"""The vendor's server stores ``NaN``, ``Inf`` and ``-Inf`` in a price field and acknowledges it; other spellings it
refuses (measured), as other servers may not. With a dot they are YAML's."""

_BEGIN_NO_NUMBERS = "nNiI+-."
_SURELY_SHORT = 15
_SURELY_FITS = 9
"""Characters of a number that can be posted as it is: a sign goes the long way because of -0.0, and more characters
because the number may be whole."""

_FINEST = Decimal(1).scaleb(-MAX_DECIMALS)
_FINEST_ALONE = _FINEST.scaleb(1)
"""Below it a number has one digit, in the last place: the vendor's converter writes a zero behind that one before it
reads it, and refuses what is then too fine (measured)."""
_FORBIDDEN = re.compile("[^ -~]")


def field_value(value: Value) -> FieldValue:
    """``value`` as it is posted: a number within bounds, clean text or None. Raises EvaluationError.

    Needs ``numbers.CONTEXT`` to be current.
    """
    kind = type(value)
    if kind is Decimal:
        text = str(value)
        if len(text) <= _SURELY_FITS and text[0] != "-" and "E" not in text:
            return cast("Decimal", value)
        return _bounded_decimal(value)
    if kind is int:
        return _bounded_integer(value)
    if kind is str:
        if value[:1] in _BEGIN_NO_NUMBERS and value.lower() in _NO_NUMBERS:
            raise EvaluationError(
                ErrorKind.OUT_OF_RANGE,
                f"{value!a} is no price, and a price field would store it; for a text field, as: text",
                cure="Add as: text where it is a word, or write null for a blank",
            )
        return clean_text(value)
    if value is None:
        return None
    raise wrong_type(f"a field takes a number, text or null, not {kind_name(value)}")


def rounded(value: Value, quantum: Decimal) -> FieldValue:
    """A number rounded half to even to the decimals of ``quantum``, guarded like any other; None stays None.

    By its value: 7 and 7.0 give the same digits.
    """
    if type(value) is Decimal:
        exact = (value if value.adjusted() < _SURELY_SHORT else _in_magnitude(value)).quantize(quantum)
        text = str(exact)
        if len(text) <= _SURELY_FITS and text[0] != "-" and "E" not in text:
            return exact
        return _bounded_decimal(exact)
    if type(value) is int:
        return field_value(Decimal(_bounded_integer(value)).quantize(quantum))
    if value is None:
        return None
    raise wrong_type(f"round takes a number, not {kind_name(value)}")


def clean_text(value: str) -> str:
    """``value``, if it can be carried: printable ASCII, not too long.

    Text fields are RMTES: UTF-8 in them needs an escape sequence at its start. The vendor's Java library stores text
    without it garbled, and acknowledges it (measured). How an escape is sent depends on the server (see ``encode``), so
    that is for fields that ask for it: ``as: rmtes``.
    """
    if len(value) > MAX_FIELD_TEXT:
        raise out_of_range(f"text has at most {MAX_FIELD_TEXT} characters, this has {len(value)}")
    if value.isascii() and value.isprintable():
        return value
    found = _FORBIDDEN.search(value)
    what = f"U+{ord(found.group()):04X} at position {found.start()}" if found else "other characters"
    raise out_of_range(f"text is printable ASCII, this has {what}; an ADS would store something else")


def text_value(value: Value) -> FieldValue:
    """Text for a field that is known to hold text: NaN is a word there."""
    return None if value is None else clean_text(value)


def clean_ric(ric: str) -> str:
    """``ric``, if it can name an item: 1 to 255 printable ASCII characters, no space at either end."""
    if 0 < len(ric) <= MAX_RIC and ric.isascii() and ric.isprintable() and ric[0] != " " != ric[-1]:
        return ric
    if not ric:
        raise out_of_range("the RIC is empty")
    if len(ric) > MAX_RIC:
        raise out_of_range(f"a RIC has at most {MAX_RIC} characters, this has {len(ric)}")
    raise out_of_range(f"a RIC is printable ASCII without spaces at its ends, not {ric!a}")


def price_ric(ric: str) -> str:
    """``ric``, if it can name an item and is no command to LSEG's ATS, which takes posts to such names as orders."""
    if ric and ric[0] not in " A" and ric[-1] != " " and ric.isascii() and ric.isprintable() and len(ric) <= MAX_RIC:
        return ric  # most of them: told without a further call
    if ric[:4] == COMMANDS:
        raise out_of_range(f"{ric[:40]!a} is a command to the ATS, no instrument; a mapping's ric must say so itself")
    return clean_ric(ric)


def ric_problem(parts: Sequence[str | None]) -> str | None:
    """Why a RIC of these texts, with None for what a record fills in, can never be posted; None where it can be."""
    try:
        # What a record fills in can be as short as one character, wherever it stands.
        clean_ric("".join("x" if part is None else part for part in parts))
    except EvaluationError as error:
        return error.text
    return None


def _bounded_integer(value: int) -> int:
    if -MAX_MAGNITUDE < value < MAX_MAGNITUDE:
        return value
    raise out_of_range("a number's magnitude must be below 1e15")


def _in_magnitude(value: Decimal) -> Decimal:
    """``value`` if below the bound. Looked at before any digits are written: an exponent may be 999999999."""
    if value and value.adjusted() >= _SURELY_SHORT:
        raise out_of_range("a number's magnitude must be below 1e15")
    return value


def _bounded_decimal(value: Decimal) -> FieldValue:
    """Whole numbers become integers: the vendor's converter refuses round billions with a decimal point (measured)."""
    text = str(value)
    if len(text) <= _SURELY_SHORT and "E" not in text and text[0] != "-" and text[-1] != "0":
        return value  # neither 15 decimals nor 16 digits
    fine = _in_magnitude(value).quantize(_FINEST)
    if abs(fine) < _FINEST_ALONE:
        value = fine = value.quantize(_FINEST_ALONE)
    if fine == fine.to_integral_value():
        return _bounded_integer(int(fine))
    if int(value.as_tuple().exponent) < -MAX_DECIMALS:
        value = _in_magnitude(fine)
    if "E" not in str(value):
        return value
    return int(value) if value.adjusted() >= 0 else PlainDecimal(value)
