"""A broker that takes little metadata with an offset: what a commit can tell of, and what waits until it can."""

from dataclasses import replace

from msgspec.structs import replace as changed
from tests.engine.rig import P0, P1, START, Rig

from contribd.engine.events import BrokerLimits
from contribd.engine.limits import DEFAULT_BOUNDS, MAX_METADATA, MAX_RESULT_BYTES, MAX_SPAN, MIN_METADATA
from contribd.engine.records.carrier_promotion import Entry
from contribd.engine.records.commit_metadata import About, Accepted, encode_metadata, offsets_told, span_of
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.price import Price, Record, Settlement, unposted
from contribd.engine.records.reach import within_reach
from contribd.mapping.outcome import Mapped, PostType, RejectCode, Rejected

SPAN = 24


def limits(metadata: int, *, guessed: bool = False) -> BrokerLimits:
    return BrokerLimits(MAX_RESULT_BYTES, MAX_RESULT_BYTES, metadata, keyed=False, guessed=guessed)


def tracker(
    records: int, *, span: int = SPAN, others: int = MAX_SPAN, above: frozenset[int] = frozenset()
) -> OffsetTracker:
    """Of a partition that is catching up, with so many records taken."""
    made = OffsetTracker(P0, 0, above, span, catching_up=True, others=others)
    for offset in range(records):
        assert made.has_room(offset)
        made.take(offset, 1)
    return made


def settled(one: OffsetTracker, offset: int, *, merged: bool = False) -> Settlement:
    made = unposted(one, Record(offset, -1, None, b"x"), Rejected(RejectCode.BAD_RECORD, "no"), START)
    carrier = Price(one, Record(offset, -1, None, b""), Mapped("EUR=", "TRCC", "fx", PostType.UPDATE, {}), START)
    return changed(made, carried_by=carrier if merged else None)


def offsets(entries: list[Entry]) -> list[int]:
    return [settlement.offset for settlement, _ in entries]


def test_the_span_leaves_room_for_all_else_that_a_commit_says() -> None:
    about = About("b0ldT0picId0123456789A", 12)
    for characters in range(MIN_METADATA, 400):
        span = span_of(characters)
        assert span >= SPAN
        assert len(encode_metadata(1 << (span - 1), 99_999, about)) <= characters
    assert span_of(MAX_METADATA) > MAX_SPAN
    assert offsets_told(encode_metadata(1 << 100, 7, about)) >= 101


def test_what_lies_too_far_above_the_committed_offset_waits() -> None:
    one = tracker(60)
    near, waiting = within_reach([(settled(one, offset), None) for offset in (1, 30, 2, SPAN - 1, SPAN)])
    assert (offsets(near), offsets(waiting)) == ([1, 2, SPAN - 1], [30, SPAN])


def test_what_is_settled_together_moves_the_committed_offset() -> None:
    one = tracker(60)
    near, waiting = within_reach([(settled(one, offset), None) for offset in reversed(range(40))])
    assert (sorted(offsets(near)), waiting) == (list(range(40)), [])


def test_prices_merged_into_one_post_are_told_together_or_not_at_all() -> None:
    one = tracker(60)
    merged = [(settled(one, 0, merged=True), None), (settled(one, 50), None)]
    near, waiting = within_reach([*merged, (settled(one, 1), None)])
    assert (offsets(near), offsets(waiting)) == ([1], [0, 50])
    between = [(settled(one, offset), None) for offset in range(1, 50)]
    near, waiting = within_reach([*merged, *between])
    assert (sorted(offsets(near)), waiting) == (list(range(51)), [])


def test_nothing_is_written_of_what_an_earlier_run_has_told_too_far_ahead() -> None:
    one = tracker(60, above=frozenset({50}))
    assert within_reach([(settled(one, 0), None)])[0] == []
    assert within_reach([(settled(one, offset), None) for offset in range(30)])[1] == []


def test_a_narrower_span_holds_the_partition_once_it_has_caught_up() -> None:
    one = tracker(60)
    one.end_catch_up()
    assert not one.has_room(60)


def test_a_batch_that_no_commit_can_tell_of_waits_for_its_partition_to_begin_anew() -> None:
    outbox, one = Outbox(), tracker(60, span=MAX_SPAN)
    outbox.add(settled(one, 50))
    batch = outbox.take()
    assert batch is not None
    assert one.bound(SPAN, SPAN, MAX_METADATA)
    outbox.look_at_reach()
    outbox.not_committed(batch.number)
    assert outbox.take() is None
    assert not outbox.can_take
    assert not outbox.holds(one)
    one.stop()
    one.close()
    outbox.close({one})
    assert len(outbox) == 0


def test_partitions_that_ran_further_than_a_commit_can_tell_begin_anew() -> None:
    rig = Rig().open().assign(P0).assign(P1)
    rig.put({"BID": 1})
    rig.put_values(*[b""] * 40)
    rig.put_values(*[b""] * 5, partition=P1)
    batch = rig.batch()
    rig.handle(limits(MIN_METADATA, guessed=True))
    rig.handle_not_committed(batch.number)
    assert rig.engine.take_retake() == {P0}
    assert rig.engine.take_retake() == frozenset()
    assert rig.take() is None
    rig.revoking(P0)
    assert rig.engine.settled(frozenset({P0})) is False  # the price in flight
    rig.ack(1)
    rig.revoked(P0)
    rig.assign(P0)
    rig.put_values(*[b""] * 40)
    results = [one["source"]["offset"] for one in rig.commit() if one["source"]["partition"] == 0]
    assert results == list(range(SPAN)), "no further than a commit can tell"


def test_a_guess_is_never_below_what_was_taken() -> None:
    rig = Rig().open().assign(P0, metadata=encode_metadata(1 << 90))
    rig.handle(limits(MIN_METADATA, guessed=True))
    assert rig.engine.take_retake() == frozenset()
    rig.handle(limits(MIN_METADATA))
    assert rig.engine.take_retake() == {P0}, "what the brokers say is believed"


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


def test_what_is_beyond_reach_waits_in_the_outbox_until_more_is_settled() -> None:
    outbox, one = Outbox(), tracker(32)
    outbox.look_at_reach()
    for offset in (1, 30):
        outbox.add(settled(one, offset))
    batch = outbox.take()
    assert batch is not None
    assert [each.offset for each in batch.settlements] == [1]
    outbox.committed(batch.number)
    assert outbox.take() is None
    assert [outbox.can_take] == [False], "nothing has changed"
    for offset in range(2, 10):
        outbox.add(settled(one, offset))
    assert [outbox.can_take] == [True]
    outbox.add(settled(one, 0))
    again = outbox.take()
    assert again is not None
    assert sorted(each.offset for each in again.settlements) == [0, *range(2, 10), 30]
    assert len(outbox) == 10
