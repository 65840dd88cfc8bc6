"""Orders about quotes that stand: blanks in their place, or their values once more; never over a newer price."""

from typing import Any

import pytest
from tests.engine.rig import P0, P1, START, Rig

from contribd.engine.events import LastKnown, QuotesOrdered, StandingRead
from contribd.engine.limits import MAX_WITHDRAWING
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.posts.ordered import Tally
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.price import Reply, Status
from contribd.engine.records.standing import OrderKind, PostedResult, StandingQuote, after
from contribd.mapping.outcome import PostType

FIELDS = {"m": frozenset({"BID", "ASK"})}
ALL = Selector(PauseKind.ALL)
BLANK = {"ASK": None, "BID": None}
VALUES = {"BID": 1, "ASK": 2, "OTHER": 3}


def posted(
    fields: dict[str, Any] | None = None,
    status: Status = Status.ACK,
    *replies: Reply,
    partition: Partition = P0,
    type_: PostType = PostType.UPDATE,
    age: float = 60.0,
    mapping: str = "m",
    withdrawal: bool = False,
) -> PostedResult:
    """A result of a former owner."""
    at = START - round(age * 1e6)
    replies = replies or (Reply(status) if status is not Status.UNANSWERED else Reply.TIMEOUT,)
    return PostedResult(status, mapping, partition, fields, type_, type_, at, at, replies, withdrawal)


def standing(*results: PostedResult) -> StandingQuote:
    """What they come to."""
    found: StandingQuote | None = None
    for result in results:
        found = after(found, result)
    assert found is not None
    return found


class Desk:
    """An engine with one order at a time."""

    def __init__(self, **more: Any) -> None:
        self.rig = Rig(**{"withdraw": WithdrawPolicy(fields=FIELDS), **more}).open().assign()
        self.number = 0

    def order(self, kind: OrderKind = OrderKind.WITHDRAW, what: Selector = ALL) -> None:
        self.number += 1
        self.rig.handle(QuotesOrdered(self.number, kind, what))

    def read(self, failure: str | None = None, /, **quotes: StandingQuote) -> None:
        """What the results topic told; RICs without their ``=``."""
        found = {("TRCC", f"{ric}="): quote for ric, quote in quotes.items()}
        self.rig.handle(StandingRead(self.number, found, START if quotes else None, failure))
        self.rig.tick()

    def withdraw(self, what: Selector = ALL, /, **quotes: StandingQuote) -> None:
        self.order(what=what)
        self.read(**quotes)

    def republish(self, what: Selector = ALL, /, **quotes: StandingQuote) -> None:
        self.order(OrderKind.REPUBLISH, what)
        self.read(**quotes)

    def quote(self, ric: str = "EUR=", **fields: Any) -> None:
        """A price, posted, accepted and durable."""
        self.rig.put(fields or VALUES, ric=ric)
        self.rig.ack(self.rig.ids[-1])
        self.rig.commit()
        self.rig.frames.clear()

    def settle(self) -> list[dict[str, Any]]:
        """All that was posted is accepted; the results."""
        ids = self.rig.ids
        self.rig.frames.clear()
        self.rig.ack(*ids)
        results = self.rig.commit()
        self.rig.tick()
        return results

    @property
    def posts(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(post["Key"]["Name"], post["Message"]["Type"], post["Message"]["Fields"]) for post in self.rig.posts]

    @property
    def tally(self) -> dict[str, Any]:
        """What is counted, without zeros."""
        tally = self.rig.engine.ordered.tally(self.number)
        assert tally is not None
        return {
            name: value
            for name in Tally.__struct_fields__
            if name not in ("since", "partitions") and (value := getattr(tally, name)) not in (0, None, [], {}, False)
        }


@pytest.fixture
def desk() -> Desk:
    return Desk()


# Withdrawal


def test_what_a_former_owner_posted_is_blanked_in_the_fields_that_its_mapping_lists(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES)))
    assert desk.posts == [("EUR=", "Update", BLANK)]
    assert desk.tally == {"waiting": 1}
    [result] = desk.settle()
    assert (result["status"], result["source"]) == ("ACK", None)
    assert result["withdrawal"] == {"reason": "order", "topic": "prices", "partition": 0}
    assert desk.tally == {"accepted": 1, "over": True}


