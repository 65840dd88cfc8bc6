"""One value of an entry, where the file as a whole breaks YAML's grammar: read by the parser, or told what is wrong."""

import re
from typing import Final

from contribd.config.codes import FileCode
from contribd.config.compose import Composer
from contribd.config.flow import FIRST, Flow, Places, quote_end
from contribd.config.misread import quoted
from contribd.config.nodes import Mark, Node, NotYaml, Report, Scalar

_BLOCK: Final = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_PROPERTY: Final = re.compile(r"(?:&[^\s,\[\]{}]+|![^\s,\[\]{}]*)(?:[ \t]+|(?=\r?\n)|\Z)")
_ANCHOR: Final = re.compile(r"&([^\s,\[\]{}]+)")
_COMMENT: Final = re.compile(r"(?:^|[ \t])#[^\n]*", re.MULTILINE)
_COLON: Final = re.compile(r":(?=[ \t\r\n]|\Z)")
_ALIAS: Final = re.compile(r"\*[\w-]+[ \t]*(?:#[^\n]*)?\r?\Z")
_REASONS: Final = (
    ("escape", FileCode.ESCAPE, r"write the text in single quotes, or \\ for a backslash"),
    ("tab ", FileCode.TAB, "remove the tab, or write spaces"),
    ("anchor", FileCode.FIRST, "write text that begins with '&' in quotes"),
    ("alias", FileCode.FIRST, "write text that begins with '*' in quotes"),
    ("comment", FileCode.HASH, "put the text in quotes, or the comment on a line of its own"),
)


def reason(error: NotYaml) -> tuple[FileCode, str]:
    """Number and cure of what the parser says itself."""
    return next(
        ((code, cure) for word, code, cure in _REASONS if word in str(error)),
        (FileCode.OTHER, "write text with special characters in quotes, and compare the line with those around it"),
    )


