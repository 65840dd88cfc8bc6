"""How much room the records with several posts may need in a commit."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from contribd.engine.records.keys import TAG_BITS, Tags
from contribd.engine.records.parts import Parts, Told
from contribd.engine.records.parts_text import gamma_bits

_MOST_DISTANCE: Final = 29
"""Bits of the distance to the record before, at most: of 20,000 offsets."""


class Ledger:
    """How many bits the records with several posts may need in a commit: those whose results are not durable.

    The bits of each are counted when it is taken; of lists of tags only some, but the longest is counted in full: of
    different lists, few are told of at a time. The distances between records are counted by ``ahead``: they grow when
    one between is settled.
    """

    __slots__ = ("_bits", "_costs", "_in_transaction", "_lengths", "_lists", "_per_list", "of")

    def __init__(self, per_list: int = 1) -> None:
        """``per_list``: of so many different lists of tags, one is told of."""
        self._per_list = per_list
        self.of: dict[int, Parts] = {}
        """By offset, in order: what is not durable."""
        self._costs: dict[int, int] = {}
        """Bits that a commit may need to tell of each, beside its list of tags."""
        self._bits = 0
        self._lists: dict[Tags, int] = {}
        """How many of them have the same list of tags."""
        self._lengths: dict[int, int] = {}
        """How many lists are so long."""
        self._in_transaction: list[Parts] = []
        """Those whose last results are in the one that is being built or written."""

    def add(self, parts: Parts) -> None:
        """One is taken."""
        before = self._lists.get(parts.tags, 0)
        self._lists[parts.tags] = before + 1
        if not before:
            self._count_list(parts.count, 1)
        cost = self._costs[parts.offset] = parts.count + gamma_bits(len(self._lists))
        self._bits += cost
        self.of[parts.offset] = parts

    def remove(self, parts: Parts) -> None:
        """One is durable, or was not taken after all."""
        del self.of[parts.offset]
        self._bits -= self._costs.pop(parts.offset)
        others = self._lists[parts.tags] - 1
        if others:
            self._lists[parts.tags] = others
        else:
            del self._lists[parts.tags]
            self._count_list(parts.count, -1)

    def _count_list(self, length: int, more: int) -> None:
        self._bits += more * (_list_bits(length) // self._per_list)
        if count := self._lengths.get(length, 0) + more:
            self._lengths[length] = count
        else:
            del self._lengths[length]

    def settled(self, parts: Parts) -> None:
        """The last of its results is in the transaction being built."""
        self._in_transaction.append(parts)

    def written(self) -> None:
        """What was settled is durable."""
        for parts in self._in_transaction:
            self.remove(parts)
        self._in_transaction.clear()

    def ahead(self, bits: int) -> int:
        """How many offsets a commit of so many ``bits`` can tell of beside these; may be negative.

        The records' distances take a bit an offset too, or so many for each, whatever is less.
        """
        longest = _list_bits(max(self._lengths, default=0))
        left = bits - self._bits - (longest - longest // self._per_list)
        return max(left // 2, left - _MOST_DISTANCE * len(self.of))

    def partial(self) -> Iterator[tuple[int, Told]]:
        """Those of which a commit has to tell: settled in part."""
        for offset, parts in self.of.items():
            if parts.settled and not parts.whole:
                yield offset, Told(parts.tags, parts.settled)


@cache
def _list_bits(count: int) -> int:
    return gamma_bits(count) + TAG_BITS * count
