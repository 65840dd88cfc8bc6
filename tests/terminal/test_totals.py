"""Rates and latencies from two readings of a daemon's counters."""

from typing import Any

import pytest
from tests.terminal.statuses import at

from contribd.terminal.totals import Histogram, History, totals_of


def history(*documents: dict[str, Any]) -> History:
    made = History()
    for each in documents:
        made.add(totals_of(each, None))
    return made


def test_one_reading_makes_no_rate() -> None:
    made = history(at(0, 10))
    assert made.results_per_second() is None
    assert made.refused_share() is None
    assert made.ack_seconds(0.5) is None
    assert made.steps(10) == []


def test_a_rate_is_over_the_last_ten_seconds() -> None:
    made = history(at(0, 0), at(20, 1000), at(25, 1500, 50), at(30, 2000, 100))
    assert made.results_per_second() == pytest.approx(110)
    assert made.results_per_second("NAK", "SymbolUnknown") == pytest.approx(10)
    assert made.posts_per_second() == pytest.approx(110)
    assert made.consumed_per_second(("prices", "0")) == pytest.approx(110)
    assert made.consumed_per_second(("prices", "7")) is None
    assert made.steps(2) == [pytest.approx(110), pytest.approx(110)]


def test_asked_more_rarely_than_that_the_rate_is_between_the_last_two() -> None:
    assert history(at(0, 0), at(30, 300), at(50, 340)).results_per_second() == pytest.approx(2)


def test_shares_and_latencies_are_of_the_last_minute() -> None:
    made = history(at(0, 0), at(100, 100_000, 900), at(150, 100_095, 905))
    assert made.refused_share() == pytest.approx(0.05)
    assert made.ack_seconds(0.5) == pytest.approx(0.005)


def test_a_picture_that_does_not_move_on_is_no_new_one() -> None:
    made = History()
    assert made.add(totals_of(at(5, 10), None))
    assert not made.add(totals_of(at(5, 10), None))


def test_a_daemon_that_was_started_anew_begins_at_nothing() -> None:
    made = history(at(100, 5_000))
    made.add(totals_of(at(101, 3, started_at=1_700_000_100.0), None))
    assert made.results_per_second() is None


def test_the_share_of_a_core_is_between_two_that_are_known() -> None:
    made = History()
    for seconds, cpu in ((0, 1.0), (1, None), (5, 2.0)):
        made.add(totals_of(at(seconds, 0), cpu))
    assert made.cpu_share() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("counts", "part", "expected"),
    [
        ((0, 0, 0), 0.5, None),
        ((10, 0, 0), 0.5, 0.05),
        ((10, 10, 0), 0.75, 0.55),
        ((0, 0, 5), 0.5, 1.0),
        ((0, 4, 0), 1.0, 1.0),
    ],
)
def test_a_quantile_is_estimated_inside_its_bucket(
    counts: tuple[int, ...], part: float, expected: float | None
) -> None:
    found = Histogram((0.1, 1.0), counts).quantile(part)
    assert found == (None if expected is None else pytest.approx(expected))


def test_what_is_no_status_is_refused() -> None:
    with pytest.raises(KeyError):
        totals_of({"taken_at": "2026-11-22T10:15:30Z"}, None)
