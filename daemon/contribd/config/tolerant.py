"""Reads what breaks YAML's grammar: line by line, so that a mistake costs the entry that it stands in and no other.

Called only where the parser has given up. Whatever can be read by itself still is, by the parser.
"""

import re
from collections.abc import Iterator
from typing import Final

from contribd.config.codes import FileCode
from contribd.config.compose import Composer
from contribd.config.entries import add, is_merge, merge
from contribd.config.flow import Places, tight_key
from contribd.config.lines import BARE_KEY, DASH, KEY, TIGHT_DASH, TIGHT_KEY, WORDS, Line, lines
from contribd.config.nodes import (
    FLATTER,
    MAX_DEPTH,
    Items,
    Mark,
    Node,
    NotYaml,
    Report,
    Scalar,
    Section,
    UnreadableDocument,
)
from contribd.config.pieces import Pieces, reason


def read(source: str, report: Report, error: NotYaml) -> Node | None:
    """The tree, less what cannot be understood; each of these is reported. ``error`` is why the parser gave up."""
    reader = _Reader(source, report)
    found = list(lines(source, reader.report))
    root = reader.block(found, 0) if found else None
    if not reader.told:
        report(error.mark, f"not YAML: {error}", *reason(error))
    return root


WORTH_A_TRY: Final = 8
"""Lines of a block that is tried as a whole before it is read line by line."""


