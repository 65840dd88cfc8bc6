"""Test cases written in mapping files."""

import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contribd.mapping.cases import CaseResult, run_cases, value_text
from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

MAPPING = {
    "name": "spot",
    "ric": "{pair}=TRCC",
    "fields": {
        "BID": "bid",
        "MID_PRICE": {"from": "(bid + ask) / 2", "round": 5},
        "GV1_TEXT": {"from": "note", "missing": "blank"},
    },
    "checks": ["bid <= ask"],
}
RECORD = {"pair": "EUR", "bid": Decimal("1.08412"), "ask": Decimal("1.08415")}
FIELDS = {"BID": Decimal("1.084120"), "MID_PRICE": Decimal("1.08414"), "GV1_TEXT": None}


def run(*cases: dict[str, Any]) -> list[CaseResult]:
    compiled = compile_file(MappingFile.model_validate({"mappings": [MAPPING], "tests": list(cases)}), "TRCC")
    return run_cases(compiled.tests, Mapper(compiled.mappings))


def differences(case: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one.what, one.expected, one.got) for one in run(case)[0].differences]


def test_post_as_expected_passes_with_numbers_compared_by_value() -> None:
    post = {"ric": "EUR=TRCC", "service": "TRCC", "type": "update", "fields": FIELDS}
    assert differences({"record": RECORD, "post": post}) == []
    assert differences({"record": RECORD, "post": {"ric": "EUR=TRCC", "fields": FIELDS}}) == []


def test_every_difference_of_a_post_is_listed() -> None:
    fields = {"BID": "1.08412", "MID_PRICE": Decimal("1.08413"), "ASK": 1}
    post = {"ric": "EUR=", "service": "X", "type": "refresh", "fields": fields}
    assert differences({"record": RECORD, "post": post}) == [
        ("ric", "EUR=", "EUR=TRCC"),
        ("service", "X", "TRCC"),
        ("type", "refresh", "update"),
        ("fields.BID", '"1.08412"', "1.08412"),
        ("fields.MID_PRICE", "1.08413", "1.08414"),
        ("fields.ASK", "1", "-"),
        ("fields.GV1_TEXT", "-", "null"),
    ]


def test_true_is_no_number() -> None:
    post = {"ric": "EUR=TRCC", "fields": {**FIELDS, "BID": True}}
    assert differences({"record": {**RECORD, "bid": 1, "ask": Decimal("1.16828")}, "post": post}) == [
        ("fields.BID", "true", "1")
    ]


def test_rejection_as_expected_passes() -> None:
    record = {**RECORD, "bid": 2}
    assert differences({"record": record, "rejected": "CheckFailed"}) == []
    assert differences({"record": record, "rejected": {"code": "CheckFailed", "text": "bid <= ask"}}) == []


@pytest.mark.parametrize(
    ("case", "difference"),
    [
        ({"record": RECORD, "rejected": "BadValue"}, ("outcome", "BadValue", "a post to EUR=TRCC")),
        (
            {"record": {**RECORD, "bid": 2}, "rejected": "BadValue"},
            ("outcome", "BadValue", "CheckFailed: bid <= ask is false (bid 2, ask 1.08415)"),
        ),
        (
            {"record": {}, "rejected": {"code": "MissingField", "text": "bid"}},
            ("text", "… bid …", "ric: the record has no pair"),
        ),
        (
            {"record": {}, "post": {"ric": "X=", "fields": {}}},
            ("outcome", "a post to X=", "MissingField: ric: the record has no pair"),
        ),
    ],
)
def test_wrong_outcome_is_the_difference(case: dict[str, Any], difference: tuple[str, str, str]) -> None:
    assert differences(case) == [difference]


def test_cases_are_named_or_numbered() -> None:
    results = run(
        {"record": {}, "rejected": "MissingField"}, {"name": "no record", "record": {}, "rejected": "BadRecord"}
    )
    assert [(result.name, result.passed) for result in results] == [("test 1", True), ("no record", False)]


@pytest.mark.parametrize(
    ("value", "rejected"),
    [
        (None, {"code": "BadRecord", "text": "no value"}),
        ("", {"code": "BadRecord", "text": "no value"}),
        ("not json", {"code": "BadRecord", "text": "not JSON"}),
        ("[1]", {"code": "BadRecord", "text": "a list"}),
        ({"base64": "H4sI"}, "BadRecord"),
        ({"size": 1_048_577}, {"code": "TooLarge", "text": "1048577 bytes"}),
        ({"size": 1_048_576}, "MissingField"),
    ],
)
def test_value_that_is_no_record(value: Any, rejected: Any) -> None:
    assert differences({"value": value, "rejected": rejected}) == []


def test_value_is_taken_exactly_as_it_is_written() -> None:
    text = '{"pair": "X", "pair": "EUR", "bid": 1.0, "ask": 1.00, "note": "\\u0041"}'
    post = {"ric": "EUR=TRCC", "fields": {"BID": 1, "MID_PRICE": 1, "GV1_TEXT": "A"}}
    assert differences({"value": text, "post": post}) == []


