"""One record, several posts: what each and posts make of it."""

import json
import time
import timeit
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import MAX_POSTS, Mapped, Outcome, PartOutcome, PostType, RejectCode, Rejected, Several
from contribd.mapping.rules import MappingFile

CURVE: dict[str, Any] = {
    "name": "curve",
    "each": "points",
    "let": {"mid": "(item.bid + item.ask) / 2"},
    "ric": "EUR{item.tenor}=",
    "fields": {"BID": "item.bid", "MID_PRICE": "mid", "ROW": "index", "CTBTR_1": "source"},
    "checks": ["item.bid <= item.ask"],
}
TWO: dict[str, Any] = {
    "name": "two",
    "posts": [
        {"ric": "{pair}=", "fields": {"BID": "bid"}},
        {"ric": "PAGE", "service": "PAGES", "post": "refresh", "fields": {"ROW": "pair"}, "when": "page"},
    ],
}


def mapper(*mappings: dict[str, Any], tests: list[dict[str, Any]] | None = None) -> Mapper:
    document = {"mappings": list(mappings), "tests": tests or []}
    compiled = compile_file(MappingFile.model_validate(document), "DEFAULT")
    assert compiled.problems == []
    return Mapper(compiled.mappings)


def come_to(record: object, *mappings: dict[str, Any]) -> Outcome:
    return mapper(*mappings).map(json.dumps(record).encode())


def parts(record: object, *mappings: dict[str, Any]) -> Sequence[PartOutcome]:
    outcome = come_to(record, *mappings)
    assert isinstance(outcome, Several), outcome
    assert outcome.mapping == mappings[-1]["name"]
    return outcome.parts


def refused(record: object, *mappings: dict[str, Any]) -> tuple[RejectCode, str]:
    outcome = come_to(record, *mappings)
    assert isinstance(outcome, Rejected), outcome
    return outcome.code, outcome.text


def curve(*bids: Any, **more: Any) -> dict[str, Any]:
    points = [{"tenor": f"{at}M", "bid": bid, "ask": 10} for at, bid in enumerate(bids)]
    return {"points": points, "source": "ACME", **more}


def test_a_curve_makes_a_post_for_each_point() -> None:
    one, two = parts(curve(1, 2.5), CURVE)
    fields: dict[str, Any] = {"BID": 1, "MID_PRICE": Decimal("5.5"), "ROW": 0, "CTBTR_1": "ACME"}
    assert one == Mapped("EUR0M=", "DEFAULT", "curve", PostType.UPDATE, fields)
    fields = {"BID": Decimal("2.5"), "MID_PRICE": Decimal("6.25"), "ROW": 1, "CTBTR_1": "ACME"}
    assert two == Mapped("EUR1M=", "DEFAULT", "curve", PostType.UPDATE, fields)


def test_a_curve_of_one_point_is_one_post() -> None:
    outcome = come_to(curve(1), CURVE)
    assert isinstance(outcome, Mapped)
    assert outcome.ric == "EUR0M="


def test_a_point_that_cannot_be_mapped_is_rejected_by_itself() -> None:
    first, second, third = parts(curve(1, "x", 3), CURVE)
    assert isinstance(first, Mapped)
    assert isinstance(third, Mapped)
    assert second == Rejected(
        RejectCode.BAD_VALUE,
        "points[1]: MID_PRICE: mid: '+' takes two numbers or two texts, not text and a number",
        "EUR1M=",
        "DEFAULT",
        "curve",
        {"BID": "x"},
    )


def test_a_let_that_fails_for_a_point_is_not_that_of_the_point_before() -> None:
    rejected = parts({"points": [{"tenor": "A", "bid": 1, "ask": 2}, {"tenor": "B", "bid": 3}], "source": ""}, CURVE)[1]
    assert isinstance(rejected, Rejected)
    assert rejected.text == "points[1]: MID_PRICE: mid: item has no ask"
    assert rejected.code is RejectCode.MISSING_FIELD


def test_what_a_point_lacks_is_told_with_the_key_that_was_meant() -> None:
    rejected = parts({"points": [{"tenor": "A"}, {"Tenor": "B"}]}, {**CURVE, "let": {}, "fields": {"F": {"value": 1}}})
    assert isinstance(rejected[1], Rejected)
    assert rejected[1].text == "points[1]: ric: item has no tenor; it has item.Tenor"