def test_what_became_durable_while_the_results_were_read_is_known(desk: Desk) -> None:
    desk.rig.put(VALUES)
    desk.order()
    desk.settle()
    desk.read()
    assert desk.posts == [("EUR=", "Update", BLANK)]


def test_a_price_in_flight_is_answered_and_durable_first(desk: Desk) -> None:
    desk.rig.put(VALUES)
    desk.withdraw()
    desk.read()
    assert len(desk.posts) == 1
    assert desk.tally == {"over": True}, "nothing was known of it when the order was given, and nothing had been read"


def test_one_in_flight_over_a_quote_that_stands_is_durable_before_the_blanks_go(desk: Desk) -> None:
    desk.rig.put({"BID": 7})
    desk.order()
    desk.read(EUR=standing(posted(VALUES)))
    assert desk.tally == {"waiting": 1}
    [answered] = desk.rig.ids
    desk.rig.frames.clear()
    desk.rig.ack(answered)
    desk.rig.tick()
    assert desk.posts == [], "its result is not durable"
    desk.rig.commit()
    desk.rig.tick()
    assert desk.posts == [("EUR=", "Update", BLANK)]


def test_a_newer_price_is_never_blanked(desk: Desk) -> None:
    """Whatever the wall clock says of the two."""
    desk.order()
    desk.rig.wall -= 3_600_000_000
    desk.quote(BID=9)
    desk.read(EUR=standing(posted(VALUES)))
    assert desk.posts == []
    assert desk.tally == {"overtaken": 1, "over": True}


def test_of_two_prices_the_one_that_was_in_flight_is_no_newer_one(desk: Desk) -> None:
    desk.rig.put({"BID": 7})
    desk.order()
    desk.rig.ack(desk.rig.ids[-1])
    desk.rig.commit()
    desk.quote(BID=8)
    desk.read(EUR=standing(posted(VALUES)))
    assert desk.tally == {"overtaken": 1, "over": True}


def test_a_price_that_was_given_up_is_no_newer_one(desk: Desk) -> None:
    desk.quote()
    desk.rig.put({"BID": 7})
    desk.rig.ack(desk.rig.ids[-1], NakCode="AccessDenied")
    desk.order()
    desk.rig.commit()
    desk.read(EUR=standing(posted(VALUES)))
    assert desk.tally == {"waiting": 1}


def test_a_price_that_waits_goes_instead(desk: Desk) -> None:
    desk.rig.put({"BID": 7})
    desk.rig.put({"BID": 8})
    desk.withdraw(EUR=standing(posted(VALUES)))
    assert desk.tally == {"overtaken": 1, "over": True}


def test_a_price_that_comes_while_the_blanks_wait_takes_their_place(desk: Desk) -> None:
    desk.rig.lose()
    desk.withdraw(EUR=standing(posted(VALUES)))
    assert desk.tally == {"waiting": 1}, "they wait for a session"
    desk.rig.put({"BID": 9})
    assert desk.tally == {"overtaken": 1, "over": True}


def test_after_the_blanks_the_next_price_is_posted_as_it_is(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.rig.put(VALUES)
    assert len(desk.posts) == 1
    desk.settle()
    assert desk.posts == [("EUR=", "Update", VALUES)]


def test_the_same_order_again_finds_nothing(desk: Desk) -> None:
    before = [posted(VALUES)]
    desk.withdraw(EUR=standing(*before))
    desk.settle()
    blanks = posted(BLANK, withdrawal=True)
    desk.withdraw(EUR=standing(*before, blanks))
    assert desk.posts == []
    assert desk.tally == {"over": True}


def test_the_same_order_while_the_first_is_under_way_posts_nothing_of_its_own(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.withdraw(EUR=standing(posted(VALUES)))
    assert len(desk.posts) == 1
    desk.settle()
    assert desk.posts == []
    assert desk.tally == {"over": True}


def test_a_refusal_is_told_with_the_ric_and_the_text(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES)), GBP=standing(posted(VALUES)))
    first, second = desk.rig.ids
    desk.rig.ack(first, NakCode="SymbolUnknown", Text="F44: Unable to find item on post update.")
    desk.rig.ack(second)
    desk.rig.tick()
    sample = "EUR=: NAK SymbolUnknown: F44: Unable to find item on post update."
    assert desk.tally == {"accepted": 1, "refused": 1, "samples": [sample], "over": True}


