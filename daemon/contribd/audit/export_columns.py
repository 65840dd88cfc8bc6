"""The columns of an export's files: each record as it was read, and beside that what it says, for whoever analyses it.

The first columns have all of a record, so that nothing is lost: offset, timestamp, key, value, headers. The others are
made of the value and may be made again of it; they are null in a row whose value is no result, or no event.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.audit.events import decode_event
from contribd.audit.manifest import Kind
from contribd.results.result import Hint, Post, Source, Time, Withdrawal


class RawRecord(NamedTuple):
    """A record of any topic as it was read. ``timestamp``: milliseconds since 1970, -1 where there is none;
    ``timestamp_type``: CreateTime or LogAppendTime, as Kafka names them."""

    offset: int
    timestamp: int
    timestamp_type: str | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


DeskOf: TypeAlias = Callable[[str, str | None], str | None]
"""The desk of a mapping, by the digest of the rules and the mapping's name."""

Row: TypeAlias = tuple[Any, ...]

RAW: Final = {
    "offset": "int64",
    "timestamp": "milliseconds",
    "timestamp_type": "string",
    "key": "binary",
    "value": "binary",
    "headers": "headers",
}
"""Name and type of the columns that all files have."""

_RESULTS: Final = {
    "status": "string",
    "ric": "string",
    "service": "string",
    "mapping": "string",
    "desk": "string",
    "code": "string",
    "text": "string",
    "fields": "string",
    "source_topic": "string",
    "source_partition": "int64",
    "source_offset": "int64",
    "source_timestamp": "microseconds",
    "part": "int64",
    "parts": "int64",
    "sha256": "string",
    "carried_by": "string",
    "posts": "int64",
    "post_id": "int64",
    "post_type": "string",
    "endpoint": "string",
    "session": "string",
    "first_sent_at": "microseconds",
    "sent_at": "microseconds",
    "answered_at": "microseconds",
    "answer": "string",
    "consumed_at": "microseconds",
    "settled_at": "microseconds",
    "instance": "string",
    "version": "string",
    "config": "string",
    "withdrawal": "string",
    "hint": "string",
}
_EVENTS: Final = {
    "event": "string",
    "id": "string",
    "at": "microseconds",
    "instance": "string",
    "host": "string",
    "version": "string",
    "config": "string",
    "by": "string",
    "order": "string",
    "reason": "string",
    "done": "bool",
    "answer": "string",
}
COLUMNS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.RESULTS: {**RAW, **_RESULTS},
    Kind.PRICES: RAW,
    Kind.EVENTS: {**RAW, **_EVENTS},
}
"""Name and type of each column, in their order."""

MOST: Final = 2**63 - 1
"""The largest number that a column takes."""


class _Result(msgspec.Struct):
    """A result, its fields as they are written."""

    status: str
    ric: str | None
    service: str | None
    mapping: str | None
    fields: msgspec.Raw
    code: str | None
    text: str | None
    source: Source | None
    carried_by: Source | None
    posts: tuple[Post, ...]
    consumed_at: Time
    settled_at: Time
    instance: str
    version: str
    config: str
    withdrawal: Withdrawal | None = None
    hint: Hint | None = None


_decode: Final = msgspec.json.Decoder(_Result).decode
_NO_RESULT: Final = (None,) * len(_RESULTS)
_NO_EVENT: Final = (None,) * len(_EVENTS)


def row_of(kind: Kind, record: RawRecord, desk_of: DeskOf) -> tuple[Row, str | None]:
    """All columns of a record, and the digest of the rules that a result names."""
    stamp = None if record.timestamp == -1 else record.timestamp
    headers = [{"name": name, "value": value} for name, value in record.headers]
    raw = (record.offset, stamp, record.timestamp_type, record.key, record.value, headers)
    if kind is Kind.PRICES:
        return raw, None
    if kind is Kind.EVENTS:
        return raw + _event_row(record.value), None
    said, config = _result_row(record.value, desk_of)
    return raw + said, config


def _result_row(value: bytes | None, desk_of: DeskOf) -> tuple[Row, str | None]:
    try:
        said = _decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NO_RESULT, None
    fields = bytes(said.fields).decode("utf-8", "replace")
    row = (
        said.status,
        said.ric,
        said.service,
        said.mapping,
        desk_of(said.config, said.mapping),
        said.code,
        said.text,
        None if fields == "null" else fields,
        *_source_columns(said.source),
        None if said.carried_by is None else said.carried_by.place,
        *_post_columns(said.posts),
        said.consumed_at,
        said.settled_at,
        said.instance,
        said.version,
        said.config,
        None if said.withdrawal is None else said.withdrawal.reason.value,
        None if said.hint is None else said.hint.meaning,
    )
    too_large = any(type(each) is int and each > MOST for each in row)
    return (_NO_RESULT if too_large else row), said.config


def _source_columns(source: Source | None) -> Row:
    if source is None:
        return (None,) * 7
    at = source.topic, source.partition, source.offset, source.timestamp
    return (*at, source.part, source.parts, source.sha256)


def _post_columns(posts: Sequence[Post]) -> Row:
    """Their number, and the last one; beside that when the first one was sent."""
    if not posts:
        return (0, *(None,) * 8)
    last = posts[-1]
    where = last.post_id, last.type.value, last.endpoint, last.session
    return (len(posts), *where, posts[0].sent_at, last.sent_at, last.answered_at, last.answer.value)


def _event_row(value: bytes | None) -> Row:
    try:
        said = decode_event(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NO_EVENT
    return tuple(getattr(said, name) for name in _EVENTS)
