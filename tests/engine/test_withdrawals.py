"""Quotes that nobody keeps up give way to blanks: on a clean stop, and where an input partition falls silent."""

from typing import Any

import pytest
from tests.ads.server_messages import directory
from tests.engine.rig import P0, P1, Rig

from contribd.engine.events import Committed
from contribd.engine.limits import MAX_WITHDRAWING, Bounds
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.commit_metadata import decode_metadata

FIELDS = {"m": frozenset({"BID", "ASK"})}
LIMIT = 8.0
"""Seconds; less than a ping timeout, which a quiet server would run into."""


def silent(*, limit: float = LIMIT, **more: Any) -> Rig:
    return Rig(withdraw=WithdrawPolicy(silent_after=limit, fields=FIELDS), **more).open().assign()


def stopping(**more: Any) -> Rig:
    return Rig(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS), **more).open().assign()


def quote(rig: Rig, ric: str = "EUR=", *, values: dict[str, Any] | None = None, **more: Any) -> None:
    """A price, posted, acked and durable."""
    rig.put(values or {"BID": 1, "ASK": 2, "OTHER": 3}, ric=ric, **more)
    rig.ack(rig.ids[-1])
    rig.commit()
    rig.frames.clear()


def blanked(rig: Rig) -> list[tuple[str, dict[str, Any]]]:
    return [(post["Key"]["Name"], post["Message"]["Fields"]) for post in rig.posts]


def is_done(rig: Rig) -> bool:
    """After a stop: whether there is nothing left to do."""
    return rig.engine.drained


BLANK = {"ASK": None, "BID": None}


def test_nothing_is_ever_withdrawn_unless_it_is_asked_for() -> None:
    rig = Rig(withdraw=WithdrawPolicy(fields=FIELDS)).open().assign()
    quote(rig)
    rig.tick(10 * LIMIT)
    rig.stop()
    assert rig.posts == []
    assert is_done(rig)


# A clean stop


def test_on_a_stop_the_listed_fields_of_every_quote_are_blanked_before_the_session_closes() -> None:
    rig = stopping()
    quote(rig, "EUR=")
    quote(rig, "GBP=")
    rig.stop()
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK), ("GBP=", BLANK)]
    assert not is_done(rig)
    rig.ack(*rig.ids)
    assert not is_done(rig)
    results = rig.commit()
    rig.tick()
    assert is_done(rig)
    assert rig.engine.connection.state.value == "draining"
    assert [(result["status"], result["withdrawal"]["reason"]) for result in results] == [("ACK", "stop")] * 2


def test_a_withdrawal_s_result_names_no_record_but_the_reason_and_has_its_posts() -> None:
    rig = stopping()
    quote(rig)
    rig.stop()
    rig.tick()
    rig.ack(rig.ids[0], Text="[1]: ok")
    [result] = rig.commit()
    assert result["source"] is None
    assert result["withdrawal"] == {"reason": "stop", "topic": "prices", "partition": 0}
    assert (result["ric"], result["service"], result["mapping"]) == ("EUR=", "TRCC", "m")
    assert result["fields"] == BLANK
    assert [(post["type"], post["answer"]) for post in result["posts"]] == [("Update", "ACK")]


def test_the_offsets_are_committed_as_they_were_with_a_withdrawal() -> None:
    rig = stopping()
    quote(rig)
    rig.stop()
    rig.tick()
    before = rig.engine.intake.trackers[P0].commit()
    rig.ack(*rig.ids)
    commit = rig.batch().commits[P0]
    assert (commit.offset, decode_metadata(*commit)) == (before.offset, decode_metadata(*before)) == (1, frozenset())
    assert commit != before, "whether it is durable could not be told from what the group has committed"


def test_a_price_under_way_at_the_stop_is_answered_first_and_then_withdrawn() -> None:
    rig = stopping()
    rig.put({"BID": 1, "ASK": 2})
    rig.stop()
    rig.tick()
    assert len(rig.posts) == 1
    rig.ack(1)
    rig.commit()
    rig.tick()
    assert blanked(rig)[1:] == [("EUR=", BLANK)]