class _Reader:
    def __init__(self, source: str, report: Report) -> None:
        self._source = source
        self._forward = report
        self.told = 0
        self._places = Places(source)
        self._composer = Composer(source, self.report)
        self._pieces = Pieces(source, self.report, self._composer, self._places)
        self._held: list[tuple[Mark, str, str, str, Mark | None]] | None = None
        self._last_tab = -1
        self._strays: list[Node] = []
        """Items of the list around a section, found among its keys."""

    def report(self, mark: Mark, text: str, code: str, cure: str = "", end: Mark | None = None, /) -> None:
        """Pass it on, and count it; hold it while a piece is only tried."""
        if self._held is not None:
            self._held.append((mark, text, code, cure, end))
            return
        self.told += 1
        self._forward(mark, text, code, cure, end)

    def _tell(self, at: int, end: int, text: str, code: FileCode, cure: str) -> None:
        self.report(self._places.mark(at), text, code, cure, self._places.mark(end))

    # Blocks

    def block(self, lines: list[Line], depth: int) -> Node:
        """A section, a list or a text: whatever its lines are."""
        if depth > MAX_DEPTH:
            raise UnreadableDocument(lines[0].start, f"nested more than {MAX_DEPTH} deep", FileCode.BOUND, FLATTER)
        if len(lines) >= WORTH_A_TRY and (whole := self._whole(lines)):
            return whole
        first = lines[0]
        at_edge = [line for line in lines if line.column <= first.column]
        if self._at(DASH, first) or (self._at(TIGHT_DASH, first) and self._dashed(lines)):
            return self._list(lines, depth)
        keys = self._is_bare(lines) or any(self._at(KEY, line) for line in at_edge)
        if keys and not self._wraps(lines):
            return self._section(lines, depth)
        if len(at_edge) > 1 and any(self._at(DASH, line) for line in at_edge):
            return self._list(lines, depth)
        return self._pieces.value(first.start.index, lines[-1].end)

    def _whole(self, lines: list[Line]) -> Node | None:
        """All of a block by the parser, where nothing is wrong with it: much faster than line by line."""
        first = lines[0].start
        begin = first.index - first.column + 1
        if self._source[begin : first.index].strip(" ") or any(line != (*line[:2], None, 0, None) for line in lines):
            return None
        self._held = []
        try:
            node = self._composer.piece(Mark(begin, first.line, 1), lines[-1].end)
        except NotYaml:
            self._held = None
            return None
        found, self._held = self._held, None
        for each in found:
            self.report(*each)
        return node

    def _is_bare(self, lines: list[Line]) -> bool:
        """Whether the first line is a key whose colon was forgotten: entries or items stand below it."""
        bare = self._at(BARE_KEY, lines[0])
        if bare is None or self._rest(bare.end(), lines[0].end) or len(lines) == 1:
            return False
        return lines[1].column > lines[0].column and bool(self._at(KEY, lines[1]) or self._at(DASH, lines[1]))

    def _at(self, pattern: re.Pattern[str], line: Line) -> re.Match[str] | None:
        return pattern.match(self._source, line.start.index, line.end)

    def _dashed(self, lines: list[Line]) -> bool:
        """Whether a dash without a space begins an item: others are items, or a key follows it."""
        inner = Line(self._places.mark(lines[0].start.index + 1), lines[0].end)
        others = any(self._at(DASH, line) for line in lines[1:] if line.column == lines[0].column)
        return others or bool(self._at(KEY, inner)) or self._source[inner.start.index] in "{["

    def _wraps(self, lines: list[Line]) -> bool:
        """Whether the first line opens a collection that the others belong to."""
        first = self._source[lines[0].start.index]
        return first in "{[" and not self._at(KEY, lines[0]) and lines[-1].column >= lines[0].column

    def _groups(self, lines: list[Line], column: int) -> Iterator[list[Line]]:
        """Each entry's lines: one at the column, and what is deeper."""
        group: list[Line] = []
        for line in lines:
            closes = self._source[line.start.index] in "}]"
            deeper = line.column > column and not (group and self._is_next_item(group[0], line))
            if group and (deeper or closes or self._belongs(group, line)):
                group.append(line)
            else:
                if group:
                    yield group
                group = [line]
        yield group

    def _is_next_item(self, head: Line, line: Line) -> bool:
        """Whether it is an item beside another, though deeper: no list within that one can stand there."""
        dash = self._at(DASH, head)
        return bool(dash and self._at(DASH, line)) and line.column < head.column + dash.end() - dash.start()  # type: ignore[union-attr]

    def _belongs(self, group: list[Line], line: Line) -> bool:
        """Whether it is an item of the list below a key, at the key's own column."""
        head = group[0]
        key = self._at(KEY, head)
        bare = key and not self._rest(key.end(), head.end)
        return bool(bare and line.column == head.column and self._at(DASH, line) and not self._at(DASH, head))

    def _usual(self, groups: list[list[Line]]) -> Line:
        """A line at the column where most of the entries begin."""
        columns = [group[0].column for group in groups]
        usual = max(columns, key=columns.count)  # the first of those that are as frequent
        return next(group[0] for group in groups if group[0].column == usual)

    def _rest(self, start: int, end: int) -> str:
        rest = self._source[start:end].strip(" \t\r")
        return "" if rest.startswith("#") else rest

    def _edge(self, line: Line, first: Line) -> None:
        """Tell of an entry's line that does not stand below the first one."""
        if line.junk is not None:
            text = f"a key cannot begin with '{self._source[line.junk]}'"
            self._tell(line.junk, line.junk + 1, text, FileCode.FIRST, "remove it")
        elif line.tab is not None:
            if line.start.line != self._last_tab + 1:
                text = "a tab in the indentation; YAML takes spaces only"
                cure = f"write {line.column - 1} spaces in place of it"
                self._tell(line.tab, line.tab + 1, text, FileCode.TAB, cure)
            self._last_tab = line.start.line
        elif line.column != first.column:
            text = f"indented by {line.column - 1}, where the lines of this part are by {first.column - 1}"
            self._indentation(line, f"{text} (line {first.start.line})", first.column)

    def _indentation(self, line: Line, text: str, column: int) -> None:
        spaces = f"{column - 1} spaces before it" if column > 1 else "no space before it"
        word = re.compile(r"\S+").match(self._source, line.start.index, line.end)
        end = word.end() if word else line.end
        self._tell(line.start.index, end, text, FileCode.INDENTATION, f"write {spaces}")

    # Lists

    def _list(self, lines: list[Line], depth: int) -> Node:
        items = Items(lines[0].start)
        loose: list[Line] = []
        groups = list(self._groups(lines, lines[0].column))
        first = self._usual([group for group in groups if self._at(DASH, group[0])] or groups)
        for group in groups:
            dash = self._at(DASH, group[0])
            tight = None if dash else self._at(TIGHT_DASH, group[0])
            if not (dash or tight):
                if not loose:
                    text = "'- ' is missing: the other items of this list begin with it"
                    self._tell(
                        group[0].start.index, self._word_end(group[0]), text, FileCode.NO_DASH, "write '- ' before it"
                    )
                loose += group
                continue
            self._loose(items, loose, depth)
            self._edge(group[0], first)
            if tight:
                raw = self._source[group[0].start.index + 1 : group[0].end].rstrip()
                self._tell(
                    tight.start(), tight.end(), "a space is missing after '-'", FileCode.NO_SPACE, f"write - {raw}"
                )
            elif dash and "\t" in dash[0]:
                self._tell(
                    dash.start() + 1, dash.end(), "a tab after '-'", FileCode.TAB, "write a space in place of it"
                )
            moved = 0 if group[0].tab is not None else first.column - group[0].column
            self._item(items, group, (dash or tight).end(), depth, moved)  # type: ignore[union-attr]
        self._loose(items, loose, depth)
        items.size = 1 + sum(item.size for item in items.items)
        return items

    def _loose(self, items: Items, lines: list[Line], depth: int) -> None:
        if lines:
            first = lines[0]._replace(shift=2)
            same = [line._replace(shift=2) if line.column == lines[0].column else line for line in lines[1:]]
            items.items.append(self.block([first, *same], depth + 1))
            lines.clear()

    def _item(self, items: Items, group: list[Line], at: int, depth: int, moved: int = 0) -> None:
        head, inner = group[0], group[1:]
        spaced = self._source[at - 1] != "-"
        mark = self._places.mark(at)
        shift = (0 if spaced else 1) + (moved if inner and inner[0].column == mark.column + moved else 0)
        content = [Line(mark, head.end, None, shift)] if self._rest(at, head.end) else []
        if content and inner and self._is_whole(content[0]) and self._at(DASH, inner[0]):
            self._indentation(inner[0], "indented deeper than the item above", head.column)
            items.items.append(self.block(content, depth + 1))
            for deeper in self._groups(inner, inner[0].column):
                if dash := self._at(DASH, deeper[0]):
                    self._item(items, deeper, dash.end(), depth)
            return
        outside, self._strays = self._strays, []
        if content or inner:
            items.items.append(self.block(content + inner, depth + 1))
        else:
            items.items.append(Scalar("", None, self._places.mark(at), self._places.mark(at)))
        items.items += self._strays
        self._strays = outside

    def _is_whole(self, line: Line) -> bool:
        """Whether it holds a value that cannot go on below."""
        text = self._source[line.start.index : line.end].rstrip()
        if self._at(KEY, line) or self._at(DASH, line) or text[0] in "|>&!":
            return False
        return text[0] not in "{[\"'" or text[-1] in "}]\"'"

    def _word_end(self, line: Line) -> int:
        return line.start.index + len(self._source[line.start.index : line.end].split(maxsplit=1)[0])

    # Sections

    def _section(self, lines: list[Line], depth: int) -> Node:
        section = Section(lines[0].start)
        merged: list[tuple[Scalar, Node]] = []
        self._entries(section, merged, lines, lines[0], depth)
        for key, value in merged:
            merge(section, key, value, self.report)
        section.size = 1 + sum(key.size + value.size for key, value in section.entries.values())
        return section

    def _entries(
        self, section: Section, merged: list[tuple[Scalar, Node]], lines: list[Line], first: Line, depth: int
    ) -> None:
        groups = list(self._groups(lines, lines[0].column))
        first = self._usual(groups) if first is lines[0] else first
        strayed = False
        for number, group in enumerate(groups):
            head, inner = group[0], group[1:]
            if self._at(DASH, head):
                self._stray(section, group, depth, told=strayed)
                strayed = True
                continue
            strayed = False
            if self._begins_item(section, head, first, depth):
                rest = [line for later in groups[number + 1 :] for line in later]
                moved = [
                    line._replace(shift=max(0, first.column - line.start.column)) for line in [head, *inner, *rest]
                ]
                self._strays.append(self.block(moved, depth))
                return
            self._edge(head, first)
            key, at = self._key(head, inner)
            if key is None:
                section.broken = True
                continue
            own, others = self._own(at, head, inner)
            value = self._value(at, head, own, depth)
            if is_merge(key):
                merged.append((key, value))
            else:
                add(section, key, value, self.report)
            if others and self._at(DASH, others[0]):
                text = f"{key.text} has a value on its own line, and a list below it"
                self._tell(
                    others[0].start.index,
                    others[0].start.index + 1,
                    text,
                    FileCode.INDENTATION,
                    "remove one of the two",
                )
                self.block(others, depth + 1)
            elif others:
                text = f"indented deeper than {key.text}, which has its value on its own line"
                self._indentation(others[0], text, first.column)
                self._entries(section, merged, others, others[0], depth)

    def _begins_item(self, section: Section, head: Line, first: Line, depth: int) -> bool:
        """Whether a new item of the list around begins here, its dash forgotten: its key stands here already."""
        key = self._at(KEY, head)
        if not depth or key is None or head.column >= first.column or key[1] not in section.entries:
            return False
        text = "'- ' is missing: another item of the list begins here"
        self._tell(head.start.index, key.end(1), text, FileCode.NO_DASH, "write '- ' before it")
        return True

    def _stray(self, section: Section, group: list[Line], depth: int, *, told: bool) -> None:
        """An item where keys are: of the list around this section, or a dash too many."""
        head, inner = group[0], group[1:]
        dash = self._at(DASH, head)
        at = dash.end() if dash else head.start.index
        content = [Line(self._places.mark(at), head.end)] if self._rest(at, head.end) else []
        if not content + inner:
            self._tell(head.start.index, head.start.index + 1, "a list item among keys", FileCode.NO_DASH, "remove it")
            return
        key = self._at(KEY, content[0]) if content else None
        again = key is not None and key[1] in section.entries
        text = "an item of a list, where keys of a section stand"
        cure = "indent it like the other items of its list" if again or key is None else "remove the '- '"
        code = FileCode.INDENTATION if again else FileCode.NO_DASH
        if not told:
            self._tell(head.start.index, head.start.index + 1, text, code, cure)
        node = self.block(content + inner, depth + 1)
        if again:
            self._strays.append(node)
        elif isinstance(node, Section):
            for name, entry in node.entries.items():
                section.entries.setdefault(name, entry)

    def _key(self, head: Line, inner: list[Line]) -> tuple[Scalar | None, int]:
        """The key of an entry and the offset behind its colon; None, told, where none can be made out."""
        if match := self._at(KEY, head):
            raw, quote = match[1], match[1][0] if match[1][0] in "'\"" else None
            text = raw[1:-1] if quote else raw
            return Scalar(text, quote, head.start, self._places.mark(match.end(1))), match.end()
        if match := self._at(TIGHT_KEY, head):
            return tight_key(self._source, match, self._places.mark, self.report), match.end()
        match = self._at(BARE_KEY, head)
        rest = self._rest(match.end(), head.end) if match else ""
        if match and match[1] not in WORDS and (rest or inner) and not re.match(r"[=<>!+*/%-]", rest):
            name = match[1].strip("\"'")
            cure = f"write {name}: {rest}".rstrip()
            self._tell(match.start(), match.end(1), f"a ':' is missing after {name}", FileCode.NO_COLON, cure)
            return Scalar(name, None, head.start, self._places.mark(match.end(1))), match.end()
        self._tell(head.start.index, head.end, "expected key: value", FileCode.NO_COLON, self._no_key_cure(head, rest))
        return None, head.end

    def _no_key_cure(self, head: Line, rest: str) -> str:
        word = self._source[head.start.index : head.end].split(maxsplit=1)[0]
        if word in WORDS or rest or not word.isidentifier():
            return "indent it deeper where it goes on with the text of the line above"
        return f"write {word}: and its value"

    def _own(self, at: int, head: Line, inner: list[Line]) -> tuple[list[Line], list[Line]]:
        """Which of the deeper lines are the value's, and which are entries that stand too deep."""
        rest = self._rest(at, head.end)
        if rest and rest[0] in "|>":
            less = [number for number, line in enumerate(inner) if line.column < inner[0].column]
            return (inner[: less[0]], inner[less[0] :]) if less else (inner, [])
        if not rest or rest[0] in "{[\"'" or (rest[0] in "&!" and " " not in rest):
            return inner, []
        if inner and self._inline(at, head, inner):
            return inner, []
        for number, line in enumerate(inner):
            if self._at(KEY, line) or self._at(DASH, line) or self._at(TIGHT_KEY, line):
                return inner[:number], inner[number:]
        return inner, []

    def _inline(self, at: int, head: Line, inner: list[Line]) -> bool:
        """Whether a section begins on the line of its key, and goes on below."""
        start = at + len(self._source[at : head.end]) - len(self._source[at : head.end].lstrip(" \t"))
        return bool(self._at(KEY, Line(self._places.mark(start), head.end)) and self._at(KEY, inner[0]))

    def _value(self, at: int, head: Line, inner: list[Line], depth: int) -> Node:
        rest = self._rest(at, head.end)
        if not rest and not inner:
            mark = self._places.mark(at)
            return Scalar("", None, mark, mark)
        if not rest:
            return self.block(inner, depth + 1)
        start = at + len(self._source[at : head.end]) - len(self._source[at : head.end].lstrip(" \t"))
        end = inner[-1].end if inner else head.end
        return (self._below(start, rest, head, inner, depth) if inner else None) or self._pieces.value(start, end)

    def _below(self, start: int, rest: str, head: Line, inner: list[Line], depth: int) -> Node | None:
        """The value where it is no piece by itself: what stands below is a block of its own."""
        bare = rest.split(" #", maxsplit=1)[0].rstrip()
        if rest[0] == "&" and " " not in bare:
            node = self.block(inner, depth + 1)
            self._composer.anchor(bare[1:], node)
            return node
        if self._inline(start, head, inner):
            line = Line(self._places.mark(start), head.end)
            text = "a section cannot begin on the line of its key"
            cure = f"write {rest} on a line of its own, below the key"
            self._tell(start, start + len(rest), text, FileCode.COLON, cure)
            return self.block([line._replace(shift=inner[0].column - line.column), *inner], depth + 1)
        if bare in ("{", "[") and (self._at(KEY, inner[0]) or self._at(DASH, inner[0])):
            whole = self._source[start : inner[-1].end]
            if whole.count("{") > whole.count("}") or whole.count("[") > whole.count("]"):
                self._tell(start, start + 1, f"this '{bare}' is not closed", FileCode.BRACKET, "remove it")
                return self.block(inner, depth + 1)
        if rest[0] in "\"'" and self._entries_follow(start, head, inner):
            self._indentation(inner[0], "indented deeper than the text above, which ends on its line", head.column)
            return self._pieces.value(start, head.end)
        return None

    def _entries_follow(self, start: int, head: Line, inner: list[Line]) -> bool:
        raw = self._source[start : head.end].rstrip()
        return len(raw) > 1 and raw[-1] == raw[0] and bool(self._at(KEY, inner[0]))
