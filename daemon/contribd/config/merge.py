"""Defaults under mappings, what a mapping says beside its posts under each of them, and included files under all.

Trees are merged, not data: each value still knows the file and the line where it was written, and so does whatever is
wrong with it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from contribd.config.document import Document, Home
from contribd.config.nodes import DataPath, Items, Node, Scalar, Section
from contribd.mapping.rules import DefaultsSpec, PartSpec

DEFAULTS: Final = "defaults"
_MERGED: Final = frozenset(DefaultsSpec.model_fields)
_OF_A_POST: Final = frozenset(PartSpec.model_fields)


class Layer(NamedTuple):
    """A mapping file with the places where it is wrong: what stands there is left out."""

    document: Document
    bad: Collection[DataPath]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A node and where it was written."""

    node: Node
    home: Home


def merged(top: Layer, below: Sequence[Layer]) -> Document:
    """The mapping file with its mappings and tables as they come out; ``below``: what it includes, the nearest last."""
    root = top.document.root
    layers = [layer for layer in (*below, top) if isinstance(layer.document.root, Section)]
    if not isinstance(root, Section) or not _needs_merging(layers):
        return top.document
    merger = _Merger(layers)
    made = Section(root.start, dict(root.entries), broken=root.broken)
    mappings = root.entries.get("mappings")
    if mappings and isinstance(mappings[1], Items):
        made.entries["mappings"] = (mappings[0], merger.mappings(top.document, mappings[1]))
    if tables := merger.layered("tables"):
        made.entries["tables"] = tables
    return Document(top.document.file, top.document.source, made, homes=merger.homes, original=top.document)


def _needs_merging(layers: Sequence[Layer]) -> bool:
    roots = [layer.document.root for layer in layers]
    return len(roots) > 1 or any(isinstance(root, Section) and _holds_merged(root) for root in roots)


def _holds_merged(root: Section) -> bool:
    _, mappings = root.entries.get("mappings", (None, None))
    items = mappings.items if isinstance(mappings, Items) else []
    return DEFAULTS in root.entries or any(isinstance(each, Section) and "posts" in each.entries for each in items)


class _Merger:
    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._bad = {(layer.document.file, path) for layer in layers for path in layer.bad}
        self.homes: dict[int, Home] = {}
        """Where nodes were written that stand somewhere else now, by their ids."""
        self._kept: list[Node] = []
        """So that no id is given to another node meanwhile."""

    def mappings(self, document: Document, mappings: Items) -> Items:
        """Each mapping over the defaults, but for those that post nothing."""
        found = self.layered(DEFAULTS)
        made = Items(mappings.start)
        for at, node in enumerate(mappings.items):
            if not isinstance(node, Section) or "ignore" in node.entries:
                made.items.append(node)
                continue
            home, whole = Home(document, ("mappings", at)), node
            if found is not None:
                whole = self._over(_Placed(found[1], Home(document, (DEFAULTS,))), _Placed(node, home))
            made.items.append(self._spread(_Placed(whole, home), whole))
        return made

    def _spread(self, placed: _Placed, mapping: Section) -> Section:
        """A mapping with what it says beside its posts under each of them."""
        key, posts = mapping.entries.get("posts", (None, None))
        if key is None or not isinstance(posts, Items):
            return mapping
        beside = {name: entry for name, entry in mapping.entries.items() if name in _OF_A_POST}
        lower = _Placed(Section(mapping.start, beside), placed.home)
        made = Items(posts.start, broken=posts.broken)
        for at, node in enumerate(posts.items):
            home = Home(placed.home.document, (*placed.home.path, "posts", at))
            made.items.append(self._over(lower, _Placed(node, home)) if isinstance(node, Section) else node)
        rest = {name: entry for name, entry in mapping.entries.items() if name not in _OF_A_POST}
        return Section(mapping.start, {**rest, "posts": (key, made)}, broken=mapping.broken)

    def layered(self, name: str) -> tuple[Scalar, Node] | None:
        """A section of all layers, the nearer over the farther; None where none has it."""
        result: tuple[Scalar, Section] | None = None
        for document, _ in self._layers:
            entry = document.root.entries.get(name) if isinstance(document.root, Section) else None
            if entry is None or not isinstance(entry[1], Section):
                continue
            upper = _Placed(entry[1], Home(document, (name,)))
            lower = _Placed(result[1] if result else Section(entry[1].start), upper.home)
            result = entry[0], self._over(lower, upper, deep=name == DEFAULTS)
        return result

    def _over(self, lower: _Placed, upper: _Placed, *, deep: bool = True) -> Section:
        """Both sections in one: what the upper one says wins, its ``fields`` and lists are added to the lower's."""
        torn = any(isinstance(each.node, Section) and each.node.broken for each in (lower, upper))
        made = Section(upper.node.start, broken=torn)
        below = {name: (key, value) for name, key, value in self._entries(lower) if not deep or name in _MERGED}
        above = {name: (key, value) for name, key, value in self._entries(upper)}
        for name in (*below, *(name for name in above if name not in below)):
            key, value = above.get(name) or below[name]
            if deep and name in below and name in above:
                value = self._both(below[name][1], value)
            made.entries[name] = (key, self._placed(value))
        return made

    def _both(self, lower: _Placed, upper: _Placed) -> _Placed:
        if isinstance(lower.node, Section) and isinstance(upper.node, Section):
            return _Placed(self._over(lower, upper, deep=False), upper.home)
        if isinstance(lower.node, Items) and isinstance(upper.node, Items):
            return _Placed(self._appended(lower, upper), upper.home)
        return upper

    def _appended(self, lower: _Placed, upper: _Placed) -> Items:
        """The lower list, then the upper; a text that both have is there once."""
        below = list(self._items(lower))
        texts = {placed.node.text for placed in below if isinstance(placed.node, Scalar)}
        above = [each for each in self._items(upper) if not (isinstance(each.node, Scalar) and each.node.text in texts)]
        return Items(upper.node.start, [self._placed(placed) for placed in (*below, *above)])

    def _placed(self, placed: _Placed) -> Node:
        self.homes[id(placed.node)] = placed.home
        self._kept.append(placed.node)
        return placed.node

    def _home(self, parent: _Placed, step: str | int, node: Node) -> Home:
        return self.homes.get(id(node)) or Home(parent.home.document, (*parent.home.path, step))

    def _entries(self, parent: _Placed) -> Iterator[tuple[str, Scalar, _Placed]]:
        if isinstance(parent.node, Section):
            for name, (key, node) in parent.node.entries.items():
                home = self._home(parent, name, node)
                if self._is_sound(home, node):
                    yield name, key, _Placed(node, home)

    def _items(self, parent: _Placed) -> Iterator[_Placed]:
        if isinstance(parent.node, Items):
            for at, node in enumerate(parent.node.items):
                home = self._home(parent, at, node)
                if self._is_sound(home, node):
                    yield _Placed(node, home)

    def _is_sound(self, home: Home, node: Node) -> bool:
        """Whether a default can be taken; what is wrong with a mapping itself stays, and is told there."""
        if home.path[:1] != (DEFAULTS,) or not self._bad:
            return True
        file, path = home.document.file, home.path
        inner = [place for where, place in self._bad if where == file and place[: len(path)] == path]
        return not inner or (len(path) == 2 and isinstance(node, Section | Items) and path not in inner)