def test_a_price_that_waits_at_the_stop_is_left_to_the_next_run_and_its_quote_withdrawn() -> None:
    rig = stopping(conflate=False)
    rig.put({"BID": 1, "ASK": 2}, {"BID": 3, "ASK": 4})
    rig.stop()
    rig.ack(1)
    rig.commit()
    rig.tick()
    assert blanked(rig)[1:] == [("EUR=", BLANK)]
    rig.ack(2)
    assert rig.batch().commits[P0].offset == 1


def test_a_refused_price_leaves_nothing_to_withdraw() -> None:
    rig = stopping()
    rig.put({"BID": 1})
    rig.ack(1, NakCode="SymbolUnknown")
    rig.commit()
    rig.stop()
    rig.tick()
    assert len(rig.posts) == 1
    assert is_done(rig)


def test_a_post_without_an_answer_may_stand_and_is_withdrawn() -> None:
    rig = stopping(attempts=1, ack_timeout=5.0)
    rig.put({"BID": 1, "ASK": 2})
    rig.tick(5)
    rig.commit()
    rig.stop()
    rig.tick()
    assert blanked(rig)[1:] == [("EUR=", BLANK)]


def test_only_what_stands_is_blanked() -> None:
    rig = stopping()
    quote(rig, values={"BID": 1, "OTHER": 3})
    quote(rig, values={"ASK": 2})
    quote(rig, "GBP=", values={"BID": 1, "ASK": 2})
    quote(rig, "GBP=", values={"BID": None})
    quote(rig, "JPY=", values={"BID": 1})
    quote(rig, "JPY=", values={"BID": None})
    rig.stop()
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK), ("GBP=", {"ASK": None})]


def test_a_refresh_replaces_what_stood() -> None:
    rig = stopping()
    quote(rig, values={"BID": 1, "ASK": 2})
    quote(rig, values={"BID": 3}, type="Refresh")
    rig.stop()
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None})]


def test_a_session_that_is_not_open_at_the_stop_is_not_waited_for() -> None:
    rig = stopping()
    quote(rig)
    rig.lose()
    rig.stop()
    rig.tick()
    assert is_done(rig)
    assert rig.engine.withdrawals.left == 1


def test_a_session_lost_while_withdrawing_is_made_again_and_the_rest_is_withdrawn() -> None:
    rig = stopping()
    quote(rig)
    rig.stop()
    rig.tick()
    rig.lose()
    assert not is_done(rig)
    rig.tick(1)
    rig.open()
    rig.tick()
    assert blanked(rig)[-1:] == [("EUR=", BLANK)]
    rig.ack(rig.ids[-1])
    [result] = rig.commit()
    rig.tick()
    assert [post["answer"] for post in result["posts"]] == ["LOST", "ACK"]
    assert is_done(rig)


def test_many_quotes_are_withdrawn_a_bounded_number_at_a_time() -> None:
    rig = stopping(max_outstanding=3 * MAX_WITHDRAWING)
    rics = [f"R{number}" for number in range(MAX_WITHDRAWING + 5)]
    for ric in rics:
        rig.put({"BID": 1}, ric=ric)
    rig.ack(*rig.ids)
    rig.commit()
    rig.frames.clear()
    rig.stop()
    rig.tick()
    assert len(rig.posts) == MAX_WITHDRAWING
    rig.ack(*rig.ids)
    rig.commit()
    rig.tick()
    rig.ack(*rig.ids[MAX_WITHDRAWING:])
    rig.commit()
    rig.tick()
    assert [post["Key"]["Name"] for post in rig.posts] == rics
    assert is_done(rig)


# Silence


def test_the_quotes_of_a_silent_partition_are_withdrawn_and_no_others() -> None:
    rig = silent().assign(P1)
    quote(rig, "EUR=")
    quote(rig, "GBP=", partition=P1)
    rig.tick(LIMIT / 2)
    quote(rig, "GBP=", partition=P1)
    rig.tick(LIMIT / 2)
    assert blanked(rig) == [("EUR=", BLANK)]
    rig.ack(rig.ids[0])
    [result] = rig.commit()
    assert result["withdrawal"] == {"reason": "silent", "topic": "prices", "partition": 0}
    assert "no record for too long: withdrawing the quotes" in rig.notes