class Pieces:
    """Reads values; each mistake is reported, and leaves a node that is broken or what was meant."""

    def __init__(self, source: str, report: Report, composer: Composer, places: Places) -> None:
        self._source = source
        self._report = report
        self._composer = composer
        self._places = places

    def value(self, start: int, end: int) -> Node:
        """What stands between two offsets, behind a key or a dash; never empty."""
        node = self._value(start, end)
        if anchor := _ANCHOR.match(self._source, start, end):
            self._composer.anchor(anchor[1], node)
        return node

    def _value(self, start: int, end: int) -> Node:
        body = start
        while found := _PROPERTY.match(self._source, body, end):
            body = found.end()
        first = self._source[body : body + 1] if body < end else ""
        if first in ("'", '"'):
            return self._quoted(start, body, end)
        if first in ("{", "["):
            return self._flow(start, body, end)
        if first in ("|", ">") and _BLOCK.match(self._source, body, end):
            return self._parsed(start, end)
        return self._plain(start, body, end)

    def _broken(self, start: int, end: int) -> Scalar:
        return Scalar(self._source[start:end].strip(), None, self._mark(start), self._mark(end), broken=True)

    def _as_meant(self, body: int, line: str, *, doubt: bool = False) -> Scalar:
        """The text that the cure puts in quotes, where it is likely one: so that what is wrong in it is told too."""
        likely = not doubt and not _COLON.search(line) and line[0] not in "`%!&*>|,]}#{["
        return Scalar(line, None, self._mark(body), self._mark(body + len(line)), broken=not likely)

    def _mark(self, index: int) -> Mark:
        return self._places.mark(index)

    def _parsed(self, start: int, end: int) -> Node:
        mark = self._mark(start)
        try:
            return self._composer.piece(mark, end) or Scalar("", None, mark, mark)
        except NotYaml as error:
            self._report(error.mark, f"not YAML: {error}", *reason(error))
            return self._broken(start, end)

    def _piece(self, mark: Mark, end: int) -> Node:
        return self._parsed(mark.index, end)

    def _tell(self, at: int, end: int, text: str, code: FileCode, cure: str) -> None:
        raw = self._source[at:end].rstrip()
        self._report(self._mark(at), text, code, cure, self._mark(at + len(raw)))

    def _quoted(self, start: int, body: int, end: int) -> Node:
        quote = self._source[body]
        closed = quote_end(self._source, body, end)
        line_end = self._line_end(body, end)
        line = self._source[body:line_end].rstrip()
        if closed is None:
            cure = f"write {_without_comment(line)}{quote}"
            self._tell(body, body + 1, f"this {quote} is not closed", FileCode.QUOTE, cure)
            return self._broken(start, end)
        rest = self._source[closed:end]
        if rest.strip() and not _COMMENT.match(rest):
            self._tell(
                body, line_end, f"text in quotes ends at the second {quote}, and more follows", FileCode.AFTER_QUOTE,
                f"write {_requoted(_without_comment(line))}",
            )  # fmt: skip
            return self._as_meant(body, _without_comment(line), doubt=line[-1] == quote)
        return self._parsed(start, end)

    def _flow(self, start: int, body: int, end: int) -> Node:
        try:
            quiet = Composer(self._source, _quiet).piece(self._mark(body), end)
        except NotYaml:
            quiet = None
        if quiet is not None:
            return self._parsed(start, end)
        line_end = self._line_end(body, end)
        flow = Flow(self._source, end, self._report, self._piece, self._places)
        closed = flow.balanced(body)
        rest = self._source[closed:line_end].strip() if closed and closed <= line_end else ""
        if rest and not rest.startswith("#") and rest.strip("}]"):
            whole = _without_comment(self._source[body:line_end].rstrip())
            text = f"text that begins with '{self._source[body]}' needs quotes: YAML takes it for a section or list"
            self._tell(body, body + len(whole), text, FileCode.AFTER_BRACE, f"write {quoted(whole)}")
            return self._as_meant(body, whole)
        node, behind = flow.read(body)
        if (rest := self._source[behind:end].strip()) and not rest.startswith("#"):
            at = behind + len(self._source[behind:end]) - len(self._source[behind:end].lstrip())
            self._tell(at, at + 1, f"'{rest[0]}' closes nothing", FileCode.BRACKET, "remove it")
        return node

    def _plain(self, start: int, body: int, end: int) -> Node:
        if body >= end:
            return self._parsed(start, end)
        line_end = self._line_end(body, end)
        line = _without_comment(self._source[body:line_end].rstrip())
        first = self._source[body]
        if first in FIRST and not (first == "*" and _ALIAS.match(self._source, body, end)):
            text = f"text without quotes cannot begin with '{first}'"
            self._tell(body, body + len(line), text, FileCode.FIRST, f"write {quoted(line)}")
            return self._as_meant(body, line)
        if first == "-" and self._source[body + 1 : body + 2] in " \t" and body + 1 < end:
            cure = f"write {line} on a line of its own, below the key"
            self._tell(body, body + 1, "a list cannot begin on the line of its key", FileCode.ITEM_INLINE, cure)
            return self._broken(start, end)
        if colon := _COLON.search(line):
            at = body + colon.start()
            text = "text without quotes cannot hold ': '"
            self._tell(at, at + 1, f"not YAML: {text}", FileCode.COLON, f"write {quoted(line)}")
            return self._as_meant(body, line)
        return self._parsed(start, end)

    def _line_end(self, at: int, end: int) -> int:
        found = self._source.find("\n", at, end)
        return end if found < 0 else found


def _quiet(*_: object) -> None:
    """Takes reports that are made once more."""


def _without_comment(line: str) -> str:
    comment = _COMMENT.search(line)
    return (line[: comment.start()] if comment and comment.start() else line).rstrip()


def _requoted(text: str) -> str:
    """Text of which the quotes are part; where it is all in quotes and holds one more, only that is doubled."""
    if len(text) > 1 and text[0] == text[-1] == "'" and '"' not in text:
        return f'"{text[1:-1]}"'
    if len(text) > 1 and text[0] == text[-1] == '"' and "'" not in text and "\\" not in text:
        return quoted(text[1:-1]) if text.count('"') % 2 else quoted(text)
    return quoted(text)
