"""A date and a time of day as they were written, and the moment that is in UTC."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from contribd.mapping.mistakes import out_of_range
from contribd.mapping.zones import Zone

_ANY_DAY = date(2000, 1, 1)
"""Stands for the date of a time of day that has none."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a text or a number says."""

    day: date | None
    clock: time | None = None
    """Whole seconds; a leap second is 59."""
    fraction: str = ""
    """The decimals of the second, as many as were given."""
    offset: timedelta | None = None
    """From UTC; None where none was given."""
    leap: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day or both."""

    local: date | None
    """The date that was written; with a zone, that of the zone."""
    day: date | None
    """The date in UTC."""
    clock: str | None
    """The time in UTC, ``HH:MM:SS`` with the decimals that were given."""


def moment(written: Written, zone: Zone | None = None) -> Moment:
    """Where ``written`` has no offset it is in ``zone``, else in UTC.

    Raises EvaluationError, and ValueError or OverflowError where it is no moment.
    """
    if written.clock is None:
        return Moment(written.day, written.day, None)
    local = datetime.combine(written.day or _ANY_DAY, written.clock)
    utc = local - _offset(written, local, zone)
    if written.leap and (utc.hour, utc.minute) != (23, 59):
        raise ValueError("a leap second ends a day in UTC")
    clock = f"{utc.time()}.{written.fraction}" if written.fraction else str(utc.time())
    if written.day is None:
        return Moment(None, None, clock)
    instant = zone is not None and written.offset is not None
    return Moment(zone.local(utc).date() if zone and instant else written.day, utc.date(), clock)


def _offset(written: Written, local: datetime, zone: Zone | None) -> timedelta:
    if written.offset is not None:
        return written.offset
    if zone is None:
        return timedelta(0)
    if written.day is None:
        raise out_of_range(f"a time of day in {zone.name} is no moment without its date; join both in from")
    return zone.offset(local)
