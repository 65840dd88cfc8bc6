"""Which posts of a record have their results, where one record makes several.

Theory of operation
===================

A part is one post of such a record, known by its RIC and service. The record's offset is settled once all its parts
are. Until then, a commit tells which of them have results, so that a restart makes only the others: see ``encode``.

By RIC and service. Between two runs the mapping may have changed: parts may be gone, new, or in another order. So a
commit names parts by a tag, 32 bits of their RIC and service, and what has its result is known whatever its place is.
Two parts of a record never have the same tag: of two with the same 32 bits, the later one takes the next number.

In few bits. Records of one kind have the same parts again and again, so a list of tags is written once, and each record
names its list and has a bit a part. 500 curves of the same 40 instruments, each settled in part, take some 22,000 bits.

Bounded. A commit has room for a fixed number of bits, those of whole offsets (``offsets``) among them. ``Ledger``
counts how many the records taken and not yet durable could need, lists of tags at a part of their price: most records
that wait are not settled in part. What does not fit any more is not taken, but for the oldest one.

What finds no room all the same. More records than usual may be settled in part, as where an instrument of each of many
different ones is slow to be answered. Brokers may take less than before; and while a partition catches up, all must be
taken that its owner before could have posted, whatever room it had and whatever its mapping made. Then a commit says up
to which offset the results topic is to be asked instead (``About.results_to``).
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Final, NamedTuple, TypeAlias
from zlib import crc32

import msgspec

Key: TypeAlias = tuple[str, str]
"""(service, RIC); of a part that has no RIC, its place among the record's parts instead."""

Tags: TypeAlias = tuple[int, ...]

_TAG_BITS: Final = 32
_TAGS: Final = 1 << _TAG_BITS
MOST_DISTANCE: Final = 29
"""Bits of the distance to the record before, at most: of 20,000 offsets."""


def tags_of(keys: Iterable[Key]) -> Tags:
    """The tag of each part, in order; all different."""
    tags = tuple([crc32(f"{service}\0{ric}".encode()) for service, ric in keys])
    return tags if len(set(tags)) == len(tags) else _told_apart(tags)


def _told_apart(tags: Tags) -> Tags:
    """Of two that are the same, the later one takes the next number that is free."""
    found: dict[int, None] = {}
    for tag in tags:
        free = tag
        while free in found:
            free = (free + 1) % _TAGS
        found[free] = None
    return tuple(found)


def key_of(service: str | None, ric: str | None, number: int) -> Key:
    """What a part is known by; ``number``: its place among the record's parts."""
    return service or "", f"\0{number}" if ric is None else ric


class Told(NamedTuple):
    """What a commit tells of one record: bit ``n`` of ``settled`` is of the part with tag ``n``."""

    tags: Tags
    settled: int

    @property
    def has_result(self) -> frozenset[int]:
        """The tags of the parts that have their results."""
        return frozenset(tag for number, tag in enumerate(self.tags) if self.settled >> number & 1)

    def joined(self, other: "Told") -> "Told":
        """What both tell."""
        tags = tuple(sorted(self.has_result | other.has_result))
        return Told(tags, (1 << len(tags)) - 1)


def joined(some: Mapping[int, Told], others: Mapping[int, Told]) -> Mapping[int, Told]:
    """What both tell of records, by offset in order."""
    if not others:
        return some
    every = {**some, **others}
    return {at: some[at].joined(others[at]) if at in some and at in others else every[at] for at in sorted(every)}


class Parts(msgspec.Struct, eq=False, gc=False):
    """One record that makes several posts, from when it is taken until its results are durable."""

    offset: int
    size: int
    """Bytes of its value."""
    made: int
    """How many posts its mapping makes."""
    taken_at: int
    """Seconds since 1970: its results are younger, those of earlier runs too."""
    tags: Tags
    """Of these, and then of others that have their results since an earlier mapping made them."""
    settled: int = 0
    """Bit ``n``: part ``n`` has its result, in a transaction that is being built or was written."""
    left: int = 0
    """Parts that wait here for their results."""
    cost: int = 0
    """Bits that a commit may need to tell of it."""

    @property
    def count(self) -> int:
        """How many parts are known."""
        return len(self.tags)

    @property
    def whole(self) -> bool:
        """Whether every part has its result."""
        return self.settled == (1 << len(self.tags)) - 1

    def has_result(self, number: int) -> bool:
        """Whether this part has its result."""
        return bool(self.settled >> number & 1)

    def begin(self, told: Told | None) -> None:
        """Takes over what an earlier run settled, if it did; the others wait from now on.

        Parts that its mapping made and this one does not are kept in mind behind the others: the next one may make
        them again.
        """
        if told is not None:
            settled = told.has_result
            self.tags += tuple(tag for tag in told.tags if tag in settled and tag not in self.tags)
            self.settled = sum(1 << number for number, tag in enumerate(self.tags) if tag in settled)
        self.left = len(self.tags) - self.settled.bit_count()

    def settle(self, number: int) -> None:
        """The result of this part is part of the transaction being built."""
        self.settled |= 1 << number
        self.left -= 1

    def give_back(self) -> None:
        """One of the parts will not be settled here."""
        self.left -= 1


class Part(msgspec.Struct, eq=False, frozen=True, gc=False):
    """One of a record's posts: its place among them, from 0."""

    of: Parts
    number: int