def test_any_record_shows_that_the_engine_is_alive_even_one_that_is_rejected() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT - 1)
    rig.put_values(b"")
    rig.commit()
    rig.tick(LIMIT - 1)
    assert rig.posts == []
    rig.tick(1)
    assert blanked(rig) == [("EUR=", BLANK)]


def test_a_quote_is_withdrawn_once_and_again_only_after_a_new_price() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT)
    rig.ack(rig.ids[0])
    rig.commit()
    rig.tick(2 * LIMIT)
    assert len(rig.posts) == 1
    quote(rig)
    rig.tick(LIMIT)
    assert blanked(rig) == [("EUR=", BLANK)]


def test_the_engine_wakes_when_a_partition_will_have_been_silent() -> None:
    rig = silent()
    quote(rig)
    assert rig.engine.wake_at(rig.now) <= rig.mono + LIMIT
    rig.tick(LIMIT - 0.5)
    assert rig.engine.wake_at(rig.now) <= rig.mono + 0.5


def test_a_withdrawal_that_waits_is_called_off_when_the_engine_is_back() -> None:
    rig = silent()
    quote(rig, "EUR=")
    quote(rig, "GBP=")
    rig.receive(directory(up=False, kind="Update"))
    rig.tick(LIMIT)
    rig.put({"BID": 5}, ric="GBP=")
    rig.receive(directory(up=True, kind="Update"))
    assert blanked(rig) == [("GBP=", {"BID": 5})]
    rig.ack(rig.ids[0])
    rig.commit()
    rig.tick(LIMIT)
    assert sorted(blanked(rig)[1:]) == [("EUR=", BLANK), ("GBP=", BLANK)]


def test_a_price_follows_a_withdrawal_only_when_its_result_is_durable() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT)
    rig.put({"BID": 5})
    rig.ack(rig.ids[0])
    assert len(rig.posts) == 1
    assert [result["withdrawal"]["reason"] for result in rig.commit()] == ["silent"]
    rig.tick()
    assert blanked(rig)[1:] == [("EUR=", {"BID": 5})]


def test_a_withdrawal_that_backs_off_gives_way_to_a_price_and_is_told_of() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT)
    rig.ack(rig.ids[0], NakCode="NoResources")
    rig.put({"BID": 5})
    rig.tick(1)
    assert blanked(rig)[1:] == [("EUR=", {"BID": 5})]
    [result] = rig.commit()
    assert (result["status"], result["code"], result["source"]) == ("NAK", "NoResources", None)


def test_a_quote_whose_next_price_comes_from_another_partition_is_not_withdrawn() -> None:
    rig = silent().assign(P1)
    quote(rig)
    rig.put({"BID": 7}, partition=P1)
    rig.put({"BID": 8}, partition=P1)
    rig.tick(LIMIT)
    rig.ack(rig.ids[0])
    rig.commit()
    rig.tick()
    rig.ack(rig.ids[1])
    rig.commit()
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": 7}), ("EUR=", {"BID": 8})]


def test_a_withdrawn_item_that_is_not_there_is_not_created() -> None:
    rig = silent(create_missing=True)
    quote(rig)
    rig.tick(LIMIT)
    rig.ack(rig.ids[0], NakCode="SymbolUnknown")
    assert [result["status"] for result in rig.commit()] == ["NAK"]


def test_blanks_of_an_item_that_a_price_was_to_create_are_no_refresh() -> None:
    rig = stopping(create_missing=True)
    quote(rig)
    rig.put({"BID": 3})
    [price] = rig.ids
    rig.frames.clear()
    rig.stop()
    rig.tick()
    rig.ack(price, NakCode="SymbolUnknown")
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)]
    assert [post["Message"]["Type"] for post in rig.posts] == ["Update"]


def test_a_partition_that_is_paused_is_not_taken_for_silent() -> None:
    rig = silent(bounds=Bounds(waiting_records=2))
    quote(rig, "GBP=")
    rig.receive(directory(up=False, kind="Update"))
    rig.put({"BID": 1}, {"BID": 2}, {"BID": 3})
    assert rig.engine.take_paused()
    for _ in range(10):
        rig.tick(LIMIT / 2)
    rig.receive(directory(up=True, kind="Update"))
    assert all(fields != BLANK for _ric, fields in blanked(rig))


