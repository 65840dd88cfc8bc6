"""A price too old against its Kafka timestamp is not posted."""

import msgspec
import pytest
from tests.engine.rig import Rig, statuses

from contribd.results.result import decode_result

SECOND = 1_000_000


@pytest.fixture
def rig() -> Rig:
    return Rig(max_age=2 * SECOND).open().assign()


def test_a_price_as_old_as_allowed_is_posted(rig: Rig) -> None:
    rig.put({"BID": 1}, age=2.0)
    assert len(rig.posts) == 1


def test_an_older_one_is_expired_with_its_age(rig: Rig) -> None:
    rig.put({"BID": 1}, age=2.001)
    assert rig.posts == []
    [result] = rig.commit()
    assert (result["status"], result["code"], result["posts"]) == ("EXPIRED", None, [])
    assert result["text"] == "2.001 s old, and max_age is 2 s"


def test_a_price_without_a_timestamp_does_not_expire(rig: Rig) -> None:
    rig.put({"BID": 1}, age=None)
    assert len(rig.posts) == 1


def test_a_price_expires_while_it_waits_behind_another(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    rig.tick(2.001)
    assert statuses(rig.commit()) == [(1, "EXPIRED")]
    rig.ack(1)
    assert statuses(rig.commit()) == [(0, "ACK")]
    assert len(rig.posts) == 1


def test_a_price_expires_while_there_is_no_session() -> None:
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, {"BID": 2})
    rig.tick(2.001)
    assert statuses(rig.commit()) == [(0, "EXPIRED"), (1, "EXPIRED")]
    rig.put({"BID": 3})
    rig.open()
    rig.tick()
    rig.ack(1)
    assert statuses(rig.commit()) == [(2, "ACK")]


def test_only_the_old_ones_of_those_that_would_merge_expire() -> None:
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1, "ASK": 1})
    rig.mono, rig.wall = rig.mono + 1.5, rig.wall + 1_500_000
    rig.put({"BID": 2})
    rig.mono, rig.wall = rig.mono + 1, rig.wall + 1_000_000
    rig.open()
    rig.tick()
    assert rig.engine.contributor.in_flight.oldest() is not None
    assert statuses(rig.commit()) == [(0, "EXPIRED")]


def test_the_engine_wakes_for_the_next_price_to_expire() -> None:
    rig = Rig(max_age=2 * SECOND).open().assign()
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    assert rig.engine.wake_at(rig.now) == pytest.approx(rig.mono + 2, abs=0.001)


