"""The last ten minutes: what each row is made of, and that there are no more."""

from dataclasses import replace

import pytest
from tests.ops.samples import snapshot

from contribd.ops.history import STATES, History, quantile
from contribd.ops.snapshot import CountersView, HistogramView, PartitionView, Snapshot
from contribd.ops.verdict import VerdictState

UP = VerdictState.CONTRIBUTING


def counted(*results: tuple[str, str, int]) -> Snapshot:
    return replace(snapshot(), counters=CountersView(results=results))


def test_rates_are_what_was_counted_between_two_rows_by_the_time_between() -> None:
    history = History()
    history.take(counted(("ACK", "", 10), ("NAK", "x", 1)), UP, 0.0)
    later = counted(
        ("ACK", "", 210), ("NAK", "x", 2), ("ERROR", "", 1), ("UNANSWERED", "", 2),
        ("CONFLATED", "", 6), ("REJECTED", "BadRecord", 8), ("IGNORED", "", 2),
    )  # fmt: skip
    history.take(later, UP, 0.9)
    assert history.rows() == []
    history.take(later, UP, 2.0)
    (row,) = history.rows()
    assert (row.accepted, row.refused, row.conflated, row.unposted) == (100.0, 2.0, 3.0, 5.0)
    assert (row.outstanding, row.waiting, STATES[row.state]) == (7, 12, "contributing")


def test_latencies_are_of_what_was_counted_meanwhile() -> None:
    history = History()
    history.take(snapshot(), UP, 0.0)
    history.take(replace(snapshot(), ack_seconds=HistogramView((0.001, 0.01, 1.0), (5, 180, 7, 1), 4.0)), UP, 1.0)
    (row,) = history.rows()
    assert row.ack_p50 == 5.5
    assert row.ack_p99 == 9.91
    assert row.delivery_p50 is None


@pytest.mark.parametrize(
    ("counts", "share", "milliseconds"),
    [
        ((0, 0, 0), 0.5, None),
        ((10, 0, 0), 0.5, 50.0),
        ((10, 10, 0), 0.5, 100.0),
        ((0, 10, 0), 0.99, 991.0),
        ((0, 0, 3), 0.5, 1000.0),
    ],
)
def test_a_quantile_lies_in_its_bucket(counts: tuple[int, ...], share: float, milliseconds: float | None) -> None:
    assert quantile(((0.1, 1.0), counts), share) == milliseconds


def test_the_lag_is_not_known_where_one_partitions_is_not() -> None:
    history = History()
    known = PartitionView("prices", 0, 1, 1, 40, 0, False)
    for mono, lag in enumerate((0, 7, None)):
        history.take(replace(snapshot(), partitions=(known, replace(known, lag=lag))), UP, float(mono))
    assert [row.lag for row in history.rows()] == [47, None]


def test_ten_minutes_are_kept_and_no_more() -> None:
    history = History()
    for second in range(700):
        history.take(replace(snapshot(), taken_at=float(second)), UP, float(second))
    rows = history.rows()
    assert (len(rows), rows[0].at, rows[-1].at) == (600, 100.0, 699.0)
    assert history.rows(2) == rows[-2:]
