"""Reads ``{ }`` and ``[ ]`` that break YAML's grammar: entry by entry, each value as it was meant where that shows."""

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, TypeAlias

from contribd.config.codes import FileCode
from contribd.config.entries import add, is_merge, merge
from contribd.config.misread import CLOSING, TIGHT_KEY, quoted
from contribd.config.nodes import FLATTER, MAX_DEPTH, Items, Mark, Node, Report, Scalar, Section, UnreadableDocument

MAX_AWARE: Final = 1000
"""A text in braces that is longer ends at its first comma, brackets or not: looking for more would take too long."""

FIRST: Final = "@`%*&!|>,]}#"
"""A text without quotes cannot begin with any of these."""

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+(?:#[^\n]*)?)*")
_FLOW_KEY: Final = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\n,{}\[\]"']*?)[ \t]*:(?=[ \t\r\n,{}\[\]]|\Z)""", re.VERBOSE
)
_COMMENT: Final = re.compile(r"[ \t]#")
_ENTRY: Final = re.compile(r"""[ \t]*(?:["']?[\w.-]+["']?[ \t]*:(?=\s)|-[ \t])""")
_NEXT_ENTRY: Final = re.compile(
    r"""[ \t]*(?:,[ \t]*["']?[A-Za-z_][\w.-]*["']?[ \t]*:[ \t]|[}\]][}\], \t]*(?:#|\r?$))""", re.MULTILINE
)

Piece: TypeAlias = Callable[[Mark, int], Node | None]


