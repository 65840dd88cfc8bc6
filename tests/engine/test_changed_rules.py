"""Other rules while partitions are assigned: what results and commits name, and that the next owner can rely on it."""

from typing import Any

import msgspec
import pytest
from tests.engine.making import PlainMapper
from tests.engine.rig import P0, P1, Rig, statuses

from contribd.engine.limits import DEFAULT_BOUNDS, Bounds
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.commit_metadata import About, Commit, decode_about, decode_parts, encode_metadata
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.rule_names import RuleNames
from contribd.mapping.outcome import Outcome, Several
from contribd.mapping.scope import Surroundings

A, B, C = (RuleNames(name, name.lower()) for name in "ABC")
SINGLE = RuleNames("S", None)
"""Rules that make one post of a record: commits name none."""
TIGHT = Bounds(commit_bits=600, curves_per_told=1)
"""Room for a few curves of four points."""


class FirstPoint(PlainMapper):
    """Of several posts, makes the first alone."""

    def map(self, value: bytes | None, surroundings: Surroundings | None = None, last: object = None) -> Outcome:
        outcome = super().map(value, surroundings, last)
        return outcome.parts[0] if isinstance(outcome, Several) else outcome


def curve(number: int) -> bytes:
    """One of four points; the first is of the same RIC in all of them."""
    rics = ["FIRST", *(f"{number}-{point}" for point in range(3))]
    return msgspec.json.encode({"parts": [{"ric": ric, "fields": {"BID": number}} for ric in rics]})


def rig(**options: Any) -> Rig:
    return Rig(rules="a", bounds=options.pop("bounds", DEFAULT_BOUNDS), **options).open().assign()


def change(one: Rig, names: RuleNames, mapper: PlainMapper | None = None) -> None:
    """The whole of a reload, while nothing else happens."""
    one.prepare_rules()
    while untold(one):
        one.commit()
    one.change_rules(names, mapper)


def untold(one: Rig) -> bool:
    return one.engine.rules.untold


def is_up(one: Rig) -> bool:
    return one.engine.session.up


def named(commit: Commit) -> str | None:
    return decode_about(commit.metadata).rules


def configs(results: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(result["source"]["offset"], result["config"]) for result in results]


# What results name


def test_each_result_names_the_rules_that_its_record_was_mapped_by() -> None:
    one = Rig(rules="").open().assign()
    one.change_rules(A)
    one.put({"BID": 1}, ric="X")
    one.change_rules(B)
    one.put({"BID": 2}, ric="Y")
    one.change_rules(C)
    one.put({"BID": 3}, ric="Z")
    one.ack(3, 1)
    assert configs(one.commit()) == [(2, "C"), (0, "A")]
    one.ack(2)
    assert configs(one.commit()) == [(1, "B")]
    assert one.engine.intake.trackers[P0].rules.earlier == []


def test_what_was_merged_and_what_carried_it_name_their_own_rules() -> None:
    one = Rig(rules="", max_outstanding=1).open().assign()
    one.change_rules(A)
    one.put({"BID": 1})
    one.put({"BID": 2})
    one.change_rules(B)
    one.put({"ASK": 3})
    one.ack(1)
    assert configs(one.commit()) == [(0, "A")]
    assert one.fields[1] == {"BID": 2, "ASK": 3}
    one.ack(2)
    assert configs(one.commit()) == [(1, "A"), (2, "B")]


def test_a_batch_that_is_offered_again_names_the_same_rules() -> None:
    one = Rig(rules="").open().assign()
    one.change_rules(A)
    one.put({"BID": 1})
    one.ack(1)
    batch = one.batch()
    one.change_rules(B)
    assert configs(one.decoded(batch)) == [(0, "A")]
    one.handle_not_committed(batch.number)
    one.put({"BID": 2}, ric="Y")
    assert configs(one.commit()) == [(0, "A")]
    one.ack(2)
    assert configs(one.commit()) == [(1, "B")]