class Ledger:
    """How many bits the records with several posts may need in a commit: those whose results are not durable.

    Each is paid for when it is taken; lists of tags at a part of their price, but for the longest, since of different
    ones few are told of at a time. The distances between records are counted by ``ahead``: they grow when one between
    is settled.
    """

    __slots__ = ("_bits", "_durable", "_lengths", "_lists", "_per_list", "of")

    def __init__(self, per_list: int = 1) -> None:
        """Of so many lists, one is told of."""
        self._per_list = per_list
        self.of: dict[int, Parts] = {}
        """By offset, in order: what is not durable."""
        self._bits = 0
        self._lists: dict[Tags, int] = {}
        """How many of them have the same list of tags."""
        self._lengths: dict[int, int] = {}
        """How many lists are so long."""
        self._durable: list[Parts] = []
        """Those whose last results are in the transaction being built."""

    def add(self, parts: Parts) -> None:
        """One is taken."""
        before = self._lists.get(parts.tags, 0)
        self._lists[parts.tags] = before + 1
        if not before:
            self._count_list(parts.count, 1)
        parts.cost = parts.count + _gamma_bits(len(self._lists))
        self._bits += parts.cost
        self.of[parts.offset] = parts

    def remove(self, parts: Parts) -> None:
        """One is durable, or was not taken after all."""
        del self.of[parts.offset]
        self._bits -= parts.cost
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
        self._durable.append(parts)

    def written(self) -> None:
        """What was settled is durable."""
        for parts in self._durable:
            self.remove(parts)
        self._durable.clear()

    def ahead(self, bits: int) -> int:
        """How many offsets a commit of so many ``bits`` can tell of beside these; may be negative.

        The records' distances take a bit an offset too, or so many for each, whatever is less.
        """
        longest = _list_bits(max(self._lengths, default=0))
        left = bits - self._bits - (longest - longest // self._per_list)
        return max(left // 2, left - MOST_DISTANCE * len(self.of))

    def partial(self) -> Iterator[tuple[int, Told]]:
        """Those of which a commit has to tell: settled in part."""
        for offset, parts in self.of.items():
            if parts.settled and not parts.whole:
                yield offset, Told(parts.tags, parts.settled)


@cache
def _list_bits(count: int) -> int:
    return _gamma_bits(count) + _TAG_BITS * count


# As text


def encode(base: int, told: Mapping[int, Told]) -> str:
    """What is told of these records, by offset, as text: base64 of a sequence of bits; empty where there is nothing.

    Its first bit is a 1, so that its length is known. Then, numbers being from 1 in Elias gamma code: how many records
    there are; a bit, 1 where distances are in that code too, 0 where they are in unary code (d - 1 zeros and a one).
    For each record, in order: the distance from the one before it (for the first, from ``base - 1``); the number of its
    list of tags among those given so far, from 1, or the next number, and then the list: its length, and 32 bits a tag;
    a bit a part, 1 where it has its result.
    """
    if not told:
        return ""
    offsets = sorted(told)
    distances = [at - before for before, at in zip([base - 1, *offsets], offsets, strict=False)]
    in_gamma = sum(map(_gamma_bits, distances)) < sum(distances)
    bits = ["1", _gamma(len(offsets)), "1" if in_gamma else "0"]
    lists: dict[Tags, int] = {}
    for offset, distance in zip(offsets, distances, strict=True):
        tags, settled = told[offset]
        bits.append(_gamma(distance) if in_gamma else "0" * (distance - 1) + "1")
        if tags in lists:
            bits.append(_gamma(lists[tags]))
        else:
            number = lists[tags] = len(lists) + 1
            bits += [_gamma(number), _gamma(len(tags)), *(f"{tag:032b}" for tag in tags)]
        bits.append(f"{settled:0{len(tags)}b}"[::-1])
    whole = int("".join(bits), 2)
    return base64.b64encode(whole.to_bytes((whole.bit_length() + 7) // 8, "big")).decode("ascii")


def decode(base: int, text: str) -> dict[int, Told]:
    """The reverse of ``encode``; empty for what it did not make."""
    try:
        whole = int.from_bytes(base64.b64decode(text, validate=True), "big")
        return _decoded(base, iter(f"{whole:b}"[1:])) if whole else {}
    except (binascii.Error, ValueError, _EndOfBits):
        return {}


def _decoded(base: int, bits: Iterator[str]) -> dict[int, Told]:
    count, in_gamma = _read_gamma(bits), _read(bits, 1)
    found: dict[int, Told] = {}
    lists: list[Tags] = []
    offset = base - 1
    for _ in range(count):
        offset += _read_gamma(bits) if in_gamma else _read_unary(bits)
        number = _read_gamma(bits)
        if number == len(lists) + 1:
            lists.append(tuple(_read(bits, _TAG_BITS) for _ in range(_read_gamma(bits))))
        elif number > len(lists):
            return {}
        tags = lists[number - 1]
        found[offset] = Told(tags, sum(_read(bits, 1) << place for place in range(len(tags))))
    return found


class _EndOfBits(Exception):
    """There are fewer bits than were announced."""


def _read(bits: Iterator[str], count: int) -> int:
    read = "".join(islice(bits, count))
    if len(read) < count:
        raise _EndOfBits
    return int(read, 2)


def _read_unary(bits: Iterator[str]) -> int:
    zeros = 0
    while not _read(bits, 1):
        zeros += 1
    return zeros + 1


def _read_gamma(bits: Iterator[str]) -> int:
    more = _read_unary(bits) - 1
    return 1 << more | (_read(bits, more) if more else 0)


def _gamma(number: int) -> str:
    return "0" * (number.bit_length() - 1) + f"{number:b}"


def _gamma_bits(number: int) -> int:
    return 2 * number.bit_length() - 1
