"""Prices in fractions, as traders write them: ``99-16+``, ``101-086``, ``99 1/2``; exact, as decimals.

What stands behind a dash or an apostrophe counts parts of one, 32 of them for US Treasuries. Nothing is guessed: where
markets read the same digits differently, a setting says which market it is.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contribd.mapping.mistakes import EvaluationError, out_of_range, wrong_type
from contribd.mapping.numbers import NUMBERS
from contribd.mapping.operators import Value, kind_name

MAX_DENOMINATOR: Final = 1024
"""Of ``1/2`` and the like. Every power of two up to here has an exact decimal of at most ten places."""

DENOMINATORS: Final = (2, 4, 8, 16, 32, 64, 128, 256)
"""What the digits behind a dash can count."""

_WHOLE = r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,12})"
_SLASHED = re.compile(r"(?P<sign>[+-]?)(?:(?P<whole>[0-9]{1,12}) +)?(?P<above>[0-9]{1,4})/(?P<below>[0-9]{1,4})")
_PARTED = re.compile(_WHOLE + r"(?P<mark>[-'.])(?P<digits>[0-9]{1,4})(?P<rest>\+|\.[0-9]{1,3})?")
_PLAIN = re.compile(_WHOLE + r"(?P<decimals>\.[0-9]{1,14})?")

_CUT = {"0": 0, "1": 1, "2": 2, "3": 3, "5": 4, "6": 5, "7": 6, "8": 7}
"""The first decimal of an eighth, cut off, and the eighth: .125 is written 1, .625 is written 6."""


class ThirdDigit(StrEnum):
    """What the digit behind two digits of 32nds means."""

    EIGHTHS = "eighths"
    """Eighths of a 32nd: 0 to 7."""
    DECIMAL = "decimal"
    """The first decimal of the 32nds, as futures exchanges write quarters and eighths: 2 is .25, 5 is .5, 7 is .75."""


class Point(StrEnum):
    """What a point means."""

    REFUSE = "refuse"
    DECIMALS = "decimals"
    FRACTION = "fraction"
    """The same as a dash."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How a market writes its fractions."""

    of: int = 32
    third_digit: ThirdDigit = ThirdDigit.EIGHTHS
    point: Point = Point.REFUSE


TREASURIES: Final = Notation()
"""US Treasury notes and bonds in the cash market."""


def from_fraction(value: Value, notation: Notation = TREASURIES) -> int | Decimal:
    """The number that a fraction means. Raises EvaluationError, with what was understood of it."""
    if type(value) is int:
        return value
    if type(value) is Decimal:
        text = format(value, "f") if -20 < value.adjusted() < 20 else str(value)
    elif type(value) is str:
        text = value
    else:
        raise wrong_type(f"as: fraction takes text or a number, not {kind_name(value)}")
    if match := _SLASHED.fullmatch(text):
        return _slashed(match)
    if (match := _PLAIN.fullmatch(text)) and (match["decimals"] is None or notation.point is Point.DECIMALS):
        return Decimal(text)
    if match := _PARTED.fullmatch(text):
        return _parted(match, notation)
    raise _not_understood(text, notation)


def fraction(value: Value, of: Value = TREASURIES.of) -> int | Decimal:
    """The function of the language: ``value`` in parts of ``of``."""
    if type(of) not in NUMBERS or of not in DENOMINATORS:
        raise out_of_range(f"fraction(text, of): of is one of {', '.join(map(str, DENOMINATORS))}")
    return from_fraction(value, TREASURIES if of == TREASURIES.of else Notation(int(of)))


def _slashed(match: re.Match[str]) -> Decimal:
    above, below = int(match["above"]), int(match["below"])
    understood = f"{match.group()!a} is {match['whole'] or '0'} and {above} of {below}"
    if below < 2 or below > MAX_DENOMINATOR or below & (below - 1):
        raise out_of_range(f"{understood}; a price is counted in halves, quarters and so on to 1024ths")
    if above >= below:
        raise _not_less_than_one(understood)
    return _signed(match, Decimal(above) / below)


def _parted(match: re.Match[str], notation: Notation) -> Decimal:
    if match["mark"] == "." and notation.point is not Point.FRACTION:
        raise out_of_range(
            f"{match.group()!a} has a point: decimals in one market, {_parts_name(notation)} in another; "
            "say fraction: {point: decimals} or {point: fraction}"
        )
    return _signed(match, _parts(match, notation) / notation.of)


def _parts(match: re.Match[str], notation: Notation) -> Decimal:
    """How many parts of one the digits say."""
    digits, rest = match["digits"], match["rest"]
    width = len(str(notation.of - 1))
    third = digits[2:] if notation.of == TREASURIES.of and len(digits) == 3 and rest is None else ""
    parts = int(digits[:width])
    understood = f"{match.group()!a} is {match['whole']} and {digits[:width]} of {notation.of}"
    if len(digits) != width + len(third):
        raise out_of_range(f"{understood}; {_parts_name(notation)} have {width} digit{'s' if width > 1 else ''} there")
    if parts >= notation.of:
        raise _not_less_than_one(understood)
    if third:
        return parts + _third(third, notation.third_digit, understood)
    if rest is None:
        return Decimal(parts)
    return parts + (Decimal("0.5") if rest == "+" else Decimal(f"0{rest}"))


def _third(digit: str, means: ThirdDigit, understood: str) -> Decimal:
    eighths = _CUT.get(digit) if means is ThirdDigit.DECIMAL else int(digit)
    if eighths is None or eighths > 7:
        known = ", ".join(_CUT) if means is ThirdDigit.DECIMAL else "0 to 7"
        raise out_of_range(f"{understood} and a third digit {digit}; third_digit: {means} knows {known}")
    return Decimal(eighths) / 8


def _parts_name(notation: Notation) -> str:
    return "32nds" if notation.of == TREASURIES.of else "halves" if notation.of == 2 else f"{notation.of}ths"


def _signed(match: re.Match[str], fraction: Decimal) -> Decimal:
    number = int(match["whole"] or 0) + fraction
    return -number if match["sign"] == "-" else number


def _not_less_than_one(understood: str) -> EvaluationError:
    return out_of_range(f"{understood}; that is one or more, and belongs in front")


def _not_understood(text: str, notation: Notation) -> EvaluationError:
    forms = "99-16, 99-16+, 99-162, 99 1/2" if notation.of == TREASURIES.of else "99-2, 99 1/2"
    return out_of_range(f"{text[:40]!a} is no fraction (as in {forms})")