@pytest.mark.parametrize(
    ("what", "rics"),
    [
        (Selector(PauseKind.RIC, "EUR*"), ["EUR="]),
        (Selector(PauseKind.RIC, "[EG]*="), ["EUR=", "GBP="]),
        (Selector(PauseKind.MAPPING, "m"), ["EUR=", "GBP="]),
        (Selector(PauseKind.MAPPING, "n"), []),
        (Selector(PauseKind.DESK, "rates"), ["EUR=", "GBP="]),
        (Selector(PauseKind.DESK, "spot"), []),
    ],
)
def test_an_order_is_about_what_it_names(desk: Desk, what: Selector, rics: list[str]) -> None:
    desk.rig.engine.pauses.know_desks({"m": "rates"})
    desk.withdraw(what, EUR=standing(posted(VALUES)), GBP=standing(posted(VALUES)))
    assert [ric for ric, *_ in desk.posts] == rics


def test_quotes_of_partitions_that_others_have_are_theirs(desk: Desk) -> None:
    desk.withdraw(
        EUR=standing(posted(VALUES, partition=P1)), GBP=standing(posted(VALUES), posted(VALUES, partition=P1))
    )
    assert desk.posts == []
    assert desk.tally == {"elsewhere": {"prices:1": 2}, "over": True}
    tally = desk.rig.engine.ordered.tally(desk.number)
    assert tally is not None
    assert tally.partitions == ["prices:0"]


def test_a_mapping_that_lists_no_fields_leaves_nothing_to_withdraw(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES, mapping="n")), GBP=standing(posted({"OTHER": 1})))
    assert desk.posts == []
    assert desk.tally == {"unlisted": 2, "over": True}


def test_what_was_blank_or_refused_is_left_alone(desk: Desk) -> None:
    desk.withdraw(
        EUR=standing(posted(VALUES), posted({"BID": None})),
        GBP=standing(posted({"BID": 1}), posted({"ASK": 2}, Status.NAK)),
    )
    assert desk.posts == [("EUR=", "Update", {"ASK": None}), ("GBP=", "Update", {"BID": None})]


def test_a_post_without_an_answer_may_stand_and_is_blanked(desk: Desk) -> None:
    desk.withdraw(
        EUR=standing(posted({"BID": 1}, Status.UNANSWERED)),
        GBP=standing(posted({"BID": 1}, Status.NAK, Reply.TIMEOUT, Reply.NAK)),
        JPY=standing(posted(VALUES), posted(BLANK, Status.UNANSWERED, withdrawal=True)),
    )
    blank = {"BID": None}
    assert desk.posts == [("EUR=", "Update", blank), ("GBP=", "Update", blank), ("JPY=", "Update", BLANK)]


def test_a_result_that_was_shortened_does_not_tell_what_to_blank(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(None)))
    assert desk.posts == []
    assert desk.tally["samples"] == ["EUR=: its last result was shortened, and does not tell its fields"]


def test_under_a_pause_blanks_go_and_prices_do_not(desk: Desk) -> None:
    desk.rig.pause("EUR*")
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.rig.put({"BID": 9})
    desk.settle()
    assert desk.tally == {"accepted": 1, "over": True}
    assert desk.posts == []


def test_what_the_log_held_at_the_assignment_is_taken_first(desk: Desk) -> None:
    """A former owner may have posted it, and no result says so yet."""
    desk.rig.assign(P1, behind=True)
    desk.withdraw(EUR=standing(posted(VALUES, partition=P1)), GBP=standing(posted(VALUES, partition=P1)))
    assert desk.posts == []
    desk.rig.put({"BID": 9}, partition=P1)
    desk.rig.catch_up(P1)
    assert desk.posts == [("EUR=", "Update", {"BID": 9})]
    desk.rig.tick()
    assert desk.posts[1:] == [("GBP=", "Update", BLANK)]


def test_no_more_than_so_many_are_made_at_a_time() -> None:
    desk = Desk(max_outstanding=10)
    desk.withdraw(**{f"R{number}": standing(posted(VALUES)) for number in range(MAX_WITHDRAWING + 5)})
    assert len(desk.rig.engine.withdrawals.made) == MAX_WITHDRAWING
    while desk.posts:
        desk.settle()
    assert desk.tally == {"accepted": MAX_WITHDRAWING + 5, "over": True}