@pytest.mark.parametrize("element", [{"Bid": 1}, {}, None, [], [1], "bid", 7, True])
@pytest.mark.parametrize("path", ["item.bid", "item.bid.last", "item.bid[0].last", "item[0].bid"])
def test_what_an_element_lacks_is_never_taken_from_the_record(element: object, path: str) -> None:
    fields = {"ASK": {"value": 1}, "BID": path, "MID_PRICE": {"from": f"coalesce({path}, 5)"}}
    mapping = {"name": "m", "each": "points", "ric": "R{index}", "fields": fields}
    beside = {"bid": 3, "item": {"bid": 3}, "points": [{}, element]}
    last = parts(beside, mapping)[1]
    assert isinstance(last, Rejected)
    assert last.code is RejectCode.MISSING_FIELD
    assert last.text.startswith("points[1]: BID: item has no ")
    named = parts(beside, {**mapping, "ric": f"R{{{path}}}"})[1]
    assert isinstance(named, Rejected)
    assert named.text.startswith("points[1]: ric: item has no ")
    skipping = parts(beside, {**mapping, "fields": {**fields, "BID": {"from": path, "missing": "skip"}}})[1]
    assert isinstance(skipping, Mapped)
    assert skipping.fields == {"ASK": 1, "MID_PRICE": 5}
    asking = parts(beside, {**mapping, "fields": {"ASK": {"value": "x"}, "F": "index"}, "checks": [f"{path} > 0"]})[1]
    assert isinstance(asking, Rejected)
    assert asking.code is RejectCode.MISSING_FIELD


@pytest.mark.parametrize(
    ("path", "element"),
    [
        ("item.bid", {"bid": 7}),
        ("item.bid.last", {"bid": {"last": 7}}),
        ("item.bid[0].last", {"bid": [{"last": 7}]}),
        ('item.bid["at close"].last.best', {"bid": {"at close": {"last": {"best": 7}}}}),
        ("item[1]", [6, 7]),
        ("item[0].bid", [{"bid": 7}]),
        ("item", 7),
    ],
)
def test_an_element_is_read_by_any_path(path: str, element: object) -> None:
    mapping = {"name": "m", "each": "points", "ric": "R{index}", "fields": {"BID": path}, "checks": [f"{path} == 7"]}
    assert [made.fields for made in parts({"points": [element, element]}, mapping)] == [{"BID": 7}] * 2


@pytest.mark.parametrize(
    ("points", "code", "text"),
    [
        ([], RejectCode.MISSING_FIELD, "points has no elements: there is nothing to post"),
        (7, RejectCode.BAD_VALUE, "each: it takes a list, and points is a number"),
        (None, RejectCode.BAD_VALUE, "each: it takes a list, and points is null"),
        ({"a": 1}, RejectCode.BAD_VALUE, "each: it takes a list, and points is an object; write entries(points)"),
        ([0] * 10_001, RejectCode.TOO_LARGE, "points has 10001 elements; posts are made of at most 10000"),
    ],
)
def test_what_is_no_list_of_elements_rejects_the_record(points: Any, code: RejectCode, text: str) -> None:
    told = refused({"points": points}, CURVE)
    assert told[0] is code
    assert told[1].startswith(text)


def test_a_record_without_the_list_is_rejected() -> None:
    assert refused({"Points": []}, CURVE) == (
        RejectCode.MISSING_FIELD,
        "each: the record has no points; it has Points",
    )


def test_a_record_makes_at_most_so_many_posts() -> None:
    assert len(parts(curve(*range(MAX_POSTS)), {**CURVE, "checks": []})) == MAX_POSTS
    told = refused(curve(*range(MAX_POSTS + 1)), {**CURVE, "checks": []})
    assert told == (RejectCode.TOO_LARGE, "the record makes more than 500 posts; split it, or leave some out")


def test_of_a_long_list_those_count_that_are_posted() -> None:
    picked = {**CURVE, "each": None, "posts": [{**CURVE, "when": "item.bid < 3"}]}
    for beside in ("let", "ric", "fields", "checks", "each"):
        del picked[beside]
    del picked["posts"][0]["name"]
    assert len(parts(curve(*range(5_000)), picked)) == 3


