"""From the bytes of a record to a post or a rejection."""

import decimal
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping.compile import compile_file
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import MAX_RECORD_BYTES, Mapper
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PostType, RejectCode, Rejected, UnreadValue
from contribd.mapping.rules import MappingFile

SPOT: dict[str, Any] = {
    "name": "fx-spot",
    "when": 'asset == "FX" and tenor == "SP"',
    "ric": "{pair}=TRCC",
    "fields": {
        "BID": "bid",
        "ASK": {"from": "ask", "round": 5},
        "MID_PRICE": {"from": "(bid + ask) / 2", "round": 5},
        "BIDSIZE": {"from": "sizes[0].bid", "missing": "skip"},
        "ASKSIZE": {"from": "sizes[0].ask", "missing": "blank"},
        "QUOTIM": {"from": "quoted_at", "as": "time", "missing": "skip"},
        "CURRENCY": {"from": "ccy", "lookup": {"USD": 840, "EUR": 978}, "missing": "skip"},
        "CTBTR_1": {"value": "ACME"},
    },
    "checks": ["bid <= ask", {"that": "bid > 0", "text": "no bid"}],
}
RECORD: dict[str, Any] = {"asset": "FX", "tenor": "SP", "pair": "EUR", "bid": 1.08412, "ask": 1.08415}


def mapper(*mappings: dict[str, Any]) -> Mapper:
    compiled = compile_file(MappingFile.model_validate({"mappings": list(mappings)}), "DEFAULT")
    assert compiled.problems == []
    return Mapper(compiled.mappings)


SPOTS = mapper(SPOT)


def mapped(record: object, using: Mapper = SPOTS) -> Mapped:
    outcome = using.map(json.dumps(record).encode())
    assert isinstance(outcome, Mapped), outcome
    return outcome


def rejected(record: object, using: Mapper = SPOTS) -> Rejected:
    outcome = using.map(record if isinstance(record, bytes) else json.dumps(record).encode())
    assert isinstance(outcome, Rejected), outcome
    return outcome


def one(field: object, **more: Any) -> Mapper:
    return mapper({"name": "one", "ric": "R=", "fields": {"F": field}, **more})


def test_record_becomes_a_post_with_fields_in_the_order_of_the_mapping() -> None:
    post = mapped({**RECORD, "sizes": [{"bid": 1, "ask": 2}], "quoted_at": "2026-11-22T10:15:30.5Z", "ccy": "USD"})
    assert (post.ric, post.service, post.mapping, post.type) == ("EUR=TRCC", "DEFAULT", "fx-spot", PostType.UPDATE)
    assert list(post.fields.items()) == [
        ("BID", Decimal("1.08412")),
        ("ASK", Decimal("1.08415")),
        ("MID_PRICE", Decimal("1.08414")),
        ("BIDSIZE", 1),
        ("ASKSIZE", 2),
        ("QUOTIM", "10:15:30.5"),
        ("CURRENCY", 840),
        ("CTBTR_1", "ACME"),
    ]


def test_mean_is_computed_in_decimal_not_in_binary() -> None:
    assert round((1.08412 + 1.08415) / 2, 5) == 1.08413
    assert b'"MID_PRICE":1.08414' in encode_fields(mapped(RECORD).fields)


def test_missing_is_skipped_or_blanked_in_place() -> None:
    assert list(mapped(RECORD).fields) == ["BID", "ASK", "MID_PRICE", "ASKSIZE", "CTBTR_1"]
    assert mapped(RECORD).fields["ASKSIZE"] is None


def test_null_posts_a_blank_through_every_setting() -> None:
    for field in (
        "x",
        {"from": "x", "round": 2},
        {"from": "x", "as": "time"},
        {"from": "x", "lookup": {"a": 1}},
        {"from": "x", "missing": "skip"},
    ):
        assert mapped({"x": None}, one(field)).fields == {"F": None}


def test_missing_field_rejects_with_what_was_known() -> None:
    record = {key: value for key, value in RECORD.items() if key != "ask"}
    assert rejected(record) == Rejected(
        RejectCode.MISSING_FIELD,
        "ASK: the record has no ask",
        "EUR=TRCC",
        "DEFAULT",
        "fx-spot",
        {"BID": Decimal("1.08412")},
    )


@pytest.mark.parametrize("bad", [True, {}, [], 1e15, "a\x00"])
def test_bad_value_names_its_field(bad: object) -> None:
    outcome = rejected({**RECORD, "bid": bad})
    assert outcome.code is RejectCode.BAD_VALUE
    assert outcome.text.startswith("BID: ")
    assert outcome.fields == {}


