"""What the vendor's converter from JSON to OMM makes of a field's value: takes it, refuses it, or loses the post."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

MAX_DECIMALS: Final = 14
MAX_MAGNITUDE: Final = 10**15
_SURELY_FITS = 15  # a plain decimal of so few characters is within both bounds


class Kind(Enum):
    """A field's type in the dictionary, as far as the converter treats types apart."""

    REAL = "REAL64"
    UINT = "UINT64"
    ENUM = "ENUM"
    TEXT = "RMTES_STRING"
    DATE = "DATE"
    TIME = "TIME"


class Verdict(Enum):
    """``FINE``: stored, though perhaps as 0 or blank. ``ERROR``: an Error message. ``SILENT``: the post is lost."""

    FINE = "fine"
    ERROR = "error"
    SILENT = "silent"


_DICTIONARY = """
3 DSPLY_NAME TEXT; 4 RDN_EXCHID ENUM; 5 TIMACT TIME; 6 TRDPRC_1 REAL; 11 NETCHNG_1 REAL; 12 HIGH_1 REAL; 13 LOW_1 REAL
14 PRCTCK_1 ENUM; 15 CURRENCY ENUM; 16 TRADE_DATE DATE; 17 ACTIV_DATE DATE; 18 TRDTIM_1 TIME; 19 OPEN_PRC REAL
21 HST_CLOSE REAL; 22 BID REAL; 25 ASK REAL; 30 BIDSIZE REAL; 31 ASKSIZE REAL; 32 ACVOL_1 REAL; 35 YIELD REAL
38 DIVPAYDATE DATE; 53 TRD_UNITS ENUM; 118 PROD_PERM UINT; 134 MID_PRICE REAL; 259 RECORDTYPE UINT; 275 SEC_ACT_1 REAL
393 PRIMACT_1 REAL; 826 DLG_CODE1 TEXT; 831 CTBTR_1 TEXT; 836 CTB_LOC1 TEXT; 875 VALUE_DT1 DATE; 1025 QUOTIM TIME
3404 QUOTE_DATE DATE
"""


def _parse_dictionary(text: str) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for row in text.replace("\n", ";").split(";"):
        if row.strip():
            fid, name, kind = row.split()
            kinds[name] = kinds[fid] = Kind[kind]
    return kinds


FIELDS: Final[Mapping[str, Kind]] = MappingProxyType(_parse_dictionary(_DICTIONARY))
"""By name, and by FID as text; a small part of the vendor's dictionary, its names, FIDs and types being facts."""


def judge(name: str, value: object, fields: Mapping[str, Kind]) -> Verdict:
    """What becomes of ``value`` as decoded from JSON, its numbers with a fraction or exponent as Decimal."""
    kind = fields.get(name)
    if kind is None:
        return Verdict.ERROR
    if kind is Kind.REAL:
        return _judge_real(value)
    if kind is Kind.TEXT:
        return Verdict.SILENT if isinstance(value, int | Decimal) else Verdict.FINE
    if kind is Kind.UINT:
        return Verdict.FINE if value is None or isinstance(value, int) else Verdict.ERROR
    return Verdict.FINE


def _judge_real(value: object) -> Verdict:
    if isinstance(value, Decimal):
        return Verdict.FINE if _fits(value) else Verdict.ERROR
    if isinstance(value, int):
        return Verdict.FINE if -MAX_MAGNITUDE < value < MAX_MAGNITUDE else Verdict.ERROR
    return Verdict.ERROR if isinstance(value, str) else Verdict.FINE


def _fits(value: Decimal) -> bool:
    text = str(value)
    if len(text) <= _SURELY_FITS and "E" not in text:
        return True
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DECIMALS and abs(value) < MAX_MAGNITUDE
