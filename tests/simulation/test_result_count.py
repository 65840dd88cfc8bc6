"""The demo's judge: it must see each way in which records in and results out can differ."""

from datetime import UTC, datetime, timedelta

import pytest

from contribd.engine.records.price import Reply, Status
from contribd.mapping.outcome import PostType
from contribd.results.result import Post, Result, Source
from contribd.simulation.demo.result_count import ResultTally, percentiles
from contribd.simulation.demo.show_summary import Percentiles

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def result(
    offset: int, status: Status = Status.ACK, code: str | None = None, *, posts: tuple[Post, ...] = ()
) -> Result:
    return Result(
        status=status,
        ric="EUR=TRCC",
        service="TRCC",
        mapping="fx-spot",
        fields={},
        code=code,
        text=None,
        source=Source("prices", 0, offset, NOW, "EURUSD"),
        carried_by=None,
        posts=posts,
        consumed_at=NOW,
        settled_at=NOW,
        instance="demo",
        version="0",
        config="",
    )


def post(post_id: int, answer: Reply, milliseconds: int) -> Post:
    sent = NOW + timedelta(milliseconds=5)
    answered = sent + timedelta(milliseconds=milliseconds)
    return Post(post_id, PostType.UPDATE, "ws://ads", "s1", sent, answered, answer, None, None)


def tally(*results: Result) -> ResultTally:
    found = ResultTally()
    for each in results:
        found.add(each)
    return found


def test_one_result_for_each_record_holds() -> None:
    audit = tally(result(0), result(1)).audit({(0, 0), (0, 1)})
    assert (audit.records, audit.results, audit.holds) == (2, 2, True)


@pytest.mark.parametrize(
    ("offsets", "missing", "repeated", "foreign"),
    [([0], 1, 0, 0), ([0, 1, 1], 0, 1, 0), ([0, 1, 2], 0, 0, 1), ([0, 0], 1, 1, 0)],
)
def test_a_missing_a_repeated_and_a_foreign_result_are_each_seen(
    offsets: list[int], missing: int, repeated: int, foreign: int
) -> None:
    audit = tally(*(result(offset) for offset in offsets)).audit({(0, 0), (0, 1)})
    assert (audit.missing, audit.repeated, audit.foreign, audit.holds) == (missing, repeated, foreign, False)


def test_results_are_counted_by_status_and_code() -> None:
    found = tally(result(0), result(1, Status.NAK, "NotOpen"), result(2, Status.REJECTED, "BadRecord"), result(3))
    assert [(each.status, each.code, each.count) for each in found.statuses()] == [
        ("ACK", None, 2),
        ("NAK", "NotOpen", 1),
        ("REJECTED", "BadRecord", 1),
    ]
    assert found.by_status() == {"ACK": 2, "NAK": 1, "REJECTED": 1}


def test_a_post_that_several_results_name_counts_once() -> None:
    posts = (post(1, Reply.LOST, 900), post(2, Reply.ACK, 10))
    found = tally(result(0, posts=posts), result(1, Status.CONFLATED, posts=posts))
    assert found.answers() == {"LOST": 1, "ACK": 1}
    ack, delivery = found.latencies()
    assert ack == Percentiles(10, 10, 10, 10)
    assert delivery == Percentiles(5, 5, 5, 5)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert percentiles([number / 1000 for number in range(1, 101)]) == Percentiles(50, 95, 99, 100)
    assert percentiles([0.25]) == Percentiles(250, 250, 250, 250)
    assert percentiles([]) is None
