"""Dates and times in a form of one's own: ``DD.MM.YYYY HH:mm:ss``, for reading and for writing.

The pieces are those that spreadsheets and most programs show, told apart by case: ``MM`` months, ``mm`` minutes.
"""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Final

from contribd.mapping.moments import Written

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MAX_FORM: Final = 60
"""Characters of a form."""

_READS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short_year>[0-9]{2})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})",
    "Mmm": r"(?P<month_name>[A-Za-z]{3})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "hh": r"(?P<half>[0-9]{2})",
    "h": r"(?P<half>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "A": r"(?P<noon>[AaPp][Mm])",
    "Z": r"(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)",
    **{"S" * n: rf"(?P<fraction>[0-9]{{{n}}})" for n in range(1, 10)},
}
_MEANS = {piece: re.findall(r"<(\w+)>", reads)[0] for piece, reads in _READS.items()}
_YEAR, _MONTH, _HOUR = {"year", "short_year"}, {"month", "month_name"}, {"hour", "half"}
_OF_DATES = _YEAR | _MONTH | {"day"}
_VARIES = frozenset({"M", "D", "H", "h"})
_WORDS = frozenset({"MMM", "Mmm", "A", "Z"})
_TOKEN = re.compile(r"\[(?P<quoted>[^\[\]]*)\]|(?P<piece>Mmm|([A-Za-z])\3*)|(?P<other>[^A-Za-z\[\]])")
_PYTHON = dict(
    zip("dmYyHIMSfpbz", ["DD", "MM", "YYYY", "YY", "HH", "hh", "mm", "ss", "S" * 6, "A", "MMM", "Z"], strict=True)
)
_ELSEWHERE = (("yyyy", "YYYY"), ("uuuu", "YYYY"), ("yy", "YY"), ("dd", "DD"), ("f", "S"), ("n", "S"), ("a", "A"))


class FormError(Exception):
    """A form that cannot be used; ``at`` is the character, ``cure`` what to write instead."""

    def __init__(self, at: int, text: str, cure: str = "") -> None:
        super().__init__(text)
        self.at = at
        self.text = text
        self.cure = cure


@dataclass(frozen=True, slots=True)
class DateForm:
    """A form, compiled. ``parts`` are pieces and, in brackets, what stands between them."""

    source: str
    parts: tuple[str, ...]
    means: frozenset[str]
    pattern: re.Pattern[str]
    width: int | None
    """How many digits it has where it is nothing but digits."""

    @property
    def has_date(self) -> bool:
        """Whether it says year, month and day."""
        return "day" in self.means and not self.means.isdisjoint(_MONTH) and not self.means.isdisjoint(_YEAR)

    @property
    def has_time(self) -> bool:
        """Whether it says an hour."""
        return not self.means.isdisjoint(_HOUR)

    @property
    def has_offset(self) -> bool:
        """Whether it says how far from UTC."""
        return "offset" in self.means

    def read(self, text: str) -> Written | None:
        """What ``text`` says; None where it is not of this form. Raises ValueError where a part is out of range."""
        match = self.pattern.fullmatch(text)
        return None if match is None else _written(match.groupdict())

    def write(self, day: date | None, clock: time | None, fraction: str) -> str | None:
        """A date and a time in this form; None where it needs one that is not there."""
        if (day is None and self.means & _OF_DATES) or (clock is None and self.means - _OF_DATES):
            return None
        return "".join(_written_piece(part, day or date.min, clock or time.min, fraction) for part in self.parts)


@lru_cache(maxsize=256)
def date_form(source: str) -> DateForm:
    """The form that ``source`` writes. Raises FormError."""
    if "%" in source:
        text = "a form is written with pieces such as DD.MM.YYYY, not with %"
        raise FormError(source.index("%"), text, _instead(source))
    if not 0 < len(source) <= MAX_FORM:
        raise FormError(0, f"a form has 1 to {MAX_FORM} characters", _WRITE_ONE)
    parts, places = _parts(source)
    _check(source, parts, places)
    pieces = [part for part in parts if part[0] != "["]
    pattern = "".join(re.escape(part[1:-1]) if part[0] == "[" else _READS[part] for part in parts)
    digits = len(pieces) == len(parts) and not {*pieces} & (_VARIES | _WORDS)
    means = frozenset(_MEANS[piece] for piece in pieces)
    return DateForm(source, tuple(parts), means, re.compile(pattern), len(source) if digits else None)


def _parts(source: str) -> tuple[list[str], list[int]]:
    """The pieces, with other text in brackets, and where each stands."""
    parts: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None:
            raise FormError(
                at,
                "this bracket has no other; text stands in brackets, as in [at]",
                "Write [ and ] around the text, or remove the bracket",
            )
        piece = token["piece"]
        if piece is None or piece == "T":
            parts.append(f"[{token.group() if token['quoted'] is None else token['quoted']}]")
        elif piece in _READS:
            parts.append(piece)
        else:
            raise FormError(at, f"{piece} is no piece of a date or time; {_PIECES}", _instead(source) or _WRITE_ONE)
        places.append(at)
        at = token.end()
    return parts, places


