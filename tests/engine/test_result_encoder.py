"""The result as readers of the topic get it."""

from decimal import Decimal

import msgspec
import pytest
from tests.engine.rig import P0, START, Rig, statuses

from contribd.answers.table import Hint
from contribd.engine.limits import MAX_RESULT_BYTES
from contribd.engine.records.commit_metadata import About
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Attempt, Price, Record, Reply, Settlement, Status, settle, unposted
from contribd.engine.records.result_encoder import Encoded, ResultEncoder
from contribd.mapping.outcome import Mapped, PostType, RejectCode, Rejected
from contribd.results.result import decode_result

ENCODER = ResultEncoder(instance="host-1", version="1.2.3", config="abc")
MAPPED = Mapped("EUR=", "TRCC", "fx", PostType.UPDATE, {"BID": Decimal("1.10"), "ASK": None, "N": 2**53, "T": "é"})


def price(*, key: bytes | None = b"EURUSD", timestamp: int = START // 1000, value: bytes = b"{}") -> Price:
    return Price(OffsetTracker(P0, 0), Record(5, timestamp, key, value), MAPPED, START + 1)


def value(encoded: Encoded) -> dict[str, object]:
    decoded: dict[str, object] = msgspec.json.decode(encoded.value)
    return decoded


def rejected(content: bytes | None, *, key: bytes | None = b"k", text: str = "no") -> Settlement:
    return unposted(OffsetTracker(P0, 0), Record(5, -1, key, content), Rejected(RejectCode.BAD_RECORD, text), START)


def test_a_result_names_the_topic_by_its_id_too_and_so_does_who_carried_it() -> None:
    """One made anew under the same name gives the same offsets to other records."""
    old, new = (OffsetTracker(P0, 0, about=About(topic_id)) for topic_id in ("b0ldT0picId0123456789A", None))
    carrier = Price(old, Record(6, -1, None, b"{}"), MAPPED, START)
    merged = Price(new, Record(5, -1, None, b"{}"), MAPPED, START)
    encoded = ENCODER.encode(settle(merged, Status.CONFLATED, START, carried_by=carrier))
    assert ("topic_id", b"b0ldT0picId0123456789A") not in encoded.headers
    assert [value(encoded)[name]["topic_id"] for name in ("source", "carried_by")] == [None, "b0ldT0picId0123456789A"]  # type: ignore[index]
    encoded = ENCODER.encode(settle(carrier, Status.ACK, START))
    assert encoded.headers[-2:] == [("source", b"prices:0:6"), ("topic_id", b"b0ldT0picId0123456789A")]
    assert decode_result(encoded.value).record.topic_id == "b0ldT0picId0123456789A"


def test_a_rejected_input_says_of_which_topic_it_is() -> None:
    settlement = unposted(
        OffsetTracker(P0, 0, about=About("b0ldT0picId0123456789A")),
        Record(5, -1, None, b"x"),
        Rejected(RejectCode.BAD_RECORD, "no"),
        START,
    )
    assert ENCODER.encode_reject(settlement).headers[:2] == [
        ("source", b"prices:0:5"),
        ("topic_id", b"b0ldT0picId0123456789A"),
    ]


def test_a_result_has_every_member_in_the_contract_s_order() -> None:
    one = price()
    one.add(Attempt(17, PostType.UPDATE, "ws://a", "s1", START + 2, START + 3, Reply.NAK, "SymbolUnknown", "F44"))
    encoded = ENCODER.encode(settle(one, Status.NAK, START + 4, code="SymbolUnknown", text="F44"))
    assert list(value(encoded).items()) == [
        ("status", "NAK"),
        ("ric", "EUR="),
        ("service", "TRCC"),
        ("mapping", "fx"),
        ("fields", {"BID": 1.1, "ASK": None, "N": 2**53, "T": "é"}),
        ("code", "SymbolUnknown"),
        ("text", "F44"),
        (
            "source",
            {
                "topic": "prices",
                "partition": 0,
                "offset": 5,
                "timestamp": "2027-01-15T08:00:00.000000Z",
                "key": "EURUSD",
                "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "topic_id": None,
            },
        ),
        ("carried_by", None),
        (
            "posts",
            [
                {
                    "post_id": 17,
                    "type": "Update",
                    "endpoint": "ws://a",
                    "session": "s1",
                    "sent_at": "2027-01-15T08:00:00.000002Z",
                    "answered_at": "2027-01-15T08:00:00.000003Z",
                    "answer": "NAK",
                    "code": "SymbolUnknown",
                    "text": "F44",
                }
            ],
        ),
        ("consumed_at", "2027-01-15T08:00:00.000001Z"),
        ("settled_at", "2027-01-15T08:00:00.000004Z"),
        ("instance", "host-1"),
        ("version", "1.2.3"),
        ("config", "abc"),
    ]


def test_numbers_are_written_as_they_were_posted() -> None:
    assert b'"fields":{"BID":1.10,"ASK":null,' in ENCODER.encode(settle(price(), Status.ACK, START)).value


def test_the_key_is_the_ric_and_the_headers_say_what_filters_need() -> None:
    encoded = ENCODER.encode(settle(price(), Status.ACK, START))
    assert encoded.key == b"EUR="
    assert encoded.headers == [("status", b"ACK"), ("ric", b"EUR="), ("service", b"TRCC"), ("source", b"prices:0:5")]


def test_without_a_ric_the_key_is_the_input_s() -> None:
    encoded = ENCODER.encode(rejected(b"x", key=b"\xff\x00"))
    assert encoded.key == b"\xff\x00"
    assert value(encoded)["ric"] is None
    assert dict(encoded.headers)["ric"] == b""


@pytest.mark.parametrize("timestamp", [-1, -2, 253_402_300_800_000, 2**63 - 1])
def test_a_timestamp_that_is_no_date_is_null(timestamp: int) -> None:
    source = value(ENCODER.encode(settle(price(timestamp=timestamp), Status.ACK, START)))["source"]
    assert isinstance(source, dict)
    assert source["timestamp"] is None


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [(0, "1970-01-01T00:00:00.000000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999000Z")],
)
def test_every_timestamp_that_is_a_date_is_written(timestamp: int, text: str) -> None:
    source = value(ENCODER.encode(settle(price(timestamp=timestamp), Status.ACK, START)))["source"]
    assert isinstance(source, dict)
    assert source["timestamp"] == text


