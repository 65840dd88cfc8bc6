"""Publish rules in the engine: what is posted, what waits, what is SUPPRESSED, and what counts as last posted."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.engine.rig import P0, P1, START, Rig, statuses

from contribd.engine.events import LastKnown
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.last_posted import KnownPost, LastPosted
from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import PostType
from contribd.mapping.rules import MappingFile

ALL_FIELDS = ("BID", "ASK", "QUOTIM")


def mapper(publish: dict[str, Any] | None, **more: Any) -> Mapper:
    """Of the records that ``Rig.put`` makes."""
    fields = {name: {"from": f"fields.{name}", "missing": "skip"} for name in ALL_FIELDS}
    fields["QUOTIM"]["as"] = "time"
    ruled = {"name": "ruled", "when": "not exists(plain)", "ric": "{ric}", "fields": fields, "publish": publish, **more}
    plain = {"name": "plain", "ric": "{ric}", "fields": fields}
    blanks = {"name": "blanks", "when": "exists(refresh)", "ric": "{ric}", "post": "refresh", "fields": fields}
    document = {"mappings": [blanks | {"publish": publish}, ruled, plain]}
    compiled = compile_file(MappingFile.model_validate(document), "TRCC")
    assert compiled.problems == []
    return Mapper(compiled.mappings)


def rig(publish: dict[str, Any] | None, more: dict[str, Any] | None = None, **contribution: Any) -> Rig:
    made = Rig(**contribution).open().assign()
    made.engine.taker.mapper = mapper(publish, **(more or {}))
    return made


def told(results: list[dict[str, Any]]) -> list[tuple[int, str, str | None]]:
    return [(result["source"]["offset"], result["status"], result["code"]) for result in results]


def post(made: Rig, bid: float, **more: Any) -> None:
    """One price, posted and accepted."""
    made.put({"BID": bid}, **more)
    made.ack(made.ids[-1])
    assert statuses(made.commit())[-1][1] == "ACK"


MOVES = {"min_change": {"BID": Decimal("0.01")}}
FAR = {"max_move": {"BID": "5%"}}
SOON = {"min_interval": "1s"}


# min_change


def test_a_small_move_is_suppressed_and_compared_with_what_was_posted_not_with_what_came_last() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    for bid in (1.004, 1.008):
        made.put({"BID": bid})
        assert told(made.commit())[-1][1:] == ("SUPPRESSED", "Unchanged")
    made.put({"BID": 1.012})
    assert made.fields[-1] == {"BID": 1.012}
    assert len(made.posts) == 2


def test_a_suppressed_result_has_fields_text_and_no_posts() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.004})
    [result] = made.commit()
    assert (result["posts"], result["fields"], result["carried_by"]) == ([], {"BID": 1.004}, None)
    assert result["text"] == "too small a change; BID 1.004 (last posted 1.0, min_change 0.01)"
    assert made.engine.counters.results["SUPPRESSED", "Unchanged"] == 1


def test_what_waits_is_compared_as_it_would_be_posted_merged() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.put({"BID": 2.0, "ASK": 1})
    made.put({"BID": 1.1})
    made.ack(2)
    results = made.commit()
    assert told(results) == [(1, "ACK", None)]
    assert made.fields[-1] == {"BID": 1.1, "ASK": 1}  # the ASK is new


def test_all_prices_of_a_post_that_would_tell_nothing_new_are_suppressed() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.put({"BID": 2.0})
    made.put({"BID": 1.1})
    made.ack(2)
    results = made.commit() + made.commit()
    assert told(results) == [(1, "ACK", None), (2, "SUPPRESSED", "Unchanged"), (3, "SUPPRESSED", "Unchanged")]


def test_a_refused_post_is_as_if_it_had_not_been_made() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.ack(2, NakCode="DeniedBySrc", Text="no")
    made.commit()
    made.put({"BID": 1.1})
    assert made.fields[-1] == {"BID": 1.1}
    assert len(made.posts) == 3
    made.error(3)
    made.commit()
    made.put({"BID": 1.0})
    assert told(made.commit()) == [(3, "SUPPRESSED", "Unchanged")]


def test_a_first_post_that_is_refused_leaves_nothing_known() -> None:
    made = rig(MOVES)
    made.put({"BID": 1.0})
    made.ack(1, NakCode="DeniedBySrc")
    made.commit()
    made.put({"BID": 1.0})
    assert len(made.posts) == 2


def test_an_unanswered_post_may_have_arrived_and_may_not() -> None:
    made = rig({**MOVES, **FAR}, attempts=1)
    post(made, 1.0)
    made.put({"BID": 1.04})
    made.tick(15.0)
    assert told(made.commit()) == [(1, "UNANSWERED", None)]
    made.put({"BID": 1.1})  # too far from 1.04
    assert told(made.commit()) == [(2, "SUPPRESSED", "TooFar")]
    made.put({"BID": 1.04})
    assert made.fields[-1] == {"BID": 1.04}
    assert len(made.posts) == 3


def test_a_post_that_goes_again_is_posted_though_nothing_has_changed_since() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.lose()
    made.tick(2.0)
    made.connect()
    made.answer_login()
    assert made.fields[-1] == {"BID": 1.1}
    assert len(made.posts) == 3


def test_a_retry_that_a_newer_price_has_undone_keeps_its_answer() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.ack(2, NakCode="NoResources")
    made.put({"BID": 1.0})
    made.tick(1.0)
    assert told(made.commit()) == [(1, "NAK", "NoResources"), (2, "SUPPRESSED", "Unchanged")]
    assert len(made.posts) == 2


def test_a_refresh_that_takes_a_field_away_is_posted() -> None:
    made = rig(MOVES)
    made.put({"BID": 1.0, "ASK": 2.0})
    made.ack(1)
    made.commit()
    made.put({"BID": 1.0}, refresh=True)
    assert made.posts[-1]["Message"]["Type"] == "Refresh"
    made.ack(2)
    made.commit()
    made.put({"BID": 1.0}, refresh=True)
    made.put({"ASK": 2.0})
    assert [each["Message"]["Type"] for each in made.posts] == ["Update", "Refresh", "Update"]


def test_posts_of_other_mappings_to_the_same_ric_count() -> None:
    made = rig(MOVES)
    post(made, 1.0)
    post(made, 1.5, plain=True)
    made.put({"BID": 1.5})
    assert told(made.commit()) == [(2, "SUPPRESSED", "Unchanged")]


# max_move


def test_a_price_that_moved_too_far_is_merged_into_nothing() -> None:
    made = rig(FAR)
    post(made, 1.0)
    made.put({"BID": 1.01})
    made.put({"BID": 9.0, "ASK": 9.0})
    made.put({"BID": 1.02})
    made.ack(2)
    assert told(made.commit()) == [(1, "ACK", None), (2, "SUPPRESSED", "TooFar")]
    assert made.fields[-1] == {"BID": 1.02}
    made.ack(3)
    assert told(made.commit()) == [(3, "ACK", None)]


def test_a_true_move_passes_once_the_last_value_is_old() -> None:
    made = rig({**FAR, "max_move_within": "10m"})
    post(made, 1.0)
    made.put({"BID": 2.0})
    assert told(made.commit()) == [(1, "SUPPRESSED", "TooFar")]
    made.tick(600.1)
    made.tick(2.0)
    made.connect()  # nobody has answered a Ping meanwhile
    made.answer_login()
    made.put({"BID": 2.0})
    assert made.fields[-1] == {"BID": 2.0}


def test_what_was_withdrawn_is_not_known() -> None:
    silent = WithdrawPolicy(silent_after=5.0, fields={"ruled": frozenset({"BID"})})
    made = rig(FAR, withdraw=silent)
    post(made, 1.0)
    made.tick(6.0)
    made.tick()
    assert made.fields[-1] == {"BID": None}
    made.ack(2)
    made.commit()
    made.put({"BID": 2.0})
    assert made.fields[-1] == {"BID": 2.0}


# min_interval


def test_where_prices_are_conflated_the_newest_waits_and_is_posted_when_the_interval_is_over() -> None:
    made = rig(SOON)
    post(made, 1.0)
    made.put({"BID": 1.1, "ASK": 5})
    made.put({"BID": 1.2})
    assert len(made.posts) == 1
    assert made.engine.wake_at(made.now) == pytest.approx(1001.0)
    made.tick(0.999)
    assert len(made.posts) == 1
    made.tick(0.001)
    assert made.fields[-1] == {"BID": 1.2, "ASK": 5}
    made.ack(2)
    assert statuses(made.commit()) == [(1, "CONFLATED"), (2, "ACK")]


def test_what_waits_and_comes_back_to_the_last_value_is_unchanged() -> None:
    made = rig({**SOON, **MOVES})
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.put({"BID": 1.0})
    assert made.commit() == []
    made.tick(1.0)
    assert told(made.commit()) == [(1, "SUPPRESSED", "Unchanged"), (2, "SUPPRESSED", "Unchanged")]


def test_where_prices_are_not_conflated_what_is_too_soon_is_suppressed() -> None:
    made = rig(SOON, conflate=False)
    post(made, 1.0)
    made.put({"BID": 1.1})
    assert told(made.commit()) == [(1, "SUPPRESSED", "TooSoon")]
    made.tick(1.0)
    made.put({"BID": 1.2})
    assert made.fields[-1] == {"BID": 1.2}


def test_a_retry_is_not_too_soon() -> None:
    made = rig({"min_interval": "1h"}, conflate=False)
    made.put({"BID": 1.0})
    made.tick(15.0)
    made.tick(1.0)
    assert len(made.posts) == 2


def test_prices_that_wait_go_with_their_partition() -> None:
    made = rig(SOON)
    post(made, 1.0)
    made.put({"BID": 1.1})
    made.revoking(P0)
    made.revoked(P0)
    made.tick(2.0)
    assert len(made.posts) == 1
    assert len(made.engine.contributor.instruments) == 0


# hours


def test_what_counts_is_when_the_record_arrived() -> None:
    """``START`` is 2027-01-15T08:00:00Z, a Friday."""
    assert START == 1_800_000_000_000_000
    made = rig({"hours": "Mon-Fri 08:00-08:01 UTC"}).assign()
    made.lose()
    made.put({"BID": 1.0})
    made.tick(120.0)
    made.put({"BID": 2.0})
    made.connect()
    made.answer_login()
    assert made.fields == [{"BID": 1.0}]
    [late] = made.commit()
    assert (late["code"], late["text"]) == (
        "OutOfHours",
        "arrived on Fri 2027-01-15 at 08:02:00 (UTC); hours are Mon-Fri 08:00-08:01 UTC",
    )


# Without conflation


def test_nothing_newer_is_posted_before_a_suppressed_result_is_durable() -> None:
    """A crash would ask of that price anew, and might post it after the newer one."""
    made = rig(MOVES, conflate=False)
    post(made, 1.0)
    made.put({"BID": 1.001}, {"BID": 1.5})
    assert len(made.posts) == 1
    assert told(made.commit()) == [(1, "SUPPRESSED", "Unchanged")]
    made.pump()
    assert made.fields[-1] == {"BID": 1.5}


def test_each_of_many_is_asked_in_order() -> None:
    made = rig(FAR, conflate=False)
    post(made, 1.0)
    made.put({"BID": 1.04}, {"BID": 5.0}, {"BID": 1.08})
    made.ack(2)
    results = made.commit()
    made.pump()
    results += made.commit()
    made.pump()
    made.ack(made.ids[-1])
    assert told(results + made.commit()) == [(1, "ACK", None), (2, "SUPPRESSED", "TooFar"), (3, "ACK", None)]


# Several partitions, several posts


def test_a_ric_of_two_partitions_is_forgotten_with_either() -> None:
    made = rig(MOVES).assign(P1)
    post(made, 1.0)
    post(made, 1.5, partition=P1)
    made.put({"BID": 1.5})
    assert told(made.commit()) == [(1, "SUPPRESSED", "Unchanged")]
    made.revoking(P0)
    made.revoked(P0)
    made.put({"BID": 1.5}, partition=P1)
    assert len(made.posts) == 3


def test_each_post_of_a_record_is_judged_by_itself() -> None:
    posts = [{"ric": "A=", "fields": {"BID": "a"}}, {"ric": "B=", "fields": {"BID": "b"}}]
    document = {"mappings": [{"name": "m", "posts": [{**one, "publish": MOVES} for one in posts]}]}
    made = Rig().open().assign()
    made.engine.taker.mapper = Mapper(compile_file(MappingFile.model_validate(document), "TRCC").mappings)
    made.put_values(msgspec.json.encode({"a": 1, "b": 1}))
    made.ack(1, 2)
    made.commit()
    made.put_values(msgspec.json.encode({"a": 1, "b": 2}))
    made.ack(3)
    found = [(result["ric"], result["status"], result["source"]["part"]) for result in made.commit()]
    assert sorted(found) == [("A=", "SUPPRESSED", 0), ("B=", "ACK", 1)]


# @last


def test_an_expression_reads_what_was_last_posted_also_while_it_is_not_answered() -> None:
    checks = [{"that": "abs(fields.BID - coalesce(@last.BID, fields.BID)) < 1", "text": "jumped"}]
    made = rig(None, {"checks": checks})
    made.put({"BID": 1.0})
    made.put({"BID": 3.0})
    assert told(made.commit()) == [(1, "REJECTED", "CheckFailed")]
    made.ack(1)
    made.commit()
    made.put({"BID": 3.0}, ric="GBP=")
    assert made.fields[-1] == {"BID": 3.0}


def test_nothing_is_kept_of_mappings_that_ask_for_nothing() -> None:
    made = rig(None)
    post(made, 1.0)
    hours = rig({"hours": "00:00-24:00 UTC"})
    post(hours, 1.0)
    assert len(made.engine.contributor.last_posted) == len(hours.engine.contributor.last_posted) == 0


def test_of_too_many_rics_the_one_posted_longest_ago_is_forgotten() -> None:
    last = LastPosted(most=2)
    for ric in ("A", "B", "A", "C"):
        last.sent(("S", ric), PostType.UPDATE, {"BID": 1}, (), 0.0, remember=True)
    assert [bool(last.view("S", ric)) for ric in ("A", "B", "C")] == [True, False, True]


# Beside a pause


def test_a_pause_ends_though_prices_are_suppressed_all_the_time() -> None:
    made = rig(MOVES, conflate=False)
    post(made, 1.0)
    made.pause("GBP=")
    made.put({"BID": 1.001})
    made.pause()
    made.put({"BID": 2.0}, ric="GBP=")
    made.tick()
    assert made.fields[-1] == {"BID": 2.0}


# What a former owner posted


def known(made: Rig, bid: float, age: float = 1.0, ric: str = "EUR=", *partitions: Any) -> None:
    """The results topic tells of a post that was sent so long ago."""
    post = KnownPost({"BID": Decimal(str(bid))}, made.wall - round(age * 1e6), frozenset(partitions or (P0,)))
    made.handle(LastKnown({("TRCC", ric): post}))


def test_what_a_former_owner_posted_counts_for_moves_but_may_have_been_changed_since() -> None:
    """It may have been killed before the result of its last post was written."""
    made = rig({**FAR, **MOVES})
    known(made, 1.0)
    made.put({"BID": 2.0})
    assert told(made.commit()) == [(0, "SUPPRESSED", "TooFar")]
    post(made, 1.0)
    made.put({"BID": 1.0})
    assert told(made.commit()) == [(2, "SUPPRESSED", "Unchanged")]


def test_its_age_is_that_of_the_post() -> None:
    made = rig({**SOON, **FAR, "max_move_within": "10m"})
    known(made, 1.0, 0.25)
    made.put({"BID": 1.01})
    assert made.posts == []
    made.tick(0.75)
    assert made.fields == [{"BID": 1.01}]
    known(made, 1.0, 601.0, "GBP=")
    made.put({"BID": 2.0}, ric="GBP=")
    assert made.fields[-1] == {"BID": 2.0}


def test_what_is_newer_here_is_kept() -> None:
    made = rig(FAR)
    post(made, 5.0)
    known(made, 1.0)
    made.put({"BID": 5.1})
    assert made.fields[-1] == {"BID": 5.1}
    known(made, 1.0, 0.0)  # while a post is in flight
    made.ack(2)
    made.commit()
    made.put({"BID": 5.2})
    assert made.fields[-1] == {"BID": 5.2}


def test_what_was_withdrawn_since_is_not_brought_back() -> None:
    silent = WithdrawPolicy(silent_after=5.0, fields={"ruled": frozenset({"BID"})})
    made = rig(FAR, withdraw=silent)
    post(made, 1.0)
    made.tick(6.0)
    made.tick()
    made.ack(2)
    made.commit()
    known(made, 1.0, 6.0)
    made.put({"BID": 2.0})
    assert made.fields[-1] == {"BID": 2.0}


def test_of_rics_whose_partitions_are_not_all_ours_nothing_is_known() -> None:
    made = rig(FAR)
    known(made, 1.0, 1.0, "EUR=", P0, P1)
    made.put({"BID": 2.0})
    assert made.fields == [{"BID": 2.0}]


def test_expressions_read_it_too() -> None:
    checks = [{"that": "abs(fields.BID - coalesce(@last.BID, fields.BID)) < 1", "text": "jumped"}]
    made = rig(None, {"checks": checks})
    known(made, 1.0)
    made.put({"BID": 3.0})
    assert told(made.commit()) == [(0, "REJECTED", "CheckFailed")]


def test_a_price_that_was_posted_is_posted_again_whatever_is_known_since() -> None:
    """It may have been posted merged with older ones, which would follow it."""
    made = rig(FAR)
    made.put({"BID": 1.0})
    made.ack(1, NakCode="NoResources")
    known(made, 2.0, 5.0)
    made.tick(1.0)
    assert made.fields == [{"BID": 1.0}, {"BID": 1.0}]
