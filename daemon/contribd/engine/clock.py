"""Time as the engine sees it: an argument, never a call."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Now(NamedTuple):
    """One reading of both clocks: ``mono`` in seconds for deadlines, ``wall`` in microseconds since 1970, UTC."""

    mono: float
    wall: int


LAST_WALL: Final = 253_402_300_800_000_000
"""Microseconds since 1970 at the end of the year 9999: from here on a time has no ISO 8601 text of four-digit years."""


_KEPT_SECONDS: Final = 64
"""Seconds whose text is kept: one result holds up to five times, old ones where the daemon has catching up to do."""


_KEPT_TIMES: Final = 256
"""Times whose text is kept: records of one poll, and posts of one frame, have theirs in common."""


class Stamp:
    """Formats wall times as ISO 8601 with microseconds and ``Z``; the texts of some are kept."""

    __slots__ = ("_seconds", "_times")

    def __init__(self) -> None:
        self._times: dict[int, str] = {}
        self._seconds: dict[int, str] = {}

    def __call__(self, wall: int) -> str:
        """``wall``: microseconds since 1970, UTC, below ``LAST_WALL``."""
        text = self._times.get(wall)
        if text is None:
            if len(self._times) >= _KEPT_TIMES:
                self._times.clear()
            text = self._times[wall] = self._text(wall)
        return text

    def _text(self, wall: int) -> str:
        second, micros = divmod(wall, 1_000_000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) >= _KEPT_SECONDS:
                self._seconds.clear()
            text = self._seconds[second] = _seconds_text(second)
        return f"{text}.{micros:06d}Z"


def _seconds_text(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


def iso(wall: int) -> str:
    """One wall time as ISO 8601 with microseconds and ``Z``."""
    return Stamp()(wall)
