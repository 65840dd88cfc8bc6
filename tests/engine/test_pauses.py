"""What is paused is not posted: its prices are SUPPRESSED, wherever they are when the order comes."""

from typing import Any

import msgspec
import pytest
from tests.engine.rig import P0, P1, Rig, statuses

from contribd.engine.commands import Disconnect
from contribd.engine.events import Written
from contribd.engine.limits import UNSENT_SECONDS
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.pauses import PauseKind, Selector

EUR, USD = "EUR=", "USD="
TEXT = "RICs EUR* paused by eve (uid 7) at 2027-01-15T08:00:00.000000Z: feed broken"
ALL = Selector(PauseKind.ALL)
FX = Selector(PauseKind.MAPPING, "fx")


def ready(**more: Any) -> Rig:
    return Rig(**more).open().assign()


def rics(rig: Rig) -> list[str]:
    return [post["Key"]["Name"] for post in rig.posts]


def said(results: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(one["ric"], one["status"], one["code"]) for one in results]


SUPPRESSED = (EUR, "SUPPRESSED", "Paused")


# New prices


def test_a_price_of_what_is_paused_is_suppressed_at_once_and_the_others_are_posted() -> None:
    rig = ready()
    rig.pause("EUR*")
    rig.put({"BID": 1}, ric=EUR)
    rig.put({"BID": 2}, ric=USD)
    assert rics(rig) == [USD]
    [result] = rig.commit()
    assert said([result]) == [SUPPRESSED]
    assert (result["text"], result["fields"], result["posts"]) == (TEXT, {"BID": 1}, [])
    assert rig.engine.counters.results == {("SUPPRESSED", "Paused"): 1}


def test_once_it_is_resumed_the_next_price_is_posted() -> None:
    rig = ready()
    rig.pause("EUR*")
    rig.put({"BID": 1})
    rig.pause()
    rig.put({"BID": 2})
    assert rig.fields == [{"BID": 2}]


@pytest.mark.parametrize(
    ("pattern", "ric", "paused"),
    [
        ("EUR*", "EUR=TRCC", True),
        ("EUR*", "XEUR=", False),
        ("EUR?", "EUR=", True),
        ("EUR?", "EUR=D", False),
        ("[EU]UR=", "UUR=", True),
        ("eur*", "EUR=", False),
        ("EUR=", "EUR=", True),
        (".UR=", "EUR=", False),
    ],
)
def test_rics_go_by_a_pattern_of_the_whole_name(pattern: str, ric: str, *, paused: bool) -> None:
    rig = ready()
    rig.pause(pattern)
    rig.put({"BID": 1}, ric=ric)
    assert rics(rig) == ([] if paused else [ric])


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (Selector(PauseKind.MAPPING, "spot"), "mapping spot paused"),
        (Selector(PauseKind.DESK, "fx"), "desk fx paused"),
        (ALL, "everything paused"),
    ],
)
def test_a_mapping_a_desk_or_everything_can_be_paused(what: Selector, text: str) -> None:
    rig = ready()
    rig.engine.pauses.know_desks({"spot": "fx", "curve": "rates"})
    rig.pause(what)
    rig.put({"BID": 1}, ric=EUR, mapping="spot")
    rig.put({"BID": 1}, ric=USD, mapping="curve")
    assert rics(rig) == ([] if what == ALL else [USD])
    assert rig.commit()[0]["text"].startswith(text)


def test_of_several_pauses_the_oldest_is_named_and_each_holds_by_itself() -> None:
    rig = ready()
    rig.pause("EUR*", ALL)
    rig.put({"BID": 1}, ric=EUR)
    assert rig.commit()[0]["text"] == TEXT
    rig.pause(ALL)
    rig.put({"BID": 1}, ric=EUR)
    assert rig.commit()[0]["text"].startswith("everything paused by")


def test_of_several_posts_of_a_record_each_is_paused_by_itself() -> None:
    rig = ready(rules="r")
    rig.pause("EUR*")
    rig.put_values(msgspec.json.encode({"parts": [{"ric": ric, "fields": {"BID": 1}} for ric in (EUR, USD, "EURX=")]}))
    assert rics(rig) == [USD]
    results = rig.commit()
    assert said(results) == [SUPPRESSED, ("EURX=", "SUPPRESSED", "Paused")]
    assert [one["source"]["part"] for one in results] == [0, 2]
    rig.ack(*rig.ids)
    rig.commit()
    assert rig.engine.intake.waiting == 0


