"""Records that make several posts: each part by itself, the offset once all of them are settled."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.making import PlainMapper
from tests.engine.rig import P0, P1, Rig, statuses

from contribd.engine.events import Assigned, BrokerLimits, Records
from contribd.engine.limits import MAX_COMMIT_BITS, MAX_METADATA, STAMP_MARGIN, Bounds
from contribd.engine.records import parts_text
from contribd.engine.records.commit_metadata import (
    About,
    Commit,
    Room,
    bits_in,
    decode_about,
    decode_metadata,
    decode_parts,
    encode_metadata,
    restate,
)
from contribd.engine.records.keys import tags_of
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.parts import Told
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mapping.outcome import Outcome
from contribd.mapping.scope import Surroundings

FORTY = tuple(f"CURVE{number}Y=" for number in range(40))


def curve(*rics: str, bid: int = 1, **more: Any) -> bytes:
    return msgspec.json.encode({"parts": [{"ric": ric, "fields": {"BID": bid}, **more} for ric in rics]})


def keys(*rics: str) -> list[tuple[str, str]]:
    return [("TRCC", ric) for ric in rics]


def rics(rig: Rig) -> list[str]:
    return [post["Key"]["Name"] for post in rig.posts]


def places(results: Sequence[dict[str, Any]]) -> list[tuple[str, int, int | None, int | None]]:
    return [(one["ric"], (s := one["source"])["offset"], s.get("part"), s.get("parts")) for one in results]


def restarted(commit: tuple[int, str]) -> Rig:
    """The next process, from what is durable."""
    return Rig().open().assign(start=commit[0], metadata=commit[1])


# One part at a time


def test_each_part_is_posted_by_itself_and_has_its_result_as_soon_as_it_is_known() -> None:
    rig = Rig().open().assign()
    rig.put_values(curve("A", "B", "C"))
    assert rics(rig) == ["A", "B", "C"]
    rig.ack(2)
    batch = rig.batch()
    assert places(rig.decoded(batch)) == [("B", 0, 1, 3)]
    offset, metadata = batch.commits[P0]
    assert (offset, decode_metadata(offset, metadata)) == (0, frozenset())
    assert decode_parts(offset, metadata) == {0: Told(tags_of(keys("A", "B", "C")), 0b010)}
    rig.handle_committed(batch.number)
    rig.ack(1, 3)
    batch = rig.batch()
    assert places(rig.decoded(batch)) == [("A", 0, 0, 3), ("C", 0, 2, 3)]
    assert batch.commits[P0] == (1, "")


def test_a_part_that_waits_holds_up_its_own_ric_alone() -> None:
    rig = Rig().open().assign()
    rig.put_values(curve("A", "B"))
    rig.ack(2)
    rig.commit()
    rig.put_values(curve("A", "B", bid=2), curve("A", "B", bid=3))
    assert rics(rig)[2:] == ["B"]
    rig.ack(rig.ids[-1])
    assert statuses(rig.commit()) == [(1, "CONFLATED"), (2, "ACK")]
    rig.ack(1)
    rig.commit()
    assert rics(rig)[3:] == ["A"]
    rig.ack(rig.ids[-1])
    results = rig.commit()
    assert [(one["ric"], one["status"], one["source"]["part"]) for one in results] == [
        ("A", "CONFLATED", 0),
        ("A", "ACK", 0),
    ]
    assert results[0]["carried_by"]["part"] == 0
    assert results[0]["carried_by"]["offset"] == 2
    assert rig.engine.intake.waiting == rig.engine.intake.waiting_bytes == 0


def test_a_part_that_cannot_be_mapped_is_rejected_by_itself() -> None:
    rig = Rig().open().assign()
    bad = [{"ric": "B", "rejected": "no bid"}, {"rejected": "no RIC"}, {"rejected": "none here either"}]
    value = msgspec.json.encode({"parts": [{"ric": "A", "fields": {"BID": 1}}, *bad]})
    rig.put_values(value)
    batch = rig.batch()
    results = rig.decoded(batch)
    assert [(one["status"], one["source"]["part"]) for one in results] == [("REJECTED", n) for n in (1, 2, 3)]
    encoder = ResultEncoder(instance="i", version="v", config="c", rules="r")
    (first, *_), rejected = batch.settlements, encoder.encode_reject(batch.settlements[0])
    assert rejected.value == value
    assert {("ric", b"B"), ("service", b"TRCC"), ("part", b"1/4")} < set(rejected.headers)
    assert {("part", b"1/4"), ("rules", b"r")} < set(encoder.encode(first).headers)
    rig.handle_committed(batch.number)
    rig.ack(1)
    assert rig.commit()[0]["status"] == "ACK"
    assert rig.engine.intake.waiting == 0


def test_a_record_with_one_post_says_nothing_of_parts() -> None:
    rig = Rig().open().assign()
    rig.put({"BID": 1})
    rig.ack(1)
    batch = rig.batch()
    (encoded,) = (ResultEncoder(instance="i", version="v", config="c").encode(one) for one in batch.settlements)
    assert "part" not in msgspec.json.decode(encoded.value)["source"]
    assert "part" not in dict(encoded.headers)


def test_what_is_revoked_is_given_back_once() -> None:
    rig = Rig(max_outstanding=1).open().assign()
    rig.put_values(curve("A", "B", "C"))
    assert rig.engine.intake.waiting == 3
    rig.revoking(P0)
    assert rig.engine.intake.waiting == 1
    rig.ack(1)
    commit = rig.batch().commits[P0]
    assert rig.engine.intake.waiting == rig.engine.intake.waiting_bytes == 0
    again = restarted(commit)
    again.put_values(curve("A", "B", "C"))
    assert rics(again) == ["B", "C"]


# From one run to the next


def settled_in_part(*done: str, of: Sequence[str] = ("A", "B", "C")) -> tuple[int, str]:
    rig = Rig().open().assign()
    rig.put_values(curve(*of))
    rig.ack(*(of.index(ric) + 1 for ric in done))
    return rig.batch().commits[P0]


def test_a_restart_posts_the_missing_parts_alone() -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put_values(curve("A", "B", "C"))
    assert rics(rig) == ["B"]
    rig.ack(1)
    batch = rig.batch()
    assert places(rig.decoded(batch)) == [("B", 0, 1, 3)]
    assert batch.commits[P0] == (1, "")


@pytest.mark.parametrize(
    ("now", "posted"),
    [
        (("C", "B", "A"), ["B"]),
        (("D", "A", "B"), ["D", "B"]),
        (("A", "C"), []),
        (("D", "E"), ["D", "E"]),
    ],
)
def test_parts_are_known_by_their_ric_whatever_the_mapping_makes_now(now: tuple[str, ...], posted: list[str]) -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put_values(curve(*now), curve("Z", "Y"))
    assert rics(rig) == [*posted, "Z", "Y"]
    rig.ack(*rig.ids)
    results = rig.commit()
    assert [one["ric"] for one in results] == [*posted, "Z", "Y"]
    assert all(one["source"]["parts"] == len(now) for one in results if one["source"]["offset"] == 0)
    changed = set(now) != {"A", "B", "C"}
    assert any("the mapping has changed" in note for note in rig.notes) is changed


@pytest.mark.parametrize(("ric", "posts"), [("A", 0), ("B", 1), ("D", 1)])
def test_a_record_that_makes_one_post_now_is_known_as_well(ric: str, posts: int) -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put({"BID": 1}, ric=ric)
    assert len(rig.posts) == posts
    rig.put({"BID": 2}, ric="Z")
    rig.ack(*rig.ids)
    batch = rig.batch()
    assert [one.get("part") for one in (each["source"] for each in rig.decoded(batch))] == [None] * (posts + 1)
    assert batch.commits[P0] == (2, "")


def test_a_mapping_that_is_changed_back_repeats_nothing_either() -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put_values(curve("D", "E"))
    rig.ack(1)
    back = restarted(rig.batch().commits[P0])
    back.put_values(curve("A", "B", "C", "D"))
    assert rics(back) == ["B"]


def test_parts_of_records_that_are_not_reached_yet_stay_in_the_commit() -> None:
    first = Rig().open().assign()
    first.put_values(curve("S", "T"), curve("A", "B"))
    first.ack(3)
    commit = first.batch().commits[P0]
    second = restarted(commit)
    second.put_values(curve("S", "T"))
    second.ack(1)
    again = second.batch().commits[P0]
    assert decode_parts(*again) == {0: Told(tags_of(keys("S", "T")), 1), 1: Told(tags_of(keys("A", "B")), 1)}
    third = restarted(again)
    third.put_values(curve("S", "T"), curve("A", "B"))
    assert rics(third) == ["T", "B"]


def test_while_it_catches_up_parts_are_held_and_merged() -> None:
    rig = Rig().open().assign(start=0, metadata=settled_in_part("A", "C")[1], behind=True)
    rig.put_values(curve("A", "B", "C"), curve("A", "B", "C", bid=2))
    assert rig.posts == []
    rig.catch_up(P0)
    assert rics(rig) == ["B", "A", "C"]
    assert rig.fields == [{"BID": 2}] * 3
    rig.ack(*rig.ids)
    assert sorted(places(rig.commit())) == [
        ("A", 1, 0, 3),
        ("B", 0, 1, 3),
        ("B", 1, 1, 3),
        ("C", 1, 2, 3),
    ]


def test_a_record_all_of_whose_posts_have_results_is_committed_though_nothing_follows() -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put_values(curve("A", "C"))
    assert rig.posts == []
    rig.fail()
    batch = rig.batch()
    assert (batch.settlements, batch.commits[P0]) == ([], (1, ""))
    rig.handle_committed(batch.number)
    assert rig.take() is None
    assert rig.engine.intake.waiting == rig.engine.intake.waiting_bytes == 0


def test_what_is_known_while_a_transaction_is_written_is_part_of_the_next_one() -> None:
    rig = restarted(settled_in_part("A", "C"))
    rig.put_values(curve("A", "B", "C"), curve("Z", "Y"))
    rig.ack(*rig.ids)
    commit = rig.batch().commits[P0]
    assert commit == (2, "")
    late = Rig().open().assign(start=0, metadata=settled_in_part("A", "C")[1]).assign(P1)
    late.put({"BID": 1}, ric="W", partition=P1)
    late.ack(1)
    first = late.batch()
    late.put_values(curve("A", "C"))
    late.handle_committed(first.number)
    assert late.batch().commits == {P0: (1, "")}


# What a commit can tell


def test_a_curve_of_forty_and_a_window_of_five_hundred_fit() -> None:
    rig = Rig().open().assign()
    rig.put_values(*(curve(*FORTY) for _ in range(600)))
    assert len(rig.posts) == 40
    taken_now = rig.engine.intake.waiting // 40
    assert taken_now >= 500
    rig.ack(*(number for number in range(1, 41) if number != 7))
    rig.commit()
    rig.ack(*rig.ids[40:])
    rig.commit()
    metadata = rig.engine.intake.trackers[P0].commit().metadata
    assert len(metadata) <= MAX_METADATA
    assert len(decode_parts(0, metadata)) >= 500


@pytest.mark.parametrize("points", [20, 40])
def test_curves_of_different_instruments_wait_in_numbers_that_fill_transactions(points: int) -> None:
    """Where all are settled in part, which is more than a commit has room for, the results topic tells of it."""
    rig = Rig(max_outstanding=10_000).open().assign()
    rig.put_values(*(curve(*(f"C{number}P{at}" for at in range(points))) for number in range(400)))
    assert 3_500 <= rig.engine.intake.waiting < 400 * points
    rig.ack(*range(1, len(rig.posts), points))
    commit = rig.batch().commits[P0]
    assert (commit.offset, decode_parts(*commit)) == (0, {})
    assert decode_about(commit.metadata).results_to == len(rig.posts) // points


def test_what_is_rejected_while_it_catches_up_is_left_to_the_results_topic_where_it_is_too_much() -> None:
    """It is taken whatever the room: whoever had the partition before may have had a mapping that makes less."""
    rig = Rig(bounds=Bounds(commit_bits=400)).open().assign(behind=True)
    bad = {"ric": "X", "rejected": "no bid"}
    values = [[{"ric": f"R{number}", "fields": {"BID": 1}}, bad] for number in range(40)]
    rig.put_values(*(msgspec.json.encode({"parts": parts}) for parts in values))
    batch = rig.batch()
    commit = batch.commits[P0]
    assert (commit.offset, decode_parts(*commit), decode_about(commit.metadata).results_to) == (0, {}, 40)
    rig.handle_committed(batch.number)
    rig.catch_up(P0)
    while rig.engine.intake.waiting:
        rig.ack(*rig.ids)
        rig.frames.clear()
        rig.commit()
        rig.tick(0.01)
    assert rig.engine.intake.trackers[P0].commit() == (40, "contribd1:.1")


def test_where_nothing_can_be_told_of_parts_each_record_goes_alone() -> None:
    rig = Rig(bounds=Bounds(commit_bits=0)).open().assign()
    rig.put_values(curve("A", "B"), curve("A", "C"))
    rig.put({"BID": 1}, ric="S")
    for offset in range(3):
        rig.ack(*rig.ids)
        rig.frames.clear()
        assert {one["source"]["offset"] for one in rig.commit()} == {offset}
        rig.tick()


def test_more_than_a_commit_can_tell_of_waits() -> None:
    rig = Rig(bounds=Bounds(commit_bits=200)).open().assign()
    rig.put_values(*(curve("A", "B", bid=bid) for bid in range(60)))
    waiting = rig.engine.intake.waiting
    assert 2 <= waiting < 120
    assert rig.engine.take_paused() == {P0}
    settled = 0
    for _ in range(400):
        rig.ack(*rig.ids)
        rig.frames.clear()
        for _ in range(2):
            settled += len(rig.commit())
        rig.tick(0.01)
    assert settled == 120
    assert rig.engine.take_paused() == frozenset()


def test_a_record_with_more_posts_than_any_commit_can_tell_of_goes_alone() -> None:
    rig = Rig(bounds=Bounds(commit_bits=130, curves_per_told=1)).open().assign()
    rig.put_values(curve("A", "B", "C"), curve(*"ABCDEFGH"), curve("A", "B"))
    rig.ack(1, 2, 3)
    assert [one["status"] for one in rig.commit()] == ["ACK"] * 3
    rig.tick()
    assert rics(rig)[3:] == [*"ABCDEFGH"]
    rig.ack(4, 5, 7)
    batch = rig.batch()
    about = decode_about(batch.commits[P0].metadata)
    assert (decode_parts(*batch.commits[P0]), about.results_to) == ({}, 2)
    assert about.results_since == rig.wall // 1_000_000
    assert [one["source"]["part"] for one in rig.decoded(batch)] == [0, 1, 3]
    rig.handle_committed(batch.number)
    rig.ack(6, 8, 9, 10, 11)
    batch = rig.batch()
    assert decode_about(batch.commits[P0].metadata) == About()
    rig.handle_committed(batch.number)
    rig.tick()
    assert rics(rig)[11:] == ["A", "B"]


def test_after_a_restart_with_the_same_rules_no_more_is_taken_than_the_last_owner_may_have() -> None:
    first = Rig(rules="a").open().assign()
    first.put_values(*(curve(*FORTY) for _ in range(600)))
    taken_then = first.engine.intake.waiting
    first.ack(1)
    commit = first.batch().commits[P0]
    assert decode_about(commit.metadata).rules == "a"
    for rules, more in (("a", 0), ("b", 600 * 40 - taken_then)):
        rig = Rig(rules=rules).open().assign(start=commit.offset, metadata=commit.metadata, behind=True)
        rig.put_values(*(curve(*FORTY) for _ in range(600)))
        assert rig.engine.intake.waiting == taken_then - taken_then // 40 + more, "one of each is settled"
        assert (len(rig.posts) > 0) is (rules == "a"), "whatever else there is cannot have been posted"


def test_rules_are_named_once_all_is_durable_that_was_taken_by_others() -> None:
    first = Rig(rules="a").open().assign()
    first.put_values(curve("A", "B"))
    first.ack(1)
    commit = first.batch().commits[P0]
    rig = Rig(rules="b", bounds=Bounds(commit_bits=300)).open().assign(start=0, metadata=commit.metadata, behind=True)
    rig.put_values(*(curve("A", "B", bid=bid) for bid in range(40)))
    rig.catch_up(P0)
    named = list[tuple[int, str | None]]()
    while (waiting := rig.engine.intake.waiting) or not named:
        rig.ack(rig.ids[-2 if waiting == 79 else -1])
        batch = rig.batch()
        named.append((batch.commits[P0].offset, decode_about(batch.commits[P0].metadata).rules))
        rig.handle_committed(batch.number)
    assert {rules for offset, rules in named if offset < 40} == {None}
    assert named[-1] == (40, "b")


def test_in_few_characters_what_only_spares_work_is_left_out() -> None:
    about = About("a-topic-id", 2)
    rig = Rig(rules="rules").open().assign(start=3_000_000_000, metadata=encode_metadata(0, 0, about))
    rig.handle(BrokerLimits(1_000_000, 1_000_000, 52, keyed=False))
    rig.put_values(curve("A", "B"))
    rig.ack(1)
    commit = rig.batch().commits[P0]
    assert len(commit.metadata) <= 52
    assert decode_about(commit.metadata) == about._replace(results_to=3_000_000_001)


def test_a_record_that_has_to_wait_is_mapped_again_once_there_is_room() -> None:
    rig = Rig(bounds=Bounds(commit_bits=700, curves_per_told=1)).open().assign()
    mapped: list[bytes | None] = []

    class Counting(PlainMapper):
        def map(self, value: bytes | None, _surroundings: Surroundings | None = None, _last: object = None) -> Outcome:
            mapped.append(value)
            return super().map(value)

    rig.engine.taker.mapper = Counting()
    rig.put_values(curve(*FORTY[:15]), *(curve(f"S{number}", f"T{number}") for number in range(2)), curve(*FORTY[:16]))
    assert len(mapped) == 4
    rig.ack(16)
    rig.commit()
    rig.tick()
    assert len(mapped) == 4, "nothing of what it waits for has gone"
    rig.ack(*range(1, 16))
    rig.commit()
    rig.tick()
    assert len(mapped) == 5


def test_commits_without_room_differ_though_they_say_the_same() -> None:
    """What is committed tells whether a transaction is durable."""
    rig = Rig(bounds=Bounds(commit_bits=100)).open().assign()
    rig.put_values(curve(*"ABCDEFGHI"))
    commits = []
    for post_id in range(1, 9):
        rig.ack(post_id)
        batch = rig.batch()
        commits.append(batch.commits[P0])
        rig.handle_committed(batch.number)
    assert len(set(commits)) == 8
    assert {decode_about(commit.metadata).results_to for commit in commits} == {1}


def test_results_of_an_earlier_run_are_looked_for_from_when_the_record_was_written() -> None:
    earlier = encode_metadata(0, 0, About(), parts_text.encode(0, {0: Told(tags_of(keys(*"ABCDEFGHI")), 1)}))
    rig = Rig(bounds=Bounds(commit_bits=100)).open().assign(metadata=earlier)
    rig.put_values(curve(*"ABCDEFGHI"), age=500.0)
    rig.ack(1)
    assert decode_about(rig.batch().commits[P0].metadata).results_since == rig.wall // 1_000_000 - 500 - STAMP_MARGIN
    rig = Rig(bounds=Bounds(commit_bits=100)).open().assign(metadata=earlier)
    rig.put_values(curve(*"ABCDEFGHI"), age=None)
    rig.ack(1)
    assert decode_about(rig.batch().commits[P0].metadata).results_since == 0


def test_two_partitions_with_the_same_instruments_never_wait_for_each_other() -> None:
    """Each has taken more than a commit can tell of while it caught up."""
    rig = Rig(bounds=Bounds(commit_bits=400), max_outstanding=3).open().assign(behind=True).assign(P1, behind=True)
    for partition in (P0, P1):
        rig.put_values(*(curve("A", "B", "C", "D", "E", bid=bid) for bid in range(30)), partition=partition)
    rig.catch_up(P0)
    rig.catch_up(P1)
    settled = 0
    for _ in range(100):
        rig.ack(*rig.ids)
        rig.frames.clear()
        settled += len(rig.commit())
        rig.tick(0.5)
    assert settled == 300
    commits = {partition: rig.engine.intake.trackers[partition].commit() for partition in (P0, P1)}
    assert commits == {P0: (30, ""), P1: (30, "")}


def test_what_an_earlier_run_told_may_find_no_room_in_a_commit_of_this_one() -> None:
    """Its mapping made other posts: both lists together are too long."""
    first = Rig().open().assign()
    first.put_values(*(curve(*FORTY) for _ in range(400)))
    first.ack(*range(1, 40))
    first.commit()
    first.ack(*first.ids[40:])
    first.commit()
    commit = first.engine.intake.trackers[P0].commit()
    assert len(decode_parts(*commit)) > 300
    rig = restarted(commit)
    rig.put_values(*(curve("N", *(f"{number}-{ric}" for ric in FORTY)) for number in range(30)))
    rig.ack(*(post["PostID"] for post in rig.posts if post["Key"]["Name"] != "N"))
    again = rig.batch().commits[P0]
    assert len(again.metadata) <= MAX_METADATA
    about = decode_about(again.metadata)
    assert (decode_parts(*again), about.results_to, about.results_since) == ({}, max(decode_parts(*commit)) + 1, 0)


def test_what_the_results_topic_tells_is_not_repeated() -> None:
    rig = Rig().open()
    told = {0: Told(tags_of(keys("C")), 1), 5: Told(tags_of(keys("B")), 1)}
    commit = Commit(
        0, encode_metadata(0, 0, About(results_to=9), parts_text.encode(0, {0: Told(tags_of(keys("A")), 1)}))
    )
    rig.handle(Assigned({P0: commit}, frozenset(), {P0: told}))
    records = [Record(offset, -1, None, curve("A", "B", "C")) for offset in (0, 5)]
    rig.handle(Records([(P0, records)]))
    assert rics(rig) == ["B", "A", "C"]


@given(
    st.integers(0, 10**9),
    st.dictionaries(st.integers(0, 19_999), st.tuples(st.integers(0, 3), st.integers(0, 2**60)), max_size=30),
)
def test_what_is_told_is_read_back(base: int, told: dict[int, tuple[int, int]]) -> None:
    lists = [tags_of(("S", f"{name}{number}") for number in range(2 + 7 * name)) for name in range(4)]
    all_of_it = {
        base + at: Told(lists[which], settled % 2 ** len(lists[which])) for at, (which, settled) in told.items()
    }
    text = parts_text.encode(base, all_of_it)
    assert parts_text.decode(base, text) == all_of_it
    metadata = encode_metadata(5, 3, About("id", 2), text)
    assert decode_parts(base, metadata) == all_of_it
    assert decode_parts(base, restate(metadata, About("other", 3))) == all_of_it
    assert decode_parts(base, restate(metadata, About())) == all_of_it


@given(st.text(max_size=60))
def test_what_others_wrote_tells_nothing_and_harms_nothing(text: str) -> None:
    assert isinstance(parts_text.decode(0, text), dict)
    assert decode_parts(0, "by hand") == {}


def test_two_parts_never_have_the_same_tag() -> None:
    same = keys("0bhBDt", "1UUhA6")  # two with the same CRC-32 would do; whatever they are, all differ
    assert len(set(tags_of([*same, *same]))) == 4


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 5)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
    st.integers(150, 3_000),
)
def test_whatever_is_settled_of_what_was_taken_fits_into_a_commit(
    records: list[tuple[int, int]], chance: Any, most: int
) -> None:
    tracker = OffsetTracker(Partition("t", 0), 0, room=Room(bits=most))
    offset, open_parts = 0, list[tuple[Any, int | None]]()
    for gap, kind in records:
        offset += gap
        rics_of = [f"{kind}-{n}" for n in range(2 + kind)]
        if not tracker.has_room(offset):
            continue
        assert tracker.take(offset, 1)
        if kind == 5:
            open_parts.append((offset, None))
            continue
        parts = tracker.split(offset, 1, keys(*rics_of), 0)
        if parts is None:
            tracker.return_last(offset, 1)
            break
        open_parts += [(parts, number) for number in range(parts.made)]
    chance.shuffle(open_parts)
    for one, number in open_parts[: len(open_parts) * 2 // 3]:
        if number is None:
            tracker.settle(one, 1)
        else:
            tracker.settle_part(one, number)
        bits, _, rest = tracker.commit().metadata.removeprefix("contribd1:").partition(".")
        assert (len(bits) + len(rest.rpartition(".")[2])) * 6 <= most + 120
        if chance.random() < 0.3:
            tracker.written()


def test_enough_characters_are_left_for_all_that_is_told() -> None:
    assert bits_in(MAX_METADATA) >= MAX_COMMIT_BITS
