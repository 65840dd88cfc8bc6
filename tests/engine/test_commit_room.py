"""A broker that takes little metadata with an offset: what a commit tells, and what is left to the results topic."""

from dataclasses import replace

import pytest
from tests.engine.rig import P0, P1, Rig

from contribd.engine.events import BrokerLimits
from contribd.engine.limits import DEFAULT_BOUNDS, MAX_METADATA, MAX_RESULT_BYTES, MAX_SPAN, MIN_METADATA
from contribd.engine.records.commit_metadata import (
    About,
    Accepted,
    Room,
    decode_about,
    decode_metadata,
    decode_turn,
    encode_metadata,
    offsets_told,
    span_of,
)
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.parts import Told

SPAN = 24


def limits(metadata: int, *, guessed: bool = False) -> BrokerLimits:
    return BrokerLimits(MAX_RESULT_BYTES, MAX_RESULT_BYTES, metadata, keyed=False, guessed=guessed)


def test_the_span_leaves_room_for_all_else_that_a_commit_says() -> None:
    about = About("b0ldT0picId0123456789A", 12)
    for characters in range(MIN_METADATA, 400):
        span = span_of(characters)
        assert span >= SPAN
        assert len(encode_metadata(1 << (span - 1), 99_999, about)) <= characters
    assert span_of(MAX_METADATA) > MAX_SPAN
    assert offsets_told(encode_metadata(1 << 100, 7, about)) >= 101


def test_a_narrower_span_holds_the_partition_once_it_has_caught_up() -> None:
    one = OffsetTracker(P0, 0, frozenset(), Room(SPAN), catching_up=True, others=MAX_SPAN)
    for offset in range(60):
        assert one.has_room(offset)
        one.take(offset, 1)
    one.end_catch_up()
    assert not one.has_room(60)


def test_what_a_commit_has_no_room_for_is_left_to_the_results_topic() -> None:
    """Each of them differs from the one before: by that it is known whether a transaction is durable."""
    rig = Rig().open().assign(P0)
    rig.put({"BID": 1})
    rig.put_values(*[b""] * 500)
    rig.handle(limits(MIN_METADATA, guessed=True))
    told = [rig.batch().commits[P0]]
    for _ in range(2):
        rig.handle_not_committed(len(told))
        told.append(rig.batch().commits[P0])
    assert [(commit.offset, decode_about(commit.metadata).results_to) for commit in told] == [(0, 501)] * 3
    assert all(decode_metadata(*commit) == frozenset() for commit in told)
    assert max(len(commit.metadata) for commit in told) <= MIN_METADATA
    assert len(set(told)) == 3
    rig.handle_committed(3)
    rig.ack(1)
    assert rig.batch().commits[P0] == (501, "contribd1:.3")


@pytest.mark.parametrize("earlier", [{}, {700: Told((1, 2), 1)}])
def test_all_that_is_settled_is_left_to_it(earlier: dict[int, Told]) -> None:
    """Above the prefix; what an earlier run settled of records in part, and what is left to it already, too."""
    said = About("b0ldT0picId0123456789A", 12, results_to=600)
    one = OffsetTracker(P0, 0, about=said, turn=7, earlier=earlier)
    one.bound(Room(SPAN, SPAN, MIN_METADATA))
    for offset in range(500):
        one.take(offset, 1)
    one.settle(499, 1)
    metadata = one.commit().metadata
    assert decode_about(metadata) == said._replace(results_to=701 if earlier else 600)
    assert decode_turn(metadata) > 7


def test_where_the_results_topic_was_asked_a_former_owner_may_have_counted_from_as_far_as_there_are_results() -> None:
    """Of an offset below, its mapping may have made less, and so it was durable."""
    one = OffsetTracker(P0, 8, room=Room(SPAN), catching_up=True, about=About(results_to=34))
    one.take(8, 1)
    assert (one.has_room(33 + SPAN), one.has_room(34 + SPAN)) == (True, False)
    one.settle(8, 1)
    one.take(10, 1)
    one.written()
    assert (one.has_room(33 + SPAN), one.has_room(34 + SPAN)) == (True, False)  # the next owner counts as this one does
    one.end_catch_up()
    assert not one.has_room(10 + SPAN)


def test_a_bitmap_that_no_broker_would_take_is_left_to_it() -> None:
    one = OffsetTracker(P0, 0, catching_up=True, about=About(results_to=3 * MAX_SPAN))
    for offset in (0, 3 * MAX_SPAN + 5):
        one.take(offset, 1)
    one.settle(3 * MAX_SPAN + 5, 1)
    assert one.commit() == (0, encode_metadata(0, 1, About(results_to=3 * MAX_SPAN + 6)))


@pytest.mark.parametrize("offset", [0, 10**9])
def test_the_least_metadata_has_room_for_what_it_must_say(offset: int) -> None:
    one = OffsetTracker(P0, offset, about=About("b0ldT0picId0123456789A", 120), turn=99_998)
    one.bound(Room(SPAN, SPAN, MIN_METADATA))
    for at in range(offset, offset + 500):
        one.take(at, 1)
    one.settle(offset + 499, 1)
    metadata = one.commit().metadata
    about = decode_about(metadata)
    assert len(metadata) <= MIN_METADATA
    assert about == About("b0ldT0picId0123456789A", 0 if offset else 120, offset + 500)


def test_whoever_begins_at_a_commit_goes_on_with_its_turn() -> None:
    """Or a commit of its own could be as the one before."""
    rig = Rig().open().assign(P0, metadata="contribd1:.4..12.9")
    rig.put({"BID": 1})
    rig.put_values(*[b""] * 500)
    rig.handle(limits(MIN_METADATA))
    assert decode_turn(rig.batch().commits[P0].metadata) == 5


def test_a_guess_is_never_below_what_was_taken() -> None:
    rig = Rig().open().assign(P0, metadata=encode_metadata(1 << 900))
    room = rig.engine.intake.trackers[P0].has_room
    rig.handle(limits(MIN_METADATA, guessed=True))
    rig.put({"BID": 1})
    assert (room(900), room(1_000)) == (True, False)
    rig.handle(limits(MIN_METADATA))
    assert (room(SPAN - 1), room(SPAN)) == (True, False), "what the brokers say is believed"


def test_a_limit_known_before_the_first_assignment_held_for_the_last_owner_too() -> None:
    rig = Rig(bounds=replace(DEFAULT_BOUNDS, span=1_000)).open()
    rig.handle(limits(MIN_METADATA))
    rig.assign(P0, behind=True)
    rig.put({"BID": 1})
    rig.put_values(*[b""] * 100)
    assert rig.engine.intake.buffered(P0) == 101 - SPAN
    later = Rig(bounds=replace(DEFAULT_BOUNDS, span=1_000)).open().assign(P1)
    later.handle(limits(MIN_METADATA))
    later.assign(P0, behind=True)
    later.put({"BID": 1})
    later.put_values(*[b""] * 100)
    assert later.engine.intake.buffered(P0) == 0


def test_what_brokers_have_taken_is_the_most_of_each() -> None:
    short, long = encode_metadata(1 << 100), encode_metadata(0, 0, About("a-topic-id", 4, 10**18), "A" * 40)
    accepted = Accepted().too(short).too(long)
    assert (accepted.span, accepted.characters) == (offsets_told(short), len(long))
    assert len(short) < len(long)