# Prices that wait when the order comes


def test_what_waits_unsent_is_suppressed_and_what_is_in_flight_is_settled_by_its_answer() -> None:
    rig = ready()
    rig.put({"BID": 1})
    rig.put({"BID": 2}, {"ASK": 3})
    assert rig.fields == [{"BID": 1}]
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(1, "SUPPRESSED"), (2, "SUPPRESSED")]
    rig.ack(*rig.ids)
    assert statuses(rig.commit()) == [(0, "ACK")]
    assert len(rig.posts) == 1
    assert rig.engine.intake.waiting == 0


def test_what_waits_for_a_session_is_suppressed() -> None:
    rig = Rig().assign()
    rig.put({"BID": 1}, {"BID": 2})
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(0, "SUPPRESSED"), (1, "SUPPRESSED")]
    rig.open()
    assert rig.posts == []
    rig.pause()
    rig.put({"BID": 3})
    assert rig.fields == [{"BID": 3}]


def test_what_is_held_while_its_partition_catches_up_is_suppressed() -> None:
    rig = Rig().open().assign(behind=True)
    rig.put({"BID": 1}, ric=EUR)
    rig.put({"BID": 2}, ric=USD)
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(0, "SUPPRESSED")]
    rig.put({"BID": 3}, ric=EUR)
    assert statuses(rig.commit()) == [(2, "SUPPRESSED")]
    rig.catch_up(P0)
    assert rics(rig) == [USD]


OLDER = "a newer price of its RIC is paused, which may have been posted before, and this one merged with it"


@pytest.mark.parametrize("when", ["before", "held", "waiting"])
def test_what_the_owner_before_may_have_merged_with_a_paused_price_does_not_follow_it(when: str) -> None:
    """It posted 1 and 2 in one post: 1 by itself would be older than what stands."""
    rig = Rig().assign(behind=True)
    if when == "before":
        rig.pause(FX)
    rig.put({"BID": 1})
    rig.put({"BID": 2}, mapping="fx")
    rig.put({"BID": 3})
    rig.put({"BID": 4}, ric=USD)
    if when == "held":
        rig.pause(FX)
    rig.catch_up(P0)
    if when == "waiting":
        rig.pause(FX)
    rig.open()
    rig.tick()
    assert {one["Key"]["Name"]: one["Message"]["Fields"] for one in rig.posts} == {EUR: {"BID": 3}, USD: {"BID": 4}}
    results = {one["source"]["offset"]: one for one in rig.commit()}
    assert {offset: one["status"] for offset, one in results.items()} == {0: "SUPPRESSED", 1: "SUPPRESSED"}
    assert results[0]["text"] == OLDER


def test_of_prices_that_would_be_merged_the_paused_ones_are_left_out() -> None:
    rig = Rig().assign()
    rig.put({"BID": 1}, mapping="spot")
    rig.put({"ASK": 2}, mapping="other")
    rig.put({"BID": 3}, mapping="spot")
    rig.pause(Selector(PauseKind.MAPPING, "spot"))
    assert statuses(rig.commit()) == [(0, "SUPPRESSED"), (2, "SUPPRESSED")]
    rig.open()
    assert rig.fields == [{"ASK": 2}]


# Posted already


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        ("nak", "NAK", "come again"),
        ("missing", "NAK", "F44"),
        ("timeout", "UNANSWERED", "no answer within 15 s"),
        ("lost", "UNANSWERED", "the session ended before the answer"),
    ],
)
def test_a_post_in_flight_is_not_posted_again(answer: str, status: str, text: str) -> None:
    rig = ready(create_missing=True)
    rig.put({"BID": 1})
    rig.pause("EUR*")
    if answer == "timeout":
        rig.receive({"Type": "Ping"})
        rig.tick(15.0)
    elif answer == "lost":
        rig.lose()
    else:
        code = {"nak": "NoResources", "missing": "SymbolUnknown"}[answer]
        rig.ack(*rig.ids, NakCode=code, Text=text)
    [result] = rig.commit()
    assert (result["status"], result["text"], len(result["posts"])) == (status, text, 1)
    rig.tick(60.0)
    assert len(rig.posts) == 1