def test_where_the_results_cannot_be_read_what_is_known_here_is_withdrawn() -> None:
    desk = Desk(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS))
    desk.quote()
    desk.order()
    desk.read("no broker")
    assert desk.posts == [("EUR=", "Update", BLANK)]
    desk.settle()
    assert desk.tally == {"accepted": 1, "failure": "no broker", "over": True}
    assert desk.rig.engine.withdrawals.live_quotes == 0


def test_a_refused_one_stays_live_where_that_is_kept() -> None:
    desk = Desk(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS))
    desk.quote()
    desk.withdraw()
    desk.rig.ack(desk.rig.ids[-1], NakCode="AccessDenied")
    desk.rig.commit()
    assert desk.rig.engine.withdrawals.live_quotes == 1


def test_a_partition_that_is_revoked_takes_its_part_with_it(desk: Desk) -> None:
    desk.rig.lose()
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.rig.revoking(P0)
    desk.rig.revoked(P0)
    desk.rig.tick()
    assert desk.tally == {"left": 1, "over": True}


def test_a_stop_ends_what_was_not_posted(desk: Desk) -> None:
    desk.rig.lose()
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.rig.stop()
    desk.rig.tick()
    assert desk.tally == {"left": 1, "over": True}
    assert desk.rig.engine.drained


def test_a_stop_waits_for_the_answer_of_blanks(desk: Desk) -> None:
    desk.withdraw(EUR=standing(posted(VALUES)))
    desk.rig.stop()
    drained = desk.rig.engine.drained
    desk.settle()
    assert (drained, desk.rig.engine.drained) == (False, True)
    assert desk.rig.engine.connection.state.value == "draining"


# Once more


def test_values_that_stand_are_posted_once_more_and_have_no_result(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES), posted({"BID": 7})))
    assert desk.posts == [("EUR=", "Update", {**VALUES, "BID": 7})]
    assert desk.settle() == []
    assert desk.tally == {"accepted": 1, "over": True}
    assert desk.rig.engine.counters.republished == {"ACK": 1}
    assert not desk.rig.engine.counters.results
    assert not desk.rig.engine.intake.trackers[P0].withdrawing


def test_they_go_as_an_update_or_a_refresh_as_their_mapping_says(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES), posted({"BID": 7}, type_=PostType.REFRESH)))
    assert desk.posts == [("EUR=", "Refresh", {"BID": 7})]


def test_an_item_that_the_ads_has_lost_is_made_anew_where_that_is_wanted() -> None:
    desk = Desk(create_missing=True)
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.ack(desk.rig.ids[-1], NakCode="SymbolUnknown")
    desk.rig.tick()
    assert [type_ for _, type_, _ in desk.posts] == ["Update", "Refresh"]
    desk.rig.ack(desk.rig.ids[-1])
    desk.rig.tick()
    assert desk.tally == {"accepted": 1, "over": True}


def test_nothing_older_than_max_age_goes() -> None:
    desk = Desk(max_age=100_000_000)
    desk.republish(
        EUR=standing(posted({"BID": 1}, age=101), posted({"ASK": 2}, age=99)), GBP=standing(posted(VALUES, age=101))
    )
    assert desk.posts == [("EUR=", "Update", {"ASK": 2})]
    assert desk.tally == {"too_old": 1, "waiting": 1}


def test_what_becomes_too_old_while_it_waits_does_not_go() -> None:
    desk = Desk(max_age=100_000_000)
    desk.rig.lose()
    desk.republish(EUR=standing(posted(VALUES, age=90)))
    desk.rig.tick(11)
    desk.rig.connect()
    desk.rig.answer_login()
    desk.rig.tick()
    assert desk.posts == []
    assert desk.tally == {"too_old": 1, "over": True}


def test_nothing_goes_of_what_is_paused(desk: Desk) -> None:
    desk.rig.pause("EUR*")
    desk.republish(EUR=standing(posted(VALUES)))
    assert desk.posts == []
    assert desk.tally == {"paused": 1, "over": True}


def test_a_pause_that_comes_while_it_waits_ends_it(desk: Desk) -> None:
    desk.rig.lose()
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.pause("EUR*")
    desk.rig.tick()
    assert desk.tally == {"paused": 1, "over": True}


