"""From PyYAML's events to a tree of nodes; bounded, and saying everything that is wrong in one pass."""

from typing import Any

import yaml

from contribd.config.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Items,
    Mark,
    Node,
    Report,
    Scalar,
    Section,
    UnreadableDocument,
    mark_of,
)
from contribd.config.scalars import Doubtful, NumberError, resolve

# libyaml is some ten times faster; a build of PyYAML without it reads the same.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"


def compose(source: str, report: Report, loader: Any = LOADER) -> Node | None:
    """The document's tree, or None where it is empty. Raises Unreadable where it cannot be followed any further."""
    try:
        return _Composer(yaml.parse(source, Loader=loader), report).document()
    except yaml.MarkedYAMLError as error:
        mark = mark_of(error.problem_mark or error.context_mark)
        raise UnreadableDocument(mark, f"not YAML: {_reason(error, source)}") from None
    except yaml.YAMLError as error:
        raise UnreadableDocument(
            _place(source, getattr(error, "position", 0)), "not YAML: a character not allowed"
        ) from None


def _reason(error: yaml.MarkedYAMLError, source: str) -> str:
    problem = error.problem or "cannot be read"
    if "cannot start any token" in problem:
        return f"{problem}; indent with spaces, and write text with special characters in quotes"
    if "mapping values are not allowed" in problem:
        return f"{problem}; write text that holds ': ' in quotes, and check the indentation"
    if "flow" in str(error.context) and error.context_mark and "${" in source[error.context_mark.index :]:
        return f"{problem} ({error.context}); inside [ ] and {{ }} write ${{NAME}} in quotes"
    return f"{problem} ({error.context})" if error.context else problem


def _place(source: str, index: int) -> Mark:
    before = source[:index]
    return Mark(index, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


class _Composer:
    def __init__(self, events: Any, report: Report) -> None:
        self._events = events
        self._report = report
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._report(mark_of(after.start_mark), "a second document; expected one document a file")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        start = mark_of(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, start)
        if event.tag is not None:
            self._report(start, f"tag {event.tag}: tags are not supported; remove it")
        if depth > MAX_DEPTH:
            raise UnreadableDocument(start, f"nested more than {MAX_DEPTH} deep")
        self._count(1, start)
        node = self._new(event, start, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _new(self, event: Any, start: Mark, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, event.style or None, start, mark_of(event.end_mark))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(Items(start), depth)
        return self._section(Section(start), depth, flow=bool(event.flow_style))

    def _alias(self, anchor: str | None, start: Mark) -> Node:
        node = self._anchors.get(anchor or "")
        if node is None:
            raise UnreadableDocument(start, f"alias *{anchor} has no anchor &{anchor} before it")
        self._count(node.size, start)
        return node

    def _count(self, nodes: int, at: Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise UnreadableDocument(at, f"more than {MAX_NODES} values, aliases expanded")

    def _items(self, items: Items, depth: int) -> Items:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item = self._node(event, depth + 1)
            items.items.append(item)
            items.size += item.size
        return items

    def _section(self, section: Section, depth: int, *, flow: bool) -> Section:
        merged: list[tuple[Scalar, Node]] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            section.size += key.size + value.size
            if flow and isinstance(value, Scalar) and value.style is None and not value.text:
                # {BID: round(bid, 2)} is read as two keys.
                self._report(value.start, "no value; write text that holds a comma in quotes, or null for nothing")
            if not isinstance(key, Scalar):
                self._report(key.start, "a key that is a section or a list; expected text")
            elif key.text == _MERGE and key.style is None:
                merged.append((key, value))
            else:
                self._add(section, key, value)
        for key, value in merged:
            self._merge(section, key, value)
        return section

    def _add(self, section: Section, key: Scalar, value: Node) -> None:
        if doubt := _doubt(key):
            self._report(key.start, doubt)
        if first := section.entries.get(key.text):
            where = f"line {first[0].start.line}, column {first[0].start.column}"
            self._report(key.start, f"duplicate key {key.text}; the first is on {where}")
            return
        section.entries[key.text] = (key, value)

    def _merge(self, section: Section, key: Scalar, value: Node) -> None:
        for source in value.items if isinstance(value, Items) else [value]:
            if not isinstance(source, Section):
                self._report(key.start, "<< takes a section or a list of sections, as in <<: *anchor")
                continue
            self._count(source.size, key.start)
            section.size += source.size
            for name, entry in source.entries.items():
                section.entries.setdefault(name, entry)


def _doubt(key: Scalar) -> str | None:
    if key.style is not None:
        return None
    try:
        value = resolve(key.text)
    except NumberError as error:
        return f"key: {error}"
    if isinstance(value, Doubtful):
        return f'key {key.text} is a boolean in YAML 1.1; write "{key.text}" in quotes'
    if value is None:
        return 'an empty key; expected text, or "null" in quotes' if key.text else "an empty key; expected text"
    return None if isinstance(value, str) else f'key {key.text} is not text; write "{key.text}" in quotes'
