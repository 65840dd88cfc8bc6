"""Regularities between a text and what it becomes: each a claim that can be held against further pairs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Final, TypeAlias

from contribd.mapping.numbers import parse_number
from contribd.mapping.outcome import FieldValue


@dataclass(frozen=True, slots=True)
class Remade:
    """A text that is made of the old one by a function."""

    how: str
    make: Callable[[str], str]
    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return isinstance(old, str) and isinstance(new, str) and old != new and self.make(old) == new

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return self.how


@dataclass(frozen=True, slots=True)
class OtherEnd:
    """Another text at the end, or at the beginning; both may be empty."""

    old: str
    new: str
    at_end: bool
    least: int = 2

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        if not isinstance(old, str) or not isinstance(new, str):
            return False
        if self.at_end:
            return old.endswith(self.old) and new == old[: len(old) - len(self.old)] + self.new
        return old.startswith(self.old) and new == self.new + old[len(self.old) :]

    @property
    def words(self) -> str:
        """What becomes of the field."""
        where = "end" if self.at_end else "begin"
        if not self.old:
            return f"{where}s with {self.new!r} in addition"
        if not self.new:
            return f"no longer {where}s with {self.old!r}"
        return f"{where}s with {self.new!r} instead of {self.old!r}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A date or a time, later or earlier by always the same."""

    by: timedelta
    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        return _moved(old, new) == self.by

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return f"is {_span(abs(self.by))} {'later' if self.by > timedelta() else 'earlier'}"


@dataclass(frozen=True, slots=True)
class Retyped:
    """A number that becomes a text, or the other way."""

    to: type
    least: int = 1

    def holds(self, old: FieldValue, new: FieldValue) -> bool:
        """Whether it is so for a pair."""
        text, number = (new, old) if self.to is str else (old, new)
        if not isinstance(text, str) or number is None or isinstance(number, str):
            return False
        return parse_number(text.strip()) == number

    @property
    def words(self) -> str:
        """What becomes of the field."""
        return "becomes a text of the same digits" if self.to is str else "becomes a number of the same digits"


TextPattern: TypeAlias = Remade | OtherEnd | Moved | Retyped

_MAKINGS: Final = (
    Remade("is in capitals", str.upper),
    Remade("is in small letters", str.lower),
    Remade("loses the spaces around it", str.strip),
)


def text_patterns(pairs: list[tuple[FieldValue, FieldValue]]) -> Iterator[TextPattern]:
    """What may be so for these pairs, the most telling first."""
    yield from (Retyped(str), Retyped(int))
    texts = [(old, new) for old, new in pairs if isinstance(old, str) and isinstance(new, str) and old != new]
    if not texts:
        return
    yield from _MAKINGS
    old, new = texts[0]
    if (by := _moved(old, new)) is not None:
        yield Moved(by)
    yield from _ends(texts)
    length = max(len(new) for _, new in texts)
    yield Remade(f"is cut to {length} characters", lambda text: text[:length])


def _ends(texts: list[tuple[str, str]]) -> Iterator[OtherEnd]:
    """What is exchanged at an end: of all pairs the longest that any of them needs."""
    heads = [_common_begin(*pair) for pair in texts]
    tails = [_common_end(old, new) for old, new in texts]
    ends = {(old[head:], new[head:]) for (old, new), head in zip(texts, heads, strict=True)}
    starts = {(old[: len(old) - tail], new[: len(new) - tail]) for (old, new), tail in zip(texts, tails, strict=True)}
    for found, at_end in ((ends, True), (starts, False)):
        longest = max(found, key=lambda each: (len(each[0]) + len(each[1]), each))
        yield OtherEnd(*longest, at_end)


def _common_begin(old: str, new: str) -> int:
    return sum(1 for _ in takewhile(lambda each: each[0] == each[1], zip(old, new, strict=False)))


def _common_end(old: str, new: str) -> int:
    return _common_begin(old[::-1], new[::-1])


def _moved(old: FieldValue, new: FieldValue) -> timedelta | None:
    if not isinstance(old, str) or not isinstance(new, str):
        return None
    before, after = _moment(old), _moment(new)
    if before is None or after is None or _form(old) != _form(new):
        return None
    by = after - before
    if ":" in old[:3] and abs(by) > timedelta(hours=12):  # a time of day: 23:30 to 00:30 is an hour
        by -= timedelta(days=1) if by > timedelta() else timedelta(days=-1)
    return by or None


def _form(text: str) -> str:
    """A time of day, a date, or both."""
    return "time" if ":" in text[:3] else "date" if len(text) <= 10 else "both"


def _moment(text: str) -> datetime | None:
    try:
        if ":" in text[:3]:
            return datetime.combine(date(2000, 1, 1), time.fromisoformat(text), UTC)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _span(by: timedelta) -> str:
    seconds = by.total_seconds()
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds:g} s"