def test_some_fields_can_be_expected_and_others_left_open() -> None:
    post = {"ric": "EUR=TRCC", "including": {"BID": Decimal("1.08412"), "GV1_TEXT": None}}
    assert differences({"record": RECORD, "post": post}) == []
    post["including"] = {"BID": 1, "ASK": 1}
    assert differences({"record": RECORD, "post": post}) == [
        ("fields.BID", "1", "1.08412"),
        ("fields.ASK", "1", "-"),
    ]


def test_the_mapping_that_takes_the_record_can_be_expected() -> None:
    post = {"ric": "EUR=TRCC", "fields": FIELDS}
    assert differences({"record": RECORD, "mapping": "spot", "post": post}) == []
    assert differences({"record": RECORD, "mapping": "other", "post": post}) == [("mapping", "other", "spot")]
    bad = {"value": "[]", "mapping": "spot", "rejected": "BadRecord"}
    assert differences(bad) == [("mapping", "spot", "-")]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ({"rejected": "BadRecord"}, "either record"),
        ({"record": {}, "value": "x", "rejected": "BadRecord"}, "either record"),
        ({"record": {}}, "one of post, posts, rejected, suppressed, ignored"),
        ({"record": {}, "post": {"ric": "X"}}, "either fields"),
        ({"record": {}, "post": {"ric": "X", "fields": {"A": 1}, "including": {"A": 1}}}, "either fields"),
        ({"value": 5, "rejected": "BadRecord"}, "text, null, {base64"),
        ({"value": {"base64": "AA==", "size": 1}, "rejected": "BadRecord"}, "either base64"),
        ({"value": {"base64": "é"}, "rejected": "BadRecord"}, "pattern"),
    ],
)
def test_case_that_says_nothing_or_too_much_is_refused(case: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(text)):
        run(case)


def test_ignored_as_expected_passes_and_anything_else_is_the_difference() -> None:
    ignoring = {"name": "heartbeat", "when": "type == 1", "ignore": True}
    model = MappingFile.model_validate(
        {"mappings": [ignoring, MAPPING], "tests": [{"record": {"type": 1}, "ignored": True, "mapping": "heartbeat"}]}
    )
    compiled = compile_file(model, "TRCC")
    assert run_cases(compiled.tests, Mapper(compiled.mappings))[0].differences == ()
    assert differences({"record": RECORD, "ignored": True}) == [("outcome", "ignored", "a post to EUR=TRCC")]


AROUND = {
    "name": "around",
    "ric": "{@key}.{@topic}",
    "fields": {"A": "@partition", "B": "@offset", "C": "@timestamp", "D": "@headers.desk", "E": "@headers['seq']"},
}


def test_what_surrounds_the_record_can_be_given() -> None:
    case = {
        "record": {},
        "key": "EUR",
        "topic": "quotes",
        "partition": 3,
        "offset": 1812,
        "timestamp": "2026-11-22T10:15:30.123+01:00",
        "headers": {"desk": "fx", "seq": 7},
        "post": {
            "ric": "EUR.quotes",
            "fields": {"A": 3, "B": 1812, "C": 1795338930123, "D": "fx", "E": "7"},
        },
    }
    model = MappingFile.model_validate({"mappings": [AROUND], "tests": [case, {**case, "timestamp": 1795338930123}]})
    compiled = compile_file(model, "TRCC")
    assert compiled.problems == []
    assert [one.differences for one in run_cases(compiled.tests, Mapper(compiled.mappings))] == [(), ()]


def test_what_surrounds_the_record_and_is_not_given_is_missing() -> None:
    fields = {"A": "@partition", "B": "@offset", "C": {"from": "@timestamp", "missing": "skip"}}
    mapping = {"name": "around", "ric": "{coalesce(@key, 'none')}.{@topic}", "fields": fields}
    case = {"record": {}, "post": {"ric": "none.prices", "including": {"A": 0, "B": 0}}}
    compiled = compile_file(MappingFile.model_validate({"mappings": [mapping], "tests": [case]}), "TRCC")
    assert run_cases(compiled.tests, Mapper(compiled.mappings))[0].differences == ()


def test_value_that_is_none_can_be_for_a_mapping() -> None:
    mapping = {"name": "gone", "when": "@empty", "ric": "{@key}=", "fields": {"BID": {"value": None}}}
    case = {"value": None, "key": "EUR", "mapping": "gone", "post": {"ric": "EUR=", "fields": {"BID": None}}}
    compiled = compile_file(MappingFile.model_validate({"mappings": [mapping], "tests": [case]}), "TRCC")
    assert run_cases(compiled.tests, Mapper(compiled.mappings))[0].differences == ()


@pytest.mark.parametrize("timestamp", ["2026-11-22", "2026-11-22T10:15:30", "now", -1, True, 1.5])
def test_timestamp_is_milliseconds_or_a_time_with_its_zone(timestamp: object) -> None:
    with pytest.raises(ValidationError):
        run({"record": {}, "timestamp": timestamp, "rejected": "BadRecord"})


def test_control_characters_are_shown_by_their_numbers() -> None:
    assert value_text("a\x1b[8`\u2028é") == '"a\\u001b[8`\\u2028é"'
