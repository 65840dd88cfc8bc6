"""The settled prefix, the bitmap above it, and what a restart makes of both."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.engine.limits import MAX_METADATA, MAX_SPAN
from contribd.engine.records.commit_metadata import (
    NOTHING,
    About,
    decode_about,
    decode_metadata,
    encode_metadata,
    restate,
)
from contribd.engine.records.offsets import OffsetTracker, Partition

PARTITION = Partition("prices", 3)


def tracker(*taken: int, start: int = 0, above: frozenset[int] = frozenset()) -> OffsetTracker:
    made = OffsetTracker(PARTITION, start, above)
    for offset in taken:
        made.take(offset, 10)
    return made


def settle(one: OffsetTracker, *offsets: int) -> None:
    for offset in offsets:
        one.settle(offset, 10)


def test_nothing_taken_commits_the_start() -> None:
    assert tracker(start=7).commit() == (7, "")


def test_the_prefix_is_the_first_unsettled_record() -> None:
    one = tracker(0, 1, 2)
    settle(one, 0)
    assert one.commit() == (1, "")


def test_the_prefix_passes_what_was_settled_out_of_order() -> None:
    one = tracker(0, 1, 2)
    settle(one, 2, 1, 0)
    assert one.commit() == (3, "")


def test_settled_above_the_prefix_is_in_the_metadata() -> None:
    one = tracker(5, 6, 7, 8, start=5)
    settle(one, 6, 8)
    offset, metadata = one.commit()
    assert offset == 5
    assert decode_metadata(offset, metadata) == {6, 8}


def test_gaps_between_offsets_are_not_waited_for() -> None:
    one = tracker(0, 4, 9)
    settle(one, 0, 4, 9)
    assert one.commit() == (10, "")


def test_what_an_earlier_run_settled_is_not_taken_again() -> None:
    one = OffsetTracker(PARTITION, 5, frozenset({6}))
    assert [one.take(offset, 1) for offset in (5, 6, 7)] == [True, False, True]
    assert one.waiting == 2


def test_what_was_seen_is_not_taken_again() -> None:
    one = tracker(5, start=5)
    assert not one.take(5, 1)
    assert not one.take(4, 1)


def test_what_an_earlier_run_settled_and_this_one_has_not_reached_stays_in_the_metadata() -> None:
    one = tracker(5, start=5, above=frozenset({6, 9}))
    settle(one, 5)
    offset, metadata = one.commit()
    assert offset == 6
    assert decode_metadata(offset, metadata) == {6, 9}


def test_a_settled_offset_that_was_compacted_away_is_forgotten() -> None:
    """Bits are counted from the prefix: one below it would mark another record as settled."""
    one = tracker(5, 8, 9, start=5, above=frozenset({6, 7}))
    settle(one, 5, 8)
    assert one.commit() == (9, "")
    settle(one, 9)
    assert one.commit() == (10, "")


def test_waiting_counts_records_and_bytes() -> None:
    one = tracker(0, 1, 2)
    assert (one.waiting, one.waiting_bytes) == (3, 30)
    settle(one, 1)
    one.give_back(10)
    assert (one.waiting, one.waiting_bytes) == (1, 10)


def test_room_ends_where_a_commit_could_not_say_more() -> None:
    one = tracker(100)
    assert one.has_room(100 + MAX_SPAN - 1)
    assert not one.has_room(100 + MAX_SPAN)
    settle(one, 100)
    assert not one.has_room(100 + MAX_SPAN)
    one.written()
    assert one.has_room(100 + MAX_SPAN)


def test_the_metadata_fits_a_broker_at_the_furthest_run_ahead() -> None:
    assert len(encode_metadata(2**MAX_SPAN - 2)) <= MAX_METADATA
    assert len(encode_metadata(1 << MAX_SPAN - 1)) <= MAX_METADATA


ABOUT = About("b0ldT0picId-123456789_A", 200_000, 2**63 - 1)


def test_the_metadata_fits_a_broker_with_all_that_can_be_said_beside_it() -> None:
    assert len(encode_metadata(1 << MAX_SPAN - 1, 99_999, ABOUT)) <= MAX_METADATA


@pytest.mark.parametrize("said", [NOTHING, ABOUT, About("id"), About(None, 4), About(None, 0, 17), About("id", 0, 17)])
@pytest.mark.parametrize("withdrawn", [0, 7])
@pytest.mark.parametrize("bitmap", [0, 0b1010])
def test_what_is_said_beside_the_offsets_is_read_and_changes_none(said: About, withdrawn: int, bitmap: int) -> None:
    metadata = encode_metadata(bitmap, withdrawn, said)
    assert decode_about(metadata) == said
    assert decode_metadata(5, metadata) == decode_metadata(5, encode_metadata(bitmap))
    for other in (NOTHING, ABOUT):
        assert restate(metadata, other) == encode_metadata(bitmap, withdrawn, other)


@pytest.mark.parametrize(
    "metadata", ["", "contribd1:", "contribd1:Ag==", "contribd1:Ag==.3", "by hand", "contribd1:..."]
)
def test_commits_of_before_say_nothing_beside_the_offsets(metadata: str) -> None:
    assert decode_about(metadata) == NOTHING


@given(st.text())
def test_whatever_the_metadata_is_something_is_made_of_it(metadata: str) -> None:
    assert isinstance(decode_about(metadata), About)
    assert isinstance(decode_about(f"contribd1:{metadata}"), About)
    assert restate("by hand", ABOUT) == encode_metadata(0, 0, ABOUT)


def test_a_tracker_says_the_same_of_its_topic_until_the_results_have_nothing_more_to_tell() -> None:
    one = OffsetTracker(PARTITION, 5, about=About("id", 4, 7))
    for offset in (5, 6, 7):
        one.take(offset, 10)
    assert one.topic_id == "id"
    assert decode_about(one.commit().metadata) == About("id", 4, 7)
    one.settle(5, 10)
    assert decode_about(one.commit().metadata) == About("id", 4, 7)
    one.settle(6, 10)
    assert one.commit() == (7, encode_metadata(0, 0, About("id", 4)))


def test_metadata_no_broker_would_take_is_an_error() -> None:
    with pytest.raises(OverflowError, match="4096"):
        encode_metadata(1 << MAX_METADATA * 8)


@given(st.integers(0, 2**60), st.sets(st.integers(1, MAX_SPAN - 1), max_size=300))
def test_what_is_encoded_is_decoded(prefix: int, distances: set[int]) -> None:
    metadata = encode_metadata(sum(1 << distance for distance in distances))
    assert len(metadata) <= MAX_METADATA
    assert decode_metadata(prefix, metadata) == {prefix + distance for distance in distances}


@given(st.text())
def test_metadata_of_others_says_nothing(metadata: str) -> None:
    assert decode_metadata(5, metadata) == frozenset()


@pytest.mark.parametrize("metadata", ["contribd1:*", "contribd1:AAA", "contribd1:é", "contribd2:AQ=="])
def test_damaged_metadata_says_nothing(metadata: str) -> None:
    assert decode_metadata(5, metadata) == frozenset()


@given(st.data())
def test_a_restart_takes_exactly_what_has_no_result(data: st.DataObject) -> None:
    """Runs follow each other over a log with gaps; records vanish between them (compaction)."""
    log = sorted(data.draw(st.sets(st.integers(0, 60), min_size=1)))
    settled: set[int] = set()
    offset, metadata = 0, ""
    for _ in range(3):
        one = OffsetTracker(PARTITION, offset, decode_metadata(offset, metadata))
        reach = data.draw(st.integers(0, len(log)))
        taken = [at for at in log[:reach] if at >= offset and one.take(at, 1)]
        assert taken == [at for at in log[:reach] if at >= offset and at not in settled]
        for at in data.draw(st.permutations(taken)):
            if data.draw(st.booleans()):
                one.settle(at, 1)
                settled.add(at)
        offset, metadata = one.commit()
        assert all(at in settled for at in log if at < offset)
        assert settled & {at for at in log if at >= offset} <= decode_metadata(offset, metadata)
        gone = data.draw(st.sets(st.sampled_from(sorted(settled)))) if settled else set()
        log = [at for at in log if at not in gone]


class Naive:
    """What a tracker keeps, as sets over the whole log."""

    def __init__(self, start: int, above: set[int]) -> None:
        self.start = start
        self.above = above
        """Settled by an earlier run, and not passed over since."""
        self.seen: list[int] = []
        self.settled: set[int] = set()

    def take(self, offset: int) -> bool:
        if offset < self.start or (self.seen and offset <= self.seen[-1]):
            return False
        self.above = {at for at in self.above if at >= offset}
        self.seen.append(offset)
        self.settled |= self.above & {offset}
        return offset not in self.above

    def commit(self) -> tuple[int, set[int]]:
        unsettled = [at for at in self.seen if at not in self.settled]
        prefix = unsettled[0] if unsettled else (self.seen[-1] + 1 if self.seen else self.start)
        return prefix, {at for at in self.settled | self.above if at >= prefix}


@given(st.data())
def test_a_tracker_is_what_sets_over_the_whole_log_would_be(data: st.DataObject) -> None:
    """Any order of settling, gaps of any width, commits at any time, and marks of an earlier run."""
    start = data.draw(st.integers(0, 2**40))
    above = data.draw(st.sets(st.integers(0, 40)))
    one, model = OffsetTracker(PARTITION, start, frozenset(start + at for at in above)), Naive(0, above)
    at, open_ = 0, []
    steps: Any = st.lists(st.sampled_from(["take", "take", "gap", "again", "settle", "oldest", "commit"]), max_size=80)
    for step in data.draw(steps):
        if step in ("take", "gap", "again"):
            at = max(0, at - 1 if step == "again" else at + data.draw(st.integers(1, 3 if step == "take" else 5_000)))
            taken = one.take(start + at, 1)
            assert taken == model.take(at)
            open_ += [at] * taken
        elif step == "commit":
            prefix, settled = model.commit()
            offset, metadata = one.commit()
            assert (offset - start, {each - start for each in decode_metadata(offset, metadata)}) == (prefix, settled)
        elif open_:
            done = open_.pop(0 if step == "oldest" else data.draw(st.integers(0, len(open_) - 1)))
            one.settle(start + done, 1)
            model.settled.add(done)
    assert one.low_watermark - start == model.commit()[0]
    assert one.waiting == len(open_)


def test_what_is_kept_follows_the_run_ahead_and_not_the_log() -> None:
    one = OffsetTracker(PARTITION, 0)
    for offset in range(0, 40 * MAX_SPAN, 100):
        one.take(offset, 1)
        one.take(offset + 1, 1)
        one.settle(offset + 1, 1)
        one.settle(offset, 1)
    assert one.commit() == (40 * MAX_SPAN - 98, "")
    assert len(one._flags) <= 2 * MAX_SPAN


def test_the_prefix_moves_past_what_turns_out_to_have_its_result_at_the_end_of_the_log() -> None:
    one = tracker(10, 11, start=10)
    one.have_results([9, 12, 14])
    assert not one.take(12, 1)
    assert one.take(13, 1)
    assert not one.take(14, 1)
    for offset in (10, 11, 13):
        one.settle(offset, 1)
    assert one.commit() == (15, "")


def test_what_turns_out_to_have_its_result_is_told_until_it_is_reached() -> None:
    one = tracker(10, start=10, above=frozenset({13}))
    one.have_results([12])
    one.settle(10, 1)
    offset, metadata = one.commit()
    assert offset == 11
    assert decode_metadata(offset, metadata) == {12, 13}