def test_a_record_that_was_put_back_is_mapped_anew_by_the_rules_in_force() -> None:
    one = rig(bounds=TIGHT)
    one.put_values(*map(curve, range(12)))
    taken = one.engine.counters.records
    assert taken < 12, "some do not fit beside the others"
    change(one, B, FirstPoint())
    settled = dict[int, str]()
    while len(settled) < 12:
        one.tick()
        one.ack(*one.ids)
        settled.update(configs(one.commit()))
    assert settled == {offset: "c" if offset < taken else "B" for offset in range(12)}


def test_what_is_kept_of_earlier_rules_is_bounded_by_what_is_not_durable() -> None:
    one = Rig(rules="").open().assign()
    one.put({"BID": 1})
    for number in range(100):
        one.change_rules(RuleNames(str(number), None))
    assert len(one.engine.intake.trackers[P0].rules.earlier) == 1
    one.ack(1)
    assert configs(one.commit()) == [(0, "c")]
    for number in range(100):
        one.change_rules(RuleNames(str(number), None))
    assert one.engine.intake.trackers[P0].rules.earlier == []


# What commits name


def test_before_others_are_in_force_a_commit_without_a_name_is_durable() -> None:
    one = rig()
    one.put_values(curve(1))
    one.ack(1)
    first = one.batch()
    assert named(first.commits[P0]) == "a"
    one.prepare_rules()
    one.handle_committed(first.number)
    assert untold(one), "what was being written then named them"
    batch = one.batch()
    assert (batch.settlements, named(batch.commits[P0])) == ([], None)
    assert batch.commits[P0] != first.commits[P0]
    one.handle_not_committed(batch.number)
    assert untold(one)
    one.handle_committed(one.batch().number)
    assert not untold(one)
    assert one.take() is None, "said once"


def test_the_new_ones_are_named_once_all_is_durable_that_was_mapped_by_the_old_ones() -> None:
    one = rig()
    one.put_values(curve(1))
    change(one, B)
    one.put_values(curve(2))
    one.ack(*one.ids[1:4])
    batch = one.batch()
    assert (batch.commits[P0].offset, named(batch.commits[P0])) == (0, None)
    one.handle_committed(batch.number)
    one.ack(one.ids[0])
    batch = one.batch()
    one.handle_committed(batch.number)
    one.ack(*one.ids[4:6])
    batch = one.batch()
    assert (batch.commits[P0].offset, named(batch.commits[P0])) == (1, "b")


def test_rules_that_are_kept_after_all_are_named_again() -> None:
    one = rig()
    one.prepare_rules()
    one.commit()
    one.keep_rules()
    one.put_values(curve(1))
    one.ack(1)
    batch = one.batch()
    assert named(batch.commits[P0]) == "a"
    assert configs(one.decoded(batch)) == [(0, "c")]


def test_a_commit_that_only_tells_of_rules_is_another_text_than_any_before() -> None:
    """Or the one before would be taken for it, where nobody knows what became of the transaction."""
    one = rig()
    one.assign(P1, metadata=(before := encode_metadata(0, 0, About(topic_id="t"))))
    found = {before}
    for _ in range(3):
        one.prepare_rules()
        batch = one.batch()
        assert batch.commits[P1].metadata not in found
        found.add(batch.commits[P1].metadata)
        one.handle_committed(batch.number)
        one.keep_rules()


def test_a_partition_that_is_assigned_meanwhile_is_told_of_too() -> None:
    one = rig()
    one.prepare_rules()
    one.commit()
    assert not untold(one)
    one.assign(P1, metadata=encode_metadata(0, 0, About(rules="a")))
    assert untold(one)
    batch = one.batch()
    assert (set(batch.commits), named(batch.commits[P1])) == ({P1}, None)
    one.handle_committed(batch.number)
    assert not untold(one)


def test_a_partition_that_is_revoked_meanwhile_is_waited_for_no_longer() -> None:
    one = rig()
    one.prepare_rules()
    one.revoking(P0)
    one.revoked(P0)
    assert not untold(one)
    assert one.take() is None