def test_one_that_backs_off_keeps_its_last_answer_and_is_not_posted_again() -> None:
    rig = ready()
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    rig.ack(*rig.ids, NakCode="NoResources", Text="come again")
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(0, "NAK"), (1, "SUPPRESSED")]
    rig.tick(60.0)
    assert len(rig.posts) == 1
    assert len(rig.engine.contributor.instruments) == 0


def test_one_put_back_by_a_lost_session_is_not_posted_on_the_next_one() -> None:
    rig = ready()
    rig.put({"BID": 1})
    rig.lose()
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(0, "UNANSWERED")]
    rig.frames.clear()
    rig.tick(1.0)
    rig.open()
    assert rig.posts == []


def merged(first: str, second: str) -> Rig:
    """A post in flight that carries prices of two mappings."""
    rig = Rig().assign()
    rig.put({"BID": 1}, mapping=first)
    rig.put({"ASK": 2}, mapping=second)
    rig.open()
    rig.tick(1.0)
    assert rig.fields == [{"BID": 1, "ASK": 2}]
    return rig


def test_of_merged_prices_only_those_newer_than_the_paused_one_are_posted_again() -> None:
    rig = merged("spot", "other")
    rig.pause(Selector(PauseKind.MAPPING, "spot"))
    rig.ack(*rig.ids, NakCode="NoResources")
    assert statuses(rig.commit()) == [(0, "NAK")]
    rig.tick(1.0)
    assert rig.fields[1:] == [{"ASK": 2}]


@pytest.mark.parametrize("before", [True, False])
def test_an_older_price_that_was_posted_with_a_paused_one_does_not_follow_it(*, before: bool) -> None:
    rig = merged("other", "spot")
    if before:
        rig.pause(Selector(PauseKind.MAPPING, "spot"))
    rig.ack(*rig.ids, NakCode="NoResources")
    rig.pause(Selector(PauseKind.MAPPING, "spot"))
    assert statuses(rig.commit()) == [(0, "CONFLATED" if before else "NAK"), (1, "NAK")]
    rig.tick(60.0)
    assert len(rig.posts) == 1


# Resumed


def test_without_conflation_the_next_price_waits_until_what_was_suppressed_is_durable() -> None:
    rig = ready(conflate=False)
    rig.pause("EUR*")
    rig.put({"BID": 1})
    rig.pause()
    rig.put({"BID": 2}, {"BID": 3})
    rig.put({"BID": 4}, ric=USD)
    assert rics(rig) == [USD], "a crash now would post 1 after 2"
    assert statuses(rig.commit()) == [(0, "SUPPRESSED")]
    rig.tick()
    assert rig.fields[1:] == [{"BID": 2}]


@pytest.mark.parametrize("resumed", [True, False])
def test_without_conflation_what_another_mapping_makes_of_the_ric_waits_too(*, resumed: bool) -> None:
    """A crash now would bring 1 back, which would follow 2 where it is paused no more."""
    rig = ready(conflate=False)
    rig.pause(FX)
    rig.put({"BID": 1}, mapping="fx")
    if resumed:
        rig.pause()
    rig.put({"BID": 2})
    rig.put({"BID": 3}, ric=USD)
    assert rics(rig) == [USD]
    assert statuses(rig.commit()) == [(0, "SUPPRESSED")]
    rig.tick()
    assert rig.fields[1:] == [{"BID": 2}]


def test_it_waits_for_all_of_them_and_for_the_answered_one_before() -> None:
    rig = ready(conflate=False)
    rig.put({"BID": 1}, mapping="fx")
    rig.put({"BID": 2}, {"BID": 3}, mapping="fx")
    rig.put({"BID": 4})
    rig.pause(FX)
    rig.ack(*rig.ids)
    rig.put({"BID": 5}, mapping="fx")
    assert statuses(rig.commit()) == [(1, "SUPPRESSED"), (2, "SUPPRESSED"), (0, "ACK"), (4, "SUPPRESSED")]
    rig.tick()
    assert rig.fields == [{"BID": 1}, {"BID": 4}]