def test_posts_of_a_record_stand_side_by_side() -> None:
    one, two = parts({"pair": "EUR", "bid": 1, "page": True}, TWO)
    assert one == Mapped("EUR=", "DEFAULT", "two", PostType.UPDATE, {"BID": 1})
    assert two == Mapped("PAGE", "PAGES", "two", PostType.REFRESH, {"ROW": "EUR"})


def test_a_post_whose_condition_is_false_is_not_made() -> None:
    outcome = come_to({"pair": "EUR", "bid": 1, "page": False}, TWO)
    assert outcome == Mapped("EUR=", "DEFAULT", "two", PostType.UPDATE, {"BID": 1})


def test_a_condition_that_cannot_be_told_rejects_that_post() -> None:
    _, unknown = parts({"pair": "EUR", "bid": 1}, TWO)
    text = "posts[1]: when: the record has no page"
    assert unknown == Rejected(RejectCode.MISSING_FIELD, text, None, "PAGES", "two", None)
    _, neither = parts({"pair": "EUR", "bid": 1, "page": 1}, TWO)
    text = "posts[1]: when: a condition is true or false, not a number"
    assert neither == Rejected(RejectCode.BAD_VALUE, text, None, "PAGES", "two", None)


def test_a_record_of_which_no_post_is_made_is_rejected() -> None:
    posts = [{**post, "when": "page"} for post in TWO["posts"]]
    told = refused({"pair": "EUR", "bid": 1, "page": False}, {**TWO, "posts": posts})
    assert told == (RejectCode.MISSING_FIELD, "the when of no post is true: there is nothing to post")


def test_a_post_can_ask_for_what_it_computes() -> None:
    post = {"let": {"mid": "(bid + ask) / 2"}, "when": "mid > 1", "ric": "A", "fields": {"MID": "mid"}}
    mapping = {"name": "m", "posts": [post, {"ric": "B", "fields": {"BID": "bid"}}]}
    assert [each.ric for each in parts({"bid": 1, "ask": 2}, mapping)] == ["A", "B"]
    assert come_to({"bid": 0, "ask": 1}, mapping).ric == "B"


def test_for_each_element_each_post_is_made() -> None:
    sides = [
        {"ric": "{item}{side}", "fields": {"N": "index"}, "let": {"side": f'"{side}"'}, "when": f'item != "{side}"'}
        for side in "BA"
    ]
    mapping = {"name": "m", "each": 'split(names, ",")', "posts": sides}
    made = parts({"names": "A,B,C"}, mapping)
    assert [each.ric for each in made] == ["AB", "BA", "CB", "CA"]
    assert [each.fields for each in made] == [{"N": 0}, {"N": 1}, {"N": 2}, {"N": 2}]


def test_posts_have_lists_of_their_own() -> None:
    posts = [
        {"ric": "TOTAL", "fields": {"N": "len(bids)"}},
        {"each": "bids", "ric": "B{index}", "fields": {"BID": "item"}},
        {"each": "asks", "ric": "A{index}", "fields": {"ASK": "item"}},
    ]
    mapping = {"name": "book", "posts": posts}
    made = parts({"bids": [3, 2], "asks": [4]}, mapping)
    assert [each.ric for each in made] == ["TOTAL", "B0", "B1", "A0"]
    assert [each.ric for each in parts({"bids": [3, 2], "asks": []}, mapping)] == ["TOTAL", "B0", "B1"]
    total, bid, missing = parts({"bids": ["x"]}, {"name": "book", "posts": [*posts[:2], {**posts[2]}]})
    assert (total.ric, bid.ric) == ("TOTAL", "B0")
    text = "posts[2]: each: the record has no asks"
    assert missing == Rejected(RejectCode.MISSING_FIELD, text, None, "DEFAULT", "book", None)


def test_lists_that_are_all_empty_leave_nothing_to_post() -> None:
    posts = [{"each": name, "ric": "{item}", "fields": {"N": "index"}} for name in ("bids", "asks")]
    told = refused({"bids": [], "asks": []}, {"name": "book", "posts": posts})
    assert told == (RejectCode.MISSING_FIELD, "bids and asks have no elements: there is nothing to post")


def test_parts_with_the_same_ric_and_service_are_one_that_is_rejected() -> None:
    record = curve(1, 2, 3, 4)
    record["points"][3]["tenor"] = "0M"
    first, *others = parts(record, CURVE)
    text = (
        "posts 0 and 3 of the record have the same RIC EUR0M= (service DEFAULT): points[0]; points[3]. "
        "Give each a RIC of its own, or make only one of them, by when"
    )
    assert first == Rejected(RejectCode.BAD_VALUE, text, "EUR0M=", "DEFAULT", "curve")
    assert [each.ric for each in others] == ["EUR1M=", "EUR2M="]
    for point in record["points"]:
        point["tenor"] = "0M"
    code, text = refused(record, CURVE)
    assert (code, text[:42]) == (RejectCode.BAD_VALUE, "posts 0, 1, 2 and 3 of the record have the")


def test_the_same_ric_of_another_service_is_another_part() -> None:
    posts = [{"ric": "R", "service": service, "fields": {"BID": "bid"}} for service in ("A", "B")]
    assert [each.service for each in parts({"bid": 1}, {"name": "m", "posts": posts})] == ["A", "B"]


def test_parts_without_a_ric_are_told_apart_by_their_places() -> None:
    made = parts({"points": [{}, {}, {"tenor": "1M", "bid": 1, "ask": 2}], "source": "A"}, CURVE)
    texts = [each.text for each in made[:2] if isinstance(each, Rejected)]
    assert texts == ["points[0]: ric: item has no tenor", "points[1]: ric: item has no tenor"]


def test_all_or_nothing_keeps_the_others_back() -> None:
    whole = {**CURVE, "all_or_nothing": True}
    assert all(isinstance(each, Mapped) for each in parts(curve(1, 2, 3), whole))
    first, bad, third = parts(curve(1, 20, 3), whole)
    assert isinstance(bad, Rejected)
    assert bad.text == "points[1]: item.bid <= item.ask is false (item.bid 20, item.ask 10)"
    for kept in (first, third):
        assert isinstance(kept, Rejected)
        assert kept.code is RejectCode.CHECK_FAILED
        assert isinstance(kept, Rejected)
        assert kept.text == f"all_or_nothing: another post of the record cannot be mapped: EUR1M=: {bad.text}"
        assert kept.fields


def test_in_a_list_function_item_is_an_element_of_that_list() -> None:
    mapping = {
        "name": "m",
        "each": "points",
        "let": {"tenor": "item.t"},
        "ric": "{tenor}",
        "fields": {"BID": "first(book, item.t == tenor).bid", "N": 'count(book, item.t != "x") + index'},
    }
    record = {"points": [{"t": "A"}, {"t": "B"}], "book": [{"t": "B", "bid": 1}, {"t": "A", "bid": 2}]}
    assert [each.fields for each in parts(record, mapping)] == [{"BID": 2, "N": 2}, {"BID": 1, "N": 3}]


def test_in_a_list_function_the_position_is_that_of_the_outer_element() -> None:
    mapping = {"name": "m", "each": "points", "ric": "R{index}", "fields": {"N": "count(points, item > index)"}}
    assert [each.fields for each in parts({"points": [0, 1, 2]}, mapping)] == [{"N": 2}, {"N": 1}, {"N": 0}]


def test_the_record_s_own_key_is_another_than_the_element() -> None:
    mapping = {
        "name": "m",
        "each": "points",
        "ric": "R{item}",
        "fields": {"N": "index"},
        "checks": ['item == ["item"]'],
    }
    first, second = parts({"points": [1, 2], "item": 2}, mapping)
    assert isinstance(first, Rejected)
    assert isinstance(second, Mapped)


