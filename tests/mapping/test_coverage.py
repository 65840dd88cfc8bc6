"""Coverage: each thing to try is counted once, is covered by the record that tries it, and by no other."""

from typing import Any

import msgspec
import pytest

from contribd.mapping.compile import compile_file
from contribd.mapping.coverage import Coverage
from contribd.mapping.noted import NotedMapper
from contribd.mapping.rules import MappingFile
from contribd.mapping.tables import Table
from contribd.mapping.tape import Tape, recording

BASE: dict[str, Any] = {"name": "m", "ric": "X=", "fields": {"BID": "bid"}}
TABLES = {
    "codes": Table("codes", {"USD": 840}, None),
    "desks": Table("desks", {"a": {"ric": "A="}}, frozenset({"ric"})),
}


def measure(mapping: dict[str, Any], *records: dict[str, Any]) -> Coverage:
    tape = Tape()
    with recording(tape):
        written = mapping if "ignore" in mapping else {**BASE, **mapping}
        compiled = compile_file(MappingFile.model_validate({"mappings": [written]}), "S", tables=TABLES)
    assert compiled.problems == []
    coverage = Coverage([*compiled.specs.values()], compiled.sites)
    mapper = NotedMapper(compiled.mappings, compiled.sites, tape)
    for record in records:
        coverage.add(mapper.map(msgspec.json.encode(record), None))
    return coverage


def left(mapping: dict[str, Any], *records: dict[str, Any]) -> set[str]:
    coverage = measure(mapping, *records)
    assert {key[0] for key in coverage.covered - set(coverage.points)} <= {"side", "missing"}
    return {point.what for key, point in coverage.points.items() if key not in coverage.covered}


def test_nothing_is_covered_by_no_record() -> None:
    assert left({}) == {"nothing is posted by m", "BID is never posted"}
    assert left({}, {"bid": 1}) == set()
    assert left({}, {"ask": 1}) == {"nothing is posted by m", "BID is never posted"}


def test_mapping_that_ignores_is_covered_by_what_it_ignores() -> None:
    mapping = {"name": "m", "when": "kind == 1", "ignore": True}
    assert left(mapping, {"kind": 1}) == {"kind == 1 is never false"}
    assert left(mapping, {"kind": 1}, {"kind": 2}) == set()


@pytest.mark.parametrize(
    ("condition", "records", "uncovered"),
    [
        ("a", [{"a": True}], {"a is never false"}),
        ("a and b", [{"a": True, "b": True}], {"a is never false", "b is never false", "a and b is never false"}),
        ("a and b", [{"a": True, "b": True}, {"a": False, "b": False}], {"b is never false"}),
        ("a and b", [{"a": True, "b": True}, {"a": False}, {"a": True, "b": False}], set()),
        ("a or b", [{"a": True}, {"a": False, "b": True}], {"b is never false", "a or b is never false"}),
        ("not (a or b)", [{"a": False, "b": False}, {"a": True}, {"a": False, "b": True}], set()),
        ("a", [{"a": True}, {}], {"a is never false"}),
        ("true", [{}], set()),
        ("(a if c else b)", [{"c": True, "a": True}], {
            "a if c else b is never false", "c is never false", "a is never false", "b is never true",
            "b is never false"}),
    ],
)  # fmt: skip
def test_both_sides_of_each_part_of_a_condition(
    condition: str, records: list[dict[str, Any]], uncovered: set[str]
) -> None:
    assert left({"when": condition}, *({**record, "bid": 1} for record in records)) == uncovered


def test_check_must_hold_and_fail() -> None:
    assert left({"checks": ["bid > 0"]}, {"bid": 1}) == {"the check bid > 0 never fails"}
    assert left({"checks": ["bid > 0"]}, {"bid": 1}, {"bid": 0}) == set()
    assert left({"checks": ["bid > 0"]}, {"bid": 1}, {"bid": None}) == {"the check bid > 0 never fails"}


def test_both_sides_of_a_choice() -> None:
    field = {"fields": {"BID": 'bid if side == "b" else ask'}}
    assert left(field, {"side": "b", "bid": 1}) == {'side == "b" is never false'}
    assert left(field, {"side": "b", "bid": 1}, {"side": "a", "ask": 1}) == set()


@pytest.mark.parametrize(("missing", "what"), [("skip", "left out"), ("blank", "blanked")])
def test_missing_must_take_effect(missing: str, what: str) -> None:
    fields = {"fields": {"BID": "bid", "ASK": {"from": "ask", "missing": missing}}}
    assert left(fields, {"bid": 1, "ask": 1}) == {f"ASK is never {what}"}
    assert left(fields, {"bid": 1}) == {"ASK is never posted"}
    assert left(fields, {"bid": 1}, {"bid": 1, "ask": 1}) == set()