def test_what_waits_behind_one_that_is_paused_waits_for_its_result() -> None:
    rig = Rig(conflate=False).assign()
    rig.put({"BID": 1}, mapping="fx")
    rig.put({"BID": 2})
    rig.pause(FX)
    rig.open()
    rig.tick()
    assert rig.posts == []
    assert statuses(rig.commit()) == [(0, "SUPPRESSED")]
    rig.tick()
    assert rig.fields == [{"BID": 2}]


def test_what_is_held_then_is_suppressed_where_it_is_paused_again() -> None:
    rig = ready(conflate=False)
    rig.pause("EUR*")
    rig.put({"BID": 1})
    rig.pause()
    rig.put({"BID": 2})
    rig.pause("EUR*")
    assert statuses(rig.commit()) == [(0, "SUPPRESSED"), (1, "SUPPRESSED")]
    rig.tick()
    assert rig.posts == []


def test_what_is_held_then_goes_with_its_partition() -> None:
    rig = ready(conflate=False)
    rig.pause("EUR*")
    rig.put({"BID": 1})
    rig.pause()
    rig.put({"BID": 2})
    rig.revoking(P0)
    rig.commit()
    rig.revoked(P0)
    rig.tick()
    assert rig.posts == []


# Blanks


def test_blanks_go_on_while_prices_are_paused() -> None:
    policy = WithdrawPolicy(on_stop=True, silent_after=8.0, fields={"m": frozenset({"BID"})})
    rig = ready(withdraw=policy)
    rig.put({"BID": 1})
    rig.ack(*rig.ids)
    rig.commit()
    rig.pause("EUR*")
    rig.receive({"Type": "Ping"})
    rig.tick(9.0)
    assert rig.fields[1:] == [{"BID": None}]
    rig.put({"BID": 2})
    rig.ack(rig.ids[-1], NakCode="NoResources")
    rig.tick(1.0)
    assert rig.fields[2:] == [{"BID": None}], "they are posted again, too"


# When it holds


def holds(rig: Rig) -> bool:
    return rig.engine.pauses_hold


def unsent(rig: Rig, count: int, *, held: bool = False) -> None:
    rig.handle(Written(rig.engine.connection.attempt, 10, 0 if held else count, held))


def test_it_holds_once_no_post_of_what_is_paused_lies_unsent() -> None:
    rig = ready()
    rig.put({"BID": 1})
    unsent(rig, 100)
    rig.pause("USD*")
    assert holds(rig)
    rig.pause("USD*", "EUR*")
    assert not holds(rig)
    unsent(rig, 0)
    rig.tick()
    assert holds(rig)
    assert rig.commands == []


@pytest.mark.parametrize("held", [False, True])
def test_where_it_stays_unsent_the_connection_is_ended(*, held: bool) -> None:
    rig = ready()
    rig.put({"BID": 1})
    unsent(rig, 100, held=held)
    rig.pause("USD*")
    assert rig.commands == []
    rig.pause("EUR*")
    if not held:
        assert rig.engine.wake_at(rig.now) <= rig.mono + UNSENT_SECONDS
        rig.tick(UNSENT_SECONDS)
    assert rig.commands == [Disconnect(1, clean=False)]
    assert statuses(rig.commit()) == [(0, "UNANSWERED")]
    rig.tick()
    assert holds(rig)


def test_a_post_that_was_given_up_may_lie_unsent_too() -> None:
    rig = ready(attempts=1)
    rig.put({"BID": 1})
    unsent(rig, 100)
    rig.tick(16.0)
    assert statuses(rig.commit()) == [(0, "UNANSWERED")]
    rig.pause("EUR*")
    assert not holds(rig)
    rig.tick(UNSENT_SECONDS)
    assert rig.commands == [Disconnect(1, clean=False)]
    rig.tick()
    assert holds(rig)


def test_a_pause_that_ends_before_that_leaves_nothing_to_wake_for() -> None:
    rig = ready()
    rig.put({"BID": 1})
    unsent(rig, 100)
    rig.tick(rig.engine.contributor.policy.ack_timeout)
    rig.pause("EUR*")
    rig.pause()
    assert holds(rig)


def test_a_pause_of_one_partition_s_ric_is_of_all_its_partitions() -> None:
    rig = ready().assign(P1)
    rig.pause("EUR*")
    rig.put({"BID": 1}, partition=P1)
    assert rig.posts == []
