"""Merkle trees over records, as RFC 6962 section 2.1 has them: one root stands for all of them, in their order."""

import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Protocol

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_NONE: Final = 0xFFFFFFFF
"""The length that stands for no key or no value: no record of Kafka is as long."""


class Leaf(Protocol):
    """A record, as far as its leaf has it."""

    @property
    def offset(self) -> int:
        """In its partition."""

    @property
    def key(self) -> bytes | None:
        """None where it has none."""

    @property
    def value(self) -> bytes | None:
        """None where it has none."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """In their order."""


class Tree:
    """Grows by one leaf at a time and keeps a hash for each bit of its size, whatever that is."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        """Roots of the full subtrees, the largest first."""

    def append(self, leaf: bytes) -> None:
        """One more leaf, behind the others."""
        node, size = sha256(_LEAF + leaf).digest(), self.size
        while size & 1:
            node = sha256(_NODE + self._peaks.pop() + node).digest()
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle Tree Hash of all of them; that of none is the hash of nothing."""
        if not self._peaks:
            return sha256(b"").digest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = sha256(_NODE + peak + node).digest()
        return node


def leaf_of(record: Leaf) -> bytes:
    """All of a record, so that nothing of it can be another: its offset, key, value and headers, each with its length.

    Numbers are unsigned and big-endian: eight bytes the offset, four a length (0xFFFFFFFF: null) or a count.
    """
    parts = [struct.pack(">Q", record.offset), _sized(record.key), _sized(record.value)]
    parts.append(struct.pack(">I", len(record.headers)))
    for name, value in record.headers:
        parts += (_sized(name.encode()), _sized(value))
    return b"".join(parts)


def _sized(data: bytes | None) -> bytes:
    return struct.pack(">I", _NONE) if data is None else struct.pack(">I", len(data)) + data
