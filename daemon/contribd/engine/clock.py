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


class Stamp:
    """Formats wall times as ISO 8601 with microseconds and ``Z``; the text of the last second is kept."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, wall: int) -> str:
        """``wall``: microseconds since 1970, UTC, below ``LAST_WALL``."""
        second, micros = divmod(wall, 1_000_000)
        if second != self._second:
            self._second = second
            self._text = _seconds_text(second)
        return f"{self._text}.{micros:06d}Z"


def _seconds_text(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