def test_lookup_must_hit_and_miss() -> None:
    field: dict[str, Any] = {"fields": {"BID": {"from": "ccy", "lookup": {"USD": 840}}}}
    assert left(field, {"ccy": "USD"}) == {"the lookup of BID never refuses what it lacks"}
    assert left(field, {"ccy": "USD"}, {"ccy": "X"}) == set()
    # The default is the same as an entry: which of both it was is told all the same.
    field["fields"]["BID"]["default"] = 840
    assert left(field, {"ccy": "X"}) == {"the lookup of BID never finds ccy"}
    assert left(field, {"ccy": "USD"}) == {"the lookup of BID never takes its default"}


def test_each_alternative_must_be_taken() -> None:
    field = {"fields": {"BID": "coalesce(bid, last, 0)"}}
    assert left(field, {"bid": 1}) == {"coalesce never takes last", "coalesce never takes 0"}
    assert left(field, {"bid": None, "last": 2}, {}) == {"coalesce never takes bid"}


def test_conditions_within_list_functions_count() -> None:
    field = {"fields": {"BID": 'first(sizes, item.side == "B").price'}}
    assert left(field, {"sizes": [{"side": "B", "price": 1}]}) == {'item.side == "B" is never false'}
    assert left(field, {"sizes": [{"side": "A"}, {"side": "B", "price": 1}]}) == set()


def test_constants_are_posted_like_any_field() -> None:
    fields = {"fields": {"BID": "bid", "CTBTR_1": {"value": "ACME"}, "GV1_TEXT": {"value": None}}}
    assert left(fields, {"bid": 1}) == set()


def test_field_computed_again_one_by_one_is_covered_once() -> None:
    fields = {"fields": {"BID": "bid", "ASK": {"from": "ask", "missing": "skip"}, "MID": "1 if m else 2"}}
    assert left(fields, {"bid": 1, "m": True}) == {"ASK is never posted", "m is never false"}


def test_each_thing_names_a_record_that_would_try_it() -> None:
    mapping = {
        "when": "a",
        "fields": {"BID": {"from": "ccy", "lookup": {"USD": 1, "EUR": 2, "GBP": 3, "CHF": 4}}},
        "checks": ["b > 0"],
    }
    needs = {point.needs for point in measure(mapping).points.values()}
    assert {
        "a record for which a is true",
        "a record that m takes, for which b > 0 is false",
        "a record that m takes, in which ccy is one of USD, EUR, GBP, …",
        "a record that m takes, in which ccy is none of USD, EUR, GBP, …",
    } <= needs


def test_table_must_have_a_row_and_lack_one() -> None:
    fields = {"ric": "{desks[desk].ric}", "fields": {"BID": "bid", "ASK": {"from": "codes[ccy]", "missing": "skip"}}}
    good = {"desk": "a", "bid": 1, "ccy": "USD"}
    assert left(fields, good) == {"desks never lacks desk", "codes never lacks ccy", "ASK is never left out"}
    assert left(fields, good, {**good, "desk": "b"}, {**good, "ccy": "X"}) == set()
    assert "desks never lacks desk" in left(fields, good, {"bid": 1})


@pytest.mark.parametrize(
    ("key", "uncovered"),
    [
        ("'USD'", set()),
        ("'USD' if up else 'EUR'", {'codes never lacks "USD" if up else "EUR"'}),
        ("'USD' if up else ccy", {'codes never lacks "USD" if up else ccy'}),
    ],
)
def test_row_of_a_constant_key_is_tried_as_the_table_can_go(key: str, uncovered: set[str]) -> None:
    left_over = left({"fields": {"BID": f"codes[{key}]"}}, {"up": True})
    assert {each for each in left_over if "never lacks" in each} == uncovered


def test_constant_key_that_the_table_lacks_is_not_asked_to_be_found() -> None:
    assert left({"fields": {"BID": "coalesce(codes['EUR'], 0)"}}, {}) == {'coalesce never takes codes["EUR"]'}


def test_table_asked_twice_with_one_key_counts_once() -> None:
    fields = {"ric": "{desks[desk].ric}", "fields": {"BID": "bid", "GV1_TEXT": "desks[desk].ric"}}
    assert left(fields, {"desk": "a", "bid": 1}, {"desk": "b"}) == set()


def test_row_that_a_condition_asks_for_counts_there() -> None:
    fields = {"when": "desk in desks", "ric": "{desks[desk].ric}"}
    assert left(fields, {"desk": "a", "bid": 1}) == {"desk in desks is never false"}
    assert left(fields, {"desk": "a", "bid": 1}, {"desk": "b"}) == set()


def test_values_computed_before_are_measured_where_they_are_computed() -> None:
    mapping = {"let": {"side": "1 if buy else 2"}, "fields": {"BID": "bid * side"}}
    assert left(mapping, {"bid": 1, "buy": True}) == {"buy is never false"}
