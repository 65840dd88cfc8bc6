"""Records with several posts: compared post by post, by RIC and service."""

from decimal import Decimal

import pytest
from tests.plan.making import gathered, ignored, mappings, post, rejected, several, texts

from contribd.mapping.outcome import Outcome, RejectCode, Rejected
from contribd.plan.configuration import mapping_changes
from contribd.plan.coverage import Coverage
from contribd.plan.outcomes import Kind
from contribd.plan.pairing import paired
from contribd.plan.report import Report, SeenTraffic, Side

A, B, C = (post(f"{name}=", BID=1) for name in "ABC")
NO = rejected(RejectCode.MISSING_FIELD)


def failed(ric: str, code: RejectCode = RejectCode.CHECK_FAILED) -> Rejected:
    return Rejected(code, "no", ric, "TRCC", "fx")


def curve(*bids: float, last: str = "=", add: float = 0) -> Outcome:
    return several(*(post(f"EUR{n}M{last}", BID=bid + add, ASK=bid + 1) for n, bid in enumerate(bids, 1)))


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        (several(A, B), several(A, B), {Kind.SAME: 2}),
        (several(A, B), several(B, A), {Kind.SAME: 2}),
        (several(A, B), several(A, post("B=", BID=2)), {Kind.SAME: 1, Kind.CHANGED: 1}),
        (A, several(A, B, C), {Kind.SAME: 1, Kind.GAINED: 2}),
        (several(A, B, C), A, {Kind.SAME: 1, Kind.LOST: 2}),
        (several(A, B), several(A, B, C), {Kind.SAME: 2, Kind.GAINED: 1}),
        (several(A, B, C), several(C, A), {Kind.SAME: 2, Kind.LOST: 1}),
        (post("D=", BID=1), several(A, B), {Kind.LOST: 1, Kind.GAINED: 2}),
        (several(A, B), several(A, failed("B=")), {Kind.SAME: 1, Kind.NEWLY_REJECTED: 1}),
        (several(A, NO), several(A, B), {Kind.SAME: 1, Kind.NEWLY_ACCEPTED: 1}),
        (several(A, NO), several(A, NO), {Kind.SAME: 2}),
        (several(A, NO), several(A, failed("B=")), {Kind.SAME: 1, Kind.REJECTED_OTHERWISE: 1}),
        (several(A, B), several(A, B, NO), {Kind.SAME: 2, Kind.NEWLY_REJECTED: 1}),
        (several(A, B, NO), several(A, B), {Kind.SAME: 2, Kind.LOST: 1}),
        (several(A, B, C), rejected(), {Kind.NEWLY_REJECTED: 3}),
        (rejected(mapping=None), several(A, B, NO), {Kind.NEWLY_ACCEPTED: 2, Kind.REJECTED_OTHERWISE: 1}),
        (failed("A="), several(A, B), {Kind.NEWLY_ACCEPTED: 1, Kind.GAINED: 1}),
        (ignored(), several(A, NO), {Kind.NO_LONGER_IGNORED: 2}),
        (several(A, B), ignored(), {Kind.NEWLY_IGNORED: 2}),
        (several(A, post("A=", service="PAGES", BID=1)), several(A, B), {Kind.SAME: 1, Kind.CHANGED: 1}),
    ],
)
def test_each_post_is_compared_with_that_of_its_ric_and_service(
    old: Outcome, new: Outcome, kinds: dict[Kind, int]
) -> None:
    found = gathered((old, new))
    assert {kind: count for kind, count in found.kinds.items() if count} == kinds
    assert (found.records, found.parts) == (1, sum(kinds.values()))
    assert found.differ is (kinds.keys() != {Kind.SAME})
    assert found.changed == found.differ


def test_posts_whose_rics_are_built_otherwise_are_compared_in_their_places() -> None:
    pairs = paired(curve(1, 2, 3), curve(1, 2, 3, last="=X"))
    assert [(old and old.ric, new and new.ric) for old, new in pairs] == [
        ("EUR1M=", "EUR1M=X"),
        ("EUR2M=", "EUR2M=X"),
        ("EUR3M=", "EUR3M=X"),
    ]


