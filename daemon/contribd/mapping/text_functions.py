"""What the functions of text do. Positions count from 0, negative ones from the end."""

from typing import Any, Final

from contribd.mapping.mistakes import missing, out_of_range, wrong_type
from contribd.mapping.number_functions import whole_argument
from contribd.mapping.numbers import whole
from contribd.mapping.operators import MAX_TEXT, Value, bounded_text, kind_name, shown

MAX_PIECES: Final = 10_000
"""Pieces that ``split`` makes of a text."""

_LEFT_OUT: Any = object()


def text_argument(function: str, value: Value) -> str:
    """``value`` where ``function`` takes text."""
    if type(value) is str:
        return value
    raise wrong_type(f"{function} takes text, not {kind_name(value)}")


def upper(text: Value) -> str:
    """In capitals."""
    return bounded_text(text_argument("upper", text).upper())


def lower(text: Value) -> str:
    """In small letters."""
    return bounded_text(text_argument("lower", text).lower())


def trim(text: Value) -> str:
    """Without the white space at both ends."""
    return text_argument("trim", text).strip()


def replace(text: Value, old: Value, new: Value) -> str:
    """Every ``old`` in ``text`` turned into ``new``."""
    before, into = text_argument("replace", text), text_argument("replace", new)
    out = _not_empty("replace", "old", old)
    if len(before) + before.count(out) * (len(into) - len(out)) > MAX_TEXT:
        raise out_of_range(f"replace: the text would have more than {MAX_TEXT} characters")
    return before.replace(out, into)


def slice_(text: Value, start: Value, end: Value = _LEFT_OUT) -> str:
    """The characters from position ``start`` up to, not including, ``end``; to the end where that is left out."""
    characters = text_argument("slice", text)
    return characters[_position(start) : None if end is _LEFT_OUT else _position(end)]


def find(text: Value, part: Value) -> int:
    """The position at which ``part`` first begins in ``text``; MISSING where it does not."""
    characters, looked_for = text_argument("find", text), text_argument("find", part)
    position = characters.find(looked_for)
    if position < 0:
        raise missing(f"find: there is no {shown(looked_for)} in {shown(characters)}")
    return position


def split(text: Value, separator: Value) -> list[Value]:
    """The pieces of ``text`` between the separators."""
    characters = text_argument("split", text)
    pieces = characters.split(_not_empty("split", "the separator", separator), MAX_PIECES)
    if len(pieces) > MAX_PIECES:
        raise out_of_range(f"split: the text has more than {MAX_PIECES} pieces")
    return list(pieces)


def pad_left(text: Value, width: Value, fill: Value = " ") -> str:
    """Brought to ``width`` characters by ``fill`` before it; longer text stays as it is."""
    return text_argument("pad_left", text).rjust(*_padding("pad_left", width, fill))


def pad_right(text: Value, width: Value, fill: Value = " ") -> str:
    """Brought to ``width`` characters by ``fill`` behind it; longer text stays as it is."""
    return text_argument("pad_right", text).ljust(*_padding("pad_right", width, fill))


def starts_with(text: Value, start: Value) -> bool:
    """Whether the text begins so."""
    return text_argument("starts_with", text).startswith(text_argument("starts_with", start))


def ends_with(text: Value, end: Value) -> bool:
    """Whether the text ends so."""
    return text_argument("ends_with", text).endswith(text_argument("ends_with", end))


def length(value: Value) -> int:
    """Characters of a text, entries of a list or an object."""
    if type(value) in {str, list, dict}:
        return len(value)
    raise wrong_type(f"len takes text, a list or an object, not {kind_name(value)}")


def _position(value: Value) -> int:
    position = whole(value)
    if position is None:
        raise wrong_type(f"slice: a position is a whole number, not {shown(value)}")
    return position


def _not_empty(function: str, what: str, value: Value) -> str:
    text = text_argument(function, value)
    if not text:
        raise out_of_range(f"{function}: {what} is empty")
    return text


def _padding(function: str, width: Value, fill: Value) -> tuple[int, str]:
    if len(text_argument(function, fill)) != 1:
        raise out_of_range(f"{function}: fill is one character, not {shown(fill)}")
    return whole_argument(function, "width", width, 0, MAX_TEXT), fill
