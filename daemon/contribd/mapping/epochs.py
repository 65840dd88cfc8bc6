"""Times as numbers since 1970."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contribd.mapping.mistakes import EvaluationError, out_of_range
from contribd.mapping.moments import Written

# A unit that is not stated follows from the number's size: seconds to 2199 are below 7.3e9, milliseconds since 1973
# above 9.4e10, and so on by thousands, so that no two units meet.
_UNITS = ((Decimal(10) ** 11, 0), (Decimal(10) ** 14, 3), (Decimal(10) ** 17, 6), (Decimal(10) ** 20, 9))
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC, as all here
# Whatever lies outside is no epoch but something like 20261122 or 93000, which would be misread in silence.
_NOT_BEFORE = datetime(1973, 1, 1)  # noqa: DTZ001
_BEFORE = datetime(2200, 1, 1)  # noqa: DTZ001
_STATED_NOT_BEFORE = datetime(1900, 1, 1)  # noqa: DTZ001
_UTC: Final = timedelta(0)


class Unit(StrEnum):
    """What an epoch counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"
    DAYS = "days"


_DECIMALS = {Unit.SECONDS: 0, Unit.MILLISECONDS: 3, Unit.MICROSECONDS: 6, Unit.NANOSECONDS: 9}


def from_epoch(number: int | Decimal) -> Written:
    """The moment; the unit is told by the number's size. Raises EvaluationError."""
    decimals = next((places for below, places in _UNITS if 0 <= number < below), None)
    if decimals is None:
        raise _not_epoch()
    return _since_1970(number, decimals, _NOT_BEFORE, _not_epoch())


def from_stated(number: int | Decimal, unit: Unit) -> Written:
    """The moment in a unit that is stated. Raises EvaluationError."""
    mistake = out_of_range(f"this number, in {unit} since 1970, is not between the years 1900 and 2199")
    if not -(10**20) < number < 10**20:
        raise mistake
    if unit is not Unit.DAYS:
        return _since_1970(number, _DECIMALS[unit], _STATED_NOT_BEFORE, mistake)
    if number != int(number):
        raise out_of_range("unit: days takes whole days since 1970")
    if not -25_567 <= number < 84_006:
        raise mistake
    return Written((_EPOCH + timedelta(days=int(number))).date())


def _since_1970(number: int | Decimal, decimals: int, first: datetime, mistake: EvaluationError) -> Written:
    exact = Decimal(number)
    seconds, nanoseconds = divmod(int(exact.scaleb(9 - decimals)), 10**9)
    if abs(seconds) > 10**11 or not first <= (moment := _EPOCH + timedelta(seconds=seconds)) < _BEFORE:
        raise mistake
    places = min(9, decimals + max(0, -int(exact.as_tuple().exponent)))
    return Written(moment.date(), moment.time(), f"{nanoseconds:09d}"[:places], _UTC)


def _not_epoch() -> EvaluationError:
    return out_of_range("this number is no epoch in s, ms, µs or ns between the years 1973 and 2199")
