"""Problems of a mapping file: all at once, each with its place."""

from typing import Any

import pytest
from pydantic import ValidationError

from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import MappingProblem
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Rejected
from contribd.mapping.rules import MappingFile

GOOD: dict[str, Any] = {"name": "spot", "ric": "{pair}=", "fields": {"BID": "bid"}}


def problems(*mappings: dict[str, Any]) -> list[MappingProblem]:
    return compile_file(MappingFile.model_validate({"mappings": list(mappings)}), "TRCC").problems


def field_problem(spec: object) -> MappingProblem:
    found = problems({**GOOD, "fields": {"BID": spec}})
    assert len(found) == 1, found
    return found[0]


def test_good_mapping_compiles_with_the_default_service() -> None:
    compiled = compile_file(MappingFile.model_validate({"mappings": [GOOD]}), "TRCC")
    assert compiled.problems == []
    assert [(mapping.name, mapping.service) for mapping in compiled.mappings] == [("spot", "TRCC")]


def test_all_problems_are_found_at_once_each_at_its_character() -> None:
    found = problems(
        {
            "name": "spot",
            "when": "asset = 'FX'",
            "ric": "{pair=TRCC",
            "service": "257",
            "fields": {"BID": "bid +", "ASK": {"from": "rond(ask)"}, "no good ": "x"},
            "checks": ["bid < ask < 2", {"that": "upper(x)", "text": "never"}],
        },
        {**GOOD, "name": "spot"},
    )
    assert {(problem.path, problem.offset) for problem in found} == {
        (("mappings", 0, "when"), 6),
        (("mappings", 0, "ric"), 0),
        (("mappings", 0, "service"), 0),
        (("mappings", 0, "fields", "BID"), 5),
        (("mappings", 0, "fields", "ASK", "from"), 0),
        (("mappings", 0, "fields", "no good "), 0),
        (("mappings", 0, "checks", 0), 10),
        (("mappings", 0, "checks", 1, "that"), 0),
        (("mappings", 1, "name"), 0),
    }
    assert [problem.path[-1] for problem in found if problem.key] == ["no good "]


def test_a_mapping_that_ignores_says_nothing_about_posts() -> None:
    ignoring = {"name": "heartbeat", "when": "beat == 1", "ignore": True}
    assert problems(ignoring) == []
    found = problems({**ignoring, "ric": "X=", "fields": {"BID": "bid"}, "service": "S"})
    assert {(problem.path[2:], problem.code, problem.key) for problem in found} == {
        (("ric",), "M203", True),
        (("fields",), "M203", True),
        (("service",), "M203", True),
    }
    assert {problem.cure for problem in found} >= {"Remove ric, or remove ignore"}


def test_a_mapping_that_posts_says_what_and_where_to() -> None:
    found = problems({"name": "spot"})
    assert [(problem.path[2:], problem.code) for problem in found] == [(("fields",), "M202"), (("ric",), "M201")]


def test_mapping_with_a_problem_is_left_out() -> None:
    model = MappingFile.model_validate({"mappings": [{**GOOD, "when": "("}, {**GOOD, "name": "other"}]})
    assert [mapping.name for mapping in compile_file(model, "T").mappings] == ["other"]


def test_name_taken_in_another_file_is_a_problem() -> None:
    model = MappingFile.model_validate({"mappings": [GOOD]})
    assert "another mapping is named spot" in compile_file(model, "T", taken={"spot"}).problems[0].text


