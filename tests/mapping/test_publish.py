"""Publish rules: what is worth a post, by what was last posted."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contribd.mapping.cases import run_cases
from contribd.mapping.codes import Code
from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import Compiled
from contribd.mapping.coverage import Coverage
from contribd.mapping.judging import InARow
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, PostType, Rejected, SuppressCode, Suppressed, parts_of
from contribd.mapping.publish import Last, Limit, PublishRules
from contribd.mapping.rules import MappingFile
from contribd.mapping.scope import Surroundings

FIELDS = {"BID": "bid", "MID_PRICE": "mid", "QUOTIM": {"from": "at", "as": "time"}, "NOTE": {"from": "note"}}


def compiled(publish: dict[str, Any] | None, tests: list[dict[str, Any]] | None = None, **more: Any) -> Compiled:
    mapping = {"name": "m", "ric": "{pair}=", "fields": FIELDS, **more}
    if publish is not None:
        mapping["publish"] = publish
    return compile_file(MappingFile.model_validate({"mappings": [mapping], "tests": tests or []}), "S")


def rules(publish: dict[str, Any], **more: Any) -> PublishRules:
    made = compiled(publish, **more)
    assert made.problems == []
    found = made.mappings[0].publish
    assert found is not None
    return found


def problems(publish: dict[str, Any] | None, **more: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.text) for problem in compiled(publish, **more).problems]


LAST: dict[str, Any] = {"BID": Decimal("1.0841"), "MID_PRICE": Decimal("1.0842"), "QUOTIM": "10:15:30", "NOTE": "a"}


def unchanged(publish: dict[str, Any], unsure: frozenset[str] = frozenset(), **values: Any) -> bool:
    fields = {**LAST, **values}
    return rules(publish).unchanged(fields, PostType.UPDATE, Last(LAST, unsure=unsure)) is not None


MID = {"min_change": {"MID_PRICE": Decimal("0.0001")}}


def test_a_post_is_unchanged_where_nothing_moved_enough() -> None:
    assert unchanged(MID)
    assert unchanged(MID, MID_PRICE=Decimal("1.08429"))
    assert unchanged(MID, MID_PRICE=Decimal("1.08411"))


def test_a_move_of_exactly_the_limit_is_posted() -> None:
    assert not unchanged(MID, MID_PRICE=Decimal("1.0843"))
    assert not unchanged(MID, MID_PRICE=Decimal("1.0841"))


def test_a_field_that_is_not_named_counts_with_any_change() -> None:
    assert not unchanged(MID, BID=Decimal("1.08411"))
    assert not unchanged(MID, NOTE="b")
    assert unchanged(MID, BID=Decimal("1.08410"))  # the same by value


def test_a_new_time_alone_says_nothing_new_unless_it_is_named() -> None:
    assert unchanged(MID, QUOTIM="10:15:31")


def test_ignored_fields_do_not_count() -> None:
    assert unchanged({"min_change": {"MID_PRICE": 1, "BID": "ignore"}}, BID=Decimal(7))


def test_a_percentage_is_one_of_the_last_value() -> None:
    of_bid = {"min_change": {"BID": "1%"}}
    assert unchanged(of_bid, BID=Decimal("1.0949"))
    assert not unchanged(of_bid, BID=Decimal("1.094941"))


def test_blanks_and_values_are_told_apart_and_what_is_unsure_is_changed() -> None:
    assert not unchanged(MID, MID_PRICE=None)
    assert not unchanged(MID, MORE=1)
    assert not unchanged(MID, frozenset({"BID"}))
    same = rules(MID).unchanged({"BID": None}, PostType.UPDATE, Last({"BID": None}))
    assert same == "nothing has changed"


def test_where_nothing_is_known_nothing_is_unchanged() -> None:
    assert rules(MID).unchanged(dict(LAST), PostType.UPDATE, Last({})) is None


def test_a_refresh_that_takes_fields_away_is_a_change() -> None:
    fields = {"BID": LAST["BID"]}
    assert rules(MID).unchanged(fields, PostType.UPDATE, Last(LAST)) is not None
    assert rules(MID).unchanged(fields, PostType.REFRESH, Last(LAST)) is None


def too_far(publish: dict[str, Any], last: dict[str, Any], age: float | None = None, **values: Any) -> str | None:
    mapped = Mapped("EUR=", "S", "m", PostType.UPDATE, values)
    found = rules(publish).by_itself(mapped, Last(last, age), None)
    assert found is None or found.code is SuppressCode.TOO_FAR
    return None if found is None else found.text


def test_a_price_that_moved_too_far_says_field_values_and_limit() -> None:
    move = {"max_move": {"BID": "5%"}}
    assert too_far(move, {"BID": Decimal("1.08")}, BID=Decimal("1.134")) is None
    assert too_far(move, {"BID": Decimal("1.08")}, BID=Decimal("1.2")) == (
        "BID 1.2 is 0.12 (11.1 %) from 1.08, which was posted last; max_move is 5 % within 1h of it"
    )
    assert too_far({"max_move": {"BID": 1}}, {"BID": Decimal(-3)}, BID=Decimal(-5)) is not None


@pytest.mark.parametrize("last", [{}, {"BID": None}, {"BID": Decimal(0)}, {"BID": "x"}])
def test_what_cannot_be_compared_has_not_moved_too_far(last: dict[str, Any]) -> None:
    assert too_far({"max_move": {"BID": "5%"}}, last, BID=Decimal(9)) is None


def test_a_value_last_posted_long_ago_does_not_count() -> None:
    move = {"max_move": {"BID": "5%"}, "max_move_within": "10m"}
    assert too_far(move, {"BID": Decimal(1)}, 600.0, BID=Decimal(2)) is not None
    assert too_far(move, {"BID": Decimal(1)}, 600.1, BID=Decimal(2)) is None


def test_an_interval_is_over_once_it_has_passed() -> None:
    soon = rules({"min_interval": "200ms"})
    assert soon.too_soon(0.199) == "0.199 s after the last post; min_interval is 200ms"
    assert soon.too_soon(0.2) is None
    assert soon.too_soon(None) is None


def test_large_numbers_are_compared_to_the_last_digit() -> None:
    last = {"BID": Decimal("999999999999999.00000000000001")}
    limit = PublishRules(max_move={"BID": Limit(Decimal("0.00000000000001"))})
    near = Mapped("E=", "S", "m", PostType.UPDATE, {"BID": Decimal("999999999999999.00000000000002")})
    far = Mapped("E=", "S", "m", PostType.UPDATE, {"BID": Decimal("999999999999999.00000000000003")})
    assert limit.by_itself(near, Last(last), None) is None
    assert limit.by_itself(far, Last(last), None) is not None


# What a mapping may say


@pytest.mark.parametrize(
    "publish",
    [
        {"min_change": {}},
        {"min_change": {"BID": 0}},
        {"min_change": {"BID": "5"}},
        {"max_move": {"BID": "ignore"}},
        {"max_move": {"BID": -1}},
        {"max_move": {"BID": True}},
        {"min_interval": 200},
        {"min_interval": "2h"},
        {"max_move_within": "25h"},
        {"hours": 7},
        {"hours": []},
        {"unknown": 1},
    ],
)
def test_a_shape_that_is_none_is_refused(publish: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        compiled(publish)


def test_what_is_wrong_with_rules_is_told() -> None:
    assert problems({"max_move": {"BIT": 1}})[0][0] == Code.PUBLISH_FIELD
    assert problems({"max_move": {"QUOTIM": 1}})[0][0] == Code.PUBLISH_NUMBER
    assert problems({"min_change": {"QUOTIM": 1}})[0][0] == Code.PUBLISH_NUMBER
    assert problems({"min_change": {"QUOTIM": "ignore"}}) == []
    constant = {"BID": "bid", "CTBTR_1": {"value": 1}}
    assert problems({"min_change": {"CTBTR_1": 1}}, fields=constant)[0][0] == Code.PUBLISH_NUMBER
    assert problems({"max_move_within": "1m"})[0][0] == Code.PUBLISH_EFFECT
    assert problems({})[0][0] == Code.PUBLISH_EFFECT
    assert problems({"hours": "07:00-18:00 Europe/Londn"})[0][0] == Code.ZONE
    assert problems({"hours": ["07:00-18:00 UTC", "x"]})[0][0] == Code.HOURS


def test_rules_that_are_null_are_none() -> None:
    assert compiled({"min_change": None, "hours": None}).mappings[0].publish is None


# What was last posted, in expressions

CHECK: dict[str, Any] = {"checks": ["abs(bid - coalesce(@last.BID, bid)) < 0.05"]}


def mapped(made: Compiled, last: dict[str, Any] | None, **record: Any) -> Any:
    assert made.problems == []
    values = {"pair": '"EUR"', "bid": "1.08", "mid": "1.08", "at": '"10:00:00Z"', "note": '"a"', **record}
    text = "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"
    view = None if last is None else lambda service, ric: last if (service, ric) == ("S", "EUR=") else {}
    return Mapper(made.mappings).map(text.encode(), None, view)


def test_a_check_compares_with_what_was_last_posted() -> None:
    made = compiled(None, **CHECK)
    assert isinstance(mapped(made, {"BID": Decimal("1.1")}), Mapped)
    assert isinstance(mapped(made, None), Mapped)
    assert isinstance(mapped(made, {"BID": None}), Mapped)
    found = mapped(made, {"BID": Decimal("1.2")})
    assert isinstance(found, Rejected)
    assert "1.2" in found.text


def test_a_field_can_be_what_was_last_posted() -> None:
    fields = {"BID": "bid", "NETCHNG_1": {"from": "bid - @last.BID", "missing": "skip"}}
    made = compiled(None, fields=fields)
    assert mapped(made, {}).fields == {"BID": Decimal("1.08")}
    assert mapped(made, {"BID": Decimal(1)}).fields == {"BID": Decimal("1.08"), "NETCHNG_1": Decimal("0.08")}
    assert made.mappings[0].publish is not None
    assert made.mappings[0].publish.remembers


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ric": "{@last.BID}="}, Code.NO_LAST),
        ({"when": "@last.BID > 1"}, Code.NO_LAST),
        ({"let": {"a": "@last.BID"}, "checks": ["a > 1"]}, Code.NO_LAST),
        ({"each": "@last.BID"}, Code.NO_LAST),
        ({"checks": ["@last > 1"]}, Code.NO_LAST),
        ({"checks": ["coalesce(@last.BIT, 1) > 0"]}, Code.NO_LAST),
        ({"checks": ["coalesce(@last.BID.x, 1) > 0"]}, Code.KIND),
        ({"checks": ["bid > @last.BID"]}, Code.LAST_UNKNOWN),
        ({"checks": ["bid > coalesce(1, @last.BID)"]}, Code.LAST_UNKNOWN),
        ({"fields": {"BID": "bid", "OLD": "@last.BID"}}, Code.LAST_UNKNOWN),
    ],
)
def test_where_it_cannot_be_named_is_told(more: dict[str, Any], code: Code) -> None:
    assert problems(None, **more)[0][0] == code


def test_an_expression_that_asks_whether_it_is_there_does_without() -> None:
    assert problems(None, checks=["bid > @last.BID if exists(@last.BID) else true"]) == []


def test_each_post_of_a_record_sees_what_was_last_posted_for_its_own_ric() -> None:
    posts = [
        {"ric": "{pair}=", "fields": {"BID": "coalesce(@last.BID, 0)"}},
        {"ric": "{pair}2=", "fields": {"BID": "coalesce(@last.BID, 0)"}},
    ]
    spec = {"name": "m", "posts": posts}
    made = compile_file(MappingFile.model_validate({"mappings": [spec]}), "S")
    parts = parts_of(mapped(made, {"BID": Decimal(5)}))
    assert [part.fields for part in parts] == [{"BID": Decimal(5)}, {"BID": 0}]


# Tests of a mapping file

RECORD = {"pair": "EUR", "bid": Decimal("1.0841"), "mid": Decimal("1.0842"), "at": "10:15:31Z", "note": "a"}
ALL = {
    **MID,
    "min_interval": "200ms",
    "max_move": {"BID": "5%"},
    "hours": "Mon-Fri 07:00-18:00 Europe/London",
}
MONDAY = 1_796_032_800_000  # 2026-11-30T10:00:00Z
CASES: list[dict[str, Any]] = [
    {"record": RECORD, "last": LAST, "suppressed": "Unchanged"},
    {"record": RECORD, "last": {"EUR=": LAST}, "at": MONDAY, "suppressed": "Unchanged"},
    {"record": RECORD, "last": {"BID": 2}, "suppressed": {"code": "TooFar", "text": "BID 1.0841 is 0.9159"}},
    {"record": RECORD, "at": MONDAY - 86_400_000, "suppressed": "OutOfHours"},
    {"record": RECORD, "timestamp": MONDAY - 86_400_000, "suppressed": "OutOfHours"},
    {"record": RECORD, "last": {"BID": 1.08}, "last_at": MONDAY, "at": MONDAY + 100, "suppressed": "TooSoon"},
    {
        "record": RECORD,
        "last": {"BID": 1.08},
        "last_at": MONDAY,
        "at": MONDAY + 200,
        "post": {"ric": "EUR=", "including": {"BID": RECORD["bid"]}},
    },
    {"record": RECORD, "post": {"ric": "EUR=", "including": {"BID": RECORD["bid"]}}},
    {"record": RECORD, "last": {"GBP=": LAST}, "post": {"ric": "EUR=", "including": {"BID": RECORD["bid"]}}},
    {"record": RECORD, "last": LAST, "posts": [{"ric": "EUR=", "suppressed": "Unchanged", "text": "nothing"}]},
]


def test_cases_say_what_was_last_posted_and_when_the_record_arrives() -> None:
    cases = [{**case, "last": _decimals(case.get("last", {}))} for case in CASES]
    made = compiled(ALL, cases)
    results = run_cases(made.tests, Mapper(made.mappings))
    assert [(result.name, result.differences) for result in results if not result.passed] == []


def _decimals(last: dict[str, Any]) -> dict[str, Any]:
    return {key: Decimal(str(value)) if isinstance(value, float) else value for key, value in last.items()}


@pytest.mark.parametrize(
    "case",
    [
        {"record": RECORD, "suppressed": "Unchanged"},
        {"record": RECORD, "last": LAST, "suppressed": "TooFar"},
        {"record": RECORD, "last": LAST, "suppressed": {"code": "Unchanged", "text": "no such text"}},
        {"record": RECORD, "last": LAST, "post": {"ric": "EUR=", "including": {"BID": 1}}},
        {"record": RECORD, "last": LAST, "rejected": "CheckFailed"},
        {"record": RECORD, "last": LAST, "posts": [{"ric": "EUR=", "suppressed": "TooFar"}]},
    ],
)
def test_a_case_that_expects_something_else_fails(case: dict[str, Any]) -> None:
    made = compiled(ALL, [case])
    assert not run_cases(made.tests, Mapper(made.mappings))[0].passed


@pytest.mark.parametrize(
    "case",
    [
        {"suppressed": "Paused"},
        {"suppressed": "Unchanged", "rejected": "CheckFailed"},
        {"suppressed": "Unchanged", "last": {"BID": [1]}},
        {"suppressed": "Unchanged", "last": {"BID": 1, "EUR=": {"BID": 1}}},
        {"suppressed": "TooSoon", "last": {"BID": 1}, "last_at": 5},
        {"suppressed": "TooSoon", "last": {"BID": 1}, "last_at": 5, "at": 4},
        {"suppressed": "TooSoon", "last_at": 5, "at": 6},
    ],
)
def test_a_case_that_says_what_cannot_be_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        compiled(ALL, [{"record": RECORD, **case}])


def test_rules_that_no_test_has_seen_suppress_are_left_untried() -> None:
    made = compiled(ALL)
    coverage = Coverage(list(made.specs.values()), made.sites)
    assert [point.what for point in coverage.points.values() if "suppresses" in point.what] == [
        f"{rule} never suppresses" for rule in ("min_change", "min_interval", "max_move", "hours")
    ]


# Records in a row


def test_records_in_a_row_compare_with_what_was_posted_before() -> None:
    made = compiled(ALL)
    row, mapper = InARow(conflate=False), Mapper(made.mappings)

    def come(bid: str, at: int) -> str:
        text = f'{{"pair": "EUR", "bid": {bid}, "mid": {bid}, "at": "10:00:00Z", "note": "a"}}'
        outcome = row.map(mapper, text.encode(), Surroundings(None, "t", 0, 0, at, {}))
        return outcome.code if isinstance(outcome, Suppressed) else type(outcome).__name__

    assert come("1.08", MONDAY) == "Mapped"
    assert come("1.08", MONDAY + 1_000) == "Unchanged"
    assert come("1.0801", MONDAY + 100) == "TooSoon"
    assert come("1.2", MONDAY + 2_000) == "TooFar"
    assert come("1.1", MONDAY + 2_000) == "Mapped"
    assert come("1.08", MONDAY + 3_000) == "Mapped"
    assert come("1.09", MONDAY - 86_400_000) == "OutOfHours"
