"""Records from lines: alone, or with what surrounds them in Kafka."""

import pytest

from contribd.mapping.inputs import BadLine, Input, as_line, from_kafka, from_line
from contribd.mapping.scope import Surroundings


def test_a_line_without_any_at_is_the_record_itself() -> None:
    line = b'{"bid": 1.08412, "key": "@key"}'
    assert from_line(line, 7, "prices") == Input(line, Surroundings(None, "prices", 0, 6, None, {}), 7)
    assert from_line(line, 7).place == "line 7"


def test_a_line_says_what_is_around_the_record_in_the_words_of_expressions() -> None:
    line = (
        b'{"@key": "EURUSD", "@topic": "prices", "@partition": 3, "@offset": 1812, '
        b'"@timestamp": "2026-11-22T10:15:00Z", "@headers": {"desk": "fx"}, "@value": {"bid": 1.10, "ask":2}}'
    )
    around = Surroundings("EURUSD", "prices", 3, 1812, 1795342500000, {"desk": "fx"})
    assert from_line(line, 1) == Input(b'{"bid": 1.10, "ask":2}', around)
    assert from_line(line, 1).place == "prices:3:1812"
    assert from_line(b'{"@topic": "prices", "@value": {}}', 2).place == "line 2"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"@value": null}', None),
        (b'{"@value": [1]}', b"[1]"),
        (b'{"@base64": "AAAAAAE="}', b"\x00\x00\x00\x00\x01"),
        (b'{"bid": 1, "@key": "a key of the record"}', b'{"bid": 1, "@key": "a key of the record"}'),
        (b'{"@value": 1', b'{"@value": 1'),
    ],
)
def test_the_value_is_what_kafka_would_carry(line: bytes, value: bytes | None) -> None:
    assert from_line(line, 1).value == value


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'{"@key": "x"}', "either @value or @base64"),
        (b'{"@value": 1, "@base64": ""}', "either @value or @base64"),
        (b'{"@value": 1, "@keys": "x"}', "did you mean @key?"),
        (b'{"@value": 1, "@zzz": "x"}', "there are @key, @topic"),
        (b'{"@value": 1, "@offset": "x"}', "@offset: expected a whole number"),
        (b'{"@value": 1, "@headers": {"a": 1}}', "@headers: expected an object of texts"),
        (b'{"@value": 1, "@timestamp": "2026-11-22"}', "@timestamp: expected milliseconds"),
        (b'{"@base64": "?"}', "@base64: expected base64"),
    ],
)
def test_what_a_line_cannot_say_is_told(line: bytes, text: str) -> None:
    with pytest.raises(BadLine, match=text):
        from_line(line, 1)


def test_of_a_header_given_twice_the_last_counts_and_what_is_no_text_is_left_out() -> None:
    found = from_kafka("prices", 3, 7, -1, b"\xff", b"{}", [("a", b"1"), ("a", b"2"), ("b", b"\xff"), ("c", None)])
    assert found == Input(b"{}", Surroundings(None, "prices", 3, 7, None, {"a": "2"}))


@pytest.mark.parametrize(
    "value",
    [b'{"bid":1.10,"ask":2}', None, b"null", b"", b"\x00\x01", b'{"a":"\xff"}', b"not json", b"[1]", '"é"'.encode()],
)
def test_a_record_is_the_same_as_a_line_and_back(value: bytes | None) -> None:
    record = Input(value, Surroundings("EURUSD", "prices", 3, 1812, 1795342500000, {"desk": "fx"}))
    line = as_line(record)
    assert b"\n" not in line
    assert from_line(line, 1) == record
