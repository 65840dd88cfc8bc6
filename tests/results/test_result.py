"""Results read back: exact numbers, microsecond times, and one error for everything that is no result."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.results.made_results import POST, RESULT, SOURCE, result_value

from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.parts import Part, Parts
from contribd.engine.records.price import Attempt, Price, Reason, Record, Reply, Status, settle, withdraw
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mapping.outcome import Mapped, PostType
from contribd.results.result import ResultError, Source, decode_result, result_schema
from contribd.results.result import Withdrawal as WithdrawalResult

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)


def test_a_result_is_read_with_its_types() -> None:
    result = decode_result(result_value())
    assert result.status is Status.ACK
    assert result.source == Source("prices", 3, 1812, datetime(2026, 11, 22, 10, 15, 30, 123000, UTC), "EURUSD")
    assert str(result.source) == "prices:3:1812"
    assert result.posts[0].answer is Reply.ACK
    assert result.settled_at == datetime(2026, 11, 22, 10, 15, 30, 226000, UTC)


def test_numbers_are_exactly_those_that_were_posted() -> None:
    value = result_value(fields={"BID": "@", "SIZE": 1, "NAME": "x", "GONE": None})
    result = decode_result(value.replace(b'"@"', b"123456789012345.12345678901234"))
    assert result.fields == {"BID": Decimal("123456789012345.12345678901234"), "SIZE": 1, "NAME": "x", "GONE": None}
    assert isinstance(result.fields["BID"], Decimal)


def test_a_rejected_record_may_have_next_to_nothing() -> None:
    source = {"topic": "prices", "partition": 0, "offset": 1, "timestamp": None, "key": None}
    result = decode_result(
        result_value(
            status="REJECTED",
            ric=None,
            service=None,
            mapping=None,
            fields=None,
            code="BadRecord",
            posts=[],
            source=source,
        )
    )
    assert (result.ric, result.fields, result.ack_seconds, result.delivery_seconds) == (None, None, None, None)


def test_the_result_of_one_of_several_posts_says_which_one() -> None:
    result = decode_result(result_value(source={**SOURCE, "part": 3, "parts": 40, "topic_id": "x"}))
    assert result.record == Source("prices", 3, 1812, result.record.timestamp, "EURUSD", 3, 40, topic_id="x")
    assert (result.place, result.origin) == ("prices:3:1812 3/40", "prices:3:1812")
    alone = decode_result(result_value())
    assert (alone.record.part, alone.record.parts, alone.place) == (None, None, "prices:3:1812")


@pytest.mark.parametrize("part", [{"part": -1, "parts": 2}, {"part": 0, "parts": 1}, {"part": "0", "parts": 2}])
def test_a_part_that_cannot_be_is_no_result(part: dict[str, Any]) -> None:
    with pytest.raises(ResultError, match=r"`\$\.source\.parts?`"):
        decode_result(result_value(source={**SOURCE, **part}))


def test_latencies_are_those_of_the_answered_and_of_the_first_post() -> None:
    first = {**POST, "answer": "NAK", "sent_at": "2026-11-22T10:15:30.133000Z"}
    result = decode_result(result_value(posts=[first, POST]))
    assert result.ack_seconds == pytest.approx(0.025)
    assert result.delivery_seconds == pytest.approx(0.010)


@pytest.mark.parametrize("answer", ["TIMEOUT", "LOST"])
def test_a_post_nobody_answered_has_no_latency(answer: str) -> None:
    assert decode_result(result_value(posts=[{**POST, "answer": answer}])).ack_seconds is None


def test_keys_of_a_later_version_are_ignored() -> None:
    assert decode_result(result_value(added_later={"x": [1]})).status is Status.ACK


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no value"),
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "not a result"),
        (b'{"status": "ACK"}', "missing required field"),
        (result_value(status="MAYBE"), r"`\$\.status`"),
        (result_value(settled_at="yesterday"), r"`\$\.settled_at`"),
        (result_value(settled_at="2026-11-22T10:15:30"), r"`\$\.settled_at`"),
        (result_value(posts=[{**POST, "post_id": 2**32}]), r"`\$\.posts\[0\]\.post_id`"),
        (b"[" * 100_000, "not a result"),
        (b'{"x":' * 100_000, "not a result"),
    ],
)
def test_what_is_no_result_is_refused_with_the_reason(value: bytes | None, said: str) -> None:
    with pytest.raises(ResultError, match=said):
        decode_result(value)


@given(st.binary())
def test_any_bytes_give_a_result_or_the_one_error(value: bytes) -> None:
    try:
        decode_result(value)
    except ResultError:
        return


@given(st.dictionaries(st.sampled_from(sorted(RESULT)), ANYTHING))
def test_any_change_to_a_result_gives_a_result_or_the_one_error(changes: dict[str, Any]) -> None:
    try:
        decode_result(result_value(**changes))
    except ResultError:
        return


def test_what_the_engine_writes_is_read_as_it_was_meant() -> None:
    tracker = OffsetTracker(Partition("prices", 3), 0)
    mapped = Mapped(
        "EUR=TRCC", "TRCC", "fx-spot", PostType.UPDATE, {"BID": Decimal("1.08412"), "N": 3, "T": "ü", "X": None}
    )
    carrier = Price(tracker, Record(1815, -1, None, b"{}"), mapped, 1_000_000)
    price = Price(tracker, Record(1812, 1_700_000_000_123, b"EUR\xff", b"{}"), mapped, 1_700_000_000_150_000)
    sent = 1_700_000_000_200_000
    price.add(Attempt(17, PostType.UPDATE, "ws://ads1", "s1", sent, None, Reply.TIMEOUT, None, None))
    price.add(
        Attempt(18, PostType.REFRESH, "ws://ads1", "s2", sent + 5, sent + 9, Reply.NAK, "SymbolUnknown", 'F44: "no"')
    )
    settled = settle(price, Status.NAK, sent + 10, code="SymbolUnknown", text='F44: "no"', carried_by=carrier)
    written = ResultEncoder(instance="pricing-host-1", version="0.1.0", config="c0ffee").encode(settled)
    result = decode_result(written.value)
    assert list(json.loads(written.value)) == list(RESULT)
    assert list(json.loads(written.value)["posts"][0]) == list(POST)
    assert (result.status, result.code, result.text) == (Status.NAK, "SymbolUnknown", 'F44: "no"')
    assert result.fields == mapped.fields
    stamped, digest = datetime(2023, 11, 14, 22, 13, 20, 123000, UTC), sha256(b"{}").hexdigest()
    assert result.source == Source("prices", 3, 1812, stamped, "EUR\ufffd", sha256=digest)
    assert result.carried_by == Source("prices", 3, 1815, None, None)
    assert [(post.post_id, post.type, post.answer) for post in result.posts] == [
        (17, PostType.UPDATE, Reply.TIMEOUT),
        (18, PostType.REFRESH, Reply.NAK),
    ]
    assert result.posts[0].answered_at is None
    assert result.ack_seconds == pytest.approx(0.000004)
    assert result.settled_at == datetime(2023, 11, 14, 22, 13, 20, 200010, UTC)
    assert dict(written.headers)["source"] == str(result.source).encode()


def test_what_the_engine_writes_of_one_of_several_posts_is_read_as_it_was_meant() -> None:
    tracker = OffsetTracker(Partition("prices", 3), 0)
    parts = Parts(offset=1812, size=2, made=40, taken_at=0, tags=tuple(range(40)))
    mapped = Mapped("EUR3M=", "TRCC", "curve", PostType.UPDATE, {"BID": 1})
    carrier = Price(tracker, Record(1815, -1, None, b"{}"), mapped, 1_000_000, part=Part(parts, 4))
    price = Price(tracker, Record(1812, -1, None, b"{}"), mapped, 1_000_000, part=Part(parts, 3))
    settled = settle(price, Status.CONFLATED, 2_000_000, carried_by=carrier)
    written = ResultEncoder(instance="i", version="v", config="c").encode(settled)
    result = decode_result(written.value)
    assert (result.place, result.carried_by and result.carried_by.place) == ("prices:3:1812 3/40", "prices:3:1815 4/40")
    assert list(json.loads(written.value)["source"]) == [*SOURCE, "part", "parts", "sha256", "topic_id"]
    assert dict(written.headers)["part"] == b"3/40"
    assert dict(written.headers)["source"] == b"prices:3:1812"


def test_the_schema_describes_exactly_the_keys_of_a_result_in_order() -> None:
    schema = result_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$ref"] == "#/$defs/Result"
    definitions = schema["$defs"]
    assert list(definitions["Result"]["properties"]) == [*RESULT, "withdrawal", "hint"]
    assert definitions["Result"]["required"] == list(RESULT)
    assert list(definitions["Post"]["properties"]) == list(POST)
    assert list(definitions["Source"]["properties"]) == [*SOURCE, "part", "parts", "sha256", "value", "topic_id"]
    assert definitions["Source"]["required"] == list(SOURCE)
    assert definitions["Status"]["enum"] == sorted(Status)
    assert definitions["Result"]["properties"]["fields"]["additionalProperties"] == {
        "type": ["number", "string", "null"]
    }
    json.dumps(schema)


def test_the_result_of_a_withdrawal_is_of_no_record_and_says_why() -> None:
    mapped = Mapped("EUR=", "TRCC", "spot", PostType.UPDATE, {"ASK": None, "BID": None})
    withdrawal = withdraw(OffsetTracker(Partition("prices", 3), 0), mapped, Reason.SILENT, 1_700_000_000_000_000)
    settlement = settle(withdrawal, Status.ACK, 1_700_000_000_100_000, fields=mapped.fields)
    written = ResultEncoder(instance="i", version="v", config="c").encode(settlement)
    result = decode_result(written.value)
    assert (result.source, result.fields, result.delivery_seconds) == (None, {"ASK": None, "BID": None}, None)
    assert result.withdrawal == WithdrawalResult(Reason.SILENT, "prices", 3)
    assert result.origin == "prices:3 (silent)"
    assert dict(written.headers) == {
        "status": b"ACK",
        "ric": b"EUR=",
        "service": b"TRCC",
        "source": b"",
        "withdrawal": b"silent",
    }
    with pytest.raises(ValueError, match="of no record"):
        _ = result.record
