"""What a live view is made of: lines of text with a tone, and rows of values in columns. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from contribd.ops.lines import printable

UNKNOWN: Final = "-"
BARS: Final = "▁▂▃▄▅▆▇█"

Value: TypeAlias = str | int | float | bool | None
"""Of one cell; None where it is not known."""


class Tone(StrEnum):
    """What a text is to be taken for. Shown by colour, and never by colour alone."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


class Piece(NamedTuple):
    """A piece of a line."""

    text: str
    tone: Tone = Tone.PLAIN


Line: TypeAlias = tuple[Piece, ...]


def shown(value: Value) -> str:
    """Any value as text on one line."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(value) if isinstance(value, str) else f"{value:,}"


def per_second(value: Value) -> str:
    """A rate: ``1,480/s``, ``0.25/s``."""
    if not isinstance(value, int | float):
        return UNKNOWN
    return f"{value:,.0f}/s" if value >= 10 or value == 0 else f"{value:.1f}/s" if value >= 1 else f"{value:.2g}/s"


def duration(value: Value) -> str:
    """Seconds that something took: ``1.2 ms``, ``2.50 s``."""
    if not isinstance(value, int | float):
        return UNKNOWN
    return f"{value * 1000:.1f} ms" if abs(value) < 1 else f"{value:.2f} s"


def age(value: Value) -> str:
    """Seconds for which something has lasted: ``12 s``, ``5 m 3 s``, ``2 h 10 m``, ``3 d 4 h``."""
    if not isinstance(value, int | float):
        return UNKNOWN
    seconds = max(0, int(value))
    for size, name, inner, inner_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            rest = seconds % size // inner
            return f"{seconds // size} {name} {rest} {inner_name}" if rest else f"{seconds // size} {name}"
    return f"{seconds} s"


def share(value: Value) -> str:
    """A part of the whole, given as 0 to 1: ``1.3 %``."""
    return f"{value:.1%}".replace("%", " %") if isinstance(value, int | float) else UNKNOWN


def clock(value: Value) -> str:
    """Unix seconds as the time of day in UTC, to the second: ``10:15:30Z``."""
    return f"{_utc(value):%H:%M:%S}Z" if isinstance(value, int | float) else UNKNOWN


def clock_ms(value: Value) -> str:
    """The same to the millisecond."""
    return f"{_utc(value):%H:%M:%S.%f}"[:-3] + "Z" if isinstance(value, int | float) else UNKNOWN


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def chart(values: list[float]) -> str:
    """A bar for each value; the highest is as high as a bar can be."""
    top = max(values, default=0.0)
    if top <= 0:
        return BARS[0] * len(values)
    return "".join(BARS[min(len(BARS) - 1, int(value / top * (len(BARS) - 1) + 0.5))] for value in values)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. ``width`` in characters, at least; ``show`` makes text of a value.

    Where not all columns fit, those of the highest ``rank`` give way first. One column ``grows`` into the rest of the
    line. The ``toned`` one has the tone of its row.
    """

    name: str
    title: str
    width: int
    rank: int = 0
    show: Callable[[Value], str] = shown
    right: bool = False
    grows: bool = False
    toned: bool = False


class Row(NamedTuple):
    """A value for each column. ``key`` names the row for as long as it is shown."""

    key: str
    values: tuple[Value, ...]
    tone: Tone = Tone.PLAIN


def fitting(columns: tuple[Column, ...], width: int) -> list[tuple[int, int]]:
    """Which columns fit into ``width`` characters, a space between any two: their places, and the width of each."""
    places = list(range(len(columns)))
    while len(places) > 1 and sum(columns[each].width + 1 for each in places) - 1 > width:
        last = max(places, key=lambda each: (columns[each].rank, each))
        if columns[last].rank == 0:
            break
        places.remove(last)
    spare = max(0, width - sum(columns[each].width + 1 for each in places) + 1)
    return [(each, columns[each].width + (spare if columns[each].grows else 0)) for each in places]


def cut(text: str, width: int, *, right: bool = False) -> str:
    """``text`` in exactly ``width`` characters; what is cut off ends in ``…``."""
    if len(text) > width:
        return text[: max(0, width - 1)] + "…" if width else ""
    return text.rjust(width) if right else text.ljust(width)
