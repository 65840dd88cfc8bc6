"""What the engine promises besides: sessions, partitions, stopping, membership."""

import pytest
from tests.ads.server_messages import directory
from tests.engine.making import PlainMapper
from tests.engine.rig import P0, P1, Rig, encode, statuses

from contribd.engine.commands import Disconnect
from contribd.engine.events import Blocked, Received, Records
from contribd.engine.limits import MAX_SPAN, Bounds
from contribd.engine.records.price import Record
from contribd.engine.states import SessionState
from contribd.mapping.outcome import Outcome
from contribd.mapping.scope import Surroundings


@pytest.fixture
def rig() -> Rig:
    return Rig().open().assign()


def drained(rig: Rig) -> bool:
    return rig.engine.drained


# Records


def test_a_record_that_cannot_be_mapped_is_rejected_at_once(rig: Rig) -> None:
    rig.put_values(None)
    [result] = rig.commit()
    assert (result["status"], result["code"], result["ric"], result["posts"]) == ("REJECTED", "BadRecord", None, [])


def test_a_record_that_is_not_for_posting_is_ignored_at_once(rig: Rig) -> None:
    rig.put_values(b'{"ignored": "heartbeat"}')
    batch = rig.batch()
    assert [settlement.untouched for settlement in batch.settlements] == [None]
    [result] = rig.decoded(batch)
    assert (result["status"], result["code"], result["ric"], result["mapping"]) == ("IGNORED", None, None, "heartbeat")
    assert (result["fields"], result["posts"], rig.posts) == (None, [], [])
    assert "heartbeat" in result["text"]
    assert rig.engine.counters.results == {("IGNORED", ""): 1}


def test_mappings_are_told_what_surrounds_a_record_where_they_ask() -> None:
    told: list[Surroundings | None] = []

    class Asking(PlainMapper):
        def map(self, value: bytes | None, surroundings: Surroundings | None = None, _last: object = None) -> Outcome:
            told.append(surroundings)
            return super().map(value)

    rig = Rig().open().assign()
    for asks in (False, True):
        rig.engine.taker.mapper = Asking()
        rig.engine.taker.mapper.surrounded = asks  # type: ignore[misc] # as a mapping that reads @key would make it
        headers = [("source", b"old"), ("source", "Börse".encode()), ("trace", b"\xff"), ("none", None)]
        record = Record(rig._next[P0], 1_780_000_000_000, b"EURUSD", b'{"ignored": "x"}', headers)
        rig._next[P0] += 1
        rig.handle(Records([(P0, [record])]))
    assert told == [None, Surroundings("EURUSD", "prices", 0, 1, 1_780_000_000_000, {"source": "Börse"})]


def test_rejected_records_wait_for_nobody() -> None:
    rig = Rig().assign()
    rig.put({"BID": 1})
    rig.put_values(b"")
    assert statuses(rig.commit()) == [(1, "REJECTED")]


def test_records_of_a_partition_that_is_not_ours_are_ignored(rig: Rig) -> None:
    rig._next[P1] = 0
    rig.put({"BID": 1}, partition=P1)
    assert rig.posts == []
    assert rig.engine.counters.records == 0


def test_what_an_earlier_run_settled_is_not_posted_again(rig: Rig) -> None:
    rig.put({"BID": 1}, ric="A=")
    rig.put({"BID": 2}, ric="B=")
    rig.ack(2)
    commit = rig.batch().commits[P0]
    assert commit.offset == 0
    again = Rig().open().assign(P0, commit.offset, commit.metadata)
    again.put({"BID": 1}, ric="A=")
    again.put({"BID": 2}, ric="B=")
    assert [post["Key"]["Name"] for post in again.posts] == ["A="]


