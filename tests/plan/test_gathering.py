"""What differs over a stretch of traffic: counted, with examples, and said in words."""

from decimal import Decimal

import pytest
from tests.plan.making import gathered, ignored, mappings, post, quotes, record, refresh, rejected, texts

from contribd.mapping.outcome import PartOutcome, RejectCode
from contribd.plan.gathering import Gathering
from contribd.plan.outcomes import Kind, kind_of
from contribd.plan.rics import RicLedger


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (post(BID=1.5), post(BID=1.50), Kind.SAME),
        (post(BID=1.0), post(BID=1), Kind.SAME),
        (post(BID=1), post(BID="1"), Kind.CHANGED),
        (post(BID=1), post(BID=None), Kind.CHANGED),
        (post(BID=None), post(), Kind.CHANGED),
        (post("EUR=", BID=1), post("EUR=X", BID=1), Kind.CHANGED),
        (post(BID=1), post(BID=1, service="OTHER"), Kind.CHANGED),
        (post(BID=1), refresh(BID=1), Kind.CHANGED),
        (post(BID=1), post(BID=1, mapping="spot"), Kind.OTHER_MAPPING),
        (post(BID=1), rejected(), Kind.NEWLY_REJECTED),
        (rejected(), post(BID=1), Kind.NEWLY_ACCEPTED),
        (rejected(text="so"), rejected(text="otherwise"), Kind.SAME),
        (rejected(), rejected(RejectCode.NO_MAPPING), Kind.REJECTED_OTHERWISE),
        (post(BID=1), ignored(), Kind.NEWLY_IGNORED),
        (rejected(), ignored(), Kind.NEWLY_IGNORED),
        (ignored(), post(BID=1), Kind.NO_LONGER_IGNORED),
        (ignored(), rejected(), Kind.NO_LONGER_IGNORED),
        (ignored(), ignored(), Kind.SAME),
        (ignored("a"), ignored("b"), Kind.OTHER_MAPPING),
    ],
)
def test_every_pair_of_outcomes_has_its_kind(old: PartOutcome, new: PartOutcome, kind: Kind) -> None:
    assert kind_of(old, new) is kind
    assert gathered((old, new)).kinds == {kind: 1}
    assert gathered((old, new)).differ is (kind is not Kind.SAME)


def test_exchanged_fields_are_named_with_the_mapping_and_how_often() -> None:
    pairs = [(post(BID=bid, ASK=ask, MID=1), post(BID=ask, ASK=bid, MID=1)) for bid, ask in quotes(500)]
    assert texts(gathered(*pairs)) == ["BID and ASK are exchanged in fx: in each of 500 records that change"]


def test_fields_are_named_in_the_order_of_the_old_rules() -> None:
    pairs = [(post(BID=bid, ASK=ask), post(ASK=bid, BID=ask)) for bid, ask in quotes(5)]
    assert texts(gathered(*pairs)) == ["BID and ASK are exchanged in fx: in each of 5 records that change"]


def test_an_exchange_is_told_from_other_changes_that_come_with_it() -> None:
    pairs = [
        (post(BID=bid, ASK=ask, SIZE=5, MID=bid), post(BID=ask, ASK=bid, SIZE=500, MID=round(bid, 1)))
        for bid, ask in quotes(300)
    ]
    pairs[7] = (pairs[7][0], post(BID=7, ASK=9, SIZE=500, MID=1))
    assert texts(gathered(*pairs))[:2] == [
        "BID and ASK are exchanged in fx: in 299 of 300 records that change",
        "SIZE is multiplied by 100 in fx: in each of 300 records that change",
    ]


def test_an_exchange_is_seen_where_the_two_are_rounded_otherwise_and_rounding_is_no_exchange() -> None:
    fine = [(bid + Decimal(n) / 10**7, ask + Decimal(n) / 10**7) for n, (bid, ask) in enumerate(quotes(90))]
    pairs = [(post(BID=bid, ASK=round(ask, 5)), post(BID=ask, ASK=round(bid, 5))) for bid, ask in fine]
    assert texts(gathered(*pairs)) == ["BID and ASK are exchanged in fx: in each of 90 records that change"]
    close = [(bid, bid + Decimal("0.0007")) for bid, _ in fine]
    rounded = [(post(BID=bid, ASK=ask), post(BID=round(bid, 2), ASK=round(ask, 2))) for bid, ask in close]
    assert [text.partition(" in ")[0] for text in texts(gathered(*rounded))] == [
        "ASK is rounded to 2 decimals",
        "BID is rounded to 2 decimals",
    ]


def test_a_field_that_takes_anothers_values_and_three_that_go_round() -> None:
    taken = [(post(BID=bid, ASK=ask), post(BID=ask, ASK=ask)) for bid, ask in quotes(50)]
    assert texts(gathered(*taken)) == ["BID has what ASK had in fx: in each of 50 records that change"]
    round_ = [(post(A=bid, B=ask, C=bid + 7), post(A=ask, B=bid + 7, C=bid)) for bid, ask in quotes(50)]
    assert texts(gathered(*round_)) == [
        "A has what B had in fx: in each of 50 records that change",
        "B has what C had in fx: in each of 50 records that change",
        "C has what A had in fx: in each of 50 records that change",
    ]


