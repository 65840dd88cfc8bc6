"""What is YAML, and not what anybody means by it: told where it stands, with what to write instead."""

import re
from typing import Final

from contribd.config.codes import FileCode
from contribd.config.nodes import Mark, Node, Report, Scalar

_SMART = "“”„‟‘’‚‛«»‹›"  # noqa: RUF001 - the very characters
_SMART_QUOTED = re.compile(f"[{_SMART}](.*)[{_SMART}]", re.DOTALL)
_COMMENT = re.compile(r"[ \t]+#(.*)")
_QUOTED = re.compile(r'"[^"]*"|(?<!\w)\'[^\']*\'')
_IN_KEY = re.compile(r"\{\s*\{\s*\Z")
_LEAD = re.compile(r"[ \t]*((?:-[ \t]+)*)")

CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
TIGHT_KEY: Final = re.compile(r"([A-Za-z_]\w*):(?=[^\s/:])")
"""``from:ask``, and no address."""

MAX_PARTS = 20
"""Into how many parts commas may have cut a text; to look for more would take too long."""


def quoted(text: str) -> str:
    """Text as YAML takes it in quotes."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def open_bracket(text: str) -> str:
    """A quote or bracket that is opened in the text and not closed; empty where there is none."""
    text = _QUOTED.sub("", text)
    if '"' in text:
        return '"'
    if re.search(r"(?<![\w'])'", text):
        return "'"
    return next((one for one in "([{" if text.count(one) > text.count(CLOSING[one])), "")


def scalar(found: Scalar, source: str, report: Report, *, flow: bool) -> None:
    """Look at one scalar as it stands; it is ``broken`` where it is not what was meant."""
    if found.style in ("'", '"'):
        if found.end.line > found.start.line and not flow and _runs_on(found, source):
            text = f"this {found.style} is not closed on its line, and takes the lines below into the text"
            end = Mark(0, found.start.line, found.start.column + 1)
            report(found.start, text, FileCode.QUOTE, f"write the closing {found.style}", end)
            found.broken = True
    elif found.style is None and found.text:
        if found.text[0] in _SMART:
            inner = _SMART_QUOTED.fullmatch(found.text)
            cure = f"write {quoted(inner[1] if inner else found.text.strip(_SMART))}"
            text = f"{found.text[0]} is a quote of a word processor, and no quote for YAML"
            report(found.start, text, FileCode.SMART_QUOTE, cure, found.end)
            found.broken = True
        elif (comment := _COMMENT.match(source, found.end.index)) and _cut(found.text, comment[1]):
            _report_cut(found, comment, report)


def _runs_on(found: Scalar, source: str) -> bool:
    """Whether a line of a quoted text stands no deeper than its key: YAML forbids it, though parsers take it."""
    begin = source.rfind("\n", 0, found.start.index) + 1
    lead = _LEAD.match(source, begin)
    column = lead.end() - begin if lead else 0
    if lead and lead.end() == found.start.index:
        column = lead.start(1) - begin - (not lead[1])  # an item of a list, or the document
    lines = source[found.start.index : found.end.index].split("\n")[1:]
    return any(line.strip() and len(line) - len(line.lstrip(" ")) <= column for line in lines)


def _cut(text: str, comment: str) -> bool:
    opened = open_bracket(text)
    return bool(opened) and CLOSING.get(opened, opened) in comment


def _report_cut(found: Scalar, comment: re.Match[str], report: Report) -> None:
    at = comment.start(1) - 1
    mark = Mark(at, found.end.line, found.end.column + at - found.end.index)
    whole = found.text + comment[0].rstrip()
    text = "the text ends here: ' #' begins a comment"
    report(mark, text, FileCode.HASH, f"write {quoted(whole)}", Mark(at + 1, mark.line, mark.column + 1))
    found.broken = True


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.style is None and not node.text


def _plain(node: Node) -> bool:
    return isinstance(node, Scalar) and node.style is None


def section(
    start: Mark, end: Mark, pairs: list[tuple[Node, Node]], source: str, report: Report, *, flow: bool
) -> Node | None:
    """What stands in place of a section that was meant as text; None where it is one."""
    if len(pairs) != 1:
        return None
    key, value = pairs[0]
    raw = source[start.index : end.index]
    if source[max(0, start.index - 8) : start.index].rstrip().endswith("{"):
        return None  # a key: it is told of the section around it
    lone = not isinstance(key, Scalar) or (_plain(key) and bool(key.text) and not TIGHT_KEY.match(key.text))
    if flow and _empty(value) and lone and ":" not in source[_end(key) : end.index]:
        inner = raw.strip("{} \t\r\n")
        text = f"{_short(raw)} is a section for YAML, with a key and no value; expected text or key: value"
        report(start, text, FileCode.BRACES, f"write {quoted('{' + inner + '}')}", end)
        return Scalar(raw, None, start, end, broken=True)
    if (
        not flow
        and isinstance(key, Scalar)
        and _plain(key)
        and isinstance(value, Scalar)
        and open_bracket(key.text) == '"'
    ):
        whole = source[key.start.index : value.end.index]
        colon = Mark(key.end.index, key.end.line, key.end.column)
        report(colon, "the ':' ends a key here; expected text", FileCode.COLON, f"write {quoted(whole)}", value.end)
        return Scalar(whole, None, start, value.end, broken=True)
    return None


def _end(node: Node) -> int:
    """The offset behind a scalar; of anything else that of its beginning."""
    return node.end.index if isinstance(node, Scalar) else node.start.index


def _short(raw: str) -> str:
    return raw if len(raw) <= 40 and "\n" not in raw else "this"


def pairs(found: list[tuple[Node, Node]], source: str, report: Report) -> list[tuple[Node, Node]]:
    """Those of a section in braces; ``{BID: round(bid, 2)}`` is two for YAML, and one is meant."""
    kept: list[tuple[Node, Node]] = []
    at = 0
    while at < len(found):
        key, value = found[at]
        if _empty(value) and isinstance(key, Scalar) and _plain(key) and (tight := TIGHT_KEY.match(key.text)):
            key, value = _spaced(key, tight, report)
        parts = [key for key, nothing in _while_empty(found[at + 1 :])]
        if joined := _joined(value, parts, source, report):
            value, more = joined
            at += more
        elif (
            _empty(value) and _plain(key) and not _IN_KEY.search(source[max(0, key.start.index - 8) : key.start.index])
        ):
            text = "no value; expected key: value"
            cure = "write text that holds a comma in quotes, or null for nothing"
            report(value.start, text, FileCode.INSIDE, cure)
        kept.append((key, value))
        at += 1
    return kept


def _spaced(key: Scalar, tight: re.Match[str], report: Report) -> tuple[Node, Node]:
    """``{from:ask}`` as it is meant."""
    name, at = tight[1], tight.end()
    end = Mark(key.start.index + at, key.start.line, key.start.column + at)
    text = f"a space is missing after {name}:"
    report(key.start, text, FileCode.NO_SPACE, f"write {name}: {key.text[at:]}", end)
    return Scalar(name, None, key.start, end), Scalar(key.text[at:], None, end, key.end)


def _while_empty(found: list[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
    end = next((at for at, (_, value) in enumerate(found) if not _empty(value)), len(found))
    return found[:end]


def items(found: list[Node], source: str, report: Report) -> list[Node]:
    """The same for a list in brackets: ``[max(a, b) > 0]``."""
    kept: list[Node] = []
    at = 0
    while at < len(found):
        item = found[at]
        if joined := _joined(item, found[at + 1 :], source, report):
            item, more = joined
            at += more
        kept.append(item)
        at += 1
    return kept


def _joined(first: Node, following: list[Node], source: str, report: Report) -> tuple[Scalar, int] | None:
    """A text that a comma within its brackets or quotes has cut, with what followed, and how much that was."""
    if not isinstance(first, Scalar) or first.style or open_bracket(first.text) not in {"(", '"'}:
        return None
    for more, part in enumerate(following[:MAX_PARTS], 1):
        if not isinstance(part, Scalar) or part.style:
            return None
        whole = source[first.start.index : part.end.index]
        if not open_bracket(whole):
            text = "inside { } and [ ] a text without quotes ends at the comma"
            report(first.start, text, FileCode.INSIDE, f"write {quoted(whole)}", part.end)
            return Scalar(whole, None, first.start, part.end), more
    return None
