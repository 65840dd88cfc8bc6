"""``as: date``, ``as: time`` and ``as: datetime``: text or numbers in, the text of tr_json2 out.

Times are posted in UTC, as RDM fields are. A date is that which was written: midnight in New York is no other day.
"""

import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Final

from contribd.mapping.date_forms import DateForm, offset_of
from contribd.mapping.epochs import Unit, from_epoch, from_stated
from contribd.mapping.mistakes import EvaluationError, out_of_range, wrong_type
from contribd.mapping.moments import Moment, Written, moment
from contribd.mapping.numbers import NUMBERS, parse_number
from contribd.mapping.operators import Value, kind_name
from contribd.mapping.zones import Zone

_DATE = r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
_TIME = (
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_ISO = re.compile(f"(?:{_DATE})?(?:(?P<t>(?<=[0-9])[T ])?{_TIME})?")
_WITH_DECIMALS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")


@dataclass(frozen=True, slots=True, eq=False)
class DateReading:
    """How dates and times are read; ``form`` and ``unit`` are not given both. Each field has its own."""

    zone: Zone | None = None
    form: DateForm | None = None
    unit: Unit | None = None


PLAIN: Final = DateReading()
"""ISO 8601 or an epoch, in UTC where nothing else is said."""


def to_date(value: Value, reading: DateReading = PLAIN) -> str:
    """``YYYY-MM-DD`` as written in a date or date and time; of an epoch, in UTC. Raises EvaluationError."""
    day = _moment(value, reading).local
    if day is None:
        raise out_of_range(f"as: date needs a date, {shown(value)} has none")
    return day.isoformat()


def to_time(value: Value, reading: DateReading = PLAIN) -> str:
    """``HH:MM:SS[.fraction]`` in UTC of a time or date and time. Raises EvaluationError."""
    quick = _quick_clock(value) if type(value) is str and reading is PLAIN else None
    clock = quick or _moment(value, reading).clock
    if clock is None:
        raise out_of_range(f"as: time needs a time, {shown(value)} has none")
    return clock


def to_datetime(value: Value, reading: DateReading = PLAIN) -> str:
    """``YYYY-MM-DDTHH:MM:SS[.fraction]`` in UTC of a date and time. Raises EvaluationError."""
    found = _moment(value, reading)
    if found.day is None or found.clock is None:
        raise out_of_range(f"as: datetime needs a date and a time, {shown(value)} has only one of them")
    return f"{found.day.isoformat()}T{found.clock}"


def _moment(value: Value, reading: DateReading) -> Moment:
    if type(value) is not str:
        return _read(value, reading)
    if reading is PLAIN:
        return _from_text(value)
    if reading.form is None and _WITH_DECIMALS.fullmatch(value):
        found = _remembered(value[:19], reading)
        return Moment(found.local, found.day, f"{found.clock}.{value[20:]}")
    return _remembered(value, reading)


@lru_cache(maxsize=1024)
def _remembered(text: str, reading: DateReading) -> Moment:
    """Records of one second share all but its decimals, and dates are the same for a day."""
    return _read(text, reading)


def _read(value: Value, reading: DateReading) -> Moment:
    try:
        return moment(written(value, reading), reading.zone)
    except (ValueError, OverflowError):
        raise _not_read(value, reading.form) from None


def written(value: Value, reading: DateReading = PLAIN) -> Written:
    """What a text or a number says. Raises EvaluationError."""
    if reading.form is not None:
        return _by_form(value, reading.form)
    if reading.unit is not None:
        number: Value = parse_number(value) if type(value) is str else value
        if type(number) not in NUMBERS:
            raise out_of_range(f"unit: {reading.unit} takes a number, {shown(value)} is none")
        return from_stated(number, reading.unit)
    if type(value) is str:
        return _iso(value)
    if type(value) in NUMBERS:
        return from_epoch(value)
    raise wrong_type(f"a date or time is ISO 8601 text or an epoch number, not {kind_name(value)}")


def _by_form(value: Value, form: DateForm) -> Written:
    text = value
    if type(value) in NUMBERS and form.width is not None and 0 <= value < 10**form.width and value == int(value):
        text = str(int(value)).rjust(form.width, "0")
    if type(text) is not str:
        raise wrong_type(f"a date or time of the form {form.source} is text, not {kind_name(value)}")
    try:
        found = form.read(text)
    except ValueError:
        found = None
    if found is None:
        raise _not_read(value, form)
    return found


def _from_text(text: str) -> Moment:
    clock = _quick_clock(text)
    if clock is not None:
        day, _ = _second(text[:19])
        return Moment(day, day, clock)
    return _from_any_text(text)


def _quick_clock(text: str) -> str | None:
    """The time of ``YYYY-MM-DDTHH:MM:SS.fZ``; None where the text is anything else.

    Records of one second share all but the fraction, and the text before it is read once.
    """
    fraction = text[20:-1]
    if text[19:20] == "." and text[-1] == "Z" and len(fraction) < 10 and fraction.isascii() and fraction.isdigit():
        _, clock = _second(text[:19])
        return None if clock is None else f"{clock}.{fraction}"
    return None


@lru_cache(maxsize=1024)
def _second(text: str) -> tuple[date | None, str | None]:
    """The day and the time of ``YYYY-MM-DDTHH:MM:SS``; nothing where it is anything else."""
    if text[4] != "-" or text[10] not in "T " or text[16] != ":":
        return None, None
    try:
        found = _from_any_text(text)
    except EvaluationError:
        return None, None
    return found.day, found.clock


def _from_any_text(text: str) -> Moment:
    try:
        return moment(_iso(text))
    except (ValueError, OverflowError):
        raise _not_read(text) from None


def _iso(text: str) -> Written:
    match = _ISO.fullmatch(text) if text else None
    if match is None or (match["year"] and match["hour"] and not match["t"]):
        raise _not_read(text)
    try:
        return _matched(match)
    except ValueError:
        raise _not_read(text) from None


def _matched(match: re.Match[str]) -> Written:
    """Raises ValueError where a part is out of its range."""
    year, month, day_of_month, hour, minute, second, fraction, offset = match.group(*_PARTS)
    day = date(int(year), int(month), int(day_of_month)) if year else None
    if hour is None:
        return Written(day)
    leap = second == "60"
    clock = time(int(hour), int(minute), 59 if leap else int(second or 0))
    return Written(day, clock, fraction or "", offset_of(offset) if offset else None, leap)


def _not_read(value: Value, form: DateForm | None = None) -> EvaluationError:
    if form is not None:
        return out_of_range(f"{shown(value)} is no date or time of the form {form.source}")
    return out_of_range(f"{shown(value)} is no date or time of ISO 8601 (2026-11-22, 10:15:30.123, both with a T)")


def shown(value: Value) -> str:
    """A value in the text of an error, of a bounded length."""
    return ascii(value[:40]) if isinstance(value, str) else "this number"