def test_where_one_post_is_made_of_a_record_nothing_has_to_be_told() -> None:
    one = Rig(rules="").open().assign()
    one.prepare_rules()
    assert not untold(one)
    assert one.take() is None


# The next owner


def crashed_after(changing: str) -> tuple[Rig, Commit]:
    """An owner that went from A to B while the first post of many curves waits, and died; what the group has then.

    B makes less of each record, so that more of them find room.
    """
    one = rig(bounds=TIGHT)
    one.put_values(*map(curve, range(4)))
    one.ack(2)
    durable = one.batch()
    one.handle_committed(durable.number)
    last = durable.commits[P0]
    if changing == "in order":
        one.prepare_rules()
        batch = one.batch()
        one.handle_committed(batch.number)
        last = batch.commits[P0]
    one.change_rules(B, FirstPoint())
    one.put_values(*map(curve, range(4, 400)))
    assert not untold(one)
    return one, last


def first_posts(one: Rig) -> list[int]:
    return [post["Message"]["Fields"]["BID"] for post in one.posts if post["Key"]["Name"] == "FIRST"]


@pytest.mark.parametrize("changing", ["in order", "at once"])
def test_an_owner_with_the_old_rules_takes_all_that_may_have_been_posted_by_the_new_ones(changing: str) -> None:
    """At once would be wrong: the next owner would believe that A had stopped the one before, and post what is older
    than what was posted."""
    before, commit = crashed_after(changing)
    before.ack(1)  # the answer is not durable: the ADS has it all the same
    taken = before.engine.counters.records
    owner = Rig(rules="a", bounds=TIGHT).open().assign(start=commit.offset, metadata=commit.metadata, behind=True)
    owner.put_values(*(curve(number) for number in range(commit.offset, 400)))
    owner.catch_up(P0)
    if changing == "in order":
        assert first_posts(owner)[0] >= taken - 1
    else:
        assert first_posts(owner)[0] < taken - 1


def test_an_owner_that_changes_its_rules_while_it_catches_up_is_bound_by_no_bits() -> None:
    """How far the former owner was bound by A says nothing of where B would have stopped it."""
    first = rig(bounds=TIGHT)
    first.put_values(*map(curve, range(100)))
    first.ack(2)
    commit = first.batch().commits[P0]
    assert named(commit) == "a"
    owner = Rig(rules="a", bounds=TIGHT).open().assign(start=commit.offset, metadata=commit.metadata, behind=True)
    change(owner, B)
    owner.put_values(*map(curve, range(100)))
    assert owner.engine.counters.records == 100
    assert owner.posts == []
    owner.catch_up(P0)
    assert first_posts(owner) == [99]
    owner.ack(owner.ids[0])
    assert named(owner.batch().commits[P0]) is None


# Settings


def test_what_waits_follows_the_new_settings() -> None:
    one = Rig(rules="", max_outstanding=1, attempts=3).open().assign()
    one.put({"BID": 1})
    one.put({"BID": 2})
    one.put({"BID": 3}, ric="OTHER")
    one.change_rules(SINGLE, attempts=1, max_age=2_000_000)
    one.ack(1, NakCode="NoResources")
    one.tick(3.0)
    assert statuses(one.commit()) == [(0, "NAK"), (1, "EXPIRED")]
    assert one.fields == [{"BID": 1}, {"BID": 3}]
    one.change_rules(SINGLE, max_age=None)
    one.put({"BID": 4}, age=60.0)
    one.ack(2)
    one.ack(3)
    assert statuses(one.commit()) == [(2, "ACK"), (3, "ACK")]


def test_a_timeout_follows_the_new_one() -> None:
    one = Rig(rules="", attempts=1).open().assign()
    one.put({"BID": 1})
    one.change_rules(SINGLE, ack_timeout=2.0)
    one.tick(2.5)
    assert statuses(one.commit()) == [(0, "UNANSWERED")]