def test_a_record_stamped_beyond_all_dates_is_posted_like_others() -> None:
    rig = Rig(max_age=1_000_000).open().assign()
    rig.put({"BID": 1}, age=-9e12)
    rig.ack(1)
    assert statuses(rig.commit()) == [(0, "ACK")]


def test_a_key_that_is_not_text_is_readable_at_least() -> None:
    source = value(ENCODER.encode(settle(price(key=b"a\xff"), Status.ACK, START)))["source"]
    assert isinstance(source, dict)
    assert source["key"] == "a\ufffd"


def test_a_result_no_broker_would_take_is_shortened_and_says_so() -> None:
    """The input may be a mebibyte; its fields, its key twice, and what the ADS echoes come on top."""
    one, carrier = price(key=b"k" * 600_000), price(key=b"c" * 600_000)
    one.add(Attempt(1, PostType.UPDATE, "ws://a", "s", START, START, Reply.ERROR, None, "e" * 300_000))
    settlement = settle(one, Status.CONFLATED, START, text="t" * 300_000, carried_by=carrier)
    encoded = ENCODER.encode(settlement)
    assert len(encoded.value) < 10_000
    assert carrier.record.key == b"c" * 600_000
    result = value(encoded)
    assert result["fields"] is None
    assert str(result["text"]).startswith(f"[shortened: a result has at most {MAX_RESULT_BYTES} bytes] ttt")
    assert (result["status"], result["ric"]) == ("CONFLATED", "EUR=")


def test_a_result_just_below_the_bound_is_whole() -> None:
    room = MAX_RESULT_BYTES - len(ENCODER.encode(rejected(b"x", key=None, text="")).value)
    assert len(ENCODER.encode(rejected(b"x", key=None, text="t" * room)).value) == MAX_RESULT_BYTES
    assert len(ENCODER.encode(rejected(b"x", key=None, text="t" * (room + 1))).value) < 10_000


def test_a_result_has_the_parts_that_there_is_room_for() -> None:
    """A topic may take far less than brokers do by default; what a result is about stays."""
    encoder = ResultEncoder(instance="host-1", version="1.2.3", config="abc")
    one = price(key=b"k" * 600)
    for number in range(20):
        one.add(Attempt(number, PostType.UPDATE, "ws://a", "s", START, START, Reply.ERROR, None, "e" * 3_000))
    settlement = settle(one, Status.NAK, START, text="t" * 3_000)
    whole, posts = value(encoder.encode(settlement)), []
    for room in (30_000, 3_000, 900):
        encoder.limit(room, room, keyed=False)
        encoded = encoder.encode(settlement)
        assert len(encoded.value) <= room
        result = value(encoded)
        assert str(result["text"]).startswith(f"[shortened: a result has at most {room} bytes] t")
        assert result["fields"] is None
        assert [result[name] for name in ("status", "ric", "service")] == ["NAK", "EUR=", "TRCC"]
        assert dict(encoded.headers)["source"] == b"prices:0:5"
        posts.append(len(decode_result(encoded.value).posts))
    assert posts == [20, 1, 0]
    encoder.limit(9_999_999, 9_999_999, keyed=False)
    assert value(encoder.encode(settlement)) == whole


