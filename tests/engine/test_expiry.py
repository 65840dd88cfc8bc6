"""A price too old against its Kafka timestamp is not posted."""

import pytest
from tests.engine.rig import Rig, statuses

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