def test_equal_constants_are_no_exchange() -> None:
    pairs = [(post(BIDSIZE=5, ASKSIZE=7, BID=bid), post(BIDSIZE=7, ASKSIZE=7, BID=bid)) for bid, _ in quotes(50)]
    assert texts(gathered(*pairs)) == ["BIDSIZE is always 7 (it was 5) in fx: in each of 50 records that change"]


def test_fields_that_come_and_go_rics_services_and_types_are_told() -> None:
    found = gathered(
        (post("EUR=A", BID=1, ASK=2), post("EUR=B", BID=1, MID=2)),
        (post("JPY=A", BID=1), post("JPY=B", BID=1)),
        (post("JPY=A", BID=1), post("JPY=A", service="OTHER", BID=1)),
        (post("JPY=A", BID=1), refresh(ric="JPY=A", BID=1)),
    )
    assert texts(found) == [
        "fx's RIC ends with 'B' instead of 'A': in each of 2 records that change",
        "fx's service is OTHER instead of TRCC: 1 record",
        "fx's type is Refresh instead of Update: 1 record",
        "ASK is no longer posted by fx: 1 record",
        "MID is posted by fx, which it was not before: 1 record",
    ]


def test_rejections_come_by_code_with_the_first_three_records() -> None:
    failed = rejected(RejectCode.CHECK_FAILED, "bid <= ask is false")
    found = gathered(
        *[(post(BID=n), failed) for n in range(5)],
        (post(BID=1), rejected(RejectCode.BAD_VALUE)),
        (rejected(RejectCode.NO_MAPPING, mapping=None), post(BID=1)),
        (rejected(), rejected(RejectCode.CHECK_FAILED)),
        (post(BID=1), ignored()),
        (ignored(), post(BID=1)),
    )
    assert texts(found) == [
        "5 records are newly rejected by fx, CheckFailed",
        "1 record is newly rejected by fx, BadValue",
        "1 record is newly ignored by fx → heartbeat",
        "1 record is newly posted by fx, which was rejected (NoMapping)",
        "1 record is no longer ignored by heartbeat → fx",
        "1 record is rejected by fx with CheckFailed instead of BadValue",
    ]
    first = next(iter(found.turns.values()))
    assert [each.place for each in first.examples] == ["prices:0:0", "prices:0:1", "prices:0:2"]
    assert first.examples[0].new == "CheckFailed: bid <= ask is false"


def test_the_largest_moves_come_with_their_records() -> None:
    found = gathered(
        (post("A", BID=100), post("A", BID=103)),
        (post("B", BID=1), post("B", BID=1.5)),
        (post("C", BID=0), post("C", BID=2)),
        (post("D", BID="x"), post("D", BID=9000)),
    )
    [group] = found.groups.values()
    changes = group.fields["BID"]
    assert changes.farthest is not None
    assert changes.steepest is not None
    assert (changes.farthest.distance, changes.farthest.example.ric) == (Decimal(3), "A")
    assert (changes.steepest.relative, changes.steepest.example.ric) == (Decimal("0.5"), "B")
    assert changes.steepest.example.place == "prices:0:1"
    assert texts(found) == ["BID changes in fx: 4 records, by up to 3 and 50.00%"]


def test_a_renamed_mapping_is_told_after_all_else() -> None:
    found = gathered((post(BID=1), post(mapping="spot", BID=1)), (post(BID=1), post(BID=2)))
    assert texts(found) == [
        "BID changes in fx: 1 record, by up to 1 and 100%",
        "what fx posted is posted by spot, unchanged: 1 record",
    ]


def test_rics_are_gained_and_lost_over_all_records_whatever_their_order() -> None:
    found = gathered(
        (post("A", BID=1), post("B", BID=1)),
        (post("B", BID=1), post("B", BID=1)),
        (post("C", BID=1), post("A", BID=1)),
        (post("D", BID=1), rejected()),
        (rejected(), post("E", BID=1)),
    )
    assert found.rics.gained() == (1, ("E",))
    assert found.rics.lost() == (2, ("C", "D"))
    assert found.rics.count == 5


def test_the_same_ric_of_another_service_is_another() -> None:
    found = gathered((post("A", service="S", BID=1), post("A", service="T", BID=1)))
    assert found.rics.gained() == (1, ("A of T",))
    assert found.rics.lost() == (1, ("A of S",))


def test_rics_beyond_the_bound_are_not_told_apart_and_do_not_make_others_wrong() -> None:
    ledger = RicLedger(most=2)
    ledger.old("S", "A")
    ledger.both("S", "B")
    ledger.new("S", "C")
    ledger.both("S", "C")
    ledger.new("S", "A")
    assert (ledger.gained().total, ledger.lost().total, ledger.count, ledger.untold) == (0, 0, 2, 2)


def test_what_the_traffic_has_not_shown_is_named() -> None:
    both = mappings(
        {"name": "fx", "ric": "{pair}=", "fields": {"BID": "bid", "ASK": {"from": "ask", "missing": "skip"}}},
        {"name": "other", "ric": "{pair}=", "fields": {"BID": "bid"}},
    )
    gathering = Gathering(both, both)
    gathering.add(record(), post(BID=1), post(BID=1))
    gathering.add(record(), rejected(mapping="fx"), rejected(mapping=None))
    found = gathering.new.exercised()
    assert (found.mappings, found.silent_mappings) == (2, ("other",))
    assert (found.fields, found.silent_field_count) == (3, 2)
    assert found.silent_fields == {"fx": ("ASK",), "other": ("BID",)}
    assert gathering.old.matched == {"fx": 2, "other": 0}
