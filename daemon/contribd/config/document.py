"""A YAML file as plain data that still knows where each value stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from contribd.config import tolerant
from contribd.config.codes import FileCode
from contribd.config.compose import compose
from contribd.config.cures import of_variable
from contribd.config.decode import decoded
from contribd.config.errors import Problem
from contribd.config.excerpt import MASK, Excerpt, Span, excerpt, masked_spans
from contribd.config.files_read import read_file, why_not_read
from contribd.config.nodes import (
    DataPath,
    Items,
    Mark,
    Node,
    NotYaml,
    Scalar,
    Section,
    UnreadableDocument,
    broken_places,
)
from contribd.config.paths import Paths
from contribd.config.scalars import NumberError, resolve
from contribd.config.spans import place, token_length

Interpolate: TypeAlias = Callable[[Node], list[tuple[DataPath, str]]]
"""Replaces what is to be interpolated in a tree's scalars; gives back what went wrong, and where."""

_WORD = re.compile(r"""[^\s"',:{}\[\]]{3,}""")
MAX_FILE_BYTES = 4 * 1024 * 1024
"""Some 50,000 rows of lookup. A path to something else by mistake (a log, a device) is refused, not read."""


class Home(NamedTuple):
    """Where a node was written: in which file, and at which place of it."""

    document: "Document"
    path: DataPath