def test_lookup_without_a_hit_rejects() -> None:
    outcome = rejected({**RECORD, "ccy": "CHF"})
    assert (outcome.code, outcome.text) == (
        RejectCode.BAD_VALUE,
        "CURRENCY: lookup has no entry for 'CHF' and no default",
    )


def test_failed_check_says_the_expression_and_what_it_saw() -> None:
    outcome = rejected({**RECORD, "bid": 2, "ask": 1})
    assert (outcome.code, outcome.text) == (RejectCode.CHECK_FAILED, "bid <= ask is false (bid 2, ask 1)")
    assert (outcome.ric, outcome.mapping) == ("EUR=TRCC", "fx-spot")
    assert outcome.fields is not None
    assert outcome.fields["BID"] == 2


def test_failed_check_carries_its_own_text() -> None:
    assert rejected({**RECORD, "bid": 0}).text == "no bid: bid > 0 is false (bid 0)"


@pytest.mark.parametrize(("value", "text"), [(None, "null"), (False, "false"), ("x", "'x'"), ([1], "[1]")])
def test_a_failed_check_shows_values_in_the_words_of_the_language(value: object, text: str) -> None:
    outcome = rejected({"x": value}, one({"value": 1}, checks=["x == 2"]))
    assert outcome.text == f"x == 2 is false (x {text})"


def test_check_that_cannot_be_evaluated_rejects_by_its_cause() -> None:
    assert rejected({"x": 1}, one("x", checks=["y > 0"])).code is RejectCode.MISSING_FIELD
    outcome = rejected({"x": 1}, one("x", checks=["x == 1 and x"]))
    assert (outcome.code, outcome.text[:6]) == (RejectCode.BAD_VALUE, "check ")
    assert rejected({"x": 1}, one("x", checks=["x"])).code is RejectCode.BAD_VALUE


@pytest.mark.parametrize("x", [1.5, "a", None, True])
def test_failed_check_shows_any_value(x: object) -> None:
    assert rejected({"x": x}, one({"value": 1}, checks=["x == 'no'"])).code is RejectCode.CHECK_FAILED


def test_first_mapping_that_matches_wins() -> None:
    using = mapper(
        {"name": "a", "when": "kind == 'A'", "ric": "A=", "fields": {"F": "x"}},
        {"name": "b", "when": "kind == 'B'", "ric": "B=", "fields": {"F": "x"}, "service": "S", "post": "refresh"},
        {"name": "rest", "ric": "R=", "fields": {"F": "x"}},
    )
    assert [mapped({"kind": kind, "x": 1}, using).mapping for kind in "ABC"] == ["a", "b", "rest"]
    assert mapped({"x": 1}, using).mapping == "rest"
    post = mapped({"kind": "B", "x": 1}, using)
    assert (post.service, post.type) == ("S", PostType.REFRESH)


def test_when_that_cannot_be_evaluated_does_not_match_and_is_reported() -> None:
    using = mapper({**SPOT, "when": "size > 100"}, {**SPOT, "name": "other", "when": "size == 'S'"})
    assert mapped({**RECORD, "size": "S"}, using).mapping == "other"
    outcome = rejected({"size": "M"}, using)
    assert outcome.code is RejectCode.NO_MAPPING
    assert "fx-spot: '>' compares two numbers or two texts, not text and a number" in outcome.text
    assert "the record has no size" in rejected({}, using).text
    assert "when gives a number" in rejected({"size": 1}, mapper({**SPOT, "when": "size"})).text


def test_a_record_that_is_not_for_posting_is_ignored_by_the_mapping_that_says_so() -> None:
    heartbeat = {"name": "heartbeat", "when": 'type == "heartbeat"', "ignore": True}
    using = mapper(heartbeat, SPOT)
    assert using.map(b'{"type": "heartbeat"}') == Ignored("heartbeat")
    assert "heartbeat" in Ignored("heartbeat").text
    assert mapped(RECORD, using).mapping == "fx-spot"
    assert mapped({**RECORD, "type": "heartbeat"}, mapper(SPOT, heartbeat)).mapping == "fx-spot"


