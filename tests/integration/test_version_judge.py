"""What the count of a flow's results takes for wrong: a record's posts by themselves, truth, order."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.integration.rigs.version_flow import CURVES_OF_A_FAMILY, Flow, Kind, Quote, records_of
from tests.integration.rigs.version_judge import Judged, judge
from tests.integration.rigs.versions import Fed

from contribd.engine.records.price import Reply, Status
from contribd.mapping.outcome import PostType
from contribd.results.result import Post, Result, Source

NOW = datetime(2026, 11, 29, tzinfo=UTC)
POST = Post(1, PostType.UPDATE, "ws://a", "s", NOW, NOW, Reply.ACK, None, None)

FED: Fed = {
    ("prices", 0, 0): (Quote("A", 1), Quote("B", 1), Quote("NAK.DeniedBySrc.C", 1)),
    ("prices", 0, 1): (Quote("B", 2),),
    ("prices", 0, 2): (Quote("A", 2), Quote("B", 3), Quote("D", None)),
}


def source(offset: int, part: int | None = None) -> Source:
    return Source("prices", 0, offset, NOW, None, part, None if part is None else 3)


def result(offset: int, part: int | None = None, status: Status = Status.ACK, **changes: object) -> Result:
    quote = FED["prices", 0, offset][part or 0]
    made = Result(
        status=status,
        ric=quote.ric,
        service="TRCC",
        mapping="curves",
        fields={"ACVOL_1": Decimal(quote.version or 0)},
        code=None,
        text=None,
        source=source(offset, part),
        carried_by=None,
        posts=(POST,) if status in {Status.ACK, Status.NAK} else (),
        consumed_at=NOW,
        settled_at=NOW,
        instance="i",
        version="0",
        config="0",
    )
    return replace(made, **changes)


def right() -> list[Result]:
    return [
        result(0, 0),
        result(0, 1),
        result(0, 2, Status.NAK),
        result(1),
        result(2, 0),
        result(2, 1),
        result(2, 2, Status.REJECTED),
    ]


def judged(*results: Result) -> Judged:
    return judge(results, FED, set())


def test_one_true_result_a_post_is_right() -> None:
    found = judged(*right())
    assert (found.clean, found.expected) == (True, 7), found


def test_a_post_without_its_result_is_missing_though_its_record_has_others() -> None:
    results = right()
    del results[1]
    assert judged(*results).missing == ["prices:0:0 post 1"]


def test_a_post_with_two_results_is_doubled_and_its_record_with_many_is_not() -> None:
    assert judged(*right(), result(0, 1)).doubled == ["prices:0:0 post 1: 2 results"]


def test_a_result_of_nothing_fed_is_strange() -> None:
    assert judged(*right(), replace(result(1), source=source(7))).strange == ["prices:0:7"]
    assert judged(*right(), replace(result(0, 0), source=source(0, 3))).strange == ["prices:0:0 post 3"]


@pytest.mark.parametrize(
    ("at", "instead"),
    [
        (0, lambda: result(0, 0, ric="B")),
        (0, lambda: result(0, 0, source=Source("prices", 0, 0, NOW, None, 0, 2))),
        (0, lambda: result(0, 0, fields={"ACVOL_1": Decimal(2)})),
        (0, lambda: result(0, 0, Status.REJECTED)),
        (2, lambda: result(0, 2)),
        (6, lambda: result(2, 2)),
        (1, lambda: result(0, 1, Status.CONFLATED)),
        (1, lambda: result(0, 1, Status.CONFLATED, carried_by=source(2, 0))),
        (3, lambda: result(1, None, Status.CONFLATED, carried_by=source(0, 1))),
    ],
    ids=["RIC", "parts", "fields", "rejected", "NAK", "unmapped", "carried by none", "by another RIC", "by an older"],
)
def test_a_result_that_does_not_say_what_became_of_its_post_is_untrue(at: int, instead: Callable[[], Result]) -> None:
    results = right()
    results[at] = instead()
    assert len(judged(*results).untrue) == 1


def test_a_carrier_that_was_carried_itself_is_none() -> None:
    results = right()
    results[1] = result(0, 1, Status.CONFLATED, carried_by=source(1))
    assert judged(*results).clean
    results[3] = result(1, None, Status.CONFLATED, carried_by=source(2, 1))
    assert len(judged(*results).untrue) == 1


def test_a_result_of_an_older_post_after_a_newer_one_is_out_of_order() -> None:
    results = right()
    results[1], results[3] = results[3], results[1]
    assert judged(*results).reordered == ["B: 1 after 2 (prices:0:0)"]


def test_an_accepted_price_that_the_ads_never_got_is_untrue() -> None:
    assert len(judge(right(), FED, set(), []).untrue) == 6


def test_a_flow_has_its_curves_among_single_quotes_of_the_same_instruments() -> None:
    flow = Flow(1_000, 10, 1.0, poison=2, unreadable=2, curves=4 * CURVES_OF_A_FAMILY, points=20)
    records = list(records_of(flow))
    curves = [record for record in records if len(record.quotes) == flow.points]
    singles = [record for record in records if len(record.quotes) == 1 and record.kind is Kind.PRICES]
    assert (len(records), len(curves), len(singles)) == (1_000, 200, 796)
    assert {len({quote.ric for quote in curve.quotes}) for curve in curves} == {flow.points}
    keys: dict[str, set[bytes]] = {}
    for record in curves + singles:
        for quote in record.quotes:
            keys.setdefault(quote.ric, set()).add(record.key)
    assert {len(each) for each in keys.values()} == {1}, "an instrument whose prices have two keys has no order"
    of_both = {quote.ric for curve in curves for quote in curve.quotes} & {single.quotes[0].ric for single in singles}
    assert len(of_both) > 90
    assert len({tuple(quote.ric for quote in curve.quotes) for curve in curves}) > 4, "parts change"
