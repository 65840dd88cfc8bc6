"""What the bytes of a record are that are no JSON object, as far as that can be told."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

REGISTRY_HEADER: Final = 5
"""Bytes that a Schema Registry puts before a record: 0, and the number of its schema."""
_SHOWN: Final = 40

_STARTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xef\xbb\xbf", "it begins with a byte order mark; write JSON without one"),
    (b"\xff\xfe", "it is UTF-16; write JSON as UTF-8"),
    (b"\xfe\xff", "it is UTF-16; write JSON as UTF-8"),
    (b"\x1f\x8b", "it is compressed with gzip; let Kafka compress (compression.type), or send it as it is"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; let Kafka compress (compression.type), or send it as it is"),
    (b"\x04\x22\x4d\x18", "it is compressed with lz4; let Kafka compress (compression.type), or send it as it is"),
    (b"\xff\x06\x00\x00sNaPpY", "it is compressed with snappy; let Kafka compress, or send it as it is"),
    (b"PK\x03\x04", "it is a zip archive"),
    (b"Obj\x01", "it is Avro (an object container)"),
    (b"\xc3\x01", "it is Avro (a single object)"),
    (b"\xac\xed\x00", "it is a serialised object of Java"),
    (b"<?xml", "it is XML"),
    (b"8=FIX", "it is FIX"),
    (b"{'", "it is written as Python does; JSON has its texts in double quotes"),
)
_MARKUP: Final = re.compile(rb"\s*<[A-Za-z!?][^<>]*>")
_AT: Final = re.compile(r"byte (\d+)")
_NO_NUMBER: Final = re.compile(rb"-?(?:NaN|Infinity|inf|nan)")


def behind_registry_header(value: bytes) -> bytes | None:
    """What stands behind the header of a Schema Registry, where there is one and it may be JSON."""
    inside = value[REGISTRY_HEADER:]
    return inside if value[:1] == b"\0" and inside.lstrip()[:1] in (b"{", b"[") else None


def what_it_is(value: bytes, error: Exception) -> str:
    """Why ``value``, which ``error`` says is no JSON, is none."""
    for guess in (_by_start, _utf16, _registry, _markup, _message_pack, _protobuf):
        if found := guess(value):
            return found
    return _by_place(value, str(error)) or _not_utf8(value) or _text(value) or str(error)


def _by_start(value: bytes) -> str | None:
    return next((text for start, text in _STARTS if value.startswith(start)), None)


def _registry(value: bytes) -> str | None:
    if value[:1] != b"\0" or len(value) <= REGISTRY_HEADER:
        return None
    schema = int.from_bytes(value[1:REGISTRY_HEADER], "big")
    return f"it has a Schema Registry header (schema {schema}), and no JSON behind it: Avro or Protobuf"


def _utf16(value: bytes) -> str | None:
    """Without a byte order mark: every other byte of ASCII is 0."""
    start = value[:16]
    zeros = max(start[::2].count(0), start[1::2].count(0))
    return "it is UTF-16; write JSON as UTF-8" if len(start) >= 4 and zeros * 2 == len(start) - len(start) % 2 else None


def _markup(value: bytes) -> str | None:
    return "it is XML or HTML" if _MARKUP.match(value[:200]) else None


def _message_pack(value: bytes) -> str | None:
    if not value or not (0x80 <= value[0] <= 0x8F or value[0] in (0xDE, 0xDF)):
        return None
    try:
        decoded = msgspec.msgpack.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return "it is MessagePack, by the look of it" if isinstance(decoded, dict) and decoded else None


def _protobuf(value: bytes) -> str | None:
    """A guess: fields of ascending small numbers from the first byte to the last, and bytes that no text has."""
    if not value or (value[:512].isascii() and all(byte >= 0x20 or byte in b"\t\r\n" for byte in value[:512])):
        return None
    try:
        numbers = list(_field_numbers(value[:4096]))
    except IndexError:
        return None
    good = len(numbers) > 1 and all(0 < number < 200 for number in numbers) and numbers == sorted(numbers)
    return "it is Protobuf, by the look of it" if good else None


def _field_numbers(value: bytes) -> Iterator[int]:
    """Of a message's fields. Raises IndexError where it is none."""
    at = 0
    while at < len(value):
        tag, at = _varint(value, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(value, at)
        elif kind == 2:
            length, at = _varint(value, at)
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise IndexError
        yield tag >> 3
    if at != len(value):
        raise IndexError


def _varint(value: bytes, at: int) -> tuple[int, int]:
    found = 0
    for number in range(10):
        byte = value[at + number]
        found |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return found, at + number + 1
    raise IndexError


def _by_place(value: bytes, error: str) -> str | None:
    """By what stands where the decoder stopped."""
    place = _AT.search(error)
    at = int(place[1]) if place else len(value)
    if "trailing" in error and value[:1] in b"{[":
        return f"more follows the record at byte {at}; a record is one JSON object"
    for start in range(max(0, at - 3), at + 1):
        if found := _NO_NUMBER.match(value, start):
            return f"{found.group().decode()} at byte {start} is no number in JSON; write null"
    return None


def _not_utf8(value: bytes) -> str | None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        if value[:1] in b'{["':
            return f"byte 0x{value[error.start]:02x} at {error.start} is not UTF-8"
        return f"it is binary and begins with {value[:8].hex(' ')}"
    return None


def _text(value: bytes) -> str | None:
    """Plain text; of what begins as JSON the decoder says more."""
    text: Any = value.decode().strip()
    if not text or text[0] in '{["-0123456789tfn':
        return None
    return f"it is the text {text[:_SHOWN]!a}{'…' if len(text) > _SHOWN else ''}"
