"""Where in the source a character of a scalar stands, so that an error in an expression points at its column."""

import re
from collections.abc import Iterator

from contribd.config.nodes import Scalar

_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}
_FOLD = re.compile(r"[ \t]*(\r?\n)[ \t]*")
_TOKEN = re.compile(r"""\w+(?:\.\w+)*|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[=!<>&|?/*]+|@[\w.]*|\S""")
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)?\r?\n")


def place(source: str, scalar: Scalar, offset: int, *, inside: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of ``scalar.text[offset]``; the scalar's start where that cannot be told for certain.

    Offset 0 is the scalar's start too, unless ``inside`` asks for the first character of its text.
    """
    start = (scalar.start.line, scalar.start.column)
    if scalar.sources or offset < 0 or not (offset or inside) or not scalar.text:
        return start
    raw = source[scalar.start.index : scalar.end.index]
    produced = list(_produced(raw, scalar.style))
    if "".join(text for text, _ in produced)[: len(scalar.text)] != scalar.text:
        return start
    index = _raw_index(produced, offset, len(scalar.text))
    before = raw[:index]
    lines = before.count("\n")
    return (start[0] + lines, len(before) - before.rfind("\n") if lines else start[1] + index)


def token_length(text: str, offset: int) -> int:
    """Characters of the token of an expression that begins at ``offset``; 0 at the end."""
    token = _TOKEN.match(text, offset)
    return token.end() - offset if token else min(1, len(text) - offset)


def _raw_index(produced: list[tuple[str, int]], offset: int, length: int) -> int:
    """The place of the piece that holds the character; just past the last one for an offset at the end."""
    seen = 0
    wanted = min(offset, length - 1)
    for text, index in produced:
        if seen + len(text) > wanted:
            return index + (offset - wanted)
        seen += len(text)
    return 0


def _produced(raw: str, style: str | None) -> Iterator[tuple[str, int]]:
    """Pieces of the scalar's text, each with the index in ``raw`` that it comes from."""
    if style in ("|", ">"):
        return _block(raw)
    return _flow(raw, style or "")


def _flow(raw: str, quote: str) -> Iterator[tuple[str, int]]:
    index, end = len(quote), len(raw) - len(quote)
    while index < end:
        if fold := _FOLD.match(raw, index, end):
            yield " ", index
            index = fold.end()
        elif raw[index] == "\\" and quote == '"':
            length = _ESCAPE_LENGTH.get(raw[index + 1 : index + 2], 2)
            yield _unescaped(raw[index : index + length]), index
            index += length
        else:
            yield raw[index], index
            index += 2 if quote == "'" == raw[index] else 1


def _unescaped(escape: str) -> str:
    if escape[1:2] in _ESCAPE_LENGTH:
        try:
            return chr(int(f"0x{escape[2:]}", 0))
        except (ValueError, OverflowError):
            return ""
    return {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(escape[1:], escape[1:])


def _block(raw: str) -> Iterator[tuple[str, int]]:
    """Line by line without the indentation. Folding keeps the count of characters, but for blank lines."""
    header = _HEADER.match(raw)
    if header is None:
        return
    index = header.end()
    first = raw[index:].split("\n", 1)[0]
    indent = len(first) - len(first.lstrip(" "))
    newline = " " if raw[0] == ">" else "\n"
    lines = raw[index:].split("\n")
    for number, line in enumerate(lines):
        for column, character in enumerate(line[indent:]):
            yield character, index + indent + column
        index += len(line) + 1
        if number < len(lines) - 1:
            # The last line break is kept as such even where the others are folded into spaces.
            yield newline if any(rest.strip() for rest in lines[number + 1 :]) else "\n", index - 1
