"""Tests of records that make several posts: compared by RIC and service, each difference with its post."""

import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.cases import CaseResult, run_case
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PostType, RejectCode, Rejected, Several
from contribd.mapping.scope import Surroundings


class Maps(Mapper):
    """Any record to one outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__([])
        self._outcome = outcome

    def map(self, value: bytes | None, surroundings: Surroundings | None = None, _last: object = None) -> Outcome:  # noqa: ARG002
        return self._outcome


def post(ric: str, bid: Any = 1, service: str = "TRCC", type_: PostType = PostType.UPDATE) -> Mapped:
    return Mapped(ric, service, "curve", type_, {"BID": bid, "ASK": 2})


def failed(
    ric: str | None = None, text: str = "bid is missing", code: RejectCode = RejectCode.MISSING_FIELD
) -> Rejected:
    return Rejected(code, text, ric, "TRCC", "curve")


def several(*parts: Mapped | Rejected) -> Several:
    return Several("curve", list(parts))


CURVE = several(post("EUR1M="), post("EUR3M=", Decimal("1.5")), failed("EUR6M="))
EUR1M = {"ric": "EUR1M=", "fields": {"BID": 1, "ASK": 2}}
EUR3M = {"ric": "EUR3M=", "including": {"BID": Decimal("1.50")}}
EUR6M = {"ric": "EUR6M=", "rejected": "MissingField", "text": "bid"}


def run(outcome: Outcome, **expected: Any) -> CaseResult:
    return run_case(CaseSpec.model_validate({"record": {}, **expected}), Maps(outcome))


def differences(outcome: Outcome, **expected: Any) -> list[tuple[str, str, str]]:
    return [(one.name, one.expected, one.got) for one in run(outcome, **expected).differences]


def test_posts_as_expected_pass_in_any_order() -> None:
    assert differences(CURVE, posts=[EUR1M, EUR3M, EUR6M], mapping="curve") == []
    assert differences(CURVE, posts=[EUR6M, EUR3M, EUR1M]) == []
    assert differences(CURVE, posts=[{**EUR1M, "service": "TRCC", "type": "update"}, EUR3M, EUR6M]) == []


def test_some_of_the_posts_can_be_expected_and_the_others_left_open() -> None:
    assert differences(CURVE, posts={"including": [EUR3M]}) == []
    assert differences(CURVE, posts={"including": [{**EUR3M, "ric": "EUR9M="}]}) == [
        ("EUR9M= outcome", "a post to EUR9M=", "-")
    ]


def test_each_difference_names_its_post() -> None:
    wrong = {"ric": "EUR1M=", "service": "PAGES", "type": "refresh", "fields": {"BID": 2, "MID": 1}}
    assert differences(CURVE, posts=[wrong, EUR3M, {**EUR6M, "text": "ask"}]) == [
        ("EUR1M= service", "PAGES", "TRCC"),
        ("EUR1M= type", "refresh", "update"),
        ("EUR1M= fields.BID", "2", "1"),
        ("EUR1M= fields.MID", "1", "-"),
        ("EUR1M= fields.ASK", "-", "2"),
        ("EUR6M= text", "… ask …", "bid is missing"),
    ]


def test_posts_that_are_not_made_and_posts_that_are_not_listed_are_told() -> None:
    assert differences(CURVE, posts=[EUR1M, {**EUR3M, "ric": "EUR9M="}]) == [
        ("EUR9M= outcome", "a post to EUR9M=", "-"),
        ("EUR3M= outcome", "-", "a post to EUR3M="),
        ("EUR6M= outcome", "-", "MissingField: bid is missing"),
    ]
    assert differences(CURVE, posts=[EUR1M, EUR3M, EUR6M, {**EUR6M, "ric": "EUR9M="}]) == [
        ("EUR9M= outcome", "MissingField", "-")
    ]


def test_a_post_in_the_place_of_a_rejection_and_the_other_way_round() -> None:
    assert differences(CURVE, posts=[{"ric": "EUR1M=", "rejected": "BadValue"}, EUR3M, {**EUR1M, "ric": "EUR6M="}]) == [
        ("EUR1M= outcome", "BadValue", "a post to EUR1M="),
        ("EUR6M= outcome", "a post to EUR6M=", "MissingField: bid is missing"),
    ]


def test_the_same_ric_of_two_services_are_two_posts() -> None:
    both = several(post("EUR="), post("EUR=", 5, "PAGES"))
    pages = {"ric": "EUR=", "service": "PAGES", "including": {"BID": 5}}
    assert differences(both, posts=[pages, {"ric": "EUR=", "service": "TRCC", "including": {"BID": 1}}]) == []
    assert differences(both, posts=[pages, {"ric": "EUR=", "including": {"BID": 1}}]) == []
    assert differences(both, posts=[{**pages, "including": {"BID": 6}}]) == [
        ("EUR= of PAGES fields.BID", "6", "5"),
        ("EUR= of TRCC outcome", "-", "a post to EUR="),
    ]


def test_a_post_that_is_rejected_before_it_has_a_ric_is_known_by_its_code() -> None:
    curve = several(post("EUR1M="), failed(text="ric: no tenor"), failed(None, "ric: spaces", RejectCode.BAD_VALUE))
    bad, gone = {"rejected": "BadValue"}, {"rejected": "MissingField", "text": "tenor"}
    assert differences(curve, posts=[EUR1M, bad, gone]) == []
    assert differences(curve, posts=[EUR1M, bad]) == [("no RIC outcome", "-", "MissingField: ric: no tenor")]
    assert differences(curve, posts=[EUR1M, bad, {"rejected": "TooLarge"}]) == [
        ("no RIC outcome", "TooLarge", "MissingField: ric: no tenor")
    ]


def test_a_record_that_makes_one_post_can_be_expected_either_way() -> None:
    assert differences(post("EUR1M="), post=EUR1M) == []
    assert differences(post("EUR1M="), posts=[EUR1M]) == []
    assert differences(failed("EUR6M="), posts=[EUR6M]) == []
    assert differences(post("EUR1M="), posts=[EUR1M, EUR3M]) == [("EUR3M= outcome", "a post to EUR3M=", "-")]


@pytest.mark.parametrize(
    ("outcome", "got"),
    [
        (failed(text="no points"), "MissingField: no points"),
        (Ignored("heartbeat"), "ignored by heartbeat"),
    ],
)
def test_a_record_that_makes_no_post_at_all_is_one_difference(outcome: Outcome, got: str) -> None:
    assert differences(outcome, posts=[EUR1M, EUR6M]) == [("outcome", "2 posts: EUR1M=, EUR6M= (MissingField)", got)]


def test_several_posts_are_no_post_no_rejection_and_not_ignored() -> None:
    told = "3 posts: EUR1M=, EUR3M=, EUR6M= (MissingField)"
    assert differences(CURVE, post=EUR1M) == [
        ("outcome", "a post to EUR1M=", f"{told}, which a test lists below posts")
    ]
    assert differences(CURVE, rejected="MissingField") == [("outcome", "MissingField", told)]
    assert differences(CURVE, ignored=True) == [("outcome", "ignored", told)]
    long = several(*(post(f"EUR{n}M=") for n in range(40)))
    assert differences(long, ignored=True)[0][2] == "40 posts: EUR0M=, EUR1M=, EUR2M=, EUR3M= and 36 more"


def test_a_record_is_rejected_where_each_of_its_posts_is() -> None:
    none = several(failed("EUR1M="), failed("EUR3M=", "another post of the record cannot be mapped: bid is missing"))
    assert differences(none, rejected="MissingField") == []
    assert differences(none, rejected={"code": "MissingField", "text": "bid is missing"}) == []
    assert differences(none, rejected={"code": "MissingField", "text": "another"}) == [
        ("text", "… another …", "bid is missing")
    ]
    assert differences(none, rejected="BadValue") == [
        ("outcome", "BadValue", "2 posts: EUR1M= (MissingField), EUR3M= (MissingField)")
    ]


@pytest.mark.parametrize(
    ("posts", "text"),
    [
        ([], "at least 1 item"),
        ({"including": []}, "at least 1 item"),
        ("EUR=", "a list of all posts, or {including: […]}"),
        ({"excluding": [EUR1M]}, "excluding"),
        (
            [{"ric": "EUR="}],
            "one of fields (all of the post's), including (some of them), rejected or suppressed (a code)",
        ),
        ([{**EUR1M, "rejected": "BadValue"}], "one of fields"),
        ([{"fields": {"BID": 1}}], "ric: a post is known by it"),
        ([{**EUR1M, "text": "no"}], "text only beside rejected"),
        ([{**EUR6M, "type": "update"}], "type only where something is posted"),
        ([{**EUR6M, "rejected": "Bad"}], "one of BadRecord"),
        ([{"rejected": {"code": "BadValue", "text": "no"}}], "a part of the text stands beside it, as text"),
    ],
)
def test_posts_that_say_nothing_or_too_much_are_refused(posts: Any, text: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(text)):
        CaseSpec.model_validate({"record": {}, "posts": posts})


def test_one_of_post_posts_rejected_and_ignored_is_expected() -> None:
    with pytest.raises(ValidationError, match="one of post, posts, rejected, suppressed, ignored"):
        CaseSpec.model_validate({"record": {}, "post": EUR1M, "posts": [EUR1M]})