def test_a_partition_that_runs_too_far_ahead_of_its_prefix_is_paused_and_resumed(rig: Rig) -> None:
    rig.put({"BID": 0}, ric="SLOW=")
    rig._next[P0] = MAX_SPAN - 1
    rig.put_values(None, None, None)
    assert rig.engine.take_paused() == {P0}
    assert statuses(rig.commit()) == [(MAX_SPAN - 1, "REJECTED")]
    rig.ack(1)
    rig.commit()
    rig.tick()
    assert rig.engine.take_paused() == frozenset()
    assert statuses(rig.commit()) == [(MAX_SPAN, "REJECTED"), (MAX_SPAN + 1, "REJECTED")]


def test_too_many_waiting_records_pause_every_partition_until_half_are_gone() -> None:
    rig = Rig(bounds=Bounds(waiting_records=4)).open().assign(P0).assign(P1)
    for n in range(3):
        rig.put({"BID": n}, ric=f"R{n}=")
    assert rig.engine.take_paused() == frozenset()
    rig.put({"BID": 3}, ric="R3=")
    assert rig.engine.take_paused() == {P0, P1}
    rig.ack(1)
    rig.commit()
    assert rig.engine.take_paused() == {P0, P1}
    rig.ack(2)
    rig.commit()
    assert rig.engine.take_paused() == frozenset()


def test_too_many_waiting_bytes_pause_every_partition() -> None:
    rig = Rig(bounds=Bounds(waiting_bytes=1000)).open().assign()
    rig.put({"A": "a" * 1000})
    assert rig.engine.take_paused() == {P0}
    rig.ack(1)
    rig.commit()
    assert rig.engine.take_paused() == frozenset()


# When posts may go


def test_nothing_is_posted_before_the_session_is_open() -> None:
    rig = Rig().assign()
    rig.put({"BID": 1})
    rig.connect()
    assert rig.posts == []
    rig.receive({"ID": 1, "Type": "Refresh", "Domain": "Login", "State": {"Stream": "Open", "Data": "Ok"}})
    rig.tick()
    assert rig.posts == []
    rig.receive(directory())
    assert len(rig.posts) == 1


def test_nothing_is_posted_to_a_service_that_is_down_and_others_go_on(rig: Rig) -> None:
    rig.receive(directory(name="TWO", service_id=2, kind="Update"))
    rig.receive(directory(up=False, kind="Update"))
    rig.put({"BID": 1})
    rig.put({"BID": 2}, service="TWO")
    assert [post["Key"]["Service"] for post in rig.posts] == ["TWO"]
    rig.receive(directory(kind="Update"))
    assert [post["Key"]["Service"] for post in rig.posts] == ["TWO", "TRCC"]


def test_nothing_is_posted_to_a_service_the_directory_does_not_name(rig: Rig) -> None:
    rig.put({"BID": 1}, service="ELSE")
    rig.tick(60)
    assert rig.posts == []


def test_nothing_is_posted_once_the_membership_may_have_ended(rig: Rig) -> None:
    rig.lease(rig.mono + 1)
    rig.put({"BID": 1})
    assert len(rig.posts) == 1
    rig.mono += 1
    rig.put({"BID": 1}, ric="GBP=")
    assert len(rig.posts) == 1
    rig.lease(rig.mono + 1)
    rig.tick()
    assert len(rig.posts) == 2


def test_pings_go_though_the_membership_may_have_ended(rig: Rig) -> None:
    rig.lease(0.0)
    rig.receive({"Type": "Ping"})
    assert rig.frames == [b'{"Type":"Pong"}']


def test_posts_keep_to_the_rate() -> None:
    rig = Rig(max_rate=10).assign()
    for n in range(30):
        rig.put({"BID": 1}, ric=f"R{n}=")
    rig.open()
    assert len(rig.posts) == 1
    for step in range(1, 11):
        assert rig.engine.wake_at(rig.now) == pytest.approx(rig.mono + 0.1)
        rig.tick(0.1001)
        assert len(rig.posts) == 1 + step


# Partitions that go