def test_a_rate_and_a_frame_follow_the_new_ones() -> None:
    one = Rig(rules="", max_outstanding=100, pack=20).open().assign()
    one.change_rules(SINGLE, max_rate=5.0, pack=1)
    for number in range(50):
        one.put({"BID": 1}, ric=f"R{number}")
    assert len(one.posts) < 50
    assert len(one.frames) == len(one.posts)
    one.change_rules(SINGLE)
    one.tick()
    assert len(one.posts) == 50


def test_settings_that_hold_for_the_process_are_refused() -> None:
    one = Rig(rules="").open().assign()
    with pytest.raises(ValueError, match="conflate"):
        one.change_rules(SINGLE, conflate=False)


def test_silence_counts_from_the_moment_it_is_asked_for_and_no_longer_than_that() -> None:
    listed = WithdrawPolicy(silent_after=10.0, fields={"m": frozenset({"BID"})})
    one = Rig(rules="").open().assign()
    one.lease(float("inf"))
    one.tick(9.0)
    one.change_rules(SINGLE, withdraw=listed)
    one.put({"BID": 1})
    one.ack(1)
    one.commit()
    one.tick(9.0)
    assert len(one.posts) == 1
    one.change_rules(SINGLE)
    one.tick(9.0)
    assert len(one.posts) == 1, "nothing is to be withdrawn any more"
    one.change_rules(SINGLE, withdraw=listed)
    one.put({"BID": 2})
    one.ack(2)
    one.commit()
    one.tick(11.0)
    one.tick()
    assert one.fields[2:] == [{"BID": None}]


def test_a_service_that_is_new_keeps_the_session_open() -> None:
    one = Rig(rules="").open().assign()
    one.change_rules(SINGLE, services=("NOWHERE",))
    assert not is_up(one)
    one.change_rules(SINGLE, services=("NOWHERE", "TRCC"))
    assert is_up(one)
    one.put({"BID": 1})
    assert len(one.posts) == 1


def test_a_commit_tells_of_parts_by_either_rules() -> None:
    one = rig()
    one.put_values(curve(1))
    change(one, B)
    one.put_values(curve(2))
    one.ack(2, 7)
    commit = one.batch().commits[P0]
    told = decode_parts(commit.offset, commit.metadata)
    assert {offset: each.settled.bit_count() for offset, each in told.items()} == {0: 1, 1: 1}


# Pauses


def test_a_mapping_that_comes_into_a_paused_desk_is_paused() -> None:
    one = Rig(rules="", max_outstanding=1).open().assign()
    one.pause(Selector(PauseKind.DESK, "rates"))
    one.put({"BID": 1})
    one.put({"BID": 2})
    labelled = PlainMapper()
    labelled.desks["m"] = "rates"
    one.change_rules(SINGLE, labelled)
    one.put({"BID": 3})
    one.ack(1)
    assert statuses(one.commit()) == [(1, "SUPPRESSED"), (2, "SUPPRESSED"), (0, "ACK")]
    assert len(one.posts) == 1


def test_what_a_pause_names_must_stay() -> None:
    one = Rig(rules="").open().assign()
    labelled = PlainMapper()
    labelled.desks.update({"a": "rates", "b": "rates"})
    one.change_rules(SINGLE, labelled)
    pauses = one.engine.pauses
    one.pause(Selector(PauseKind.DESK, "rates"))
    assert pauses.would_end(["a", "b", "c"], {"a": "rates", "b": "rates", "c": "fx"}) == []
    assert pauses.would_end(["b"], {"b": "fx"}) == [
        "desk rates is paused, and mapping a would be of it no more",
        "desk rates is paused, and mapping b would be of it no more",
    ]
    one.pause(Selector(PauseKind.MAPPING, "a"))
    assert pauses.would_end(["b"], {}) == ["mapping a is paused, and there would be no mapping of this name"]
    one.pause(Selector(PauseKind.RIC, "A*"))
    assert pauses.would_end([], {}) == []
