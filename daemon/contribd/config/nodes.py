"""The tree of a YAML document, with places. Built from PyYAML's events: no constructor ever runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

MAX_DEPTH = 32
"""Deepest nesting of sections and lists. The deepest that contribd reads is 6, besides free data in test records."""
MAX_NODES = 200_000
"""Largest document, aliases expanded: a lookup of 50,000 entries fits, a 'billion laughs' of aliases does not."""

DataPath: TypeAlias = tuple[str | int, ...]
"""Where in a document: section keys and list indexes, from the root."""
Report: TypeAlias = Callable[["Mark", str], None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the source: ``index`` in characters from 0, ``line`` and ``column`` from 1."""

    index: int
    line: int
    column: int


@dataclass(slots=True)
class Scalar:
    """``text`` as YAML gives it; ``style`` is None where unquoted, else the character that opened it."""

    text: str
    style: str | None
    start: Mark
    end: Mark
    size: int = 1
    sources: tuple[str, ...] = ()
    """What was interpolated into it, as written (``${NAME}``); its value must not appear in messages then."""
    written: str = ""
    """The text before anything was interpolated into it; empty where nothing was."""


@dataclass(slots=True)
class Items:
    """A list."""

    start: Mark
    items: list["Node"] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Section:
    """A mapping with text keys, in the order written."""

    start: Mark
    entries: dict[str, tuple[Scalar, "Node"]] = field(default_factory=dict)
    size: int = 1


Node: TypeAlias = Scalar | Items | Section


class UnreadableDocument(Exception):
    """The document cannot be read any further."""

    def __init__(self, mark: Mark, text: str) -> None:
        self.mark = mark
        super().__init__(text)


def walk(node: Node, path: DataPath = ()) -> Iterator[tuple[DataPath, Scalar]]:
    """Every value scalar below a node with its path, in the order written; through aliases one comes up again."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Items):
        for at, item in enumerate(node.items):
            yield from walk(item, (*path, at))
    else:
        for name, (_, value) in node.entries.items():
            yield from walk(value, (*path, name))


def mark_of(mark: Any) -> Mark:
    """The place of a PyYAML mark (libyaml's or its own), the start where there is none."""
    return Mark(mark.index, mark.line + 1, mark.column + 1) if mark else Mark(0, 1, 1)
