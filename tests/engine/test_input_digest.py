"""What a result says of its input: the digest of the raw value, or the value itself."""

from base64 import b64decode
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from tests.engine.rig import P0, START, Rig

from contribd.engine.limits import Bounds
from contribd.engine.records import input_digest, parts
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.parts import Part, Parts
from contribd.engine.records.price import Price, Record, Settlement, Status, settle, unposted
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mapping.outcome import Mapped, PostType, RejectCode, Rejected, UnreadValue
from contribd.results.result import decode_result, result_schema

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

DIGEST = ResultEncoder(instance="i", version="v", config="c")
INCLUDE = ResultEncoder(instance="i", version="v", config="c", with_input=True)
MAPPED = Mapped("EUR=", "TRCC", "fx", PostType.UPDATE, {"BID": 1})
VALUES = [b"{}", b"", b"\xff\x00 not json", b'{"bid": 1.10}' * 10]


def rejected(value: bytes | None) -> Settlement:
    return unposted(OffsetTracker(P0, 0), Record(5, -1, None, value), Rejected(RejectCode.BAD_RECORD, "no"), START)


def source(encoder: ResultEncoder, settlement: Settlement) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(encoder.encode(settlement).value)["source"]
    return found


@pytest.mark.parametrize("value", VALUES)
def test_a_result_has_the_digest_of_the_raw_value(value: bytes) -> None:
    said = source(DIGEST, rejected(value))
    assert said["sha256"] == sha256(value).hexdigest()
    assert "value" not in said


@pytest.mark.parametrize("value", [None, UnreadValue("nobody could")])
def test_where_there_is_no_value_the_digest_is_null(value: bytes | None) -> None:
    assert source(DIGEST, rejected(value))["sha256"] is None
    assert source(INCLUDE, rejected(value))["value"] is None


@pytest.mark.parametrize("value", VALUES)
def test_the_value_itself_is_included_where_that_is_asked_for(value: bytes) -> None:
    said = source(INCLUDE, rejected(value))
    assert said["sha256"] == sha256(value).hexdigest()
    assert b64decode(said["value"], validate=True) == value
    assert list(said)[-3:] == ["sha256", "value", "topic_id"]


@pytest.mark.parametrize("encoder", [DIGEST, INCLUDE])
@pytest.mark.parametrize("value", [*VALUES, None])
def test_the_schema_of_results_says_so(encoder: ResultEncoder, value: bytes | None) -> None:
    validator = jsonschema.Draft202012Validator(result_schema())
    result = msgspec.json.decode(encoder.encode(rejected(value)).value)
    validator.validate(result)
    result["source"]["sha256"] = "no digest"
    assert not validator.is_valid(result)


def test_the_record_that_carried_another_is_named_without_its_input() -> None:
    tracker = OffsetTracker(P0, 0)
    old, new = (Price(tracker, Record(offset, -1, None, b"%d" % offset), MAPPED, START) for offset in (5, 6))
    encoded = INCLUDE.encode(settle(old, Status.CONFLATED, START, carried_by=new))
    result = decode_result(encoded.value)
    assert result.record.sha256 == sha256(b"5").hexdigest()
    assert result.carried_by is not None
    assert (result.carried_by.sha256, result.carried_by.value) == (None, None)


def test_a_value_too_large_for_its_result_is_left_out_first() -> None:
    value = b"x" * 3_000
    encoder = ResultEncoder(instance="i", version="v", config="c", with_input=True)
    settlement = settle(Price(OffsetTracker(P0, 0), Record(5, -1, None, value), MAPPED, START), Status.ACK, START)
    assert "value" in source(encoder, settlement)
    encoder.limit(2_000, 2_000, keyed=False)
    result = decode_result(encoder.encode(settlement).value)
    assert result.record.value is None
    assert result.record.sha256 == sha256(value).hexdigest()
    assert result.text == "[shortened: a result has at most 2000 bytes] "
    assert result.fields == {"BID": 1}


def test_where_that_is_not_enough_the_digest_stays_all_the_same() -> None:
    value = b"x" * 3_000
    encoder = ResultEncoder(instance="i", version="v", config="c", with_input=True)
    encoder.limit(1_200, 1_200, keyed=False)
    price = Price(OffsetTracker(P0, 0), Record(5, -1, b"k" * 900, value), MAPPED, START)
    result = decode_result(encoder.encode(settle(price, Status.NAK, START, text="t" * 900)).value)
    assert result.fields is None
    assert result.record.sha256 == sha256(value).hexdigest()


def test_the_parts_of_a_record_share_one_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes | None] = []

    def counted(value: bytes | None) -> bytes:
        made.append(value)
        return input_digest.digest_member(value)

    monkeypatch.setattr(parts, "digest_member", counted)
    rig = Rig().open().assign()
    value = msgspec.json.encode({"parts": [{"ric": f"R{n}", "fields": {"BID": n}} for n in range(40)]})
    rig.put_values(value)
    for number in range(1, 41):
        rig.ack(number)
    results = rig.decoded(rig.batch())
    assert {result["source"]["sha256"] for result in results} == {sha256(value).hexdigest()}
    assert (len(results), made) == (40, [value])


def test_a_transaction_has_fewer_results_where_each_holds_its_whole_input() -> None:
    """Those of parts too: the value of a record with a hundred posts goes into each."""
    tracker = OffsetTracker(P0, 0)
    record = Record(0, -1, None, b"x" * 30_000)
    tracker.take(0, len(record.value or b""))
    whole = Parts(0, 30_000, 100, 0, tuple(range(100)))

    def taken(*, with_input: bool) -> int:
        outbox = Outbox(Bounds(batch_bytes=100_000), with_input=with_input)
        for number in range(100):
            price = Price(tracker, record, MAPPED, START, part=Part(whole, number))
            outbox.add(settle(price, Status.ACK, START))
        outbox._fill()  # and not ``take``: parts without a ledger cannot be committed
        return len(outbox._taken)

    assert (taken(with_input=True), taken(with_input=False)) == (3, 100)
