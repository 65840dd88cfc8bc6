"""Which records of the prices topics are meant, as a command says it."""

import re
from datetime import datetime
from typing import Final, NamedTuple

from contribd.engine.records.offsets import Partition

_PLACE: Final = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]+):(?P<number>\d{1,9}):(?P<first>\d{1,18})(?:\.\.(?P<last>\d{0,18}))?"
)


class OffsetRange(NamedTuple):
    """Offsets of one partition, both ends included. ``last``: None for all there are."""

    partition: Partition
    first: int
    last: int | None


class Span(NamedTuple):
    """What to read: the offsets given, or where none are, all partitions from ``since`` to ``until`` by timestamp.

    ``newest``: of these no more than so many offsets of each partition, the last ones.
    """

    since: datetime | None = None
    until: datetime | None = None
    offsets: tuple[OffsetRange, ...] = ()
    newest: int | None = None


def parse_offsets(text: str) -> OffsetRange:
    """``topic:partition:offset``, ``…:first..last``, or ``…:first..`` for all from there on. Raises ValueError."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} names no records: expected topic:partition:offset, such as prices:3:1812, "
            "prices:3:1812..1900, or prices:3:1812.. for all from there on"
        )
    first = int(match["first"])
    last = None if match["last"] == "" else int(match["last"] or first)
    if last is not None and last < first:
        raise ValueError(f"{text!r} ends before it begins")
    return OffsetRange(Partition(match["topic"], int(match["number"])), first, last)
