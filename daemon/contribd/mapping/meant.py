"""Which key of a record was meant, where one is named that the record does not have."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from contribd.mapping.scope import Surroundings
from contribd.mapping.syntax import Key, path_text

MAX_KEYS: Final = 50
"""Of an object with more, only those are found that differ in capitals and what stands between words."""
MAX_SHOWN: Final = 40
"""Characters of a key: who writes records chooses its length."""
_BETWEEN: Final = re.compile(r"[\W_]+")


def meant(record: Any, path: tuple[Key, ...]) -> str:
    """What is there in the place of what ``path`` names: "; it has Bid". Nothing where no key is like it."""
    held: Any = record
    for number, key in enumerate(path):
        inside = _inside(held, key)
        if inside is _NOTHING:
            found = _like(key, held)
            if found is None:
                return ""
            whole = path_text((*path[:number], found)) if number else path_text((found,))
            return f"; it has {whole}"
        held = inside
    return ""


_NOTHING: Final = object()


def _inside(held: Any, key: Key) -> Any:
    if isinstance(held, Surroundings):
        return getattr(held, str(key), _NOTHING)
    if isinstance(held, dict):
        return held.get(key, _NOTHING)
    if isinstance(held, list) and isinstance(key, int) and -len(held) <= key < len(held):
        return held[key]
    return _NOTHING


def _like(key: Key, held: Any) -> str | None:
    """The key of ``held`` that is most like ``key``: but for capitals and what stands between words, or by a letter."""
    if not isinstance(held, dict) or not isinstance(key, str):
        return None
    names = [name for name in held if isinstance(name, str) and 0 < len(name) <= MAX_SHOWN and name.isprintable()]
    bare = _bare(key)
    same = next((name for name in names if _bare(name) == bare), None)
    return same or _nearest(key, names) if len(names) <= MAX_KEYS else same


def _bare(name: str) -> str:
    return _BETWEEN.sub("", name).casefold()


def _nearest(key: str, names: Iterable[str]) -> str | None:
    """One letter more, less or other: of the short keys of prices, more would be another (``bid`` and ``ask``)."""
    near = get_close_matches(key, names, n=1, cutoff=0.84)
    return near[0] if near else None
