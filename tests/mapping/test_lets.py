"""What a mapping computes first, what its checks see of the post, and what surrounds the record in Kafka."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import MappingProblem
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Outcome, RejectCode, Rejected, UnreadValue
from contribd.mapping.rules import MappingFile
from contribd.mapping.scope import Surroundings
from contribd.mapping.tables import Table

TABLES = {"rics": Table("rics", {"A": "EUR="}, None)}
AROUND = Surroundings("EURUSD", "prices", 3, 1812, 1_780_000_000_000, {"source": "desk-7"})


def compiled(*mappings: dict[str, Any], tests: list[Any] | None = None) -> Any:
    model = MappingFile.model_validate({"mappings": list(mappings), "tests": tests or []})
    return compile_file(model, "TRCC", tables=TABLES)


def one(**more: Any) -> dict[str, Any]:
    return {"name": "one", "ric": "R=", "fields": {"BID": "bid"}, **more}


def mapper(*mappings: dict[str, Any]) -> Mapper:
    made = compiled(*mappings)
    assert made.problems == []
    return Mapper(made.mappings)


def problems(*mappings: dict[str, Any], tests: list[Any] | None = None) -> list[MappingProblem]:
    found: list[MappingProblem] = compiled(*mappings, tests=tests).problems
    return found


def result(using: Mapper, record: object, around: Surroundings | None = None) -> Outcome:
    return using.map(msgspec.json.encode(record), around)


def fields(using: Mapper, record: object, around: Surroundings | None = None) -> dict[str, Any]:
    outcome = result(using, record, around)
    assert isinstance(outcome, Mapped), outcome
    return {"ric": outcome.ric, **outcome.fields}


# let

LETS = one(
    let={"pair": "upper(base)", "mid": "(bid + ask) / 2", "ric": "rics[id]"},
    ric='{ric if id in rics else pair + "="}',
    fields={"MID": {"from": "mid", "missing": "skip"}, "TEXT": "pair", "C": {"from": "coalesce(mid, 0)"}},
    checks=["not exists(mid) or mid > 0"],
)


def test_a_let_is_named_in_ric_fields_and_checks() -> None:
    record = {"base": "eur", "bid": 1, "ask": 2, "id": "A"}
    assert fields(mapper(LETS), record) == {"ric": "EUR=", "MID": Decimal("1.5"), "TEXT": "EUR", "C": Decimal("1.5")}
    assert fields(mapper(LETS), {**record, "id": "B"})["ric"] == "EUR="


def test_a_let_that_cannot_be_computed_is_missing_where_it_is_used() -> None:
    assert fields(mapper(LETS), {"base": "eur", "bid": 1, "id": "A"}) == {"ric": "EUR=", "TEXT": "EUR", "C": 0}
    outcome = result(mapper(LETS), {"base": "eur", "bid": "1", "ask": 2, "id": "A"})
    assert isinstance(outcome, Rejected)
    assert outcome.code is RejectCode.BAD_VALUE
    assert outcome.text.startswith("MID: mid: '+' ")


def test_a_let_that_nobody_uses_for_this_record_rejects_nothing() -> None:
    using = mapper(one(let={"far": "a.b.c"}, fields={"BID": "bid if exists(bid) else far"}))
    assert fields(using, {"bid": 1}) == {"ric": "R=", "BID": 1}


def test_failures_of_one_record_are_not_those_of_the_next() -> None:
    using = mapper(LETS)
    good = {"base": "eur", "bid": 1, "ask": 2, "id": "A"}
    assert isinstance(result(using, {**good, "bid": "x"}), Rejected)
    assert fields(using, good)["MID"] == Decimal("1.5")
    assert "MID" not in fields(using, {"base": "eur", "ask": 2, "id": "A"})


def test_a_let_uses_those_before_it() -> None:
    using = mapper(one(let={"a": "bid * 2", "b": "a + 1"}, fields={"B": "b"}))
    assert fields(using, {"bid": 2}) == {"ric": "R=", "B": 5}


@pytest.mark.parametrize(
    ("mapping", "path", "code"),
    [
        (one(let={"a": "b", "b": "bid"}, fields={"A": "a", "B": "b"}), ("let", "a"), "M211"),
        (one(let={"bid": "number(bid)"}), ("let", "bid"), "M211"),
        (one(let={"mid": "bid"}, when="mid > 0", fields={"F": "mid"}), ("when",), "M211"),
        (one(let={"mid": "bid"}), ("let", "mid"), "M212"),
        (one(let={"in": "bid"}), ("let", "in"), "M210"),
        (one(let={"item": "bid"}), ("let", "item"), "M210"),
        (one(let={"round": "bid"}), ("let", "round"), "M210"),
        (one(let={"a b": "bid"}), ("let", "a b"), "M210"),
        (one(let={"rics": "bid"}, fields={"F": "rics"}), ("let", "rics"), "M210"),
    ],
)
def test_a_let_that_cannot_be_meant_is_told(mapping: dict[str, Any], path: tuple[str, ...], code: str) -> None:
    assert [(problem.path[2:], problem.code) for problem in problems(mapping)] == [(path, code)]


def test_a_wrong_let_is_told_once_however_often_it_is_used() -> None:
    assert [problem.path[2:] for problem in problems(one(let={"a": "bid +"}, fields={"F": "a", "G": "a"}))] == [
        ("let", "a")
    ]


def test_a_misplaced_let_is_told_at_its_character() -> None:
    [problem] = problems(one(let={"mid": "bid"}, when="asset == 1 and mid > 0", fields={"F": "mid"}))
    assert problem.offset == 15
    assert problem.text.startswith("mid is computed once the mapping was chosen")


def test_a_test_record_has_no_key_that_means_something_else() -> None:
    mapping = one(let={"mid": "bid"}, ric="{rics[id]}", fields={"F": "mid"})
    tests = [{"record": {"bid": 1}, "rejected": "BadValue"}, {"record": {"mid": 1, "rics": 2}, "rejected": "BadValue"}]
    assert [(problem.path, problem.code, problem.key) for problem in problems(mapping, tests=tests)] == [
        (("tests", 1, "record", "mid"), "M213", True),
        (("tests", 1, "record", "rics"), "M213", True),
    ]
    assert problems(one(), tests=tests) == []


def test_a_test_record_has_no_key_that_is_called_as_the_element_of_a_list() -> None:
    tests = [{"record": {"item": 1}, "rejected": "BadValue"}]
    [problem] = problems(one(fields={"F": "sum(bids, item.size)"}), tests=tests)
    assert (problem.path, problem.code, problem.cure) == (
        ("tests", 0, "record", "item"), "M213", 'Rename the key, or read ["item"]',
    )  # fmt: skip
    assert problems(one(fields={"F": "item"}), tests=tests) == []


# @post


def test_checks_see_what_will_be_posted() -> None:
    using = mapper(
        one(
            fields={"BID": {"from": "bid", "as": "real"}, "ASK": {"from": "ask", "round": 1}},
            checks=["@post.BID <= @post.ASK"],
        )
    )
    assert fields(using, {"bid": "9.5", "ask": 10.24}) == {"ric": "R=", "BID": Decimal("9.5"), "ASK": Decimal("10.2")}
    outcome = result(using, {"bid": "10.2", "ask": 9.5})
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.text) == (
        RejectCode.CHECK_FAILED,
        "@post.BID <= @post.ASK is false (@post.BID 10.2, @post.ASK 9.5)",
    )


def test_a_field_that_was_skipped_is_missing_of_the_post() -> None:
    using = mapper(one(fields={"BID": {"from": "bid", "missing": "skip"}, "ASK": "ask"}, checks=["@post.BID > 0"]))
    outcome = result(using, {"ask": 1})
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.text) == (RejectCode.MISSING_FIELD, "check @post.BID > 0: the post has no BID")


def test_check_that_names_a_field_as_a_key_is_told_how_the_post_is_named() -> None:
    outcome = mapper(one(fields={"BID": "bid"}, checks=["BID > 0"])).map(b'{"bid": 1}')
    assert isinstance(outcome, Rejected)
    assert outcome.text == "check BID > 0: the record has no BID; what will be posted is @post.BID"


def test_the_post_is_known_in_checks_alone() -> None:
    assert [problem.code for problem in problems(one(fields={"A": "@post.A"}, checks=["@post.B > 1"]))] == [
        "M123",
        "M123",
    ]


# What surrounds the record

SURROUNDED = one(
    when='@topic == "prices"',
    ric="{@key}=",
    fields={"P": "@partition", "O": "@offset", "T": {"from": "@timestamp", "as": "time"}, "S": "@headers.source"},
)


def test_a_record_s_surroundings_are_named_with_at() -> None:
    using = mapper(SURROUNDED)
    assert using.surrounded
    assert fields(using, {"bid": 1}, AROUND) == {
        "ric": "EURUSD=",
        "P": 3,
        "O": 1812,
        "T": "20:26:40.000",
        "S": "desk-7",
    }


def test_what_kafka_does_not_have_is_missing() -> None:
    around = AROUND._replace(key=None, headers={})
    outcome = result(mapper(SURROUNDED), {"bid": 1}, around)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.text) == (RejectCode.MISSING_FIELD, "ric: the record has no @key")
    outcome = result(mapper(SURROUNDED), {"bid": 1}, AROUND._replace(headers={}))
    assert isinstance(outcome, Rejected)
    assert outcome.text == "S: the record has no @headers.source"


@pytest.mark.parametrize(
    "mapping",
    [
        one(),
        one(let={"a": "bid"}, fields={"F": "a"}, checks=["@post.F > 0"]),
        one(when="@empty"),
        one(fields={"F": '["@key"]'}),
    ],
)
def test_a_mapping_that_names_none_of_it_asks_for_none(mapping: dict[str, Any]) -> None:
    assert not mapper(mapping).surrounded


@pytest.mark.parametrize("place", ["when", "let", "ric", "checks", "fields"])
def test_a_mapping_that_names_some_of_it_anywhere_asks_for_it(place: str) -> None:
    more: dict[str, Any] = {
        "when": '@key == "a"',
        "let": {"k": "@key"},
        "ric": "{@key}",
        "checks": ['@key == "a"'],
        "fields": {"F": "@key"},
    }
    used = {"fields": {"F": "k"}} if place == "let" else {}
    assert mapper(one(**{place: more[place]}, **used)).surrounded


# Records without a value

BLANKS = {"name": "gone", "when": "@empty", "ric": "{@key}=", "fields": {"BID": {"value": None}, "ASK": {"value": 0}}}


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_a_value_is_for_the_mappings_that_ask_for_one(value: bytes | None) -> None:
    using = mapper(one(), BLANKS)
    outcome = using.map(value, AROUND)
    assert isinstance(outcome, Mapped)
    assert (outcome.mapping, outcome.ric, outcome.fields) == ("gone", "EURUSD=", {"BID": None, "ASK": 0})
    assert fields(using, {"bid": 1})["BID"] == 1


def test_a_record_with_a_value_is_not_empty() -> None:
    assert fields(mapper(BLANKS, one()), {"bid": 1}) == {"ric": "R=", "BID": 1}
    assert isinstance(mapper(one(when="not @empty")).map(b'{"bid": 1}'), Mapped)


def test_a_record_without_a_value_is_bad_where_no_mapping_asks_for_one() -> None:
    assert mapper(one()).map(None) == Rejected(RejectCode.BAD_RECORD, "the record has no value")
    using = mapper({**BLANKS, "when": '@empty and @key == "X"'})
    assert using.map(None, AROUND) == Rejected(
        RejectCode.BAD_RECORD, "the record has no value, and no mapping's when is true"
    )


def test_a_value_that_could_not_be_read_is_none_that_is_empty() -> None:
    outcome = mapper(BLANKS).map(UnreadValue("skipped by an operator"), AROUND)
    assert outcome == Rejected(RejectCode.BAD_RECORD, "skipped by an operator")


def test_empty_records_can_be_ignored() -> None:
    outcome = mapper({"name": "gone", "when": "@empty", "ignore": True}).map(None)
    assert outcome.mapping == "gone"