def test_a_record_counts_once_and_its_posts_each() -> None:
    found = gathered(*[(curve(n, n + 2, n + 4), curve(n, n + 2, n + 4, add=0.5)) for n in range(50)], (A, A))
    assert (found.records, found.changed, found.parts) == (51, 50, 151)
    assert found.kinds == {Kind.CHANGED: 150, Kind.SAME: 1}
    assert texts(found) == ["BID is larger by 0.5 in fx: in each of 150 posts that change"]
    [group] = found.groups.values()
    assert (group.records, group.changed) == (50, 150)
    assert (group.fields["BID"].records, group.fields["BID"].count) == (50, 150)


def test_a_field_that_changes_in_one_post_of_each_record_is_told_in_posts() -> None:
    pairs = [(several(A, post("B=", BID=n)), several(A, post("B=", BID=n + 7))) for n in range(5)]
    assert texts(gathered(*pairs)) == ["BID is larger by 7 in fx: in each of 5 posts that change"]


def test_posts_that_are_gained_lost_and_rejected_are_told_with_their_rics() -> None:
    found = gathered(
        (A, several(A, B, C)),
        (several(A, B, C), several(A, failed("B="), failed("C="))),
        (several(A, B, post("D=", BID=1)), several(A, B)),
        (several(A, B, failed("E=")), several(A, B)),
    )
    assert texts(found) == [
        "2 posts are newly rejected by fx, CheckFailed",
        "1 post is lost, no longer made by fx",
        "1 post is lost, no longer made by fx, which was rejected (CheckFailed)",
        "2 posts are gained, not made before by fx",
    ]
    [gained] = [turned for turn, turned in found.turns.items() if turn.kind is Kind.GAINED]
    assert [(each.place, each.ric, each.old, each.new) for each in gained.examples] == [
        ("prices:0:0", "B=", "not made", "posted to B="),
        ("prices:0:0", "C=", "not made", "posted to C="),
    ]
    assert found.rics.gained() == (0, ())
    assert found.rics.lost() == (1, ("D=",))


def test_rics_are_gained_and_lost_post_by_post() -> None:
    found = gathered((several(A, B), several(B, C, post("B=", service="PAGES", BID=1))))
    assert found.rics.gained() == (2, ("C= of TRCC", "B= of PAGES"))
    assert found.rics.lost() == (1, ("A= of TRCC",))


def test_every_post_of_a_record_exercises_its_fields() -> None:
    posts = [{"ric": "{a}", "fields": {"BID": "bid"}}, {"ric": "{b}", "fields": {"ASK": "ask", "MID_PRICE": "mid"}}]
    coverage = Coverage(mappings({"name": "fx", "posts": posts}))
    coverage.add(several(A, NO))
    assert coverage.matched == {"fx": 1}
    assert coverage.exercised().silent_fields == {"fx": ("ASK", "MID_PRICE")}
    coverage.add(several(A, post("B=", ASK=1, MID_PRICE=1)))
    assert coverage.exercised().silent_fields == {}


def test_the_document_counts_records_and_parts() -> None:
    found = gathered(*[(curve(n, n + 2), curve(n, n + 2, add=0.25)) for n in range(40)], (A, several(A, B)))
    side = Side("c", "0" * 64, "1")
    report = Report(side, side, SeenTraffic("x"), found, mapping_changes([], [], {}, {}))
    document = report.document()
    assert (document["records"], document["records_changed"], document["parts"]) == (41, 41, 82)
    expected = {**dict.fromkeys(Kind, 0), Kind.CHANGED: 80, Kind.SAME: 1, Kind.GAINED: 1}
    assert document["outcomes"] == {str(kind): count for kind, count in expected.items()}
    [change] = document["changes"]
    assert (change["records"], change["parts"]) == (40, 80)
    assert (change["fields"]["BID"]["records"], change["fields"]["BID"]["parts"]) == (40, 80)
    assert change["fields"]["BID"]["pattern"] == {"text": "is larger by 0.25", "records": 40, "parts": 80}
    assert [(each["text"], each["records"], each["parts"]) for each in document["findings"]] == [
        ("BID is larger by 0.25 in fx: in each of 80 posts that change", 40, 80),
        ("1 post is gained, not made before by fx", 1, 1),
    ]
    assert document["turned"][0]["outcome"] == "gained"


def test_examples_name_the_ric_of_the_post() -> None:
    found = gathered((several(A, B), several(A, post("B=", BID=Decimal(4)))))
    [group] = found.groups.values()
    assert [(each.place, each.ric) for each in group.fields["BID"].examples] == [("prices:0:0", "B=")]