def test_no_mapping_matches() -> None:
    assert rejected({**RECORD, "tenor": "1M"}) == Rejected(RejectCode.NO_MAPPING, "no mapping's when is true")
    assert rejected({}, mapper()).code is RejectCode.NO_MAPPING


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (None, RejectCode.BAD_VALUE),
        (True, RejectCode.BAD_VALUE),
        (["E"], RejectCode.BAD_VALUE),
        ("E\n", RejectCode.BAD_VALUE),
        (" E", RejectCode.BAD_VALUE),
        ("É", RejectCode.BAD_VALUE),
        ("E" * 300, RejectCode.BAD_VALUE),
        (1e300, RejectCode.BAD_VALUE),
    ],
)
def test_ric_that_names_no_item_is_a_bad_value(pair: object, code: RejectCode) -> None:
    outcome = rejected({**RECORD, "pair": pair})
    assert (outcome.code, outcome.text[:5], outcome.ric, outcome.mapping) == (code, "ric: ", None, "fx-spot")


def test_ric_may_be_empty_only_in_its_parts() -> None:
    using = mapper({"name": "r", "ric": "{a}{b}", "fields": {"F": {"value": 1}}})
    assert mapped({"a": "", "b": "X="}, using).ric == "X="
    assert mapped({"a": 10, "b": 1.50}, using).ric == "101.5"
    assert rejected({"a": "", "b": ""}, using).text == "ric: the RIC is empty"
    assert rejected({"a": ""}, using).code is RejectCode.MISSING_FIELD


def test_post_without_any_field_left_is_rejected() -> None:
    assert "nothing to post" in rejected({"y": 1}, one({"from": "x", "missing": "skip"})).text


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"   ",
        b"{",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"NaN",
        b'{"a":NaN}',
        b'{"a":1}x',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1e99999999999999999999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_a_bad_record(value: bytes | None) -> None:
    outcome = SPOTS.map(value)
    assert isinstance(outcome, Rejected)
    assert outcome.code is RejectCode.BAD_RECORD


def test_what_could_not_be_read_is_a_bad_record_that_says_why() -> None:
    assert SPOTS.map(UnreadValue("skipped by me")) == Rejected(RejectCode.BAD_RECORD, "skipped by me")


def test_large_record_is_refused_unread_and_one_at_the_bound_is_not() -> None:
    start, end = b'{"x":1,"y":"', b'"}'
    at_the_bound = start + b"y" * (MAX_RECORD_BYTES - len(start) - len(end)) + end
    assert isinstance(one("x").map(at_the_bound), Mapped)
    outcome = one("x").map(at_the_bound + b" ")
    assert isinstance(outcome, Rejected)
    assert outcome.code is RejectCode.TOO_LARGE


def test_context_of_the_caller_is_neither_used_nor_changed() -> None:
    with decimal.localcontext() as context:
        context.prec = 2
        context.traps[decimal.InvalidOperation] = False
        assert mapped(RECORD).fields["MID_PRICE"] == Decimal("1.08414")
        assert rejected(b'{"a":1e99999999999999999999}').code is RejectCode.BAD_RECORD
        assert decimal.getcontext() is context


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["USD", "2026-11-22", "10:15:30", "1.5", 1795342530, "2026-11-22T10:15:30Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=8,
)
EVERYTHING = mapper(
    {
        "name": "first",
        "when": "exists(a) and (a == 1 or b in [1, 'x', true, null])",
        "ric": "{a}=",
        "fields": {"F": "c"},
    },
    {
        "name": "second",
        "when": "exists(b)",
        "ric": "{text(coalesce(b.a, b[0], 'B'))}=",
        "fields": {
            "A": {"from": "a.b[0]", "missing": "skip"},
            "B": {"from": "(c + d) / 2", "missing": "blank", "round": 3},
            "C": {"from": "c % d", "missing": "blank"},
            "D": {"from": "d", "as": "datetime", "missing": "skip"},
            "E": {"from": "a", "as": "int", "missing": "skip"},
        },
        "checks": ["c < d or c == a", "coalesce(a, b) in b"],
    },
    {
        "name": "rest",
        "ric": "R",
        "fields": {
            "A": {"from": "a", "as": "real", "missing": "skip"},
            "B": {"from": "upper(d) if exists(d) else a * c", "missing": "skip"},
            "C": {"from": "c", "as": "text", "missing": "skip"},
            "D": {"from": "d", "as": "time", "missing": "skip"},
            "E": {"from": "d", "lookup": {"USD": 840}, "default": None, "missing": "skip"},
            "F": {"from": "round(abs(-a * c + 1) % 7, 2)", "missing": "skip"},
            "G": {"from": "replace(slice(d, -3), 'a', d)", "missing": "skip"},
            "H": {"from": "len(d) + len(c)", "missing": "blank"},
        },
    },
)