def test_a_newer_price_goes_instead(desk: Desk) -> None:
    desk.rig.lose()
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.put({"BID": 9})
    desk.rig.connect()
    desk.rig.answer_login()
    assert desk.posts == [("EUR=", "Update", {"BID": 9})]
    desk.settle()
    assert desk.tally == {"overtaken": 1, "over": True}


def test_one_in_flight_when_the_session_is_lost_gives_way_to_a_newer_price(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.put({"BID": 9})
    desk.rig.frames.clear()
    desk.rig.lose()
    desk.rig.tick(1)
    desk.rig.connect()
    desk.rig.answer_login()
    desk.rig.tick()
    assert desk.posts == [("EUR=", "Update", {"BID": 9})]
    assert desk.tally["unanswered"] == 1


def test_a_price_waits_for_the_answer_and_for_nothing_else(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.put({"BID": 9})
    assert len(desk.posts) == 1
    desk.rig.ack(desk.rig.ids[-1])
    assert desk.posts[1:] == [("EUR=", "Update", {"BID": 9})]


def test_values_of_a_post_without_an_answer_do_not_go(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES), posted({"BID": 7}, Status.UNANSWERED)))
    assert desk.posts == []
    assert desk.tally == {"unsure": 1, "over": True}


def test_what_was_withdrawn_does_not_come_back(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES), posted(BLANK, withdrawal=True)))
    assert desk.posts == []
    desk.republish(EUR=standing(posted(VALUES), posted(BLANK, withdrawal=True), posted(VALUES)))
    assert len(desk.posts) == 1


def test_a_quote_posted_once_more_is_live_where_that_is_kept() -> None:
    desk = Desk(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS))
    desk.republish(EUR=standing(posted(VALUES)))
    desk.settle()
    desk.rig.stop()
    desk.rig.tick()
    assert desk.posts == [("EUR=", "Update", BLANK)]


def test_a_revocation_waits_for_the_answer_and_drops_what_waits(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.revoking(P0)
    assert not desk.rig.engine.settled(frozenset({P0}))
    desk.settle()
    assert desk.rig.engine.settled(frozenset({P0}))
    assert desk.tally == {"accepted": 1, "over": True}


def test_a_partition_lost_at_once_ends_it(desk: Desk) -> None:
    desk.republish(EUR=standing(posted(VALUES)))
    desk.rig.revoked(P0)
    desk.rig.tick()
    assert desk.tally == {"left": 1, "over": True}


def test_what_publish_rules_know_was_posted_last_stays_true(desk: Desk) -> None:
    desk.rig.handle(LastKnown({}))
    desk.rig.put({"BID": 10}, ruled=True)
    desk.settle()
    desk.republish(EUR=standing(posted({"BID": 10})))
    desk.settle()
    assert desk.rig.engine.contributor.last_posted.last(("TRCC", "EUR="), desk.rig.mono).fields == {"BID": 10}


# What a former owner left, on silence and on a stop


def test_a_stop_withdraws_what_a_former_owner_left() -> None:
    desk = Desk(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS))
    desk.order(OrderKind.ADOPT)
    desk.quote("GBP=")
    desk.read(EUR=standing(posted(VALUES)), GBP=standing(posted(VALUES), posted(BLANK, withdrawal=True)))
    assert desk.rig.engine.withdrawals.live_quotes == 2
    desk.rig.stop()
    desk.rig.tick()
    assert sorted(desk.posts) == [("EUR=", "Update", BLANK), ("GBP=", "Update", BLANK)]


def test_silence_withdraws_it_too_even_where_it_is_read_later() -> None:
    desk = Desk(withdraw=WithdrawPolicy(silent_after=8.0, fields=FIELDS))
    desk.order(OrderKind.ADOPT)
    desk.rig.tick(4)
    desk.rig.tick(4)
    assert desk.posts == []
    desk.read(EUR=standing(posted(VALUES)))
    assert desk.posts == [("EUR=", "Update", BLANK)]


def test_what_was_withdrawn_meanwhile_is_not_live_again() -> None:
    desk = Desk(withdraw=WithdrawPolicy(on_stop=True, fields=FIELDS))
    desk.quote()
    desk.order(OrderKind.ADOPT)
    adopting = desk.number
    desk.withdraw()
    desk.number = adopting
    desk.read(EUR=standing(posted(VALUES)))
    desk.settle()
    assert desk.rig.engine.withdrawals.live_quotes == 0
