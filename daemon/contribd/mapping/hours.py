"""Hours of a market: ``Mon-Fri 07:00-18:00 Europe/London``, or several of them, and the dates that have none.

Theory of operation
===================

A moment is within the hours where a clock in their zone shows a time from the begin on, and before the end. Nothing
else is asked for: where the clocks go back, an hour that comes twice is within both times; where they go forward, what
they leave out is not there. 07:00 in London is 06:00 UTC in summer.

Over midnight (``22:00-06:00``) the days are those on which the hours begin: ``Sun-Thu 22:00-06:00`` ends on Friday at
06:00. An end that equals its begin is refused, since it may mean all day or nothing: all day is ``00:00-24:00``.

A holiday is a date there: from midnight to midnight nothing is within the hours, also not what began the evening
before.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contribd.mapping.zones import zone_info

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EXAMPLE: Final = "Mon-Fri 07:00-18:00 Europe/London"

_WRITTEN: Final = re.compile(
    r"(?:(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*) +)?(?P<begin>\d\d:\d\d) ?- ?(?P<end>\d\d:\d\d) +(?P<zone>\S+)",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 24 * 60
_EVERY_DAY: Final = frozenset(range(7))


class BadHours(ValueError):
    """A text that gives no hours; ``cure``: what to write instead."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Window:
    """From ``begin`` to ``end``, in minutes since midnight; an end that is not later is of the next day."""

    days: frozenset[int]
    """On which it begins: 0 is Monday."""
    begin: int
    end: int
    zone: ZoneInfo

    def holds(self, local: datetime) -> bool:
        """Whether a local time is within it."""
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.begin < self.end:
            return self.begin <= minute < self.end and day in self.days
        return (minute >= self.begin and day in self.days) or (minute < self.end and (day - 1) % 7 in self.days)


@dataclass(frozen=True, slots=True)
class Hours:
    """One window or several: a moment is within the hours where it is within one of them."""

    written: tuple[str, ...]
    windows: tuple[Window, ...]
    holidays: frozenset[date] = frozenset()

    def outside(self, wall: int) -> str | None:
        """Why a moment (microseconds since 1970, UTC) is not within the hours; None where it is."""
        moment = _EPOCH + timedelta(microseconds=wall)
        holiday: date | None = None
        for window in self.windows:
            local = moment.astimezone(window.zone)
            if not window.holds(local):
                continue
            if local.date() not in self.holidays:
                return None
            holiday = local.date()
        return self._told(moment, holiday)

    def _told(self, moment: datetime, holiday: date | None) -> str:
        zone = self.windows[0].zone
        arrived = f"arrived on {moment.astimezone(zone):%a %Y-%m-%d at %H:%M:%S} ({zone.key})"
        if holiday is not None:
            return f"{arrived}; {holiday} is a holiday"
        return f"{arrived}; hours are {' and '.join(self.written)}"


def read_hours(texts: tuple[str, ...], holidays: frozenset[date] = frozenset()) -> Hours:
    """The hours that these texts give together. Raises BadHours; NoZone where there is no such zone."""
    return Hours(texts, tuple(map(_window, texts)), holidays)


def _window(text: str) -> Window:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise BadHours("hours are days (or none, for every day), two times and a time zone", f'Write "{EXAMPLE}"')
    begin, end = _minutes(match["begin"]), _minutes(match["end"])
    if begin in {end, _DAY}:
        text = "hours that begin when they end may be all day, or nothing"
        raise BadHours(text, f"Write 00:00-24:00 {match['zone']} for all day")
    return Window(_days(match["days"]), begin, end, zone_info(match["zone"]))


def _minutes(clock: str) -> int:
    hour, minute = int(clock[:2]), int(clock[3:])
    if hour * 60 + minute > _DAY or minute > 59:
        raise BadHours(f"{clock} is no time of a day", "Write a time from 00:00 to 24:00")
    return hour * 60 + minute


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return _EVERY_DAY
    found: set[int] = set()
    for piece in text.split(","):
        first, *more = map(_day, piece.split("-"))
        if len(more) > 1:
            raise BadHours(f"{piece} is no row of days", "Write Mon-Fri, or Mon,Wed,Fri")
        last = more[0] if more else first
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found)


def _day(name: str) -> int:
    if name.capitalize() not in DAYS:
        raise BadHours(f"{name} is no day of the week", f"Write one of {', '.join(DAYS)}")
    return DAYS.index(name.capitalize())