def test_a_pause_that_ends_between_two_looks_is_not_taken_for_silence() -> None:
    rig = silent(bounds=Bounds(waiting_records=2)).assign(P1)
    quote(rig)
    rig.receive(directory(up=False, kind="Update"))
    rig.put({"BID": 1}, {"BID": 2}, {"BID": 3}, ric="GBP=", partition=P1)
    assert rig.engine.take_paused()
    rig.tick(LIMIT - 1)
    rig.revoked(P1)
    assert not rig.engine.take_paused()
    rig.receive(directory(up=True, kind="Update"))
    rig.tick(1)
    rig.tick(LIMIT - 1)
    assert rig.posts == []
    rig.tick(1)
    assert blanked(rig) == [("EUR=", BLANK)]


def test_a_record_that_has_to_wait_to_be_taken_shows_that_the_engine_is_alive() -> None:
    rig = silent(bounds=Bounds(span=1))
    rig.put({"BID": 1, "ASK": 2, "CTBTR_1": "ACME"})
    rig.tick()
    rig.ack(rig.ids[0])
    rig.batch()
    rig.receive(directory(up=False, kind="Update"))
    rig.tick(LIMIT)
    assert not rig.engine.withdrawals.idle
    rig.put({"BID": 2})
    assert rig.engine.take_paused() == {P0}
    assert rig.engine.withdrawals.idle


def test_a_price_given_up_after_a_post_without_an_answer_may_stand_and_is_withdrawn() -> None:
    rig = stopping(max_age=5_000_000, ack_timeout=6.0)
    rig.put({"BID": 1, "ASK": 2}, age=0.0)
    rig.tick()
    rig.tick(6)
    rig.tick(1)
    assert [result["status"] for result in rig.commit()] == ["UNANSWERED"]
    rig.frames.clear()
    rig.stop()
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None, "ASK": None})]


def test_a_post_that_the_stop_leaves_without_an_answer_may_stand_and_is_withdrawn() -> None:
    rig = stopping(ack_timeout=6.0)
    rig.put({"BID": 1, "ASK": 2})
    rig.tick()
    rig.frames.clear()
    rig.stop()
    rig.tick(6)
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None, "ASK": None})]


def test_silence_found_while_the_last_result_is_not_durable_still_withdraws_the_quote() -> None:
    rig = silent()
    rig.put({"BID": 1, "ASK": 2})
    rig.ack(rig.ids[0])
    batch = rig.batch()
    rig.frames.clear()
    rig.tick(LIMIT)
    assert rig.posts == []
    rig.handle(Committed(batch.number))
    assert blanked(rig) == [("EUR=", BLANK)]


def test_silence_while_the_group_has_not_confirmed_us_does_not_count() -> None:
    rig = silent()
    quote(rig)
    rig.lease(rig.mono)
    for _ in range(4):
        rig.tick(LIMIT / 2)
    rig.lease(float("inf"))
    rig.tick()
    rig.tick(LIMIT - 1)
    assert rig.posts == []
    rig.tick(1)
    assert blanked(rig) == [("EUR=", BLANK)]


def test_the_quotes_of_a_partition_that_went_are_not_ours_to_withdraw() -> None:
    rig = silent()
    quote(rig)
    rig.revoking(P0)
    rig.revoked(P0)
    rig.assign(P0, 1)
    rig.tick(2 * LIMIT)
    assert rig.posts == []


def lose(rig: Rig, *, post_id: int) -> None:
    """The first post is answered, the second goes, and then P1: that ends the session."""
    rig.ack(post_id)
    rig.commit()
    assert rig.fields[-1] == {"BID": 1, "ASK": 2}
    rig.revoking(P1)
    rig.revoked(P1)
    assert "UNANSWERED" in [result["status"] for result in rig.commit()]
    rig.open()
    rig.frames.clear()


def test_of_a_post_that_was_partly_others_only_our_own_values_may_have_to_be_withdrawn() -> None:
    rig = silent(attempts=1).assign(P1)
    rig.put({"OTHER": 0})
    rig.put({"BID": 1, "ASK": 1})
    rig.put({"ASK": 2}, partition=P1)
    lose(rig, post_id=1)
    rig.tick(LIMIT)
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None})]


