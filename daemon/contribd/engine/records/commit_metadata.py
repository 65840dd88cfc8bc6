"""What a commit says of one partition in its metadata: the text that goes with the offset."""

import base64
import binascii
from typing import Final, NamedTuple

from contribd.engine.limits import MAX_COMMIT_BITS, MAX_METADATA, MAX_SPAN
from contribd.engine.records import parts_text
from contribd.engine.records.parts import Told

_HEADER: Final = "contribd1:"
_TAIL: Final = "."
_TURN: Final = 100_000
"""More than one transaction can hold, so that two in a row never say the same."""
_BESIDE: Final = 36
"""Characters of metadata that are not the bitmap's: the count of withdrawals, a topic's id, a number of partitions."""
_BESIDE_PARTS: Final = 120
"""Bits that the parts of records may take beside what ``Ledger`` counts: their number, and both texts filled up."""


class Commit(NamedTuple):
    """What to commit for one partition: the next offset to consume, and the metadata that goes with it."""

    offset: int
    metadata: str


class About(NamedTuple):
    """What a commit says beside what is settled; what it does not say is None or 0."""

    topic_id: str | None = None
    """The topic whose offsets these are (KIP-516), as Kafka prints it: one of the same name may have followed it."""
    partitions: int = 0
    """How many partitions the topic had when this one was assigned: those above are newer than the commit."""
    results_to: int = 0
    """Below this offset, records may have results that the commit does not tell of: the results topic does."""
    results_since: int = 0
    """These were written from then on, in seconds since 1970; 0 where that is not known."""
    rules: str | None = None
    """The beginning of the digest of the rules in force, where they make several posts of a record."""


NOTHING: Final = About()


class Room(NamedTuple):
    """What there is room for in a commit."""

    span: int = MAX_SPAN
    """So many offsets, from its own on."""
    bits: int = MAX_COMMIT_BITS
    """What is told of offsets and of the parts of records, together."""
    characters: int = MAX_METADATA
    """All of its metadata."""


MOST_ROOM: Final = Room()


def span_of(characters: int) -> int:
    """How many offsets a commit can tell of in so many characters of metadata, beside what else it says."""
    return max(0, characters - len(_HEADER) - _BESIDE) // 4 * 24


def offsets_told(metadata: str) -> int:
    """How many offsets a commit with this metadata has room to tell of."""
    return len(metadata[len(_HEADER) :].partition(_TAIL)[0]) // 4 * 24


class Accepted(NamedTuple):
    """The most that the brokers have taken with an offset: of a bitmap's offsets, and of characters."""

    span: int = 0
    characters: int = 0

    def too(self, metadata: str) -> "Accepted":
        """This was taken as well."""
        return Accepted(max(self.span, offsets_told(metadata)), max(self.characters, len(metadata)))


def bits_in(characters: int) -> int:
    """In how many bits a commit can tell of offsets and of the parts of records, in so many characters of metadata."""
    return max(0, span_of(characters) - _BESIDE_PARTS)


def encode_metadata(bitmap: int, turn: int = 0, about: About = NOTHING, parts: str = "") -> str:
    """The settled offsets above a prefix, bit ``n`` for offset ``prefix + n``, as text; empty where there is nothing.

    ``turn`` only makes it another text: whether a transaction is durable is told by what it committed. ``parts``:
    of the records settled in part, as ``parts_text.encode`` makes it.
    Raises OverflowError where a broker would not take it.
    """
    return _joined(_bits(bitmap), str(turn % _TURN) if turn else "", about, parts)


def restate(metadata: str, about: About) -> str:
    """The same settled offsets, with this said beside them. What contribd did not write is dropped."""
    if not metadata.startswith(_HEADER):
        return _joined("", "", about)
    said = _split(metadata)
    return _joined(said[0], said[1], about, said[5])


def text_bits(bitmap: int, parts: str) -> int:
    """How many bits the texts of both take, less what they may be filled up by."""
    return len(_bits(bitmap) + parts) * 6 - _BESIDE_PARTS


def _bits(bitmap: int) -> str:
    return base64.b64encode(bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")).decode("ascii")


def _split(metadata: str) -> list[str]:
    """What stands between the dots."""
    said = metadata[len(_HEADER) :].split(_TAIL)
    return said + [""] * (8 - len(said))


def _joined(bits: str, turn: str, about: About, parts: str = "") -> str:
    """All of it in order; what stands at the end and says nothing is left out."""
    partitions, to, since = (
        str(number) if number else "" for number in (about.partitions, about.results_to, about.results_since)
    )
    elements = (bits, turn, about.topic_id or "", partitions, to, parts, since, about.rules or "")
    said = _TAIL.join(elements).rstrip(_TAIL)
    text = _HEADER + said if said else ""
    if len(text) > MAX_METADATA:
        raise OverflowError(f"commit metadata of {len(text)} characters; at most {MAX_METADATA} are possible")
    return text


def decode_about(metadata: str) -> About:
    """What a commit's metadata says beside what is settled."""
    if not metadata.startswith(_HEADER):
        return NOTHING
    _, _, topic_id, partitions, results_to, _, since, rules, *_ = _split(metadata)
    return About(topic_id or None, _number(partitions), _number(results_to), _number(since), rules or None)


def decode_turn(metadata: str) -> int:
    """The turn that a commit's metadata was made with."""
    return _number(_split(metadata)[1]) if metadata.startswith(_HEADER) else 0


def decode_parts(prefix: int, metadata: str) -> dict[int, Told]:
    """The records above ``prefix`` that are settled in part, by offset in order, and which of their posts have results.

    Metadata that contribd did not write says nothing.
    """
    return parts_text.decode(prefix, _split(metadata)[5]) if metadata.startswith(_HEADER) else {}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0


def decode_metadata(prefix: int, metadata: str) -> frozenset[int]:
    """The settled offsets above ``prefix``.

    Metadata that contribd did not write (another consumer's commit, an operator's reset) says nothing: the empty set.
    """
    if not metadata.startswith(_HEADER):
        return frozenset()
    try:
        bits = base64.b64decode(metadata[len(_HEADER) :].partition(_TAIL)[0], validate=True)
    except (binascii.Error, ValueError):
        return frozenset()
    return frozenset(
        prefix + byte_index * 8 + bit
        for byte_index, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )
