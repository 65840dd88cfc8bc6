"""Whatever the posts of a mapping are made of, and whatever the record holds: each part is what it would be alone."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import Compiled
from contribd.mapping.coverage import Coverage
from contribd.mapping.explain import explain
from contribd.mapping.mapper import Mapper
from contribd.mapping.noted import NotedMapper
from contribd.mapping.outcome import MAX_POSTS, Mapped, Outcome, Rejected, Several, parts_of
from contribd.mapping.rules import MappingFile
from contribd.mapping.tape import Tape, recording

VALUES = [
    "I.bid", "I.ask", "I", "N", "bid", "I.bid + I.ask", "low", "sum(points)", "I.x[0]", "I.bid / N", "len(I)",
    "first(points, item.bid > 1).bid", "coalesce(I.bid, bid)", "text(N) + I.t", '["item"]',
]  # fmt: skip
CONDITIONS = [
    "I.bid > 1", "N == 0", "exists(I.bid)", "low > 1", "bid > 1", "I", 'I.t == "A"', "any(points, item.bid > 2)",
]  # fmt: skip
RICS = ["{I.t}", "R{N}", "{I}", "{I.t}{N % 2}", "{I.t}{low}", "X{I.bid}="]
MISSING = ["reject", "skip", "blank"]


def a_post(number: int) -> st.SearchStrategy[dict[str, Any]]:
    """With an ``I`` for the element, and an ``N`` for its position."""
    field = st.fixed_dictionaries({"from": st.sampled_from(VALUES), "missing": st.sampled_from(MISSING)})
    return st.fixed_dictionaries(
        {
            "ric": st.sampled_from(RICS).map(lambda ric: ric if ric == "{I.t}" else f"P{number}{ric}"),
            "service": st.sampled_from(["A", "B"]),
            "let": st.fixed_dictionaries({"low": st.sampled_from(["I.bid - 1", "bid", "N"])}),
            "fields": st.dictionaries(st.sampled_from(["F", "G"]), field, min_size=1).map(
                lambda fields: {**fields, "LOW": {"from": "low", "missing": "skip"}}
            ),
            "checks": st.lists(st.sampled_from(CONDITIONS), max_size=2),
        }
    )


POSTS = st.tuples(a_post(0), a_post(1), a_post(2)).flatmap(
    lambda posts: st.integers(1, 3).map(lambda count: list(posts[:count]))
)
WHENS = st.lists(st.none() | st.sampled_from(CONDITIONS), min_size=3, max_size=3)
SCALARS = st.sampled_from([0, 1, 2.5, -1, "A", "B", "", None, True, "é", 1e15, "x" * 300])
ELEMENTS = SCALARS | st.dictionaries(st.sampled_from(["bid", "ask", "t", "x", "Bid"]), SCALARS | st.just([1]))
RECORDS = st.fixed_dictionaries(
    {}, optional={"points": st.lists(ELEMENTS, max_size=5) | SCALARS, "bid": SCALARS, "item": SCALARS}
)


def named(post: dict[str, Any], element: str = "item", index: str = "index") -> dict[str, Any]:
    """The post with an element and its position."""

    def change(text: str) -> str:
        return "".join({"I": element, "N": index}.get(each, each) for each in text)

    return {
        **post,
        "ric": change(post["ric"]),
        "let": {name: change(text) for name, text in post["let"].items()},
        "fields": {name: {**field, "from": change(field["from"])} for name, field in post["fields"].items()},
        "checks": [change(text) for text in post["checks"]],
        **({"when": change(post["when"])} if "when" in post else {}),
    }


def compiled(mapping: dict[str, Any]) -> Compiled:
    made = compile_file(MappingFile.model_validate({"mappings": [{"name": "m", **mapping}]}), "S")
    assume(not made.problems)  # a RIC that is the same for every element, for example
    return made


def come_to(mapping: dict[str, Any], record: object) -> Outcome:
    return Mapper(compiled(mapping).mappings).map(json.dumps(record).encode())


def with_whens(posts: list[dict[str, Any]], whens: Sequence[str | None]) -> list[dict[str, Any]]:
    return [{**post, **({"when": when} if when else {})} for post, when in zip(posts, whens, strict=False)]


def what(part: Mapped | Rejected | Any) -> tuple[object, ...]:
    return type(part), part.ric, part.service, part.code if isinstance(part, Rejected) else None, part.fields


@given(POSTS, WHENS, st.booleans(), st.booleans(), RECORDS)
def test_any_posts_of_any_record_are_parts_that_can_be_told_apart(
    posts: list[dict[str, Any]], whens: list[str | None], beside: bool, whole: bool, record: dict[str, Any]
) -> None:
    entries = [named(post) for post in with_whens(posts, whens)]
    mapping: dict[str, Any] = {"posts": entries, "each": "points"}
    if not beside:
        mapping = {"posts": [{**entry, "each": "points"} for entry in entries]}
    tape = Tape()
    with recording(tape):
        noted = compiled({**mapping, "all_or_nothing": whole})
    outcome = Mapper(compiled({**mapping, "all_or_nothing": whole}).mappings).map(json.dumps(record).encode())
    assert "contribd failed" not in str(outcome)
    parts = parts_of(outcome)
    known = [(part.service, part.ric) for part in parts if part.ric is not None]
    assert len(set(known)) == len(known)
    assert not isinstance(outcome, Several) or 2 <= len(parts) <= MAX_POSTS
    assert not whole or len({type(part) for part in parts}) == 1
    mapper = NotedMapper(noted.mappings, noted.sites, tape)
    explained = explain(mapper, json.dumps(record).encode(), None)
    assert explained.outcome == outcome
    made = [post.outcome for post in explained.posts if post.outcome is not None]
    assert all(any(part is each for each in made) for part in parts_of(explained.outcome)) or len(parts) == 1
    coverage = Coverage([*noted.specs.values()], noted.sites)
    coverage.add(mapper.map(json.dumps(record).encode(), None))
    assert {key for key in coverage.covered if key[0] in {"post", "field"}} <= set(coverage.points)


@given(a_post(0), st.none() | st.sampled_from(CONDITIONS[:1]), st.lists(ELEMENTS, min_size=1, max_size=4), RECORDS)
def test_a_part_is_what_it_would_be_alone(
    post: dict[str, Any], when: str | None, points: list[Any], others: dict[str, Any]
) -> None:
    record = {**others, "points": points}
    outcome = come_to({"each": "points", "posts": [named(with_whens([post], [when])[0])]}, record)
    by_itself = [each for at in range(len(points)) if (each := _alone(post, when, record, at)) is not None]
    keys = [(each.service, each.ric) for each in by_itself if each.ric is not None]
    if len(set(keys)) == len(keys) and by_itself:
        assert [*map(what, parts_of(outcome))] == [*map(what, by_itself)]


def _alone(post: dict[str, Any], when: str | None, record: dict[str, Any], at: int) -> Any:
    if when is not None:
        element = record["points"][at]
        bid = element.get("bid") if isinstance(element, dict) else None
        if isinstance(bid, int | float) and not isinstance(bid, bool) and not bid > 1:
            return None
        if not isinstance(bid, int | float) or isinstance(bid, bool):
            missing = not isinstance(element, dict) or "bid" not in element
            code = "MissingField" if missing else "BadValue"
            return Rejected(code, "", None, post["service"], "m", None)  # type: ignore[arg-type]
    return come_to(named(post, f"points[{at}]", str(at)), record)


@given(a_post(0), RECORDS)
def test_one_entry_of_posts_is_the_plain_mapping(post: dict[str, Any], record: dict[str, Any]) -> None:
    plain = named(post, "points[0]", "0")
    assert come_to({"posts": [plain]}, record) == come_to(plain, record)


@given(st.lists(a_post(0), min_size=2, max_size=3), RECORDS)
def test_posts_side_by_side_are_what_each_is_alone(posts: list[dict[str, Any]], record: dict[str, Any]) -> None:
    plain = [{**named(post, "points[0]", str(at)), "service": f"S{at}"} for at, post in enumerate(posts)]
    assert [*map(what, parts_of(come_to({"posts": plain}, record)))] == [what(come_to(each, record)) for each in plain]