def test_a_partition_being_revoked_posts_nothing_more_and_its_waiting_prices_are_dropped(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    rig.put({"BID": 3}, service="DOWN")
    rig.revoking(P0)
    assert not rig.engine.settled(frozenset({P0}))
    rig.ack(1)
    assert not rig.engine.settled(frozenset({P0}))
    assert statuses(rig.commit()) == [(0, "ACK")]
    assert rig.engine.settled(frozenset({P0}))
    rig.tick(60)
    assert len(rig.posts) == 1


def test_a_retry_of_a_partition_being_revoked_is_dropped(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.revoking(P0)
    rig.ack(1, NakCode="NoResources")
    assert rig.engine.settled(frozenset({P0}))
    rig.tick(60)
    assert len(rig.posts) == 1


def test_a_retry_that_backs_off_when_its_partition_goes_is_dropped(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="NoResources")
    rig.revoking(P0)
    assert rig.engine.settled(frozenset({P0}))
    assert len(rig.engine.contributor.instruments) == 0


def test_records_that_come_while_their_partition_is_revoked_are_not_taken(rig: Rig) -> None:
    rig.revoking(P0)
    rig.put({"BID": 1})
    assert rig.posts == []
    assert rig.engine.settled(frozenset({P0}))


def test_posts_unanswered_when_their_partition_goes_end_the_session_and_their_answers_match_nothing(rig: Rig) -> None:
    """They may lie unsent; the partition's next owner must not see them arrive after posts of its own."""
    rig.put({"BID": 1})
    rig.revoking(P0)
    rig.revoked(P0)
    assert rig.commands == [Disconnect(1, clean=False)]
    rig.handle(Received(1, [encode({"ID": 1, "Type": "Ack", "AckID": 1})]))
    assert rig.take() is None
    assert len(rig.engine.contributor.in_flight) == 0


def given_up() -> Rig:
    """A post got no answer in time; its session lives on, and the ADS may not have read it."""
    rig = Rig(ack_timeout=2.0, attempts=1).open().assign()
    rig.put({"BID": 1})
    rig.tick(2)
    assert statuses(rig.commit()) == [(0, "UNANSWERED")]
    return rig


def test_posts_given_up_before_their_partition_goes_end_the_session_too() -> None:
    rig = given_up()
    rig.revoking(P0)
    rig.revoked(P0)
    assert rig.commands == [Disconnect(1, clean=False)]


def test_posts_given_up_on_a_session_that_has_ended_do_not_end_the_next() -> None:
    rig = given_up()
    rig.lose()
    rig.open()
    rig.revoked(P0)
    assert rig.commands == []


def test_posts_given_up_of_partitions_that_stay_do_not_end_the_session() -> None:
    rig = given_up().assign(P1)
    rig.revoked(P1)
    assert rig.commands == []


@pytest.mark.parametrize("answer", ["ack", "error"])
def test_an_answer_shows_that_the_ads_has_read_what_was_given_up_before(answer: str) -> None:
    rig = given_up()
    rig.put({"BID": 2})
    rig.ack(2) if answer == "ack" else rig.error(2)
    rig.commit()
    rig.revoked(P0)
    assert rig.commands == []


def test_so_does_an_answer_that_comes_late() -> None:
    rig = given_up()
    rig.ack(1)
    rig.revoked(P0)
    assert rig.commands == []


def test_an_error_that_nobody_waited_for_shows_it_too() -> None:
    rig = given_up()
    rig.error(1)
    rig.revoked(P0)
    assert rig.commands == []


def test_a_late_answer_to_an_older_post_shows_nothing_of_the_newer() -> None:
    rig = given_up()
    rig.put({"BID": 2})
    rig.tick(2)
    rig.commit()
    rig.ack(1)
    rig.revoked(P0)
    assert rig.commands == [Disconnect(1, clean=False)]


def test_a_post_that_an_error_was_laid_at_may_be_unread_still() -> None:
    """It may have been about one given up before."""
    rig = given_up().assign(P1)
    rig.put({"BID": 2}, ric="GBP=", partition=P1)
    rig.error()
    rig.revoking(P1)
    rig.tick(1.5)
    assert rig.engine.settled(frozenset({P1}))
    rig.revoked(P1)
    assert rig.commands == [Disconnect(1, clean=False)]


@pytest.mark.parametrize("read", [False, True])
def test_leaving_throws_away_what_the_ads_may_not_have_read(read: bool) -> None:
    rig = given_up()
    if read:
        rig.put({"BID": 2})
        rig.ack(2)
    rig.engine.leave(rig.now)
    rig.pump()
    assert rig.commands == [Disconnect(1, clean=read)]


def test_leaving_throws_away_posts_without_an_answer(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.engine.leave(rig.now)
    rig.pump()
    assert rig.commands == [Disconnect(1, clean=False)]


def test_posts_of_partitions_that_stay_go_again_on_the_next_session(rig: Rig) -> None:
    rig.assign(P1)
    rig.put({"BID": 1})
    rig.put({"BID": 2}, ric="GBP=", partition=P1)
    rig.revoked(P0)
    rig.open()
    rig.tick()
    assert rig.fields == [{"BID": 2}]


def test_results_of_a_partition_that_went_are_not_written(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1)
    rig.revoked(P0)
    assert rig.take() is None
    assert len(rig.engine.contributor.instruments) == 0


def test_a_refused_commit_drops_what_went_and_offers_the_rest_again(rig: Rig) -> None:
    rig.assign(P1)
    rig.put_values(None)
    rig.put_values(None, partition=P1)
    batch = rig.batch()
    rig.revoked(P0)
    rig.handle_not_committed(batch.number)
    assert [settlement.tracker.partition for settlement in rig.batch().settlements] == [P1]


def test_the_next_price_of_an_instrument_goes_when_its_last_one_s_partition_went(rig: Rig) -> None:
    rig.assign(P1)
    rig.put({"BID": 1})
    rig.put({"BID": 2}, partition=P1)
    rig.revoked(P0)
    rig.open()
    assert rig.fields == [{"BID": 2}]


def test_merged_prices_of_a_partition_that_stays_go_again_where_the_newest_one_s_went(rig: Rig) -> None:
    """The others' value may lie unsent in the same post; it must not arrive after newer ones of theirs."""
    rig.assign(P1)
    rig.put({"BID": 0})
    rig.put({"BID": 1})
    rig.put({"BID": 2}, partition=P1)
    rig.ack(1)
    rig.commit()
    rig.revoked(P1)
    assert rig.commands[-1] == Disconnect(1, clean=False)
    rig.open()
    rig.tick()
    assert rig.fields[-1] == {"BID": 1}
    rig.ack(3)
    [result] = rig.commit()
    assert (result["status"], result["source"]["offset"], result["fields"]) == ("ACK", 1, {"BID": 1})
    assert [post["post_id"] for post in result["posts"]] == [2, 3]
    assert len(rig.engine.contributor.instruments) == 0


@pytest.mark.parametrize("in_flight", [False, True])
def test_merged_prices_of_a_partition_that_stays_keep_the_answer_when_the_newest_one_s_goes_before_it_is_durable(
    rig: Rig, in_flight: bool
) -> None:
    rig.assign(P1)
    rig.put({"BID": 0})
    rig.put({"BID": 1}, {"ASK": 2})
    rig.put({"BID": 3}, partition=P1)
    rig.ack(1)
    rig.commit()
    rig.ack(2, Text="fine")
    batch = rig.batch() if in_flight else None
    rig.revoked(P1)
    if batch is not None:
        rig.handle_not_committed(batch.number)
    rig.put({"BID": 4})
    assert len(rig.posts) == 2
    older, newest = rig.commit()
    assert (older["status"], older["carried_by"]["partition"], older["carried_by"]["offset"]) == ("CONFLATED", 0, 2)
    assert (newest["status"], newest["text"], newest["fields"]) == ("ACK", "fine", {"BID": 3, "ASK": 2})
    assert [post["post_id"] for post in newest["posts"]] == [2]
    assert rig.fields[2:] == [{"BID": 4}]


def test_a_partition_that_comes_back_starts_from_what_was_committed(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.revoked(P0)
    rig.assign(P0, 0)
    rig.put({"BID": 1})
    rig.open()
    rig.ack(*rig.ids)
    assert statuses(rig.commit()) == [(0, "ACK")]


# Stopping


def test_a_stop_settles_what_is_under_way_and_posts_nothing_more(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    rig.stop()
    rig.put({"BID": 3}, ric="GBP=")
    assert not drained(rig)
    rig.ack(1)
    assert not drained(rig)
    assert statuses(rig.commit()) == [(0, "ACK")]
    assert drained(rig)
    assert len(rig.posts) == 1


def test_a_stop_while_nothing_is_under_way_is_done_at_once() -> None:
    rig = Rig()
    rig.stop()
    assert drained(rig)
    assert rig.engine.connection.state is SessionState.CLOSED


def test_a_session_lost_while_stopping_is_not_made_again(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.stop()
    rig.lose()
    rig.tick(300)
    assert drained(rig)
    assert rig.connects() == []


def test_a_failed_commit_while_stopping_is_tried_again(rig: Rig) -> None:
    rig.put_values(None)
    rig.stop()
    rig.fail()
    assert not drained(rig)
    assert statuses(rig.commit()) == [(0, "REJECTED")]
    assert drained(rig)


def test_silence_while_stopping_ends_with_the_timeout(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.stop()
    rig.receive({"Type": "Pong"})
    rig.tick(15)
    rig.commit()
    assert drained(rig)


# Waiting for more results


def test_first_results_wait_a_moment_for_the_answers_due_with_them(rig: Rig) -> None:
    rig.put({"BID": 1}, ric="A=")
    rig.put({"BID": 2}, ric="B=")
    rig.ack(1)
    assert rig.engine.take_batch(rig.now) is None
    assert rig.engine.wake_at(rig.now) < rig.mono + 0.01
    rig.ack(2)
    batch = rig.engine.take_batch(rig.now)
    assert batch is not None
    assert len(batch.settlements) == 2


def test_odd_acks_are_counted_as_matching_nothing(rig: Rig) -> None:
    """An Ack that is dropped without a word shows as a timeout later, and nobody knows why."""
    rig.put({"BID": 1})
    rig.receive({"ID": 1, "Type": "Ack", "AckID": "1"}, {"ID": 1, "Type": "Ack"})
    rig.ack(2)
    assert rig.engine.counters.unmatched == 3


# What cannot be read


def test_what_is_held_of_a_partition_that_cannot_be_read_on_keeps_no_other_waiting() -> None:
    rig = Rig(bounds=Bounds(waiting_records=4)).open().assign(P0, behind=True).assign(P1)
    for n in range(3):
        rig.put({"BID": n}, ric=f"R{n}=")
    rig.put({"BID": 3}, ric="R3=", partition=P1)
    assert rig.engine.take_paused() == {P1}, "it is read on alone, so that it catches up"
    rig.handle(Blocked(frozenset({P0})))
    rig.tick()
    assert rig.engine.take_paused() == frozenset()
    rig.put({"BID": 4}, ric="R4=", partition=P1)
    assert len(rig.posts) == 2
    rig.handle(Blocked(frozenset()))
    rig.tick()
    assert rig.engine.take_paused() == {P1}


def test_rejected_offsets_are_durable_once_their_transaction_is_whatever_waits_before_them(rig: Rig) -> None:
    rig.put({"BID": 1})
    assert rig.engine.are_durable(P0, range(1, 3)) is False, "they were not seen yet"
    rig.put_values(None, None)
    assert rig.engine.are_durable(P0, range(1, 3)) is False
    rig.commit()
    assert rig.engine.are_durable(P0, range(1, 3)) is True
    assert rig.engine.are_durable(P1, range(1, 3)) is None