def test_a_price_under_way_does_not_expire(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.tick(10)
    assert rig.take() is None
    rig.ack(1)
    assert statuses(rig.commit()) == [(0, "ACK")]


def test_a_price_that_expires_before_its_retry_keeps_its_last_answer(rig: Rig) -> None:
    rig.put({"BID": 1}, age=1.5)
    rig.ack(1, NakCode="NoResources", Text="busy")
    rig.tick(0.6)
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("NAK", "NoResources", "busy")
    rig.tick(1)
    assert len(rig.posts) == 1


def test_a_price_that_expires_after_a_lost_session_is_unanswered(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.lose()
    rig.tick(2.001)
    [result] = rig.commit()
    assert (result["status"], [post["answer"] for post in result["posts"]]) == ("UNANSWERED", ["LOST"])


def test_settled_prices_are_not_held_until_they_would_have_expired() -> None:
    rig = Rig(max_age=3600 * SECOND).open().assign()
    for post_id in range(1, 3001):
        rig.put({"BID": post_id})
        rig.ack(post_id)
        rig.engine.outbox.take()
        rig.engine.outbox._writing = False
        rig.commit()
    assert len(rig.engine.contributor._expiry) < 2500


# Timestamps in the future

AHEAD = (60.001, 3_600.0, 10 * 365 * 86_400.0, 2_000_000_000_000.0 - 2_000_000_000.0, 9e12)
"""Seconds: a little, an hour, ten years, microseconds taken for milliseconds, the end of what Kafka can say."""


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_timestamp_in_the_future_counts_as_of_the_record_s_arrival(ahead: float) -> None:
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, age=-ahead)
    rig.tick(2.0)
    assert rig.take() is None
    rig.tick(0.002)
    [result] = rig.commit()
    assert (result["status"], result["text"]) == (
        "EXPIRED",
        "2.002 s after its arrival (stamped in the future), and max_age is 2 s",
    )
    rig.put({"BID": 2}, age=-ahead)
    rig.open()
    assert [fields["BID"] for fields in rig.fields] == [2]
    assert rig.engine.counters.delivery_seconds.total < 1


def test_a_minute_ahead_is_within_what_clocks_differ(rig: Rig) -> None:
    rig.put({"BID": 1}, age=-60.0)
    assert rig.engine.counters.future_timestamps == 0
    rig.put({"BID": 2}, age=-60.001)
    assert rig.engine.counters.future_timestamps == 1


def test_such_timestamps_are_all_counted_and_told_of_once_a_minute_with_the_record(rig: Rig) -> None:
    told: list[dict[str, object]] = []
    rig.engine.taker._log = lambda _level, event, **details: told.append({"event": event, **details})
    for _ in range(3):
        rig.put({"BID": 1}, {"BID": 2}, age=-3_600.0)
    rig.put_values(b"", age=-3_600.0)
    rig.tick(60.0)
    rig.put({"BID": 3}, age=-3_600.0)
    assert rig.engine.counters.future_timestamps == 8
    assert [(line["record"], line["so_far"], line["ahead"]) for line in told] == [
        ("prices:0:0", 1, "3600 s"),
        ("prices:0:7", 8, "3600 s"),
    ]


@pytest.mark.parametrize("ahead", AHEAD)
def test_the_result_has_the_record_s_own_timestamp_as_far_as_it_can_be_written(ahead: float) -> None:
    rig = Rig().open().assign()
    rig.put({"BID": 1}, age=-ahead)
    rig.ack(1)
    [result] = rig.commit()
    stamped = result["source"]["timestamp"]
    assert stamped is None if ahead > 1e12 else stamped > "2027-01-15T08:01"
    assert decode_result(msgspec.json.encode(result)).delivery_seconds == 0.0 or stamped is None


def test_a_retry_does_not_make_it_younger() -> None:
    rig = Rig(max_age=2 * SECOND).open().assign()
    rig.put({"BID": 1}, age=-3_600.0)
    rig.tick(1.9)
    rig.ack(1, NakCode="NoResources", Text="busy")
    rig.tick(0.6)
    [result] = rig.commit()
    assert (result["status"], len(rig.posts)) == ("NAK", 1)


def test_where_each_price_is_posted_none_follows_one_too_old_by_its_arrival_before_that_is_durable() -> None:
    """Whoever consumes it after a crash finds that it arrives then, and would post it after the newer one."""
    rig = Rig(max_age=2 * SECOND, conflate=False).assign()
    for age in (0.0, -3_600.0, 0.0, -70.0):
        rig.put({"BID": 1}, age=age)
    rig.tick(2.1)
    assert statuses(rig.commit()) == [(0, "EXPIRED"), (2, "EXPIRED")], "those that are too old by their own timestamp"
    rig.put({"BID": 5})
    rig.open()
    rig.tick()
    assert rig.posts == []
    assert statuses(rig.commit()) == [(1, "EXPIRED"), (3, "EXPIRED")]
    assert rig.fields == [{"BID": 5}]
    rig.ack(1)
    assert statuses(rig.commit()) == [(4, "ACK")]


def test_one_whose_retry_comes_too_late_by_its_arrival_is_durable_first_too() -> None:
    rig = Rig(max_age=2 * SECOND, conflate=False).open().assign()
    rig.put({"BID": 1}, age=-3_600.0)
    rig.ack(1, NakCode="NoResources", Text="busy")
    rig.tick(2.1)
    rig.put({"BID": 2})
    rig.tick()
    assert len(rig.posts) == 1
    assert statuses(rig.commit()) == [(0, "NAK")]
    assert rig.fields == [{"BID": 1}, {"BID": 2}]
