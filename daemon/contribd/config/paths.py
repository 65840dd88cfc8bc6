"""From a place in the source to the path of what stands there."""

from bisect import bisect_right
from operator import itemgetter
from typing import Final

from contribd.config.nodes import DataPath, Items, Node, Section

_Entry = tuple[tuple[int, int], str | int, Node]
_START: Final = itemgetter(0)


class Paths:
    """The paths of a tree by their places. What is below a node is sorted once, however many places are asked for."""

    def __init__(self, root: Node | None) -> None:
        self._root = root
        self._sorted: dict[int, list[_Entry]] = {}

    def at(self, line: int, column: int) -> DataPath:
        """What stands there, or around it; empty where that is the document."""
        path: list[str | int] = []
        node = self._root
        while node is not None and (found := self._around(node, (line, column))):
            step, node = found
            path.append(step)
        return tuple(path)

    def _around(self, node: Node, place: tuple[int, int]) -> tuple[str | int, Node] | None:
        """The last entry or item that begins there or before, where the place belongs to it."""
        entries = self._entries(node)
        at = bisect_right(entries, place, key=_START) - 1
        if at < 0:
            return None
        start, step, below = entries[at]
        # On lines further down, what belongs to a key is indented more than it; to an item, as much.
        deep = 1 if isinstance(step, str) else 0
        return (step, below) if place[0] == start[0] or place[1] >= start[1] + deep else None

    def _entries(self, node: Node) -> list[_Entry]:
        """What is right below a node: where its key or the item begins, key or index, and the node."""
        if id(node) not in self._sorted:
            found: list[_Entry] = []
            if isinstance(node, Items):
                found = [((each.start.line, each.start.column), at, each) for at, each in enumerate(node.items)]
            elif isinstance(node, Section):
                entries = node.entries.items()
                found = [((key.start.line, key.start.column), name, value) for name, (key, value) in entries]
            self._sorted[id(node)] = sorted(found, key=_START)
        return self._sorted[id(node)]
