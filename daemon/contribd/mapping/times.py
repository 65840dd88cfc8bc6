"""Dates and times: ISO 8601 text or epoch numbers in, the text of tr_json2 out.

Times are posted in UTC, as RDM fields are. A date is that which was written: midnight in New York is no other day.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from contribd.mapping.mistakes import EvaluationError, out_of_range, wrong_type
from contribd.mapping.numbers import NUMBERS
from contribd.mapping.operators import Value, kind_name

_DATE = r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
_TIME = (
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_ISO = re.compile(f"(?:{_DATE})?(?:(?P<t>(?<=[0-9])[T ])?{_TIME})?")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")

# A number is an epoch. Its unit follows from its size: seconds to 2199 are below 7.3e9, milliseconds since 1973 above
# 9.4e10, and so on by thousands, so that no two units meet.
_UNITS = ((Decimal(10) ** 11, 0), (Decimal(10) ** 14, 3), (Decimal(10) ** 17, 6), (Decimal(10) ** 20, 9))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Whatever lies outside is no epoch but something like 20261122 or 93000, which would be misread in silence.
_NOT_BEFORE = datetime(1973, 1, 1, tzinfo=UTC)
_BEFORE = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day or both."""

    written: date | None
    """The date as it was written."""
    day: date | None
    """The date in UTC."""
    clock: str | None
    """The time in UTC, ``HH:MM:SS`` with up to nine decimals as they were given."""


def to_date(value: Value) -> str:
    """``YYYY-MM-DD`` as written in an ISO 8601 date or date and time; of an epoch, in UTC. Raises EvaluationError."""
    day = _moment(value).written
    if day is None:
        raise out_of_range(f"as: date needs a date, {_shown(value)} has none")
    return day.isoformat()


def to_time(value: Value) -> str:
    """``HH:MM:SS[.fraction]`` from an ISO 8601 time or date and time, or an epoch. Raises EvaluationError."""
    clock = _moment(value).clock
    if clock is None:
        raise out_of_range(f"as: time needs a time, {_shown(value)} has none")
    return clock


def to_datetime(value: Value) -> str:
    """``YYYY-MM-DDTHH:MM:SS[.fraction]`` from an ISO 8601 date and time, or an epoch. Raises EvaluationError."""
    moment = _moment(value)
    if moment.day is None or moment.clock is None:
        raise out_of_range(f"as: datetime needs a date and a time, {_shown(value)} has only one of them")
    return f"{moment.day.isoformat()}T{moment.clock}"


def _moment(value: Value) -> Moment:
    if type(value) is str:
        return _from_text(value)
    if type(value) in NUMBERS:
        return _from_epoch(value)
    raise wrong_type(f"a date or time is ISO 8601 text or an epoch number, not {kind_name(value)}")


def _from_text(text: str) -> Moment:
    """Records of one second share all but the fraction, and the text before it is read once."""
    fraction = text[20:-1]
    if text[19:20] == "." and text[-1] == "Z" and len(fraction) < 10 and fraction.isascii() and fraction.isdigit():
        day, clock = _second(text[:19])
        if clock is not None:
            return Moment(day, day, f"{clock}.{fraction}")
    return _from_any_text(text)


@lru_cache(maxsize=1024)
def _second(text: str) -> tuple[date | None, str | None]:
    """The day and the time of ``YYYY-MM-DDTHH:MM:SS``; nothing where it is anything else."""
    if text[4] != "-" or text[10] not in "T " or text[16] != ":":
        return None, None
    try:
        moment = _from_any_text(text)
    except EvaluationError:
        return None, None
    return moment.day, moment.clock


def _from_any_text(text: str) -> Moment:
    match = _ISO.fullmatch(text) if text else None
    if match is None or (match["year"] and match["hour"] and not match["t"]):
        raise _not_iso(text)
    try:
        return _in_utc(match)
    except (ValueError, OverflowError):
        raise _not_iso(text) from None


def _in_utc(match: re.Match[str]) -> Moment:
    """The moment of a match. Raises ValueError or OverflowError where a part is out of its range."""
    year, month, day_of_month, hour, minute, second, fraction, offset = match.group(*_PARTS)
    written = date(int(year), int(month), int(day_of_month)) if year else None
    if hour is None:
        return Moment(written, written, None)
    leap = second == "60"
    day, clock = written, time(int(hour), int(minute), 59 if leap else int(second or 0))
    if offset is not None and offset not in "Zz":
        moved = datetime.combine(day or date(2000, 1, 1), clock, UTC) - _offset(offset)
        day, clock = moved.date() if day else None, moved.time()
    if leap and (clock.hour, clock.minute) != (23, 59):
        raise ValueError(second)
    return Moment(written, day, f"{clock}.{fraction}" if fraction else str(clock))


def _offset(text: str) -> timedelta:
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def _from_epoch(number: int | Decimal) -> Moment:
    decimals = next((places for below, places in _UNITS if 0 <= number < below), None)
    if decimals is None:
        raise _not_epoch()
    exact = Decimal(number)
    seconds, nanoseconds = divmod(int(exact.scaleb(9 - decimals)), 10**9)
    moment = _EPOCH + timedelta(seconds=seconds)
    if not _NOT_BEFORE <= moment < _BEFORE:
        raise _not_epoch()
    places = min(9, decimals + max(0, -int(exact.as_tuple().exponent)))
    fraction = f".{nanoseconds:09d}"[: places + 1] if places else ""
    return Moment(moment.date(), moment.date(), moment.strftime("%H:%M:%S") + fraction)


def _not_epoch() -> EvaluationError:
    return out_of_range("this number is no epoch in s, ms, µs or ns between the years 1973 and 2199")


def _not_iso(text: str) -> EvaluationError:
    return out_of_range(f"{_shown(text)} is no date or time of ISO 8601 (2026-11-22, 10:15:30.123, both with a T)")


def _shown(value: Value) -> str:
    return ascii(value[:40]) if isinstance(value, str) else "this number"
