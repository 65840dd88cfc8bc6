"""Sample records: one JSON object, a list of them, or one on each line."""

import decimal
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from contribd.mapping.bad_bytes import behind_registry_header, what_it_is
from contribd.mapping.inputs import BadLine, Input, from_line

MOST: Final = 1000
"""Samples that are looked at: enough to see which fields are in some of them only."""

_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, decimal.DecimalException, RecursionError)


class SampleError(Exception):
    """No mapping can be made of this; the text says why, and what to do."""


class Sample(NamedTuple):
    """One record, as it was given and decoded (numbers as int and Decimal)."""

    given: Input
    record: dict[str, Any]


def read_samples(content: bytes, name: str) -> list[Sample]:
    """All that a file holds, at most ``MOST``. Raises SampleError, with the place."""
    lines = _whole(content) or [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not lines:
        raise SampleError(f"{name} holds nothing; expected records: a JSON object, or one on each line")
    return [_of_line(line, number, name) for number, line in lines[:MOST]]


def of_input(given: Input) -> Sample:
    """A record as it came from Kafka. Raises SampleError."""
    if not given.value:
        raise SampleError(f"{given.place}: the record has no value; give one that has")
    return Sample(given, _object(given.value, given.place))


def _whole(content: bytes) -> list[tuple[int, bytes]]:
    """The records of a content that is one JSON document; nothing where it is none, or a record on a line."""
    try:
        whole = msgspec.json.decode(content, type=msgspec.Raw)
        several = msgspec.json.decode(whole, type=list[msgspec.Raw]) if bytes(whole)[:1] == b"[" else [whole]
    except _UNDECODABLE:
        return []
    return [(number, bytes(each)) for number, each in enumerate(several, 1)]


def _of_line(line: bytes, number: int, name: str) -> Sample:
    place = f"{name}:{number}"
    try:
        given = from_line(line.strip(), number)
    except BadLine as error:
        raise SampleError(f"{place}: {error}") from None
    if not given.value:
        raise SampleError(f"{place}: the record has no value; give one that has")
    return Sample(given, _object(given.value, place))


def _object(value: bytes, place: str) -> dict[str, Any]:
    try:
        record = _DECODE(value)
    except RecursionError:
        raise SampleError(f"{place}: the record is nested too deeply") from None
    except _UNDECODABLE as error:
        if inside := behind_registry_header(value):
            return _object(inside, place)
        raise SampleError(f"{place}: the record is not JSON: {what_it_is(value, error)}") from None
    if type(record) is not dict:
        raise SampleError(
            f'{place}: expected a record, which is a JSON object, as in {{"symbol": "EUR=", "bid": 1.08}}'
        )
    return record
