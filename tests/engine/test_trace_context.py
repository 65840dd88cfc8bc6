"""What tracers write beside a record goes with its result, as it is."""

from typing import Any

import pytest
from tests.engine.rig import P0, Rig

from contribd.engine.events import Committed, Records
from contribd.engine.limits import MIN_RESULT_BYTES
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import Encoded, ResultEncoder

PARENT = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
STATE = ("tracestate", b"desk=t61rcWkgMzE,\xffodd")
OTHER = ("desk", b"rates")

BAD = b""

Headers = tuple[tuple[str, bytes | None], ...]


def results(rig: Rig, encoder: ResultEncoder, rejects: bool = False) -> list[Encoded]:
    """Those of the next transaction."""
    batch = rig.batch()
    rig.handle(Committed(batch.number))
    encode = encoder.encode_reject if rejects else encoder.encode
    return [encode(settlement) for settlement in batch.settlements]


def put(rig: Rig, *headers: Headers, value: bytes = b'{"ric":"EUR=","fields":{"BID":1}}') -> None:
    """A record for each of these headers."""
    rig.handle(Records([(P0, [Record(number, -1, b"k", value, each) for number, each in enumerate(headers)])]))


def carried(encoded: Encoded) -> list[tuple[str, bytes]]:
    return [(name, held) for name, held in encoded.headers if name in ("traceparent", "tracestate", "desk")]


@pytest.fixture
def encoder() -> ResultEncoder:
    return ResultEncoder(instance="i", version="v", config="c")


def test_the_trace_context_of_a_record_is_a_header_of_its_result(encoder: ResultEncoder) -> None:
    rig = Rig().open().assign()
    put(rig, (OTHER, PARENT, STATE))
    rig.ack(1)
    [result] = results(rig, encoder)
    assert carried(result) == [PARENT, STATE]
    assert result.headers[:4] == [("status", b"ACK"), ("ric", b"EUR="), ("service", b"TRCC"), ("source", b"prices:0:0")]


def test_records_that_are_merged_keep_each_its_own(encoder: ResultEncoder) -> None:
    rig = Rig().open().assign()
    parents: list[Any] = [("traceparent", b"%d" % number) for number in range(4)]
    put(rig, *[(parent,) for parent in parents[:3]], ())
    rig.ack(1)
    by_source = {dict(result.headers)["source"]: carried(result) for result in results(rig, encoder)}
    assert by_source == {b"prices:0:%d" % number: [parent] for number, parent in enumerate(parents[:3])} | {
        b"prices:0:3": []
    }


def test_a_rejected_record_has_it_in_both_topics(encoder: ResultEncoder) -> None:
    for rejects in (False, True):
        rig = Rig().open().assign()
        put(rig, (PARENT,), value=BAD)
        [result] = results(rig, encoder, rejects)
        assert carried(result) == [PARENT]


def test_one_without_a_value_is_left_out(encoder: ResultEncoder) -> None:
    rig = Rig().open().assign()
    put(rig, (("traceparent", None), STATE), value=BAD)
    assert carried(results(rig, encoder)[0]) == [STATE]


@pytest.mark.parametrize("rejects", [False, True])
def test_one_that_leaves_no_room_for_the_result_is_left_out(encoder: ResultEncoder, rejects: bool) -> None:
    """A transaction that the broker refuses for its size would be refused for ever."""
    encoder.limit(MIN_RESULT_BYTES, MIN_RESULT_BYTES, keyed=False)
    for length, expected in ((100, 1), (2_000, 0)):
        rig = Rig().open().assign()
        put(rig, (("tracestate", b"x" * length),), value=BAD)
        [result] = results(rig, encoder, rejects)
        assert len(carried(result)) == expected


def test_a_result_is_shortened_to_leave_it_room(encoder: ResultEncoder) -> None:
    encoder.limit(2_000, 2_000, keyed=False)
    rig = Rig().open().assign()
    put(rig, (("tracestate", b"x" * 990),), value=b'{"ric":"EUR=","fields":{"BID":1,"TEXT":"%s"}}' % (b"y" * 800))
    rig.ack(1)
    [result] = results(rig, encoder)
    assert b"[shortened" in result.value
    assert len(result.value) + len(result.key or b"") + 1_000 <= 2_000
    assert len(carried(result)) == 1
