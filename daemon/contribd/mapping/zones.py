"""Named time zones: the hour that exists twice in autumn, and the one that does not in spring.

The rules come from the system's database, or from the ``tzdata`` package where the host has none.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from contribd.mapping.mistakes import out_of_range


class Fold(StrEnum):
    """Which one is meant of a local time that comes twice."""

    EARLIER = "earlier"
    LATER = "later"
    REJECT = "reject"


class Gap(StrEnum):
    """What becomes of a local time that the clocks left out."""

    REJECT = "reject"
    FORWARD = "forward"
    """It is moved forward by as much as the clocks were."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone with what is decided for its changes."""

    info: ZoneInfo
    fold: Fold = Fold.EARLIER
    gap: Gap = Gap.REJECT

    @property
    def name(self) -> str:
        """As it was asked for: ``Europe/London``."""
        return self.info.key

    def offset(self, local: datetime) -> timedelta:
        """From UTC at this local time. Raises EvaluationError where it is to be rejected."""
        first, second = self._offset(local, 0), self._offset(local, 1)
        if first == second:
            return first
        shown = f"{local:%Y-%m-%d %H:%M:%S} in {self.name}"
        if first < second:
            if self.gap is Gap.REJECT:
                raise out_of_range(f"there was no {shown}: the clocks went forward; gap: forward takes it")
            return first
        if self.fold is Fold.REJECT:
            raise out_of_range(f"{shown} came twice: the clocks went back; fold: earlier or later takes it")
        return first if self.fold is Fold.EARLIER else second

    def _offset(self, local: datetime, fold: int) -> timedelta:
        return self.info.utcoffset(local.replace(tzinfo=self.info, fold=fold)) or timedelta(0)

    def local(self, utc: datetime) -> datetime:
        """The local time at this moment; ``utc`` names no zone. Raises OverflowError."""
        return utc.replace(tzinfo=UTC).astimezone(self.info)


class NoZone(Exception):
    """There is no such zone; the text says so, ``cure`` which one was meant."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no time zone {name[:60]!a}")
        self._name = name

    @property
    def cure(self) -> str:
        """Looked for when it is asked for: the name may be a record's, and nobody is told."""
        near = _nearest(self._name)
        return f"Write {near}" if near else "Write a name such as Europe/London, America/New_York or UTC"


@lru_cache(maxsize=256)
def zone_info(name: str) -> ZoneInfo:
    """The zone of that name. Raises NoZone."""
    if not _is_one(name):
        raise NoZone(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise NoZone(name) from None


def _is_one(name: str) -> bool:
    """Names that begin otherwise are the host's own: localtime, posixrules, right/ with its leap seconds."""
    return _NAME.fullmatch(name) is not None and name != "Factory"


_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}")


_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def _nearest(name: str) -> str:
    """``london`` and ``Europe/Londn`` are Europe/London; ``BST`` is nothing that could be told."""
    names = sorted(filter(_is_one, available_timezones()))
    if offset := _OFFSET.fullmatch(name):  # the sign of these names is the other way round: Etc/GMT-1 is +01:00
        fixed = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return fixed if fixed in names else ""
    wanted = name.lower().replace(" ", "_")
    cities = [each for each in names if each.lower().rpartition("/")[2] == wanted and "/" in each]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.8) if len(name) > len("CEST") else []  # it is not EST
    return next(iter(cities or near), "")
