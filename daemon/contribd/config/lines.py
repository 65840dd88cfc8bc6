"""The lines of a file that breaks YAML's grammar: where the content of each begins, and what it begins with."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from contribd.config.codes import FileCode
from contribd.config.nodes import Mark, Report

KEY: Final = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s\#&*!|>'"%@`{}\[\],?:-][^\n]*?|-(?=[^\s,\[\]{}])[^\n]*?)
        [ \t]*:(?=[ \t\r\n]|\Z)""",
    re.VERBOSE,
)
TIGHT_KEY: Final = re.compile(r"([A-Za-z_][\w.]*):(?=[^\s/:])")
"""``ric:X=``, and no address."""
BARE_KEY: Final = re.compile(r"""(["']?[A-Za-z_][\w.]*["']?)(?:[ \t]*=(?!=)[ \t]*|[ \t]+|(?=\r?$)|\Z)""", re.MULTILINE)
DASH: Final = re.compile(r"-(?:[ \t]+|(?=\r?$)|\Z)", re.MULTILINE)
TIGHT_DASH: Final = re.compile(r"""-(?=[A-Za-z_{"'\[])""")
WORDS: Final = frozenset({"and", "or", "not", "in", "if", "else"})

_JUNK: Final = re.compile(r"""([,*&!@%`\]}:|>"'{\[]|-[ \t]{2,})[ \t]*""")
_MARKER: Final = re.compile(r"(?:---|\.\.\.)(?:[ \t]|\Z)")
_DASHES: Final = re.compile(r"(?:-[ ]+)+")


class Line(NamedTuple):
    """``start`` is the mark of a line's content, ``end`` the offset of its line break."""

    start: Mark
    end: int
    tab: int | None = None
    """The offset of a tab in its indentation."""
    shift: int = 0
    """How much deeper it is meant to stand."""
    junk: int | None = None
    """The offset of what stands before a key and cannot."""

    @property
    def column(self) -> int:
        """Where it stands, or is meant to."""
        return self.start.column + self.shift


def lines(source: str, report: Report) -> Iterator[Line]:
    """Those that hold something, up to the document's end."""
    index, levels, begun = 0, [1], False
    for number, raw in enumerate(source.split("\n"), 1):
        start, index = index, index + len(raw) + 1
        content = raw.strip(" \t\r")
        if not content or content.startswith("#") or (raw.startswith("%") and not begun):
            continue
        if not _MARKER.match(raw.rstrip()):
            begun = True
            yield _line(raw, start, number, levels)
        elif begun:
            cure = "remove this line, or put what follows into a file of its own"
            text = "a second document; expected one document a file"
            report(Mark(start, number, 1), text, FileCode.DOCUMENT, cure, Mark(start + 3, number, 4))
            return


def _line(raw: str, start: int, number: int, levels: list[int]) -> Line:
    lead = len(raw) - len(raw.lstrip(" \t"))
    end = start + len(raw.rstrip("\r"))
    if behind := _behind_junk(raw, lead, levels):
        candidates = [*[one for one in (behind + 1, behind) if one in levels or one > levels[-1]][-1:], lead + 1]
        column = next((one for one in candidates if one in levels or one > levels[-1]), behind + 1)
        return Line(Mark(start + behind, number, behind + 1), end, None, column - behind - 1, start + lead)
    tab = raw.find("\t", 0, lead)
    column = lead + 1 if tab < 0 else _behind_tabs(raw[:lead], levels)
    while levels and levels[-1] > column:
        levels.pop()
    if not levels or levels[-1] < column:
        levels.append(column)
    if dashes := _DASHES.match(raw, lead):
        levels.append(column + dashes.end() - lead)
    return Line(Mark(start + lead, number, column if tab < 0 else lead + 1), end, None if tab < 0 else start + tab,
                column - lead - 1)  # fmt: skip


def _behind_tabs(indentation: str, levels: list[int]) -> int:
    """The column that was meant, guessed from the lines before."""
    widths = sorted(
        (len(indentation.expandtabs(width)) + 1 for width in (2, 4, 8)), key=lambda width: abs(width - levels[-1])
    )
    return next((width for width in widths if width in levels), levels[-1] if len(levels) > 1 else 3)


def _behind_junk(raw: str, lead: int, levels: list[int]) -> int | None:
    """Where a line begins that has one character too many before its key or its dash."""
    junk = _JUNK.match(raw, lead)
    if junk is None or not (KEY.match(raw, junk.end()) or DASH.match(raw, junk.end())):
        return None
    character = junk[1][0]
    if character in "\"'":
        wrong = raw.count(character) % 2 == 1
    elif character in "{[":
        wrong = raw.count("{") + raw.count("[") > raw.count("}") + raw.count("]") and not raw.rstrip().endswith(
            (",", "{", "[")
        )
    elif character == "-":
        wrong = lead + 1 not in levels and bool(levels) and lead + 1 < levels[-1]
    else:
        wrong = True
    return junk.end() if wrong else None
