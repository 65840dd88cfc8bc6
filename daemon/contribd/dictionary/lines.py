"""What the two files have in common: lines of text, comments, and problems that have a place."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from contribd.mapping.codes import Code

LEAST_FID: Final = -32768
GREATEST_FID: Final = 32767

MAX_PROBLEMS: Final = 1000
"""Of one file: whoever names a log by mistake need not wait for all of its lines."""

_SHOWN: Final = 20

Expected = tuple[re.Pattern[str], str]
"""A column of a line, and what it is called when something else stands there."""


class FileProblem(NamedTuple):
    """One thing wrong with a dictionary file; line and column count from 1."""

    line: int
    column: int
    text: str
    code: Code
    cure: str = ""


def content_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """The number and text of each line that is neither empty nor a comment."""
    for number, line in enumerate(decoded(content).split("\n"), 1):
        if line and line[0] != "!" and (stripped := line.rstrip()):
            yield number, stripped


def decoded(content: bytes) -> str:
    """UTF-8 or, where it is none, Latin-1: so any bytes are text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def unreadable(number: int, line: str, columns: tuple[Expected, ...], form: str) -> FileProblem:
    """The problem of a line that has not the form: at the first column which is not what it should be."""
    at = 0
    for pattern, what in columns:
        at += len(line[at:]) - len(line[at:].lstrip())
        found = pattern.match(line, at)
        if found is None:
            return FileProblem(number, at + 1, f"expected {what}, {_found(line, at)}", Code.DICTIONARY_LINE, form)
        at = found.end()
    at += len(line[at:]) - len(line[at:].lstrip())
    return FileProblem(number, at + 1, f"expected the end of the line, {_found(line, at)}", Code.DICTIONARY_LINE, form)


def _found(line: str, at: int) -> str:
    rest = line[at:].split(maxsplit=1)
    return f"got {rest[0][:_SHOWN]!a}" if rest else "got the end of the line"


def out_of_range_fid(number: int, fid: int, column: int) -> FileProblem:
    """The problem of a FID that no field can have."""
    text = f"expected a FID between {LEAST_FID} and {GREATEST_FID} other than 0, got {str(fid)[:_SHOWN]}"
    return FileProblem(number, column, text, Code.DICTIONARY_LINE)


def is_fid(fid: int) -> bool:
    return LEAST_FID <= fid <= GREATEST_FID and fid != 0