class Places:
    """Marks of offsets."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]

    def mark(self, index: int) -> Mark:
        """Of the character at ``index``."""
        line = bisect_right(self._starts, index)
        return Mark(index, line, index - self._starts[line - 1] + 1)


def quote_end(source: str, start: int, end: int) -> int | None:
    """The offset behind the quote that closes the one at ``start``; None where none does."""
    pattern = r'"(?:[^"\\]|\\[\s\S])*"' if source[start] == '"' else r"'(?:[^']|'')*'"
    match = re.compile(pattern).match(source, start, end)
    return match.end() if match else None


class Flow:
    """Reads one collection, up to ``end`` at most."""

    def __init__(self, source: str, end: int, report: Report, piece: Piece, places: Places) -> None:
        self._source = source
        self._end = end
        self._report = report
        self._piece = piece
        self._mark = places.mark

    def read(self, start: int, depth: int = 0, around: str = "") -> tuple[Node, int]:
        """The collection that opens at ``start``, and the offset behind it; ``around`` closes the one around."""
        if depth > MAX_DEPTH:
            raise UnreadableDocument(self._mark(start), f"nested more than {MAX_DEPTH} deep", FileCode.BOUND, FLATTER)
        opener, mark = self._source[start], self._mark(start)
        section, listed = Section(mark), Items(mark)
        merged: list[tuple[Scalar, Node]] = []
        comma: Mark | None = None
        at = self._skip(start + 1)
        while at < self._end and self._source[at] not in "}]":
            if self._source[at] == ",":
                self._report(self._mark(at), "nothing stands before this ','", FileCode.INSIDE, "remove it")
                at = self._skip(at + 1)
                continue
            if opener == "{":
                behind = self._entry(section, merged, at, depth)
            else:
                item, behind = self._value(at, depth, "]")
                listed.items.append(item)
            missing, at = self._separator(self._skip(max(behind, at + 1)))
            comma = comma or missing
        for key, value in merged:
            merge(section, key, value, self._report)
        if comma and at < self._end:
            cure = "write ',' at the end of what is before it"
            self._report(comma, "a ',' is missing before this", FileCode.INSIDE, cure)
        node: Node = section if opener == "{" else listed
        node.size = 1 + len(section.entries) + len(listed.items)
        node.broken = node.broken or at >= self._end or self._source[at] != CLOSING[opener]
        return node, self._close(opener, mark, at, around)

    def _separator(self, at: int) -> tuple[Mark | None, int]:
        """Where the next entry begins, and its mark where no comma stands before it."""
        if at < self._end and self._source[at] == ",":
            return None, self._skip(at + 1)
        return (self._mark(at) if at < self._end and self._source[at] not in "}]" else None), at

    def _close(self, opener: str, opened: Mark, at: int, around: str) -> int:
        wanted = CLOSING[opener]
        if at >= self._end and (cut := re.compile(rf"[ \t]#[^\n]*\{wanted}").search(self._source, opened.index, at)):
            mark = self._mark(cut.start() + 1)
            cure = "take the '#' away, or write the text that holds it in quotes"
            text = f"' #' begins a comment, and the '{wanted}' is in it"
            self._report(mark, text, FileCode.HASH, cure, self._mark(cut.start() + 2))
            return self._end
        if at >= self._end or self._source[at] == around != wanted:
            behind = Mark(0, opened.line, opened.column + 1)
            self._report(opened, f"this '{opener}' is not closed", FileCode.BRACKET, f"write the '{wanted}'", behind)
            return min(at, self._end)
        if self._source[at] != wanted:
            text = f"'{self._source[at]}' cannot close the '{opener}' of line {opened.line}, column {opened.column}"
            self._report(self._mark(at), text, FileCode.BRACKET, f"write '{wanted}'", self._mark(at + 1))
        return at + 1

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._source, at, self._end)
        return match.end() if match else at

    def _entry(self, section: Section, merged: list[tuple[Scalar, Node]], at: int, depth: int) -> int:
        key, behind = self._key(at)
        if key is None:
            section.broken = True
            return self._lone(at)
        value, behind = self._value(self._skip(behind), depth, "}")
        if is_merge(key):
            merged.append((key, value))
        else:
            add(section, key, value, self._report)
        return behind

    def _key(self, at: int) -> tuple[Scalar | None, int]:
        if match := _FLOW_KEY.match(self._source, at, self._end):
            if match[1][:1] and (match[1][0] in FIRST + ":" or match[1].startswith("- ")):
                self._text(at, match[1])
            if self._source[match.end() : match.end() + 1] in ("{", "["):
                tight_key(self._source, match, self._mark, self._report)
            raw, quote = match[1], match[1][:1] if match[1][:1] in ("'", '"') else None
            return Scalar(
                raw.strip(quote) if quote else raw, quote, self._mark(at), self._mark(match.end(1))
            ), match.end()
        if match := TIGHT_KEY.match(self._source, at, self._end):
            return tight_key(self._source, match, self._mark, self._report), match.end()
        return None, at

    def _lone(self, at: int) -> int:
        """Tell of what stands where ``key: value`` should; the offset behind it."""
        end = self._aware(at)
        raw = self._source[at:end].strip()
        behind = self._mark(at + len(raw))
        self._report(self._mark(at), "expected key: value", FileCode.NO_COLON, "write key: value", behind)
        return end

    def _value(self, at: int, depth: int, around: str) -> tuple[Node, int]:
        first = self._source[at : at + 1] if at < self._end else ""
        if first in ("", ",", "}", "]"):
            return Scalar("", None, self._mark(at), self._mark(at)), at
        if first in "{[" and ((end := self.balanced(at)) is None or self._ends(end)):
            return self.read(at, depth + 1, around)
        if first in "'\"":
            return self._quoted(at)
        end = self._aware(at)
        raw = self._source[at:end].rstrip()
        return self._text(at, raw), end

    def _ends(self, at: int) -> bool:
        return self._source[self._skip(at) : self._skip(at) + 1] in ("", ",", "}", "]") or self._skip(at) >= self._end

    def _quoted(self, at: int) -> tuple[Node, int]:
        closed = quote_end(self._source, at, self._end)
        line_end = self._source.find("\n", at, self._end)
        if closed and self._ends(closed):
            return self._piece(self._mark(at), closed) or Scalar("", None, self._mark(at), self._mark(at)), closed
        if closed and (line_end < 0 or closed <= line_end):
            end = self._aware(at)
            raw = self._source[at:end].rstrip()
            text = "something follows the text in quotes; expected ',' or the end of the { } or [ ]"
            self._report(self._mark(at), text, FileCode.AFTER_QUOTE, f"write {quoted(raw)}", self._mark(at + len(raw)))
            return Scalar(raw, None, self._mark(at), self._mark(at + len(raw))), end
        following = _NEXT_ENTRY.search(self._source, at + 1, self._end)
        end = following.start() if following else self._end
        quote, raw = self._source[at], self._source[at:end].strip()
        cure = f"write {raw}{quote}" if "\n" not in raw else f"write the closing {quote}"
        self._report(self._mark(at), f"this {quote} is not closed", FileCode.QUOTE, cure, self._mark(at + 1))
        return Scalar(raw, None, self._mark(at), self._mark(end), broken=True), end

    def _text(self, at: int, raw: str) -> Node:
        start, end = self._mark(at), self._mark(at + len(raw))
        if raw[0] in "*&!" and re.fullmatch(r"(?:[&!][^\s]*\s+)*(?:\*?[\w-]+)?", raw):
            return self._piece(start, at + len(raw)) or Scalar("", None, start, end)
        cure = f"write {quoted(raw)}"
        broken = raw[0] in "{[`%!&*>|,]}#:"
        if raw[0] in FIRST + ":" or raw.startswith("- "):
            self._report(start, f"text without quotes cannot begin with '{raw[0]}'", FileCode.FIRST, cure, end)
        elif "${" in raw:
            self._report(start, "inside [ ] and { } write ${NAME} in quotes", FileCode.INSIDE, cure, end)
        elif re.search("[][{},]", raw):
            text = "inside { } and [ ] a text without quotes ends at a comma, brace or bracket"
            self._report(start, text, FileCode.INSIDE, cure, end)
        elif re.search(r":\s|:\Z", raw):
            broken = True
            missing = re.search(r"\s(\w+):\s", raw)
            cure += f", or ',' before {missing[1]}" if missing else ""
            self._report(start, "text without quotes cannot hold ': '", FileCode.COLON, cure, end)
        return Scalar(raw, None, start, end, broken=broken)

    def balanced(self, at: int) -> int | None:
        """The offset behind the bracket that closes the one at ``at``."""
        stack: list[str] = []
        while at < self._end:
            character = self._source[at]
            if character in "\"'" and not self._source[at - 1].isalnum():
                at = (quote_end(self._source, at, self._end) or at + 1) - 1
            elif character in "{[":
                stack.append(CLOSING[character])
            elif character in "}]":
                if character != stack.pop():
                    return None
                if not stack:
                    return at + 1
            at += 1
        return None

    def _aware(self, at: int) -> int:
        """Where a text ends that may hold commas and brackets in pairs, and quotes; else at the first of them."""
        start, stack = at, []
        while at < self._end and at - start < MAX_AWARE:
            character = self._source[at]
            if character in "\"'" and not self._source[at - 1].isalnum():
                at = (quote_end(self._source, at, self._line_end(at)) or at + 1) - 1
            elif character in "([{":
                stack.append(CLOSING[character])
            elif stack and character == stack[-1]:
                stack.pop()
            elif self._ends_text(at, inside=bool(stack)):
                break
            at += 1
        if not stack and (at >= self._end or self._ends_text(at, inside=False)):
            return at
        plain = re.compile(r"[^,}\]\n]*").match(self._source, start, self._end)
        return max(plain.end() if plain else start, start + 1)

    def _ends_text(self, at: int, *, inside: bool) -> bool:
        """Whether a text without quotes ends before a character; ``inside`` brackets only at the end of a line."""
        character = self._source[at]
        if character == "\n":
            return inside or bool(_ENTRY.match(self._source, at + 1, self._end))
        return not inside and (character in ",}]" or bool(_COMMENT.match(self._source, at, self._end)))

    def _line_end(self, at: int) -> int:
        end = self._source.find("\n", at, self._end)
        return self._end if end < 0 else end


def tight_key(source: str, match: re.Match[str], mark: Callable[[int], Mark], report: Report) -> Scalar:
    """The key of ``ric:X``, where a space is missing."""
    name, end = match[1], source.find("\n", match.end())
    value = source[match.end() : len(source) if end < 0 else end].partition(",")[0].strip()
    cure = f"write {name}: {value}" if value and value[0] not in "{[" else f"write a space after {name}:"
    text = f"a space is missing after {name}:"
    report(mark(match.start()), text, FileCode.NO_SPACE, cure, mark(match.end()))
    return Scalar(name, None, mark(match.start()), mark(match.end(1)))