@dataclass
class Document:
    """One YAML file. ``problems`` are those of the file as YAML; the data may be incomplete where there are any.

    One that was merged (``config.merge``) is made of parts of several: ``homes`` says of the nodes that came from
    elsewhere, by their ids, where they were written, and ``original`` is the file as it is.
    """

    file: Path
    source: str = ""
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    homes: dict[int, Home] = field(default_factory=dict)
    original: "Document | None" = None

    @cached_property
    def broken(self) -> set[DataPath]:
        """Places of which what should stand there is not known; why is among the problems."""
        return {path for path, node in self._broken if isinstance(node, Scalar)}

    @cached_property
    def torn(self) -> set[DataPath]:
        """Sections and lists of which not all could be read; why is among the problems."""
        return {path for path, node in self._broken if not isinstance(node, Scalar)}

    @cached_property
    def _broken(self) -> list[tuple[DataPath, Node]]:
        return [] if self.root is None else list(broken_places(self.root))

    @cached_property
    def data(self) -> Any:
        """Plain Python: dict, list, str, int, bool, None, and Decimal for any number that is not an integer.

        A str may be a :class:`~contribd.config.scalars.Doubtful`.
        """
        return None if self.root is None else self._plain(self.root)

    def position(self, path: DataPath, *, key: bool = False, offset: int = 0) -> tuple[int, int]:
        """Line and column, from 1, of the value at ``path``; of its key with ``key``.

        ``offset`` counts characters inside a scalar. Where nothing stands at ``path`` (a key that is missing), the
        place is that of the nearest section around it.
        """
        found, entry, node = self._find(path)
        if isinstance(node, Scalar) and found and not key:
            return place(self.source, node, offset)
        start = entry.start if entry and (key or not found) else node.start if node else Mark(0, 1, 1)
        return start.line, start.column

    def sources(self, path: DataPath) -> tuple[str, ...]:
        """What was interpolated into the scalar at ``path``, as written; empty where nothing was."""
        found, _, node = self._find(path)
        return node.sources if found and isinstance(node, Scalar) else ()

    def home(self, path: DataPath) -> Home:
        """Where that which stands at ``path`` was written; of a key that is missing: where it would stand."""
        home, node = Home(self.original or self, ()), self.root
        for step in path:
            node = inner(node, step)
            moved = self.homes.get(id(node)) if node is not None else None
            home = moved or Home(home.document, (*home.path, step))
        return home

    def problem(
        self, path: DataPath, text: str, *, key: bool = False, offset: int = 0, code: str = "", cure: str = ""
    ) -> Problem:
        """Something wrong with what stands at ``path``, told where it was written."""
        if self.original is not None:
            home = self.home(path)
            return home.document.problem(home.path, text, key=key, offset=offset, code=code, cure=cure)
        found, _, node = self._find(path)
        if len(path) == 1 and not found:  # a key of the document that is missing: no line is wrong
            return replace(self._told((1, 1), None, dotted(path), text, code, cure), excerpt=None)
        start = self.position(path, key=key, offset=offset)
        if found and isinstance(node, Scalar) and not (key or offset) and _is_expression(code):
            start = place(self.source, node, 0, inside=True)
        return self._told(start, self._end(path, start, key, offset, code), dotted(path), text, code, cure)

    def _end(self, path: DataPath, start: tuple[int, int], key: bool, offset: int, code: str) -> tuple[int, int] | None:
        """Just behind what is wrong: the token of an expression, a whole scalar, or a key."""
        found, entry, node = self._find(path)
        if not found or key or not isinstance(node, Scalar):
            # Of a section or list, or where a key is missing, the key is marked that stands there.
            return (
                (entry.end.line, entry.end.column) if entry and entry.start == Mark(entry.start.index, *start) else None
            )
        if node.sources or not (offset or _is_expression(code)):
            return node.end.line, node.end.column
        return start[0], start[1] + token_length(node.text, offset)

    def _told(
        self, start: tuple[int, int], end: tuple[int, int] | None, path: str, text: str, code: str, cure: str
    ) -> Problem:
        if end is not None and end <= start:
            end = None
        cure = cure[:1].upper() + cure[1:]
        text, cure = self._discreet(start[0], text), self._discreet(start[0], cure)
        shown = self._excerpt(start, end)
        return Problem(self.file, *start, path, text, code, cure, end, shown)

    def _excerpt(self, start: tuple[int, int], end: tuple[int, int] | None) -> Excerpt | None:
        """The first line of what is wrong."""
        lines, spans = self._lines
        if not 0 < start[0] <= len(lines):
            return None
        line, at = lines[start[0] - 1], start[1] - 1
        last = at if end is None else end[1] - 1 if end[0] == start[0] else len(line.rstrip())
        return excerpt(line, spans[start[0] - 1], min(at, len(line)), min(max(at, last), len(line)))

    def _discreet(self, number: int, text: str) -> str:
        """Without what must not be shown of a line."""
        lines, spans = self._lines
        for low, high in spans[number - 1] if 0 < number <= len(lines) else ():
            for word in _WORD.findall(lines[number - 1][low:high]):
                text = text.replace(word, MASK)
        return text

    @cached_property
    def _lines(self) -> tuple[list[str], list[list[Span]]]:
        """The file's lines, and what must not be shown of each."""
        lines = [line.removesuffix("\r") for line in self.source.split("\n")]
        return lines, masked_spans(lines)

    def _find(self, path: DataPath) -> tuple[bool, Scalar | None, Node | None]:
        """Whether the path leads somewhere, the last key on the way, and the node at its end."""
        node, entry = self.root, None
        for step in path:
            found = inner(node, step)
            if found is None:
                return False, entry, node
            entry = node.entries[str(step)][0] if isinstance(node, Section) else None
            node = found
        return True, entry, node

    def _plain(self, node: Node) -> Any:
        if isinstance(node, Items):
            return [self._plain(item) for item in node.items]
        if not isinstance(node, Scalar):
            return {name: self._plain(value) for name, (_, value) in node.entries.items()}
        if node.style is not None:
            return node.text
        try:
            return resolve(node.text)
        except NumberError as error:
            node.broken = True
            text = str(error).partition("; ")[0]
            came = "from " + ", ".join(node.sources) + ": " if node.sources else ""
            self.report(node.start, f"{came}{text}", FileCode.NUMBER, "write text in quotes", node.end)
            return 0

    def mark_broken(self, path: DataPath) -> None:
        """Nothing more is to be said of what stands at a place."""
        found, _, node = self._find(path)
        if found and isinstance(node, Scalar):
            node.broken = True

    def is_key_told(self, path: DataPath) -> bool:
        """Whether something was said of the very key before."""
        _, entry, _ = self._find(path)
        return entry is not None and entry.broken

    def changed(self) -> None:
        """The tree is another now: its data is made anew, without telling of its numbers once more."""
        told = list(self.problems)
        for name in ("data", "broken", "torn", "_broken"):
            self.__dict__.pop(name, None)
        _ = self.data
        self.problems = told

    def report(self, mark: Mark, text: str, code: str, cure: str = "", end: Mark | None = None, /) -> None:
        """Add a problem of the file as YAML, at a place rather than a path."""
        behind, path = (end.line, end.column) if end else None, dotted(Paths(self.root).at(mark.line, mark.column))
        self.problems.append(self._told((mark.line, mark.column), behind, path, text, code, cure))

    def name_paths(self) -> None:
        """Problems that were told before there was a tree get the paths of their places."""
        paths = Paths(self.root)
        self.problems = [
            each if each.path else replace(each, path=dotted(paths.at(each.line, each.column)))
            for each in self.problems
        ]