@pytest.mark.parametrize(
    ("spec", "at", "text"),
    [
        ({}, (), "either from (an expression) or value"),
        ({"from": "bid", "value": 1}, (), "either from (an expression) or value"),
        ({"value": "ACME", "round": 2}, ("value",), "round takes a number"),
        ({"from": "upper(x)", "round": 2}, ("round",), "round takes a number; this is text"),
        ({"from": "x", "as": "time", "round": 2}, ("round",), "round goes with numbers"),
        ({"value": 1, "lookup": {"a": 1}}, ("lookup",), "lookup goes with from"),
        ({"value": 1, "missing": "skip"}, ("missing",), "missing goes with from"),
        ({"from": "x", "default": 0}, ("default",), "default goes with lookup"),
        ({"from": "x", "lookup": {}}, ("lookup",), "the table is empty"),
        ({"from": "x", "lookup": {"a": True, "b": 1}}, ("lookup", "a"), "not true or false"),
        ({"from": "x", "lookup": {"a": "b"}, "round": 2}, ("lookup", "a"), "round takes a number, not text"),
        ({"from": "x", "lookup": {"a": 1}, "default": 10**15}, ("default",), "below 1e15"),
        ({"from": "a < b"}, ("from",), "a field takes a number or text or null; this is true or false"),
        ({"from": "a < b", "as": "real"}, ("from",), "as: real takes"),
        ({"value": True}, ("value",), "not true or false"),
        ({"value": 10**15}, ("value",), "below 1e15"),
        ({"value": "25:99", "as": "time"}, ("value",), "no date or time"),
        ({"value": "a\nb"}, ("value",), "U+000A"),
        ({"value": "NaN"}, ("value",), "'NaN' is no price"),
        ({"value": "-inf"}, ("value",), "'-inf' is no price"),
        ({"from": "x", "lookup": {"a": "Inf"}}, ("lookup", "a"), "'Inf' is no price"),
        ({"from": "x", "lookup": {"a": 1}, "default": "NaN"}, ("default",), "'NaN' is no price"),
        ({"from": "1e20"}, ("from",), "below 1e15"),
        ({"from": "'NaN' if bid == null else bid"}, ("from",), "'NaN' is no price"),
        ({"from": "'yesterday'", "as": "date"}, ("from",), "no date or time"),
        ("'a\\nb'", (), "U+000A"),
        ({"from": "x", "as": "fraction", "lookup": {"a": "33/32"}}, ("lookup", "a"), "33 of 32"),
        ({"value": "99.16", "as": "fraction"}, ("value",), "has a point"),
        ({"from": "x", "fraction": {"of": 8}}, ("fraction",), "goes with as: fraction"),
        ({"from": "x", "as": "fraction", "fraction": {"of": 8, "third_digit": "decimal"}}, ("fraction",), "with 32nds"),
        ("a < b", (), "this is true or false"),
    ],
)
def test_settings_that_cannot_work_are_a_problem(spec: object, at: tuple[str, ...], text: str) -> None:
    problem = field_problem(spec)
    assert text in problem.text
    assert problem.path == ("mappings", 0, "fields", "BID", *at)


@pytest.mark.parametrize(
    "spec",
    [
        {"value": None},
        {"value": "9:5", "as": "text"},
        {"from": "null"},
        {"from": "x", "as": "fraction", "round": 5},
        {"from": "x", "as": "fraction", "fraction": {"of": 8, "point": "decimals"}},
    ],
)
def test_settings_that_work_are_none(spec: object) -> None:
    assert problems({**GOOD, "fields": {"BID": spec}}) == []


def test_a_constant_that_cannot_be_posted_is_marked_within_its_expression() -> None:
    problem = field_problem("bid if bid > 0 else 'Inf'")
    assert (problem.code, problem.offset) == ("M301", 20)


@pytest.mark.parametrize("name", ["BID", "52WK_HIGH", "ROW64_1", "22", "-1", "0", "X-Y", "D%LTA"])
def test_a_field_is_named_by_its_acronym_or_fid(name: str) -> None:
    assert problems({**GOOD, "fields": {name: "bid"}}) == []


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("B ID", "M206", "has a space"),
        ("BID ", "M206", "has a space"),
        ("quote.bid", "M206", "has a dot"),
        ('"BID"', "M206", "has '\"'"),
        ("22.0", "M206", "a FID is a whole number without leading zeros, not 22.0"),
        ("022", "M206", "not 022"),
        ("+22", "M206", "not +22"),
        ("40000", "M206", "between -32768 and 32767"),
        ("1" * 400, "M206", "between -32768 and 32767"),
        ("", "M206", "is empty"),
        ("A" * 65, "M206", "has 65 characters"),
        ("BID\u00e9", "M206", "and no acronym has one"),
        ("393", "M304", "refuses FIDs with a digit 9"),
        ("-9", "M304", "refuses FIDs with a digit 9"),
        ("ROW64_{row}", "M303", "has an expression in braces; a field's name can have one only where"),
        ("{field}", "M303", "has an expression in braces; a field's name can have one only where"),
    ],
)
def test_a_field_name_that_no_dictionary_has_is_a_problem(name: str, code: str, text: str) -> None:
    found = problems({**GOOD, "fields": {name: "bid"}})
    assert [(problem.code, problem.key) for problem in found] == [(code, True)]
    assert text in found[0].text
    assert found[0].cure


@pytest.mark.parametrize("ric", ["EÜR=", " EUR=", "EUR= ", "{pair}=\n", " {pair}", "X" * 256])
def test_a_ric_that_no_record_can_make_good_is_a_problem(ric: str) -> None:
    assert [(problem.path[-1], problem.code) for problem in problems({**GOOD, "ric": ric})] == [("ric", "M307")]


def test_a_ric_that_is_a_command_to_the_ats_stands_literally_in_the_mapping() -> None:
    outcomes = []
    for ric in ("{pair}", "ATS_{pair}", "{'ATS_'}{pair}"):
        model = MappingFile.model_validate({"mappings": [{**GOOD, "ric": ric}]})
        mapper = Mapper(compile_file(model, "TRCC").mappings)
        outcomes.append([mapper.map(b'{"pair": "%s", "bid": 1}' % pair) for pair in (b"ATS_DELETE", b"EUR=")])
    assert [[type(outcome) for outcome in each] for each in outcomes] == [
        [Rejected, Mapped],
        [Mapped, Mapped],
        [Rejected, Rejected],
    ]


