"""RMTES, the encoding of most text fields: partial updates of a page's row, and characters outside ASCII.

Measured with the vendor's Java code: a row is changed in place by ``ESC [ column `` and a backquote, counting columns
from 0, then the text. Text in UTF-8 begins with ``ESC % 0``; it holds no partial update, whose column would be lost,
and no character above U+FFFF, which would be another one.
"""

import re
from typing import Final

from contribd.mapping.mistakes import out_of_range
from contribd.mapping.number_functions import whole_argument
from contribd.mapping.operators import Value, bounded_text
from contribd.mapping.text_functions import text_argument
from contribd.mapping.values import MAX_FIELD_TEXT

ESCAPE: Final = "\x1b"
MAX_COLUMN: Final = 254
"""The last of the longest row that a dictionary has."""

_UTF8: Final = ESCAPE + "%0"
_PARTIAL = re.compile("(?:\x1b\\[[0-9]{1,3}`[ -~]+)+")
_COLUMNS = re.compile("\x1b\\[([0-9]{1,3})`([ -~]+)")


def partial(text: Value, column: Value) -> str:
    """What changes a row from ``column`` on, counted from 0, and leaves the rest of it; several can be joined by +."""
    changed = text_argument("partial", text)
    at = whole_argument("partial", "column", column, 0, MAX_COLUMN)
    if not changed or not (changed.isascii() and changed.isprintable()):
        raise out_of_range("partial takes printable ASCII, at least one character")
    return bounded_text(f"{ESCAPE}[{at}`{changed}")


def rmtes_text(text: str) -> str:
    """``text`` with all that RMTES needs in it. Raises EvaluationError."""
    if len(text) > MAX_FIELD_TEXT:
        raise out_of_range(f"text has at most {MAX_FIELD_TEXT} characters, this has {len(text)}")
    if text.isascii() and text.isprintable():
        return text
    if ESCAPE in text:
        if not _PARTIAL.fullmatch(text):
            raise out_of_range("an escape in RMTES text is what partial() makes, with nothing but ASCII beside it")
        return text
    for at, character in enumerate(text):
        if not character.isprintable() or character > "\uffff":
            raise out_of_range(f"RMTES text holds printable characters to U+FFFF, not U+{ord(character):04X} at {at}")
    return _UTF8 + text


def rmtes_bytes(text: str) -> int:
    """How many bytes of its field RMTES text takes: to the last column that it changes, or all of it."""
    if text.startswith(ESCAPE + "["):
        return max(int(column) + len(changed) for column, changed in _COLUMNS.findall(text))
    return len(text.encode())