def _is_expression(code: str) -> bool:
    """Whether a problem of that number is about a token of an expression rather than about a whole value."""
    return code.startswith("M1")


def inner(node: Node | None, step: str | int) -> Node | None:
    """What stands in ``node`` under a key or an index; None where nothing does."""
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    if isinstance(node, Section) and step in node.entries:
        return node.entries[str(step)][1]
    return None


def dotted(path: DataPath) -> str:
    """``("ads", "endpoints", 0)`` as ``ads.endpoints[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def located(data: Any, loc: tuple[int | str, ...], *, missing: bool = False) -> tuple[DataPath, Any]:
    """The place in the data that an error's location means: without the names of unions and their members."""
    path: list[int | str] = []
    for number, step in enumerate(loc):
        inside = isinstance(data, dict) and step in data
        if inside or (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            data = data[step]
        elif not (missing and number == len(loc) - 1):
            continue
        path.append(step)
    return tuple(path), data


def load_document(path: Path, interpolate: Interpolate | None = None) -> Document:
    """Read a file. Never raises for what the file holds, or for its absence: see ``problems``."""
    try:
        content = read_file(path, MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        text = f"cannot be read: {why_not_read(error)}"
        return _unread(path, text, FileCode.UNREADABLE, "Check the path, and who may read it")
    if len(content) > MAX_FILE_BYTES:
        return _unread(path, f"larger than {MAX_FILE_BYTES} bytes", FileCode.BOUND, "Check that this is the file meant")
    return parse_document(content, path, interpolate)


def _unread(path: Path, text: str, code: FileCode, cure: str) -> Document:
    return Document(path, problems=[Problem(path, 1, 1, "", text, code, cure)])


def parse_document(content: bytes, path: Path, interpolate: Interpolate | None = None) -> Document:
    """The same for content at hand; ``path`` is the name that problems give."""
    document = Document(path)
    found: list[Any] = []
    document.source = decoded(content, lambda *what: found.append(what))
    for what in found:
        document.report(*what)
    try:
        document.root = _tree(document)
    except UnreadableDocument as error:
        document.report(error.mark, str(error), error.code, error.cure)
    if document.root is not None and interpolate is not None:
        for where, text in interpolate(document.root):
            finding = of_variable(text)
            document.problems.append(document.problem(where, **finding._asdict()))
            if finding.code == FileCode.MAPPING_VARIABLE:
                document.mark_broken(where)
    document.name_paths()
    # Built now, so that problems of numbers are among the others from the start.
    _ = document.data
    return document


def _tree(document: Document) -> Node | None:
    """By the parser; where it gives up, whatever can be read all the same."""
    told = len(document.problems)
    try:
        return compose(document.source, document.report)
    except NotYaml as error:
        del document.problems[told:]  # they are told again
        return tolerant.read(document.source, document.report, error)
