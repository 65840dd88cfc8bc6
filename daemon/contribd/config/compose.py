"""From PyYAML's events to a tree of nodes; bounded, and saying everything that is wrong in one pass."""

import re
from typing import Any, Final

import yaml

from contribd.config import misread
from contribd.config.codes import FileCode
from contribd.config.entries import add, is_merge, merge
from contribd.config.nodes import (
    FLATTER,
    MAX_DEPTH,
    MAX_NODES,
    Items,
    Mark,
    Node,
    NotYaml,
    Report,
    Scalar,
    Section,
    UnreadableDocument,
)

# libyaml is some ten times faster; a build of PyYAML without it reads the same.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_START: Final = Mark(0, 1, 1)


def compose(source: str, report: Report, loader: Any = LOADER) -> Node | None:
    """The document's tree, or None where it is empty.

    Raises NotYaml where YAML's grammar ends it, UnreadableDocument where it is beyond all bounds.
    """
    return Composer(source, report, loader).document()


class Composer:
    """Composes a document, or pieces of one that share their anchors and their bounds."""

    def __init__(self, source: str, report: Report, loader: Any = LOADER) -> None:
        self._source = source
        self._report = report
        self._loader = loader
        self._events: Any = iter(())
        self._base = _START
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._flow = 0
        self._in_pieces = False

    def document(self) -> Node | None:
        """The whole of it."""
        return self._parsed(_START, len(self._source))

    def piece(self, start: Mark, end: int) -> Node | None:
        """What stands between two places, by itself. Marks are those of the whole."""
        self._in_pieces = True
        nodes = self._nodes
        try:
            return self._parsed(start, end)
        except NotYaml:
            self._nodes = nodes  # it is tried again in smaller pieces
            raise

    def anchor(self, name: str, node: Node) -> None:
        """What ``*name`` stands for from here on."""
        self._anchors[name] = node

    def _parsed(self, start: Mark, end: int) -> Node | None:
        self._base, self._flow = start, 0
        self._events = yaml.parse(self._source[start.index : end], Loader=self._loader)
        try:
            return self._read()
        except yaml.MarkedYAMLError as error:
            problem = f"{error.problem or 'cannot be read'}{f' ({error.context})' if error.context else ''}"
            raise NotYaml(self._mark(error.problem_mark or error.context_mark), problem, FileCode.OTHER) from None
        except yaml.YAMLError:
            raise NotYaml(start, "a character not allowed", FileCode.CHARACTER) from None

    def _mark(self, mark: Any) -> Mark:
        """The place of a PyYAML mark (libyaml's or its own) in the whole, the start where there is none."""
        if mark is None:
            return self._base
        index, line, column = self._base
        return Mark(index + mark.index, line + mark.line, mark.column + (1 if mark.line else column))

    def _read(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            mark = self._mark(after.start_mark)
            cure = "remove the '---', or put what follows into a file of its own"
            self._report(mark, "a second document; expected one document a file", FileCode.DOCUMENT, cure)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        start = self._mark(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, start, self._mark(event.end_mark))
        if event.tag is not None:
            cure = _meant_by(event) or "remove it"
            self._report(start, f"tag {event.tag}: tags are not supported", FileCode.TAG, cure)
        if depth > MAX_DEPTH:
            raise UnreadableDocument(start, f"nested more than {MAX_DEPTH} deep", FileCode.BOUND, FLATTER)
        self._count(1, start)
        node = self._new(event, start, depth)
        if event.tag is not None and isinstance(node, Scalar) and (not node.text or _meant_by(event)):
            node.broken = True
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _new(self, event: Any, start: Mark, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, event.style or None, start, self._mark(event.end_mark))
            misread.scalar(scalar, self._source, self._report, flow=self._flow > 0)
            return scalar
        flow = bool(event.flow_style)
        self._flow += flow
        listed = isinstance(event, yaml.SequenceStartEvent)
        node = (
            self._items(Items(start), depth, flow=flow) if listed else self._section(Section(start), depth, flow=flow)
        )
        self._flow -= flow
        return node

    def _alias(self, anchor: str | None, start: Mark, end: Mark) -> Node:
        name = anchor or ""
        node = self._anchors.get(name)
        if node is None and self._lost(name, start):
            return Scalar(f"*{name}", None, start, end, broken=True)
        if node is None:
            text = f"alias *{name} has no anchor &{name} before it"
            cure = f'write "*{name}" in quotes where text is meant, or &{name} before the section meant'
            self._report(start, text, FileCode.ALIAS, cure, end)
            return Scalar(f"*{name}", None, start, end, broken=True)
        self._count(node.size, start)
        return node

    def _lost(self, name: str, before: Mark) -> bool:
        """Whether the anchor stood in a piece that could not be read; why is told there."""
        return self._in_pieces and bool(re.search(rf"&{re.escape(name)}(?![\w-])", self._source[: before.index]))

    def _count(self, nodes: int, at: Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise UnreadableDocument(
                at, f"more than {MAX_NODES} values, aliases expanded", FileCode.BOUND, "Divide it over several files"
            )

    def _items(self, items: Items, depth: int, *, flow: bool) -> Node:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.items.append(self._node(event, depth + 1))
        if flow:
            items.items = misread.items(items.items, self._source, self._report)
        items.size = 1 + sum(item.size for item in items.items)
        return items

    def _section(self, section: Section, depth: int, *, flow: bool) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            pairs.append((key, self._node(next(self._events), depth + 1)))
        section.size = 1 + sum(key.size + value.size for key, value in pairs)
        end = self._mark(event.end_mark)
        if instead := misread.section(section.start, end, pairs, self._source, self._report, flow=flow):
            return instead
        merged: list[tuple[Scalar, Node]] = []
        for key, value in misread.pairs(pairs, self._source, self._report) if flow else pairs:
            if not isinstance(key, Scalar):
                text = "a key that is a section or a list; expected text"
                self._report(key.start, text, FileCode.KEY, 'write text in quotes, as in "{pair}"')
                section.broken = True
            elif is_merge(key):
                merged.append((key, value))
            else:
                add(section, key, value, self._report)
        for key, value in merged:
            size = section.size
            merge(section, key, value, self._report)
            self._count(section.size - size, key.start)
        return section


def _meant_by(event: Any) -> str:
    """``!closed`` and ``!closed and live`` are conditions of other languages, with a word's tag for YAML."""
    rest = event.value if isinstance(event, yaml.ScalarEvent) else "?"
    if not re.fullmatch(r"!\w+", event.tag) or not re.match(r"(?:and\b|or\b|&&|\|\||$)", rest):
        return ""
    return f"write not {f'{event.tag[1:]} {rest}'.rstrip()}, or remove it where no condition is meant"