def test_a_value_that_others_may_have_replaced_is_not_withdrawn() -> None:
    rig = silent(attempts=1).assign(P1)
    rig.put({"BID": 0, "ASK": 0})
    rig.put({"BID": 1})
    rig.put({"ASK": 2}, partition=P1)
    lose(rig, post_id=1)
    rig.tick(LIMIT)
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None})]


def test_what_a_post_of_others_may_have_replaced_is_not_withdrawn() -> None:
    rig = silent(attempts=1).assign(P1)
    rig.put({"BID": 0, "ASK": 0})
    rig.ack(1)
    rig.commit()
    rig.put({"ASK": 1}, partition=P1)
    rig.revoking(P1)
    rig.revoked(P1)
    rig.open()
    rig.frames.clear()
    rig.tick(LIMIT)
    rig.tick()
    assert blanked(rig) == [("EUR=", {"BID": None})]


def test_nothing_is_left_to_withdraw_where_a_post_of_others_may_have_replaced_all() -> None:
    rig = silent(attempts=1).assign(P1)
    rig.put({"BID": 0})
    rig.ack(1)
    rig.commit()
    rig.put({"BID": 1}, partition=P1)
    rig.revoked(P1)
    assert rig.engine.withdrawals.live_quotes == 0


def test_a_revocation_waits_for_the_answer_to_a_withdrawal_and_its_result() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT)
    rig.revoking(P0)
    assert not rig.engine.settled(frozenset({P0}))
    rig.ack(rig.ids[0])
    assert not rig.engine.settled(frozenset({P0}))
    assert [result["status"] for result in rig.commit()] == ["ACK"]
    assert rig.engine.settled(frozenset({P0}))


def test_withdrawals_are_counted_by_themselves() -> None:
    rig = silent()
    quote(rig)
    before = rig.engine.counters.results.total()
    rig.tick(LIMIT)
    rig.ack(rig.ids[0])
    assert rig.engine.counters.results.total() == before
    assert rig.engine.counters.withdrawals == {("silent", "ACK"): 1}


def test_a_quote_whose_price_expired_while_the_service_was_down_is_withdrawn_once_it_is_up() -> None:
    rig = silent(max_age=2_000_000)
    quote(rig)
    rig.receive(directory(up=False, kind="Update"))
    rig.put({"BID": 5, "ASK": 6})
    rig.tick(3)
    rig.commit()
    rig.tick(LIMIT)
    rig.tick(1)
    rig.receive(directory(up=True, kind="Update"))
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)]


def test_a_quote_whose_withdrawal_was_called_off_is_withdrawn_when_its_partition_is_silent_again() -> None:
    rig = silent()
    quote(rig)
    rig.receive(directory(up=False, kind="Update"))
    rig.tick(LIMIT)
    rig.put_values(b"")
    rig.commit()
    rig.tick(LIMIT)
    rig.receive(directory(up=True, kind="Update"))
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)]


def test_a_refused_withdrawal_gives_way_to_the_price_that_came_while_it_was_under_way() -> None:
    rig = silent()
    quote(rig)
    rig.tick(LIMIT)
    rig.put({"BID": 5, "ASK": 6})
    rig.ack(rig.ids[0], NakCode="NoResources")
    rig.put({"BID": 7, "ASK": 8})
    rig.tick(1)
    assert blanked(rig) == [("EUR=", BLANK), ("EUR=", {"BID": 7, "ASK": 8})]
    assert [result["status"] for result in rig.commit()] == ["NAK"]


def test_a_quote_that_silence_could_not_withdraw_is_withdrawn_by_the_stop() -> None:
    policy = WithdrawPolicy(on_stop=True, silent_after=LIMIT, fields=FIELDS)
    rig = Rig(withdraw=policy, attempts=1, ack_timeout=5.0).open().assign()
    quote(rig)
    rig.tick(LIMIT)
    rig.tick(5)
    rig.commit()
    assert rig.engine.withdrawals.live_quotes == 1
    rig.stop()
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)] * 2
    rig.ack(rig.ids[1])
    rig.commit()
    rig.tick()
    assert is_done(rig)
    assert rig.engine.withdrawals.left == 0