def test_a_result_without_a_ric_whose_input_has_no_key_has_its_source_as_key() -> None:
    """A compacted topic takes no record without one."""
    assert ENCODER.encode(rejected(b"x", key=None)).key == b"prices:0:5"
    assert ENCODER.encode(rejected(b"x", key=b"")).key == b""


def test_rejected_input_has_its_source_as_key_where_the_topic_wants_one() -> None:
    encoder = ResultEncoder(instance="host-1", version="1.2.3", config="abc")
    assert encoder.encode_reject(rejected(b"x", key=None)).key is None
    encoder.limit(1_000, 1_000, keyed=True)
    assert encoder.encode_reject(rejected(b"x", key=None)).key == b"prices:0:5"
    assert encoder.encode_reject(rejected(b"x")).key == b"k"
    large = encoder.encode_reject(rejected(b"x" * 1_000))
    assert (large.key, large.value) == (b"prices:0:5", b"")


def test_a_reject_is_the_untouched_input_with_the_reason_in_its_headers() -> None:
    encoded = ENCODER.encode_reject(rejected(b"\xffnot json"))
    assert encoded == (b"k", b"\xffnot json", [("source", b"prices:0:5"), ("code", b"BadRecord"), ("text", b"no")])


@pytest.mark.parametrize("content", [None, b""])
def test_an_empty_record_is_a_reject_too(content: bytes | None) -> None:
    settlement = rejected(content)
    assert settlement.untouched == b""
    assert ENCODER.encode_reject(settlement).value == b""


def test_input_no_broker_would_take_back_is_left_out_and_a_header_says_so() -> None:
    encoded = ENCODER.encode_reject(rejected(b"x" * MAX_RESULT_BYTES))
    assert (encoded.key, encoded.value) == (None, b"")
    assert b"1000001 bytes" in dict(encoded.headers)["omitted"]
    assert ENCODER.encode_reject(rejected(b"x" * (MAX_RESULT_BYTES - 1))).value == b"x" * (MAX_RESULT_BYTES - 1)


def test_a_price_rejected_for_its_size_goes_to_the_rejects_too() -> None:
    rig = Rig().open(MaxMsgSize=10).assign()
    rig.put({"BID": 1})
    [settlement] = rig.batch().settlements
    assert (settlement.code, settlement.untouched) == (
        RejectCode.TOO_LARGE,
        b'{"ric":"EUR=","type":"Update","fields":{"BID":1}}',
    )


def test_a_refusal_that_is_known_says_what_it_means() -> None:
    asked: list[tuple[str | None, str | None]] = []

    def explain(code: str | None, text: str | None) -> Hint | None:
        asked.append((code, text))
        return Hint("m", "c", "o", "d") if code == "NotOpen" else None

    encoder = ResultEncoder(instance="i", version="v", config="c", explain=explain)
    encoded = value(encoder.encode(settle(price(), Status.NAK, START, code="NotOpen", text="no")))
    assert list(encoded)[5:9] == ["code", "text", "hint", "source"]
    assert encoded["hint"] == {"meaning": "m", "cause": "c", "owner": "o", "cure": "d"}
    for status in Status:
        known = value(encoder.encode(settle(price(), status, START, code="NotOpen", text="no")))
        assert ("hint" in known) == (status in (Status.NAK, Status.ERROR))
        assert "hint" not in value(encoder.encode(settle(price(), status, START, text="no")))
    assert len(asked) == 1 + 4


def test_a_result_that_is_shortened_explains_nothing() -> None:
    encoder = ResultEncoder(instance="i", version="v", config="c", explain=lambda *_: Hint("m" * 2_000, "", "", ""))
    encoder.limit(1_000, 1_000, keyed=False)
    encoded = encoder.encode(settle(price(), Status.NAK, START, code="NotOpen", text="no"))
    assert len(encoded.value) < 1_000
    assert "hint" not in value(encoded)
