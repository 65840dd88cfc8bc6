"""enumtype.def: tables of values with their display texts, each below the fields that have it."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from contribd.dictionary.lines import MAX_PROBLEMS, FileProblem, content_lines, is_fid, out_of_range_fid, unreadable
from contribd.mapping.codes import Code

MAX_VALUE: Final = 65535
"""Of an Enum on the wire."""

_FORM: Final = 'Write ACRONYM FID, or VALUE "DISPLAY" MEANING below it, or ! before a comment'
_FIELD: Final = re.compile(r"\s*([!-~]+)\s+(-?[0-9]{1,6})(?:\s+!.*)?", re.ASCII)
_VALUE: Final = re.compile(r'\s*([0-9]{1,6})\s+(?:"([^"]*)"|#((?:[0-9A-Fa-f]{2})*)#)(?:\s.*)?')
_COLUMNS_OF_FIELD: Final = (
    (re.compile(r"[!-~]+(?=\s|$)", re.ASCII), "a field's acronym, or a value"),
    (re.compile(r"-?[0-9]{1,6}(?=\s|$)", re.ASCII), "a FID"),
)
_COLUMNS_OF_VALUE: Final = (
    (re.compile(r"[0-9]{1,6}(?=\s|$)", re.ASCII), f"a value of at most {MAX_VALUE}"),
    (
        re.compile(r'(?:"[^"]*"|#(?:[0-9A-Fa-f]{2})*#)(?=\s|$)'),
        "a display text in double quotes, or hexadecimal as #C2A3#",
    ),
)


class EnumTable:
    """The values of an enumerated type."""

    __slots__ = ("_by_display", "displays")

    def __init__(self) -> None:
        self.displays: dict[int, str] = {}
        """The display text of each value, with the spaces around it."""
        self._by_display: tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]] | None = None

    def values(self, display: str) -> tuple[int, ...]:
        """All values that have this display text.

        Spaces at its end do not count; those at its start only where two display texts differ in them alone.
        """
        if self._by_display is None:
            self._by_display = self._indexed(str.rstrip), self._indexed(str.strip)
        exact, bare = self._by_display
        return exact.get(display.rstrip()) or bare.get(display.strip(), ())

    def texts(self) -> list[str]:
        """All display texts without the spaces around them."""
        return [text for text in dict.fromkeys(map(str.strip, self.displays.values())) if text]

    def _indexed(self, stripped: Callable[[str], str]) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for value, display in self.displays.items():
            text = stripped(display)
            found[text] = (*found.get(text, ()), value)
        return found


class Owner(NamedTuple):
    """A field that has a table, as enumtype.def names it."""

    name: str
    fid: int
    table: EnumTable
    line: int


class EnumsFile(NamedTuple):
    """What the file holds, and what is wrong with it."""

    owners: dict[int, Owner]
    """By FID."""
    problems: list[FileProblem]


def parse_enums(content: bytes) -> EnumsFile:
    """Read a whole file. Any bytes give tables, or problems with lines."""
    parsed = EnumsFile({}, [])
    table = EnumTable()
    owner: Owner | None = None
    for number, line in content_lines(content):
        if len(parsed.problems) >= MAX_PROBLEMS:
            break
        if found := _VALUE.fullmatch(line):
            if problem := _value(found, number, table, owner):
                parsed.problems.append(problem)
        elif found := _FIELD.fullmatch(line):
            if table.displays:
                table = EnumTable()
            owner = Owner(found[1], int(found[2]), table, number)
            if problem := _owner(found, owner, parsed.owners):
                parsed.problems.append(problem)
        else:
            is_value = line.lstrip()[:1].isdigit()
            parsed.problems.append(
                unreadable(number, line, _COLUMNS_OF_VALUE if is_value else _COLUMNS_OF_FIELD, _FORM)
            )
    _whole(parsed, owner)
    return parsed


def _value(found: re.Match[str], number: int, table: EnumTable, owner: Owner | None) -> FileProblem | None:
    value = int(found[1])
    column = found.start(1) + 1
    if owner is None:
        text = "expected a field's acronym and FID above the first value"
        return FileProblem(number, column, text, Code.DICTIONARY_LINE, _FORM)
    if value > MAX_VALUE:
        text = f"expected a value of at most {MAX_VALUE}, got {value}"
        return FileProblem(number, column, text, Code.DICTIONARY_LINE)
    display = _hexadecimal(found[3]) if found[2] is None else found[2]
    before = table.displays.setdefault(value, display)
    if before != display:
        text = f'value {value} stands in this table already, as "{before[:20]}"'
        return FileProblem(number, column, text, Code.DICTIONARY_TWICE, "Remove one of the two lines")
    return None


def _owner(found: re.Match[str], owner: Owner, owners: dict[int, Owner]) -> FileProblem | None:
    if not is_fid(owner.fid):
        return out_of_range_fid(owner.line, owner.fid, found.start(2) + 1)
    before = owners.setdefault(owner.fid, owner)
    if before is not owner and (before.table is not owner.table or before.name != owner.name):
        text = f"FID {owner.fid} has a table already, in line {before.line}, as {before.name}"
        return FileProblem(owner.line, found.start(2) + 1, text, Code.DICTIONARY_TWICE, "Remove one of the two lines")
    return None


def _hexadecimal(text: str) -> str:
    content = bytes.fromhex(text)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _whole(parsed: EnumsFile, last: Owner | None) -> None:
    """What the end of the file leaves open."""
    if last is None and not parsed.problems:
        text = "the file holds no table"
        parsed.problems.append(FileProblem(1, 1, text, Code.DICTIONARY_FILE, "Name the vendor's enumtype.def"))
    elif last is not None and not last.table.displays:
        text = f"expected values below {last.name}, got the end of the file"
        parsed.problems.append(FileProblem(last.line, 1, text, Code.DICTIONARY_LINE, _FORM))
