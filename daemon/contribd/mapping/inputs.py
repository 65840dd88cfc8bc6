"""Records with what surrounds them, as mappings take them: from Kafka, or from a line of JSON that somebody kept.

A line is the record itself, or an object of nothing but keys that begin with ``@``, which says what is around it::

    {"@key": "EURUSD", "@headers": {"source": "desk-7"}, "@timestamp": 1780000000000, "@value": {"bid": 1.08}}

They are named as in expressions. ``@value`` is the record; ``@base64`` instead of it holds bytes that are no JSON.
"""

import binascii
import difflib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from contribd.mapping.scope import Surroundings

VALUE: Final = "@value"
BASE64: Final = "@base64"
KEYS: Final = ("@key", "@topic", "@partition", "@offset", "@timestamp", "@headers", VALUE, BASE64)
"""All that a line can say of a record."""


class Input(NamedTuple):
    """One record before it is mapped. ``value``: None where it has none; ``line``: where it stands, if in a file."""

    value: bytes | None
    surroundings: Surroundings
    line: int | None = None

    @property
    def place(self) -> str:
        """``topic:partition:offset``; for a line that does not say so, ``line 17``."""
        at = self.surroundings
        return f"{at.topic}:{at.partition}:{at.offset}" if self.line is None else f"line {self.line}"


class BadLine(ValueError):
    """A line that says of a record what cannot be; the text says what was expected."""


def from_kafka(
    topic: str,
    partition: int,
    offset: int,
    timestamp: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Input:
    """A record as Kafka gives it. ``timestamp``: milliseconds since 1970, -1 where there is none."""
    return Input(value, surroundings(topic, partition, offset, timestamp, key, headers))


def surroundings(
    topic: str,
    partition: int,
    offset: int,
    timestamp: int,
    key: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Surroundings:
    """What expressions can name of a record that Kafka gives so."""
    named = {name: text for name, held in dict(headers).items() if (text := _text(held)) is not None} if headers else {}
    stamp = timestamp if timestamp >= 0 else None
    return Surroundings(_text(key), topic, partition, offset, stamp, named)


def from_line(line: bytes, number: int, topic: str = "") -> Input:
    """A record as the line of this number has it, from 1; ``topic`` is for one that names none. Raises BadLine.

    The offset of one that names none is as if the first line were the first record of partition 0.
    """
    if b'"@' in line and (said := _said(line)) is not None:
        return _wrapped(said, number, topic)
    return Input(line, Surroundings(None, topic, 0, number - 1, None, {}), number)


def as_line(record: Input) -> bytes:
    """The record with what is around it as a line that ``from_line`` takes, in one piece."""
    at = record.surroundings
    said: dict[str, Any] = {
        "@topic": at.topic,
        "@partition": at.partition,
        "@offset": at.offset,
        "@timestamp": at.timestamp,
        "@key": at.key,
        "@headers": dict(at.headers),
    }
    return msgspec.json.encode({**said, **_held(record.value)})


def _held(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {VALUE: None}
    try:
        formatted = msgspec.json.format(value.decode(), indent=-1)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        formatted = "null"
    # A value that is the word null is not a record without a value.
    return {BASE64: b64encode(value).decode()} if formatted == "null" else {VALUE: msgspec.Raw(formatted.encode())}


def _said(line: bytes) -> dict[str, msgspec.Raw] | None:
    """What a line says around a record; None where it is the record itself."""
    try:
        said: dict[str, msgspec.Raw] = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # what is wrong with it is for the mapper to say
    return said if all(name.startswith("@") for name in said) else None


def _wrapped(said: dict[str, msgspec.Raw], number: int, topic: str) -> Input:
    for name in said:
        if name not in KEYS:
            near = difflib.get_close_matches(name, KEYS, n=1)
            raise BadLine(f"{name} is no key of such a line; {f'did you mean {near[0]}?' if near else _there_are()}")
    around = Surroundings(
        key=_read(said, "@key", str | None, "text or null", None),
        topic=_read(said, "@topic", str, "text", topic),
        partition=_read(said, "@partition", int, "a whole number", 0),
        offset=_read(said, "@offset", int, "a whole number", number - 1),
        timestamp=_timestamp(_read(said, "@timestamp", int | str | None, TIMES, None)),
        headers=_read(said, "@headers", dict[str, str], "an object of texts", {}),
    )
    return Input(_value(said), around, None if "@offset" in said else number)


def _value(said: dict[str, msgspec.Raw]) -> bytes | None:
    if (VALUE in said) == (BASE64 in said):
        raise BadLine(f"a record's line has either {VALUE} or {BASE64} (or is the record alone, without any @ key)")
    if VALUE in said:
        value = bytes(said[VALUE])
        return None if value == b"null" else value
    try:
        return b64decode(_read(said, BASE64, str, "text", ""), validate=True)
    except binascii.Error:
        raise BadLine(f"{BASE64}: expected base64") from None


def _read(said: dict[str, msgspec.Raw], name: str, kind: Any, wanted: str, default: Any) -> Any:
    if name not in said:
        return default
    try:
        return msgspec.json.decode(said[name], type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadLine(f"{name}: expected {wanted}") from None


TIMES: Final = "milliseconds since 1970, or a time with its zone such as 2026-11-22T10:15:00Z"
"""What a record's timestamp is written as."""


def milliseconds(text: str) -> int | None:
    """Milliseconds since 1970 of a time with its zone (ISO 8601); None for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if when.tzinfo is None else round(when.timestamp() * 1000)


def _timestamp(given: int | str | None) -> int | None:
    if not isinstance(given, str):
        return given
    if (found := milliseconds(given)) is None:
        raise BadLine(f"@timestamp: expected {TIMES}")
    return found


def _text(held: bytes | None) -> str | None:
    try:
        return None if held is None else held.decode()
    except UnicodeDecodeError:
        return None


def _there_are() -> str:
    return f"there are {', '.join(KEYS)}"
