"""What the vendor's converter from JSON to OMM makes of a field's value: takes it, refuses it, or breaks over it.

Measured on EMA Java 3.9.1's converter; what it takes it may still store as 0 or blank.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

_SURELY_FITS = 15  # characters of a plain decimal below 1e7: at most 13 decimals
_SURELY_BELOW = 10**7
_LEAST_EXPONENT, _GREATEST_EXPONENT = -14, 7  # a Real is an integer times ten to one of these
_STORED_WORDS = frozenset({"NaN", "Inf", "-Inf"})  # no number, and stored as one
_ENUMS = 1 << 16
_UINTS = 1 << 64
_INTS = 1 << 63


class FieldKind(Enum):
    """A field's type in the dictionary, as far as the converter treats types apart."""

    REAL = "REAL64"
    UINT = "UINT64"
    ENUM = "ENUM"
    TEXT = "RMTES_STRING"
    DATE = "DATE"
    TIME = "TIME"


class Verdict(Enum):
    """``BREAKS``: the converter fails with an exception, and the rest of the frame is lost without a word."""

    FINE = "fine"
    ERROR = "error"
    BREAKS = "breaks"


_DICTIONARY = """
3 DSPLY_NAME TEXT; 4 RDN_EXCHID ENUM; 5 TIMACT TIME; 6 TRDPRC_1 REAL; 11 NETCHNG_1 REAL; 12 HIGH_1 REAL; 13 LOW_1 REAL
14 PRCTCK_1 ENUM; 15 CURRENCY ENUM; 16 TRADE_DATE DATE; 17 ACTIV_DATE DATE; 18 TRDTIM_1 TIME; 19 OPEN_PRC REAL
21 HST_CLOSE REAL; 22 BID REAL; 25 ASK REAL; 30 BIDSIZE REAL; 31 ASKSIZE REAL; 32 ACVOL_1 REAL; 35 YIELD REAL
38 DIVPAYDATE DATE; 53 TRD_UNITS ENUM; 118 PROD_PERM UINT; 134 MID_PRICE REAL; 178 TRDVOL_1 REAL; 259 RECORDTYPE UINT
275 SEC_ACT_1 REAL; 393 PRIMACT_1 REAL; 826 DLG_CODE1 TEXT; 831 CTBTR_1 TEXT; 836 CTB_LOC1 TEXT; 875 VALUE_DT1 DATE
1025 QUOTIM TIME; 3404 QUOTE_DATE DATE
"""


def _parse_dictionary(text: str) -> dict[str, FieldKind]:
    kinds: dict[str, FieldKind] = {}
    for row in text.strip().replace("\n", ";").split(";"):
        fid, name, kind = row.split()
        kinds[name] = kinds[fid] = FieldKind[kind]
    return kinds


FIELDS: Final[Mapping[str, FieldKind]] = MappingProxyType(_parse_dictionary(_DICTIONARY))
"""By name, and by FID as text; a small part of the vendor's dictionary, its names, FIDs and types being facts."""


def judge(name: str, value: object, fields: Mapping[str, FieldKind]) -> Verdict:
    """What becomes of ``value`` as decoded from JSON, its numbers with a point or exponent as Decimal."""
    kind = fields.get(name)
    # It reads no digit 9 in a FID.
    if kind is None or (name.isdigit() and "9" in name):
        return Verdict.ERROR
    return Verdict.FINE if value is None else _JUDGES[kind](value)


def _judge_real(value: object) -> Verdict:
    if isinstance(value, Decimal):
        return Verdict.FINE if _fits(value) else Verdict.ERROR
    if isinstance(value, int):
        return _error_unless(-_INTS <= value < _INTS)
    return _error_unless(not isinstance(value, str) or value in _STORED_WORDS)


def _judge_uint(value: object) -> Verdict:
    return _error_unless(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _UINTS)


def _judge_enum(value: object) -> Verdict:
    return _error_unless(not isinstance(value, int) or isinstance(value, bool) or 0 <= value < _ENUMS)


def _judge_text(value: object) -> Verdict:
    return Verdict.FINE if isinstance(value, str) else Verdict.BREAKS


def _judge_date(value: object) -> Verdict:
    return _error_unless(value == "" or (isinstance(value, str) and _is_date(value)))


def _judge_time(value: object) -> Verdict:
    return _error_unless(not isinstance(value, str) or not value or _TIME.match(value) is not None)


_JUDGES: dict[FieldKind, Callable[[object], Verdict]] = {
    FieldKind.REAL: _judge_real,
    FieldKind.UINT: _judge_uint,
    FieldKind.ENUM: _judge_enum,
    FieldKind.TEXT: _judge_text,
    FieldKind.DATE: _judge_date,
    FieldKind.TIME: _judge_time,
}

_TIME = re.compile(r"\d{1,2}:\d{1,2}(:\d{1,2}(\D\d+)*)?")  # not its range: 25:99 is taken
_DATE_FORMATS = ("%Y-%m-%d", "%d %b %Y")


def _is_date(text: str) -> bool:
    for form in _DATE_FORMATS:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
        return True
    return False


def _error_unless(fine: bool) -> Verdict:
    return Verdict.FINE if fine else Verdict.ERROR


def _fits(value: Decimal) -> bool:
    text = str(value)
    if len(text) <= _SURELY_FITS and "E" not in text and -_SURELY_BELOW < value < _SURELY_BELOW:
        return True
    return _fits_as_double(float(value))


def _fits_as_double(value: float) -> bool:
    """Whether the double, written as Java writes it, is an integer times a power of ten that a Real has.

    Java writes at least one decimal, and an exponent outside of 0.001 to 1e7; trailing zeros are not taken off.
    """
    if value == 0:
        return True
    if value in {float("inf"), float("-inf")}:
        return False
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    if 1e-3 <= abs(value) < 1e7:
        return exponent >= _LEAST_EXPONENT
    # d.ddd times ten to the leading exponent: a single digit gets a zero behind the point.
    leading = len(digits) + exponent - 1
    return _LEAST_EXPONENT <= min(exponent, leading - 1) <= _GREATEST_EXPONENT