def test_a_stop_says_what_it_could_not_withdraw() -> None:
    rig = stopping(attempts=1)
    quote(rig)
    rig.stop()
    rig.tick()
    rig.ack(rig.ids[0], NakCode="DeniedBySrc")
    rig.commit()
    rig.tick()
    assert is_done(rig)
    assert rig.engine.withdrawals.left == 1


def test_nothing_more_is_withdrawn_for_a_partition_that_is_being_taken_away() -> None:
    rig = silent(max_outstanding=2 * MAX_WITHDRAWING)
    for number in range(MAX_WITHDRAWING + 5):
        rig.put({"BID": 1}, ric=f"R{number}")
    rig.ack(*rig.ids)
    rig.commit()
    rig.frames.clear()
    rig.tick(LIMIT)
    rig.revoking(P0)
    rig.ack(*rig.ids)
    rig.commit()
    rig.tick()
    assert len(rig.posts) == MAX_WITHDRAWING
    assert rig.engine.settled(frozenset({P0}))


def test_a_stop_withdraws_the_quotes_of_a_partition_that_is_being_taken_away_meanwhile() -> None:
    rig = stopping()
    quote(rig)
    rig.stop()
    rig.lose()
    rig.tick()
    rig.revoking(P0)
    assert not rig.engine.settled(frozenset({P0}))
    assert not is_done(rig)
    rig.tick(1)
    rig.open()
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)]
    rig.ack(rig.ids[-1])
    rig.commit()
    rig.tick()
    assert rig.engine.settled(frozenset({P0}))
    assert is_done(rig)


def test_silence_does_not_count_where_the_group_was_not_heard_of_for_as_long() -> None:
    rig = silent()
    rig.lease(rig.mono + 10 * LIMIT)
    quote(rig)
    rig.tick()
    for _ in range(4):
        rig.tick(LIMIT / 2)
    assert rig.posts == []
    rig.lease(rig.mono + 10 * LIMIT)
    rig.tick()
    rig.tick(LIMIT - 1)
    rig.lease(rig.mono + 10 * LIMIT)
    rig.tick(1)
    assert rig.posts == []  # the group was last heard of before the engine had been silent for so long
    rig.lease(rig.mono + 10 * LIMIT)
    rig.tick()
    assert blanked(rig) == [("EUR=", BLANK)]


@pytest.mark.parametrize(("limit", "heartbeat"), [(3.0, 3.0), (1.0, 3.0), (5.0, 10.0), (4.0, 3.0)])
def test_silence_no_longer_than_heartbeats_are_apart_is_found(limit: float, heartbeat: float) -> None:
    policy = WithdrawPolicy(silent_after=limit, fields=FIELDS, heartbeat=heartbeat)
    rig = Rig(withdraw=policy).open().assign()
    rig.lease(rig.mono + 9 * heartbeat)
    quote(rig)
    for _ in range(2):  # each a little late, as heartbeats are
        for _ in range(61):
            rig.tick(heartbeat / 60)
        rig.lease(rig.mono + 9 * heartbeat)
        rig.tick()
    assert (rig.posts[0]["Key"]["Name"], rig.posts[0]["Message"]["Fields"]) == ("EUR=", BLANK)


def test_an_outage_of_two_heartbeats_begins_the_silence_anew() -> None:
    rig = Rig(withdraw=WithdrawPolicy(silent_after=3.0, fields=FIELDS, heartbeat=3.0)).open().assign()
    rig.lease(rig.mono + 90)
    quote(rig)
    for _ in range(120):
        rig.tick(0.05)
    rig.lease(rig.mono + 90)
    rig.tick()
    assert rig.posts == []


def test_blanks_that_are_too_large_for_the_ads_are_no_reject() -> None:
    rig = stopping()
    quote(rig)
    rig.engine.session.limits.max_message_size = 150
    rig.stop()
    rig.tick()
    [settlement] = rig.batch().settlements
    assert (settlement.status.value, settlement.untouched) == ("REJECTED", None)


def test_a_partition_that_comes_during_the_stop_does_not_keep_the_engine_awake() -> None:
    rig = silent()
    quote(rig)
    rig.receive(directory(up=False, kind="Update"))
    rig.put({"BID": 5})
    rig.stop()
    rig.assign(P1)
    rig.tick(LIMIT)
    rig.tick(1)
    assert rig.engine.wake_at(rig.now) > rig.mono
