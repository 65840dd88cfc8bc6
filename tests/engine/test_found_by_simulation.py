"""Cases that the seeded simulation found, as the smallest example of each."""

from tests.engine.rig import P0, P1, Rig, statuses

from contribd.engine.events import CaughtUp, Committed
from contribd.engine.limits import Bounds

SECOND = 1_000_000


def test_a_nak_without_a_text_has_none_in_its_result() -> None:
    rig = Rig().open().assign()
    rig.put({"BID": 1})
    rig.ack(1, NakCode="DeniedBySrc")
    [result] = rig.commit()
    assert (result["text"], result["posts"][0]["text"]) == (None, None)


def test_a_rate_does_not_keep_the_worker_awake_while_there_is_no_session() -> None:
    rig = Rig(max_rate=1).open().assign()
    rig.put({"BID": 1})
    rig.lose()
    rig.tick(100)
    assert rig.engine.contributor.wake_at(rig.now) is None


def test_a_price_that_was_posted_with_a_newer_one_and_then_expires_has_that_post_in_its_result() -> None:
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, age=1.0)
    rig.put({"ASK": 2}, age=0.0)
    rig.open()
    rig.tick()
    rig.ack(1, NakCode="NoResources", Text="busy")
    rig.tick(1.001)
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("NAK", "NoResources", "busy")
    assert [(post["post_id"], post["answer"]) for post in result["posts"]] == [(1, "NAK")]
    rig.ack(2)
    assert statuses(rig.commit()) == [(1, "ACK")]
    assert rig.fields == [{"BID": 1, "ASK": 2}, {"ASK": 2}]


def test_what_was_posted_together_stays_together_when_a_newer_price_makes_it_too_large() -> None:
    rig = Rig().assign()
    rig.put({"A": "a" * 300}, {"B": "b" * 300})
    rig.open(MaxMsgSize=1000)
    rig.tick()
    rig.ack(1, NakCode="NoResources")
    rig.put({"C": "c" * 300})
    rig.tick(1)
    assert [sorted(fields) for fields in rig.fields] == [["A", "B"], ["A", "B"]]


def test_what_was_posted_and_is_too_large_for_the_next_server_keeps_its_answer() -> None:
    rig = Rig().assign()
    rig.put({"A": "a" * 300}, {"B": "b" * 300})
    rig.open(MaxMsgSize=1000)
    rig.tick()
    rig.lose()
    rig.tick(1)
    rig.open(MaxMsgSize=600)
    rig.tick()
    assert rig.posts == []
    assert statuses(rig.commit()) == [(0, "UNANSWERED"), (1, "UNANSWERED")]


def test_nothing_older_is_posted_after_a_price_that_is_too_old() -> None:
    """It may have been posted by the process before this one; a price without a timestamp does not outlive it."""
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, age=None)
    rig.put({"BID": 2}, age=3.0)
    rig.open()
    rig.tick()
    assert rig.posts == []
    assert sorted(statuses(rig.commit())) == [(0, "EXPIRED"), (1, "EXPIRED")]


def test_merged_prices_and_the_one_that_carried_them_are_in_one_transaction() -> None:
    rig = Rig(bounds=Bounds(batch_results=2)).assign()
    rig.put({"BID": 1}, {"ASK": 2}, {"BID": 3}, {"BID": 4})
    rig.open()
    rig.tick()
    rig.ack(1)
    assert statuses(rig.decoded(rig.batch())) == [(0, "CONFLATED"), (1, "CONFLATED"), (2, "CONFLATED"), (3, "ACK")]


def test_a_partition_that_catches_up_posts_nothing_until_it_has() -> None:
    """The owner before may have posted the first price merged with the second: alone it would follow that one."""
    rig = Rig().open().assign(behind=True)
    rig.put({"BID": 1, "ASK": 1}, partition=P0)
    assert rig.posts == []
    rig.put({"BID": 2}, partition=P0)
    rig.handle(CaughtUp(frozenset({P0})))
    assert rig.fields == [{"BID": 2, "ASK": 1}]
    rig.ack(1)
    rig.commit()
    rig.put({"BID": 3}, partition=P0)
    assert rig.fields[-1] == {"BID": 3}


def test_catching_up_ends_where_the_owner_before_had_to_stop_too() -> None:
    rig = Rig(bounds=Bounds(span=2)).open().assign(behind=True)
    rig.put({"BID": 1}, {"BID": 2}, {"BID": 3}, partition=P0)
    assert rig.fields == [{"BID": 2}]


def test_a_partition_that_goes_while_it_catches_up_is_forgotten() -> None:
    rig = Rig().open().assign(behind=True)
    rig.put({"BID": 1}, partition=P0)
    rig.revoking(P0)
    assert rig.engine.settled(frozenset({P0}))
    rig.revoked(P0)
    rig.handle(CaughtUp(frozenset({P0})))
    assert (rig.posts, rig.engine.intake.waiting) == ([], 0)


def test_prices_that_are_not_merged_need_not_catch_up() -> None:
    rig = Rig(conflate=False).open().assign(behind=True)
    rig.put({"BID": 1}, partition=P0)
    assert rig.fields == [{"BID": 1}]


def test_a_full_engine_reads_on_where_it_catches_up_and_nowhere_else() -> None:
    rig = Rig(bounds=Bounds(waiting_records=2)).assign(P1).assign(behind=True)
    rig.put({"BID": 1}, {"BID": 2}, partition=P0)
    assert rig.engine.take_paused() == {P1}
    rig.put({"BID": 1}, {"BID": 2}, partition=P1)
    assert rig.engine.take_paused() == {P0, P1}
    rig.handle(CaughtUp(frozenset({P0})))
    assert rig.engine.take_paused() == {P0, P1}


def test_room_is_counted_from_what_is_durable() -> None:
    """The next owner starts there, and must know how far this one can have posted."""
    rig = Rig(bounds=Bounds(span=2)).open().assign()
    rig.put({"BID": 1}, {"BID": 2}, {"BID": 3})
    rig.ack(1)
    batch = rig.batch()
    rig.tick()
    assert rig.engine.intake.buffered(P0) == 1
    rig.handle(Committed(batch.number))
    rig.tick()
    assert rig.engine.intake.buffered(P0) == 0


def test_what_is_older_than_a_price_that_expires_while_it_waits_expires_with_it() -> None:
    """Both may have been posted together; were only the newer one settled, a crash would post the older one again."""
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, age=None)
    rig.put({"BID": 2}, age=0.0)
    rig.tick(2.001)
    assert statuses(rig.commit()) == [(0, "EXPIRED"), (1, "EXPIRED")]


def test_a_large_price_whose_fields_a_newer_refresh_replaced_stays_with_it() -> None:
    rig = Rig().assign()
    rig.put({"A": "a" * 1000})
    rig.put({"BID": 2}, type="Refresh")
    rig.open(MaxMsgSize=1000)
    rig.tick()
    rig.ack(1, NakCode="NoResources")
    rig.put({"B": "b" * 1000})
    rig.tick(1)
    assert rig.fields == [{"BID": 2}, {"BID": 2}]
    rig.ack(2)
    assert sorted(statuses(rig.commit())) == [(0, "CONFLATED"), (1, "ACK"), (2, "REJECTED")]