@pytest.mark.parametrize("condition", ["1", "bid + 1", "upper(x)", "null"])
def test_condition_that_is_never_true_or_false_is_a_problem(condition: str) -> None:
    for place in ({"when": condition}, {"checks": [condition]}):
        assert "a condition is true or false" in problems({**GOOD, **place})[0].text


@pytest.mark.parametrize("service", ["", "257", " T", "a\n"])
def test_service_is_a_name(service: str) -> None:
    assert problems({**GOOD, "service": service})[0].path == ("mappings", 0, "service")


@pytest.mark.parametrize(
    ("data", "loc"),
    [
        ({"mappings": [{**GOOD, "feilds": {}}]}, ("mappings", 0, "feilds")),
        (
            {"mappings": [{**GOOD, "fields": {"BID": {"from": "b", "rond": 2}}}]},
            ("mappings", 0, "fields", "BID", "rond"),
        ),
        ({"mappings": [{**GOOD, "fields": {"BID": 5}}]}, ("mappings", 0, "fields", "BID")),
        ({"mappings": [{**GOOD, "fields": {}}]}, ("mappings", 0, "fields")),
        (
            {"mappings": [{**GOOD, "fields": {"B": {"from": "b", "round": 15}}}]},
            ("mappings", 0, "fields", "B", "round"),
        ),
        (
            {"mappings": [{**GOOD, "fields": {"B": {"from": "b", "round": True}}}]},
            ("mappings", 0, "fields", "B", "round"),
        ),
        ({"mappings": [{**GOOD, "post": "close"}]}, ("mappings", 0, "post")),
        ({"mappings": [{**GOOD, "name": ""}]}, ("mappings", 0, "name")),
        ({"mappings": [{"ric": "x", "fields": {"B": "b"}}]}, ("mappings", 0, "name")),
        ({"mappings": [{**GOOD, "when": 1}]}, ("mappings", 0, "when")),
        ({"mappings": [{**GOOD, "checks": [{"text": "x"}]}]}, ("mappings", 0, "checks", 0, "that")),
        ({"tests": [{"record": {}}]}, ("tests", 0)),
        ({"tests": [{"record": {}, "rejected": "Nope"}]}, ("tests", 0, "rejected", "code")),
        ({"tests": [{"record": [], "rejected": "BadValue"}]}, ("tests", 0, "record")),
        ({"tests": [{"record": {}, "post": {"ric": "x", "fields": {"A": []}}}]}, ("tests", 0, "post", "fields", "A")),
    ],
)
def test_wrong_shape_is_refused_at_its_place(data: dict[str, Any], loc: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        MappingFile.model_validate(data)
    assert [error["loc"] for error in caught.value.errors()] == [loc]


def test_when_may_be_written_as_a_boolean() -> None:
    assert problems({**GOOD, "when": True}) == []


def test_schema_allows_the_short_forms() -> None:
    schema = MappingFile.model_json_schema()
    assert {"type": "string"} in schema["$defs"]["FieldSpec"]["anyOf"]
    assert {"type": "string"} in schema["$defs"]["CheckSpec"]["anyOf"]


def test_fields_to_withdraw_are_fields_of_the_mapping() -> None:
    good = compile_file(MappingFile.model_validate({"mappings": [{**GOOD, "withdraw": ["BID"]}]}), "TRCC")
    assert [mapping.withdraw for mapping in good.mappings] == [frozenset({"BID"})]
    found = problems({**GOOD, "withdraw": ["BIT", "BID", "BID", "PRICE"]})
    assert [(problem.path, problem.text, problem.cure) for problem in found] == [
        (("mappings", 0, "withdraw", 0), "the mapping spot has no field BIT", "Write BID"),
        (("mappings", 0, "withdraw", 2), "BID is named twice", "Remove one"),
        (("mappings", 0, "withdraw", 3), "the mapping spot has no field PRICE", "Write one of its fields: BID"),
    ]


@pytest.mark.parametrize(
    ("key", "where"), [("when", "mapping"), ("ignore", "mapping"), ("round", "field"), ("as", "field")]
)
def test_a_key_with_nothing_behind_it_is_not_taken_for_none(key: str, where: str) -> None:
    mapping: dict[str, Any] = {"name": "one", "ric": "A=", "fields": {"BID": {"from": "bid"}}}
    (mapping if where == "mapping" else mapping["fields"]["BID"])[key] = None
    with pytest.raises(ValidationError, match="without one take the key away"):
        MappingFile.model_validate({"mappings": [mapping]})


def test_a_thousand_checks_and_braces_are_compiled() -> None:
    checks = [f"bid > {number}" for number in range(1000)]
    assert problems({**GOOD, "checks": checks}) == []
    (found,) = problems({**GOOD, "ric": "{pair}" * 1000})
    assert found.text == "a RIC has at most 255 characters, this has 1000"


def test_a_service_has_no_braces() -> None:
    (found,) = problems({**GOOD, "service": "{svc}"})
    assert found.cure == "Write a mapping for each service, with a when"