def test_list_functions_share_a_bound_between_the_elements() -> None:
    mapping = {"name": "m", "each": "points", "ric": "R{index}", "fields": {"N": "count(book, item > 0)"}}
    assert isinstance(parts({"points": [0] * 20, "book": [1] * 10_000}, mapping)[0], Mapped)
    many = parts({"points": [0] * 400, "book": [1] * 10_000}, mapping)[0]
    assert isinstance(many, Rejected)
    assert "more than the 500" in many.text
    held = {"name": "m", "each": "points", "ric": "R{index}", "fields": {"N": "1 if index in book else 0"}}
    assert isinstance(parts({"points": [0] * 400, "book": [1] * 50_000}, held)[0], Mapped)
    assert isinstance(parts({"points": [0] * 400, "book": [1] * 50_001}, held)[0], Rejected)


def test_an_object_is_a_list_of_its_keys_and_values() -> None:
    mapping = {"name": "m", "each": "entries(points)", "ric": "EUR{item.key}=", "fields": {"BID": "item.value.bid"}}
    first, second = parts({"points": {"3M": {"bid": 2}, "1M": {"bid": 1}}}, mapping)
    assert (first.ric, second.ric) == ("EUR3M=", "EUR1M=")
    assert second.fields == {"BID": 1}
    told = refused({"points": [1]}, mapping)
    assert told == (RejectCode.BAD_VALUE, "each: entries takes an object, not a list")


def test_what_a_record_of_posts_costs_is_bounded() -> None:
    """Ten thousand elements that each look into a list: what each may look at goes down with their number."""
    mapping = {
        "name": "m",
        "each": "points",
        "posts": [{"when": "index in book", "ric": "R{index}", "fields": {"F": "item"}}],
    }
    asked = mapper(mapping)
    record = json.dumps({"points": [0] * 10_000, "book": [-1] * 2_000}).encode()
    begun = time.thread_time()
    outcome = asked.map(record)
    assert isinstance(outcome, Rejected)
    assert outcome.text == "the when of no post is true: there is nothing to post"
    assert time.thread_time() - begun < 1


def test_five_hundred_posts_are_compiled_in_the_time_of_as_many_mappings() -> None:
    posts = [{"ric": f"R{n}", "let": {"x": "bid"}, "fields": {"BID": "x"}} for n in range(MAX_POSTS)]
    mappings = [{"name": f"m{n}", "when": f"n == {n}", **post} for n, post in enumerate(posts)]

    def seconds(*mappings: dict[str, Any]) -> float:
        model = MappingFile.model_validate({"mappings": list(mappings)})
        return min(timeit.repeat(lambda: compile_file(model, "S"), timer=time.thread_time, number=1, repeat=3))

    assert seconds({"name": "m", "posts": posts}) < 2 * seconds(*mappings)


def test_keys_of_the_record_called_item_and_index_are_in_brackets() -> None:
    mapping = {"name": "m", "each": "points", "ric": '{["item"]}{item}{["index"]}', "fields": {"N": "index"}}
    assert [each.ric for each in parts({"item": "x", "index": "y", "points": [1, 2]}, mapping)] == ["x1y", "x2y"]


def test_one_entry_of_posts_is_the_mapping_itself() -> None:
    plain = {"ric": "{pair}=", "fields": {"BID": "bid"}, "checks": ["bid > 0"]}
    for record in ({"pair": "A", "bid": 1}, {"pair": "A", "bid": 0}, {"pair": "A"}, {}):
        assert come_to(record, {"name": "m", **plain}) == come_to(record, {"name": "m", "posts": [plain]})


def test_a_record_without_a_value_can_make_several_posts() -> None:
    posts = [{"ric": ric, "fields": {"BID": {"value": None}}} for ric in "AB"]
    outcome = mapper({"name": "gone", "when": "@empty", "posts": posts}).map(b"")
    assert isinstance(outcome, Several)
    assert [each.ric for each in outcome.parts] == ["A", "B"]


def test_a_position_alone_says_nothing_of_a_price() -> None:
    fields = {"ROW": "index", "BID": {"from": "item.bid", "missing": "skip"}}
    made = parts(
        {"points": [{"t": "A", "bid": 1}, {"t": "B"}]},
        {"name": "m", "each": "points", "ric": "{item.t}", "fields": fields},
    )
    assert isinstance(made[0], Mapped)
    text = "points[1]: every field that is no constant was skipped: there is nothing to post"
    assert made[1] == Rejected(RejectCode.MISSING_FIELD, text, "B", "DEFAULT", "m", {"ROW": 1})