def assert_sound(outcome: Outcome) -> None:
    if isinstance(outcome, Rejected):
        assert outcome.text
        assert (outcome.ric is None) <= (outcome.fields is None)
        fields = outcome.fields or {}
    else:
        assert isinstance(outcome, Mapped)
        assert outcome.fields
        fields = outcome.fields
    text = encode_fields(fields).decode()
    posted: dict[str, Any] = json.loads(text, parse_float=Decimal)
    for value in posted.values():
        assert not isinstance(value, int | Decimal) or -(10**15) < value < 10**15
    assert "\x00" not in text


@given(st.binary())
def test_any_bytes_give_a_post_or_a_rejection(value: bytes) -> None:
    assert_sound(EVERYTHING.map(value))


@given(st.dictionaries(st.sampled_from("abcd"), JSON))
def test_any_object_gives_a_post_or_a_rejection(record: dict[str, Any]) -> None:
    assert_sound(EVERYTHING.map(json.dumps(record).encode()))


@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,9})?\Z")
    )
)
def test_any_numbers_give_a_post_or_a_rejection(numbers: dict[str, str]) -> None:
    assert_sound(EVERYTHING.map(("{" + ",".join(f'"{key}":{text}' for key, text in numbers.items()) + "}").encode()))


@given(st.dictionaries(st.sampled_from("abcd"), JSON))
def test_fields_at_once_and_one_by_one_agree(record: dict[str, Any]) -> None:
    outcome = EVERYTHING.map(json.dumps(record).encode())
    if not isinstance(outcome, Mapped):
        return
    mapping = next(one for one in EVERYTHING.mappings if one.name == outcome.mapping)
    context = decimal.getcontext()
    decoded = json.loads(json.dumps(record), parse_float=Decimal)
    decimal.setcontext(EVERYTHING._context)
    try:
        for field in mapping.fields:
            if outcome.fields.get(field.name) is not None:
                assert field.convert(field.read(decoded)) == outcome.fields[field.name]
    finally:
        decimal.setcontext(context)


def test_a_fault_of_its_own_costs_one_record(
    own_fault: Callable[[Exception], Rejected], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = mapper({"name": "one", "ric": "A=", "fields": {"BID": "bid"}})
    with pytest.raises(ZeroDivisionError):
        _failing(one, monkeypatch).map(b'{"bid": 1}')
    monkeypatch.setattr("contribd.mapping.mapper.own_fault", own_fault)
    outcome = one.map(b'{"bid": 1}')
    assert isinstance(outcome, Rejected)
    assert outcome.code is RejectCode.BAD_VALUE
    assert outcome.text.startswith("contribd failed at this record, which is a fault of contribd: report it")
    assert "test_mapper.py:" in outcome.text


def _failing(one: Mapper, monkeypatch: pytest.MonkeyPatch) -> Mapper:
    def fail(_value: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(one, "_decode", fail)
    return one


def test_a_price_that_is_tiny_is_a_number_to_checks() -> None:
    one = mapper({"name": "one", "ric": "A=", "fields": {"BID": "bid"}, "checks": ["@post.BID > 0", "@post.BID < 1"]})
    assert isinstance(one.map(b'{"bid": 0.0000001}'), Mapped)
    other = mapper({"name": "one", "ric": "A=", "fields": {"BID": "bid"}, "checks": ["@post.BID != 0.0000001"]})
    assert isinstance(other.map(b'{"bid": 0.0000001}'), Rejected)


def test_the_key_that_was_meant_is_looked_for_where_nobody_takes_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def note(*given: object) -> str:
        asked.append(given)
        return ""

    monkeypatch.setattr("contribd.mapping.mapper.meant", note)
    one = mapper(
        {"name": "one", "when": "kind == 'x' and n > 1", "ric": "A=", "fields": {"BID": "bid"}},
        {"name": "two", "ric": "A=", "fields": {"BID": "bid"}},
    )
    assert isinstance(one.map(b'{"bid": 1}'), Mapped)
    assert asked == []


def test_a_list_within_a_list_is_bounded_for_in_too() -> None:
    one = mapper({"name": "one", "ric": "A=", "fields": {"N": "count(a, item in b)"}})
    short = json.dumps({"a": list(range(50)), "b": list(range(1000))}).encode()
    assert isinstance(one.map(short), Mapped)
    outcome = one.map(json.dumps({"a": list(range(1000)), "b": list(range(50_000))}).encode())
    assert isinstance(outcome, Rejected)
    assert "too many" in outcome.text


def test_a_number_of_many_nines_is_no_one() -> None:
    one = mapper({"name": "one", "ric": "{q}=", "fields": {"BID": "bid"}})
    outcome = one.map(b'{"bid": 1, "q": 0.' + b"9" * 38 + b"}")
    assert isinstance(outcome, Mapped)
    assert outcome.ric == "0." + "9" * 38 + "="
