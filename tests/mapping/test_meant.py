"""A rejection names the key that was meant, and what bytes are that are no record."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping.bad_bytes import what_it_is
from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.meant import MAX_KEYS, meant
from contribd.mapping.outcome import Mapped, RejectCode, Rejected
from contribd.mapping.rules import MappingFile
from contribd.mapping.scope import SURROUNDINGS, Surroundings


def mapper(**more: Any) -> Mapper:
    mapping = {"name": "one", "ric": "R=", "fields": {"BID": "quote.bid"}, **more}
    compiled = compile_file(MappingFile.model_validate({"mappings": [mapping]}), "S")
    assert compiled.problems == []
    return Mapper(compiled.mappings)


def text(using: Mapper, value: object) -> str:
    outcome = using.map(value if isinstance(value, bytes) else json.dumps(value).encode())
    assert isinstance(outcome, Rejected), outcome
    return outcome.text


@pytest.mark.parametrize(
    ("record", "path", "hint"),
    [
        ({"Bid": 1}, ("bid",), "; it has Bid"),
        ({"bid-px": 1}, ("bid_px",), '; it has ["bid-px"]'),
        ({"bidPx": 1}, ("bid_px",), "; it has bidPx"),
        ({"bids": 1}, ("bid",), "; it has bids"),
        ({"ask": 1}, ("bid",), ""),
        ({"bid": 1}, ("id",), ""),
        ({"Quote": {"bid": 1}}, ("quote", "bid"), "; it has Quote"),
        ({"quote": {"BID": 1}}, ("quote", "bid"), "; it has quote.BID"),
        ({"sizes": [{"Bid": 1}]}, ("sizes", 0, "bid"), "; it has sizes[0].Bid"),
        ({"sizes": []}, ("sizes", 0), ""),
        ({"quote": 5}, ("quote", "bid"), ""),
        ({"B" * 60: 1}, ("b" * 60,), ""),
        ({}, (), ""),
        ({**{f"k{n}": 1 for n in range(MAX_KEYS)}, "Bid": 1}, ("bid",), "; it has Bid"),
        ({**{f"k{n}": 1 for n in range(MAX_KEYS)}, "bids": 1}, ("bid",), ""),
        (
            {SURROUNDINGS: Surroundings(None, "t", 0, 1, None, {"Source": "x"})},
            (SURROUNDINGS, "headers", "source"),
            "; it has @headers.Source",
        ),
    ],
)
def test_the_key_that_was_meant(record: dict[Any, Any], path: tuple[Any, ...], hint: str) -> None:
    assert meant(record, path) == hint


def test_rejections_name_it_wherever_the_key_is_read() -> None:
    record = {"Quote": {"bid": 1}}
    assert text(mapper(), record) == "BID: the record has no quote.bid; it has Quote"
    assert text(mapper(ric="{quote.bid}"), record) == "ric: the record has no quote.bid; it has Quote"
    let = mapper(let={"b": "quote.bid"}, fields={"BID": "b"})
    assert text(let, record) == "BID: b: the record has no quote.bid; it has Quote"
    check = mapper(fields={"BID": {"value": 1}}, checks=["quote.bid > 0"])
    assert text(check, record) == "check quote.bid > 0: the record has no quote.bid; it has Quote"
    when = mapper(when="quote.bid > 0")
    assert text(when, record).endswith("(one: the record has no quote.bid; it has Quote)")


RECORD = b'{"quote": {"bid": 1}}'


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\xef\xbb\xbf" + RECORD, "a byte order mark"),
        (RECORD.decode().encode("utf-16"), "UTF-16"),
        (RECORD.decode().encode("utf-16-le"), "UTF-16"),
        (RECORD.decode().encode("utf-16-be"), "UTF-16"),
        (gzip.compress(RECORD, mtime=0), "gzip"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd"),
        (b"<?xml version='1.0'?><quote/>", "XML"),
        (b"<quote bid='1'/>", "XML or HTML"),
        (b"\0\0\0\0\x2aH\x06EUR", "Schema Registry header (schema 42)"),
        (b"Obj\x01\x04\x14", "Avro"),
        (msgspec.msgpack.encode({"bid": 1.5, "ask": 2}), "MessagePack"),
        (b"\x0a\x03EUR\x11" + b"\x9a\x99\x99\x99\x99\x99\xf1\x3f" + b"\x18\x05", "Protobuf"),
        (b"8=FIX.4.4\x019=5\x01", "FIX"),
        (b"{'bid': 1}", "double quotes"),
        (b"EUR,1.084,1.085", "the text 'EUR,1.084,1.085'"),
        (b'{"bid": NaN}', "NaN at byte 8 is no number in JSON"),
        (b'{"bid": -Infinity}', "-Infinity at byte 8"),
        (b'{"bid": 1}\n{"bid": 2}', "more follows the record"),
        (b'{"name": "Z\xfcrich"}', "byte 0xfc at 11 is not UTF-8"),
        (b"\xfe\xed\xfa\xce\x07", "binary and begins with fe ed fa ce 07"),
        (b'{"bid": 1', "truncated"),
        (b'"{\\"bid\\": 1}"', "encoded twice"),
    ],
)
def test_what_bytes_are_that_are_no_record(value: bytes, says: str) -> None:
    outcome = mapper().map(value)
    assert isinstance(outcome, Rejected)
    assert outcome.code is RejectCode.BAD_RECORD
    assert says in outcome.text


def test_json_behind_a_schema_registry_header_is_read() -> None:
    outcome = mapper().map(b"\0\0\0\0\x2a" + RECORD)
    assert isinstance(outcome, Mapped)
    assert outcome.fields == {"BID": 1}
    assert "is a list" in text(mapper(), b"\0\0\0\0\x2a[1]")
    assert "not JSON" in text(mapper(), b"\0\0\0\0\x2a{")


@given(st.binary(max_size=64) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_something(value: bytes) -> None:
    assert what_it_is(value, ValueError("JSON is malformed: invalid character (byte 3)"))


@given(st.binary(max_size=64).map(lambda more: b"\0\0\0\0\x01" + more))
def test_any_bytes_behind_a_header_are_mapped_or_rejected(value: bytes) -> None:
    assert mapper_of_all.map(value).mapping in {None, "one"}


mapper_of_all = mapper()
