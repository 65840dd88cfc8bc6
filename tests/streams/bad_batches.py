"""Batches that cannot be read, each spoilt in one way."""

import struct
from collections.abc import Callable, Sequence
from typing import Final

from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_CRC, _ATTRIBUTES, _LAST_DELTA, _RECORDS = 17, 21, 23, 61
"""Where these begin in a batch."""


def batch(values: Sequence[bytes], codec: str = "none", base: int = 0) -> bytes:
    """One that can be read, at offset ``base``."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=CODECS[codec], batch_size=1_000_000)
    for number, value in enumerate(values):
        builder.append(1_700_000_000_000 + number, b"k", value)
    builder.close()
    return struct.pack(">q", base) + bytes(builder.buffer())[8:]


def sealed(spoilt: bytes) -> bytes:
    """With the checksum that belongs to what it holds now."""
    return spoilt[:_CRC] + struct.pack(">I", calc_crc32c(spoilt[_ATTRIBUTES:])) + spoilt[_ATTRIBUTES:]


def with_codec(good: bytes, number: int) -> bytes:
    """In a codec that its records are not in."""
    (attributes,) = struct.unpack_from(">h", good, _ATTRIBUTES)
    attributes = struct.pack(">h", attributes & ~7 | number)
    return sealed(good[:_ATTRIBUTES] + attributes + good[_ATTRIBUTES + 2 :])


def with_last_delta(good: bytes, delta: int) -> bytes:
    """With a header that is wrong about where it ends; its checksum is wrong, too."""
    return good[:_LAST_DELTA] + struct.pack(">i", delta) + good[_LAST_DELTA + 4 :]


def with_wrong_checksum(good: bytes) -> bytes:
    """As a disk spoils it: one bit of its records is another."""
    return good[:-1] + bytes([good[-1] ^ 1])


def with_garbage(good: bytes) -> bytes:
    """Its records are noise, and its checksum is that of the noise."""
    noise = bytes((37 * number + 11) % 256 for number in range(len(good) - _RECORDS))
    return sealed(good[:_RECORDS] + noise)


def with_a_bad_record(good: bytes, number: int) -> bytes:
    """The record of this number says that it is longer than it is; those before it can be read."""
    at = _RECORDS
    for _ in range(number):
        at += good[at] // 2 + 1  # lengths below 64 are one byte, twice the length
    return sealed(good[:at] + bytes([good[at] + 2]) + good[at + 1 :])


def cut(good: bytes) -> bytes:
    """Without its end, which its length still counts."""
    return good[:-10]


SPOILT: Final[dict[str, Callable[[bytes], bytes]]] = {
    "checksum": with_wrong_checksum,
    "codec": lambda good: with_codec(good, 5),
    "garbage": with_garbage,
    "cut": cut,
}


def in_memory(*batches: bytes) -> MemoryRecords:
    """As they come in an answer to a fetch."""
    return MemoryRecords(b"".join(batches))
