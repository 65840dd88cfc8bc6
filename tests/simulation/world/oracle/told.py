"""What a commit tells, read as its format is described (``contribd.engine.records.parts_text``), by code of its own."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

from tests.simulation.world.environment.fed_records import PartKey, Produced
from tests.simulation.world.plan import Plan

from contribd.engine.records.commit_metadata import Commit

_HEADER = "contribd1:"
_RESULTS_TO, _PARTS = 4, 5
"""Which elements these are."""

_OTHERS, FILLING = 46, 120
"""Characters of the other elements, at most, and bits by which the two texts are filled up."""


@dataclass(slots=True)
class Told:
    """Whole records by their offsets, and of others the tags of the parts that have their results."""

    whole: set[int] = field(default_factory=set)
    parts: dict[int, set[int]] = field(default_factory=dict)
    bits: int = 0
    """What the texts of both take."""
    results_to: int = 0
    """Below this offset, what has its result may be left out."""


def read_commit(commit: Commit) -> Told:
    """What is told of the offsets from the commit's own on."""
    if not commit.metadata:
        return Told()
    if not commit.metadata.startswith(_HEADER):
        raise ValueError(f"metadata {commit.metadata[:40]!r}")
    elements = commit.metadata[len(_HEADER) :].split(".")
    bitmap = int.from_bytes(base64.b64decode(elements[0], validate=True), "little")
    told = Told({commit.offset + at for at in range(bitmap.bit_length()) if bitmap >> at & 1})
    if len(elements) > _RESULTS_TO and elements[_RESULTS_TO]:
        told.results_to = int(elements[_RESULTS_TO])
    told.bits = 6 * len(elements[0])
    if len(elements) > _PARTS and elements[_PARTS]:
        told.bits += 6 * len(elements[_PARTS])
        told.parts = _parts(commit.offset, base64.b64decode(elements[_PARTS], validate=True))
    return told


def tag_of(key: PartKey) -> int:
    """What a part is called: 32 bits of its service and RIC; without a RIC, of its place behind a NUL."""
    _version, service, ric, place = key
    name = f"\0{max(0, place)}" if ric is None else ric
    return crc32(f"{service or ''}\0{name}".encode())


class _Bits:
    """A sequence of bits, from its first on, which is a 1 and says nothing."""

    def __init__(self, data: bytes) -> None:
        bits = "".join(f"{byte:08b}" for byte in data)
        self._bits = bits[bits.index("1") + 1 :]
        self._at = 0

    def fixed(self, width: int) -> int:
        """A number of so many bits."""
        taken = self._bits[self._at : self._at + width]
        if len(taken) < width:
            raise ValueError("the parts end before they are all told")
        self._at += width
        return int(taken, 2)

    def zeros(self) -> int:
        """The zeros up to the next one, which is passed over."""
        one = self._bits.index("1", self._at)
        number, self._at = one - self._at, one + 1
        return number

    def gamma(self) -> int:
        """Elias: as many zeros as the number has bits behind its first; then the number."""
        more = self.zeros()
        return (1 << more) + (self.fixed(more) if more else 0)

    @property
    def left(self) -> int:
        """Bits not read yet."""
        return len(self._bits) - self._at


def _parts(before: int, data: bytes) -> dict[int, set[int]]:
    bits = _Bits(data)
    records, in_gamma = bits.gamma(), bits.fixed(1)
    lists: dict[int, list[int]] = {}
    found: dict[int, set[int]] = {}
    at = before - 1
    for _ in range(records):
        at += bits.gamma() if in_gamma else bits.zeros() + 1
        number = bits.gamma()
        if number not in lists:
            if number != len(lists) + 1:
                raise ValueError(f"list {number} of {len(lists)}")
            lists[number] = [bits.fixed(32) for _ in range(bits.gamma())]
        found[at] = {tag for tag in lists[number] if bits.fixed(1)}
    if bits.left:
        raise ValueError(f"{bits.left} bits behind the parts")
    return found


# How much a commit can tell

BITS, BESIDE = 33, 80
"""Bits that a part takes at most, and a record beside its parts."""


def most_bits(plan: Plan) -> int:
    """Bits in which a commit can tell of offsets and parts."""
    characters = max(0, plan.takes.metadata - _OTHERS)
    return min(24_000 if plan.curves is None else plan.curves.told, characters // 4 * 24 - FILLING)


def room(plan: Plan, log: Iterable[Produced]) -> int:
    """How many offsets may be run ahead of a record at least, whatever the others of its partition are."""
    curves = [record.most_parts for record in log if record.most_parts > 1]
    left = most_bits(plan) - sum(34 * parts + 2 * parts.bit_length() for parts in curves) - 20 * len(curves)
    return max(left // 2, left - 29 * len(curves), 0) if curves else plan.span
