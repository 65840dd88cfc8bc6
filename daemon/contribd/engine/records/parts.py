"""Which posts of a record have their results, where one record makes several.

Theory of operation
===================

A part is one post of such a record, known by its RIC and service. The record's offset is settled once all its parts
are. Until then, a commit tells which of them have results, so that a restart makes only the others (``parts_text``).

By RIC and service. Between two runs the mapping may have changed: parts may be gone, new, or in another order. So a
commit names parts by a tag, 32 bits of their RIC and service, and what has its result is known whatever its place is.
Two parts of a record never have the same tag: of two with the same 32 bits, the later one takes the next number.

In few bits. Records of one kind have the same parts again and again, so a list of tags is written once, and each record
names its list and has a bit a part. 500 curves of the same 40 instruments, each settled in part, take some 22,000 bits.

Bounded. A commit has room for a fixed number of bits, those of whole offsets (``offsets``) among them. The ledger
counts how many the records taken and not yet durable could need; not all the bits of their lists of tags, since most
records that wait are not settled in part. What does not fit any more is not taken, but for the oldest one.

What finds no room all the same. More records than usual may be settled in part, as where an instrument of each of many
different ones is slow to be answered. Brokers may take less than before; and while a partition catches up, all must be
taken that its owner before could have posted, whatever room it had and whatever its mapping made. Then a commit says up
to which offset the results topic is to be asked instead (``About.results_to``).
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

import msgspec

from contribd.engine.records.input_digest import digest_member
from contribd.engine.records.keys import Tags


class Told(NamedTuple):
    """What a commit tells of one record: bit ``n`` of ``settled`` is of the part with tag ``n``."""

    tags: Tags
    settled: int

    @classmethod
    def all_settled(cls, tags: Tags) -> Self:
        """All of these parts have their results."""
        return cls(tags, (1 << len(tags)) - 1)

    @property
    def settled_tags(self) -> frozenset[int]:
        """Those of the parts that have their results."""
        return frozenset(tag for number, tag in enumerate(self.tags) if self.settled >> number & 1)

    def joined(self, other: "Told") -> "Told":
        """What both tell."""
        return Told.all_settled(tuple(sorted(self.settled_tags | other.settled_tags)))


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
    _digest: bytes | None = None
    """What all their results say of their input, once one of them did."""

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
            settled = told.settled_tags
            self.tags += tuple(tag for tag in told.tags if tag in settled and tag not in self.tags)
            self.settled = sum(1 << number for number, tag in enumerate(self.tags) if tag in settled)
        self.left = len(self.tags) - self.settled.bit_count()

    def digest(self, value: bytes | None) -> bytes:
        """The member ``sha256`` of each part's result, of the record's value; made once."""
        if self._digest is None:
            self._digest = digest_member(value)
        return self._digest

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
