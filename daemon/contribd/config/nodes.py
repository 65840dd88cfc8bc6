"""The tree of a YAML document, with places. Built from PyYAML's events: no constructor ever runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

MAX_DEPTH = 32
"""Deepest nesting of sections and lists. The deepest that contribd reads is 6, besides free data in test records."""
FLATTER = "Nest it less deeply"
"""The cure of what is nested deeper."""
MAX_NODES = 200_000
"""Largest document, aliases expanded: a lookup of 50,000 entries fits, a 'billion laughs' of aliases does not."""

DataPath: TypeAlias = tuple[str | int, ...]
"""Where in a document: section keys and list indexes, from the root."""


class Mark(NamedTuple):
    """A place in the source: ``index`` in characters from 0, ``line`` and ``column`` from 1."""

    index: int  # type: ignore[assignment] # a place is no sequence to anybody
    line: int
    column: int


class Report(Protocol):
    """Takes one thing wrong with a file as YAML: where it begins and ends, and what to write instead."""

    def __call__(self, mark: Mark, text: str, code: str, cure: str = "", end: Mark | None = None, /) -> None: ...


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
    broken: bool = False
    """Something was wrong here, and has been told: what should stand here is not known."""


@dataclass(slots=True)
class Items:
    """A list."""

    start: Mark
    items: list["Node"] = field(default_factory=list)
    size: int = 1
    broken: bool = False
    """Something was wrong here, and has been told: further items may be meant."""


@dataclass(slots=True)
class Section:
    """A mapping with text keys, in the order written."""

    start: Mark
    entries: dict[str, tuple[Scalar, "Node"]] = field(default_factory=dict)
    size: int = 1
    broken: bool = False
    """Something was wrong here, and has been told: further keys may be meant."""


Node: TypeAlias = Scalar | Items | Section


class UnreadableDocument(Exception):
    """The document cannot be read any further."""

    def __init__(self, mark: Mark, text: str, code: str, cure: str = "") -> None:
        self.mark = mark
        self.code = code
        self.cure = cure
        super().__init__(text)


class NotYaml(UnreadableDocument):
    """It breaks YAML's grammar."""


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


def broken_places(node: Node, path: DataPath = ()) -> Iterator[tuple[DataPath, Node]]:
    """Where what should stand is not known, or not all of it."""
    if node.broken:
        yield path, node
    if isinstance(node, Items):
        for at, item in enumerate(node.items):
            yield from broken_places(item, (*path, at))
    if isinstance(node, Section):
        for name, (_, value) in node.entries.items():
            yield from broken_places(value, (*path, name))