_WRITE_ONE = 'Write one such as "DD.MM.YYYY HH:mm:ss"'
_PIECES = "there are YYYY YY MMM MM DD HH hh mm ss SSS A Z; other text stands in brackets"


def _check(source: str, parts: list[str], places: list[int]) -> None:
    """What cannot go together in a form."""
    seen: set[str] = set()
    for part, following, at in zip(parts, [*parts[1:], "["], places, strict=True):
        if part[0] == "[":
            continue
        if _MEANS[part] in seen:
            raise FormError(at, f"{part} says what an earlier piece says already", "Write each piece once")
        seen.add(_MEANS[part])
        if part in _VARIES and following[0] != "[" and following not in _WORDS:
            raise FormError(at, f"{part} has one digit or two, and {following} follows at once", f"Write {part * 2}")
    _check_meanings(source, seen)


def _check_meanings(source: str, seen: set[str]) -> None:
    for one, other, text, cure in _TOGETHER:
        if one in seen and not seen & other:
            raise FormError(0, text, _instead(source) or cure)
    if any(either <= seen for either in (_YEAR, _MONTH, _HOUR)):
        raise FormError(0, "this form says one thing in two ways", "Write each piece once")


_TOGETHER = (
    ("minute", _HOUR, "mm are minutes, and there is no hour; months are MM", "Write MM for the month"),
    ("second", {"minute"}, "ss are seconds, and there are no minutes", "Write mm before ss"),
    ("fraction", {"second"}, "S are decimals of a second, and there are no seconds", "Write ss.SSS"),
    ("half", {"noon"}, "hh are the hours of a 12-hour clock, and AM or PM is missing", "Add A, or write HH"),
    ("noon", {"half"}, "A is AM or PM, and HH counts to 23", "Write hh with A"),
    ("offset", _HOUR, "Z is the offset of a time, and there is none", "Take Z away"),
)


def _instead(source: str) -> str:
    """The form that was meant, where another tool's way to write it can be told."""
    if "%" in source:
        meant = re.sub("%(.)", lambda match: _PYTHON.get(match[1], "%"), source)
    else:
        meant = source
        for theirs, ours in _ELSEWHERE:
            meant = meant.replace(theirs, ours)
        if "h" not in meant.lower():
            meant = meant.replace("mm", "MM")
    if meant == source or "%" in meant:
        return ""
    try:
        date_form(meant)
    except FormError:
        return ""
    return f'Write "{meant}"'


def _written(found: dict[str, str | None]) -> Written:
    day = _day(found)
    clock, leap = _clock(found)
    offset = found.get("offset")
    return Written(day, clock, found.get("fraction") or "", offset_of(offset) if offset else None, leap)


def _day(found: dict[str, str | None]) -> date | None:
    year, name = found.get("year") or found.get("short_year"), found.get("month_name")
    month = str(MONTHS.index(name.upper()) + 1) if name else found.get("month")
    if year is None or month is None or found.get("day") is None:
        return None
    return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(found["day"] or 0))


def _clock(found: dict[str, str | None]) -> tuple[time | None, bool]:
    hour = found.get("hour")
    if half := found.get("half"):
        if not 1 <= int(half) <= 12:
            raise ValueError(half)
        hour = str(int(half) % 12 + (12 if (found.get("noon") or "").upper() == "PM" else 0))
    if hour is None:
        return None, False
    leap = found.get("second") == "60"
    return time(int(hour), int(found.get("minute") or 0), 59 if leap else int(found.get("second") or 0)), leap


def offset_of(text: str) -> timedelta:
    """``Z``, ``+01``, ``+0100`` or ``+01:00``. Raises ValueError."""
    if text in "Zz":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def _written_piece(part: str, day: date, clock: time, fraction: str) -> str:
    if part[0] == "[":
        return part[1:-1]
    month = MONTHS[day.month - 1]
    half = clock.hour % 12 or 12
    texts = {
        "YYYY": f"{day.year:04}", "YY": f"{day.year % 100:02}",
        "MMM": month, "Mmm": month.capitalize(), "MM": f"{day.month:02}", "M": str(day.month),
        "DD": f"{day.day:02}", "D": str(day.day),
        "HH": f"{clock.hour:02}", "H": str(clock.hour), "hh": f"{half:02}", "h": str(half),
        "mm": f"{clock.minute:02}", "ss": f"{clock.second:02}",
        "A": "PM" if clock.hour > 11 else "AM", "Z": "Z",
    }  # fmt: skip
    return texts[part] if part in texts else fraction.ljust(len(part), "0")[: len(part)]
