"""The field that was meant by a name which is none."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from contribd.dictionary.fields_file import Field

_LEAST: Final = 0.75
_STRANGE: Final = 2
_SEPARATORS: Final = re.compile("[^A-Z0-9]")


class Nearest:
    """Looks for names among all fields: their letters are gathered once, since there are some 15,000 of them."""

    __slots__ = ("_by_dde_name", "_by_name")

    def __init__(self, fields: Iterable[Field]) -> None:
        self._by_name: dict[str, tuple[frozenset[str], Field]] = {}
        self._by_dde_name: dict[str, Field] = {}
        for field in fields:
            name = _plain(field.name)
            self._by_name.setdefault(name, (frozenset(name), field))
            self._by_dde_name.setdefault(_plain(field.dde_name), field)

    def find(self, name: str) -> Field | None:
        """The field of the most similar acronym, if it is similar at all; a DDE acronym counts where it is the same."""
        wanted = _plain(name)
        if not wanted:
            return None
        if wanted in self._by_name:
            return self._by_name[wanted][1]
        return self._by_dde_name.get(wanted) or self._similar(wanted)

    def _similar(self, wanted: str) -> Field | None:
        best, found = _LEAST, None
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        letters = frozenset(wanted)
        for plain, (its_letters, field) in self._by_name.items():
            # The cheap bounds first.
            if len(letters ^ its_letters) > _STRANGE:
                continue
            if 2 * min(len(plain), len(wanted)) <= best * (len(plain) + len(wanted)):
                continue
            matcher.set_seq1(plain)
            if matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
                best, found = ratio, field
        return found


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.upper())
