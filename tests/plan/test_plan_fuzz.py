"""Any outcomes at all can be compared, and what is said of them adds up."""

from dataclasses import replace
from decimal import Decimal, localcontext

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.plan.making import record

from contribd.cli.plan_views import plan_lines
from contribd.mapping.encode import ENCODER
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PostType, RejectCode, Rejected, Several, parts_of
from contribd.plan.configuration import mapping_changes
from contribd.plan.gathering import Gathering
from contribd.plan.number_patterns import CONTEXT
from contribd.plan.outcomes import Kind
from contribd.plan.pairing import paired
from contribd.plan.report import Report, SeenTraffic, Side

NUMBERS = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**15) + 1, 10**15 - 1, allow_nan=False, allow_infinity=False, places=14),
    st.decimals(-10, 10, allow_nan=False, allow_infinity=False, places=3),
    st.sampled_from([0, 1, Decimal("0.00000000000001"), Decimal("-0.0"), Decimal("1.50")]),
)
TEXTS = st.one_of(
    st.sampled_from(["", "EUR", "eur", " EUR ", "10:15:30", "2026-11-22", "1.5"]), st.text("aA1:.- ", max_size=8)
)
VALUES = st.one_of(st.none(), NUMBERS, TEXTS)
POSTS = st.builds(
    Mapped,
    st.sampled_from(["EUR=", "EUR=X", "JPY="]),
    st.sampled_from(["A", "B"]),
    st.sampled_from(["fx", "page"]),
    st.sampled_from(PostType),
    st.dictionaries(st.sampled_from(["BID", "ASK", "MID_PRICE", "ROW64_1"]), VALUES),
)
REJECTIONS = st.builds(
    Rejected, st.sampled_from(RejectCode), st.sampled_from(["so", "\x1b[31m"]), mapping=st.sampled_from([None, "fx"])
)
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(POSTS, REJECTIONS, st.builds(Ignored, st.sampled_from(["a", "b"])))


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), max_size=60))
def test_whatever_comes_out_is_counted_once_and_can_be_shown(pairs: list[tuple[Outcome, Outcome]]) -> None:
    gathering, seen = Gathering(), SeenTraffic("here")
    with localcontext(CONTEXT):
        for offset, (old, new) in enumerate(pairs):
            gathering.add(record(offset), old, new)
            seen.add(record(offset))
    side = Side("here", "0" * 64, "1")
    report = Report(side, side, seen, gathering, mapping_changes([], [], {}, {}))
    document = msgspec.json.decode(ENCODER.encode(report.document()))
    assert sum(document["outcomes"].values()) == document["records"] == len(pairs)
    assert document["differ"] is (document["outcomes"][Kind.SAME] < len(pairs))
    assert sum(each["records"] for each in document["changes"]) == document["outcomes"][Kind.CHANGED]
    for each in document["findings"]:
        assert 0 < each["records"] <= len(pairs)
        assert 0 < len(each["examples"]) <= 3 or each["text"].startswith("what ")
    text = "\n".join(line.plain for line in plan_lines(report))
    assert "\x1b" not in text


@st.composite
def several(draw: st.DrawFn) -> Several:
    unnamed = st.builds(Rejected, st.sampled_from(RejectCode), st.just("so"), mapping=st.just("fx"))
    named = st.lists(POSTS | unnamed.map(lambda each: replace(each, ric="EUR=", service="A")), max_size=5)
    by_name = {(each.ric, each.service): each for each in draw(named)}
    parts: list[Mapped | Rejected] = [*by_name.values(), *draw(st.lists(unnamed, max_size=2))]
    assume(len(parts) > 1)
    return Several("fx", draw(st.permutations(parts)))


@given(st.lists(st.tuples(OUTCOMES | several(), OUTCOMES | several()), max_size=20))
def test_every_post_of_a_record_is_counted_once_and_can_be_shown(pairs: list[tuple[Outcome, Outcome]]) -> None:
    gathering, seen = Gathering(), SeenTraffic("here")
    with localcontext(CONTEXT):
        for offset, (old, new) in enumerate(pairs):
            gathering.add(record(offset), old, new)
            compared = paired(old, new)
            for which, outcome in enumerate((old, new)):
                told = [pair[which] for pair in compared if pair[which] is not None]
                assert {id(part) for part in told} == {id(part) for part in parts_of(outcome)}
                assert len(told) in (len(parts_of(outcome)), len(compared))
    side = Side("here", "0" * 64, "1")
    report = Report(side, side, seen, gathering, mapping_changes([], [], {}, {}))
    document = msgspec.json.decode(ENCODER.encode(report.document()))
    assert sum(document["outcomes"].values()) == document["parts"] >= document["records"] == len(pairs)
    assert document["differ"] is (document["outcomes"][Kind.SAME] < document["parts"])
    assert 0 < document["records_changed"] <= len(pairs) or not document["differ"]
    assert sum(each["parts"] for each in document["changes"]) == document["outcomes"][Kind.CHANGED]
    for each in (*document["findings"], *document["turned"], *document["other_mappings"], *document["changes"]):
        assert 0 < each["records"] <= min(each["parts"], len(pairs))
    assert "\x1b" not in "\n".join(line.plain for line in plan_lines(report))
