"""The settled prefix, the bitmap above it, and what a restart makes of both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.engine.ledger import Ledger, Partition, decode_metadata, encode_metadata
from contribd.engine.limits import MAX_METADATA, MAX_RUN_AHEAD

PARTITION = Partition("prices", 3)


def ledger(*taken: int, start: int = 0, above: frozenset[int] = frozenset()) -> Ledger:
    made = Ledger(PARTITION, start, above)
    for offset in taken:
        made.take(offset, 10)
    return made


def settle(one: Ledger, *offsets: int) -> None:
    for offset in offsets:
        one.settle(offset, 10)


def test_nothing_taken_commits_the_start() -> None:
    assert ledger(start=7).commit() == (7, "")


def test_the_prefix_is_the_first_unsettled_record() -> None:
    one = ledger(0, 1, 2)
    settle(one, 0)
    assert one.commit() == (1, "")


def test_the_prefix_passes_what_was_settled_out_of_order() -> None:
    one = ledger(0, 1, 2)
    settle(one, 2, 1, 0)
    assert one.commit() == (3, "")


def test_settled_above_the_prefix_is_in_the_metadata() -> None:
    one = ledger(5, 6, 7, 8, start=5)
    settle(one, 6, 8)
    offset, metadata = one.commit()
    assert offset == 5
    assert decode_metadata(offset, metadata) == {6, 8}


def test_gaps_between_offsets_are_not_waited_for() -> None:
    one = ledger(0, 4, 9)
    settle(one, 0, 4, 9)
    assert one.commit() == (10, "")


def test_what_an_earlier_run_settled_is_not_taken_again() -> None:
    one = Ledger(PARTITION, 5, frozenset({6}))
    assert [one.take(offset, 1) for offset in (5, 6, 7)] == [True, False, True]
    assert one.waiting == 2


def test_what_was_seen_is_not_taken_again() -> None:
    one = ledger(5, start=5)
    assert not one.take(5, 1)
    assert not one.take(4, 1)


def test_what_an_earlier_run_settled_and_this_one_has_not_reached_stays_in_the_metadata() -> None:
    one = ledger(5, start=5, above=frozenset({6, 9}))
    settle(one, 5)
    offset, metadata = one.commit()
    assert offset == 6
    assert decode_metadata(offset, metadata) == {6, 9}


def test_a_settled_offset_that_was_compacted_away_is_forgotten() -> None:
    """Bits are counted from the prefix: one below it would mark another record as settled."""
    one = ledger(5, 8, 9, start=5, above=frozenset({6, 7}))
    settle(one, 5, 8)
    assert one.commit() == (9, "")
    settle(one, 9)
    assert one.commit() == (10, "")


def test_waiting_counts_records_and_bytes() -> None:
    one = ledger(0, 1, 2)
    assert (one.waiting, one.waiting_bytes) == (3, 30)
    settle(one, 1)
    one.give_back(10)
    assert (one.waiting, one.waiting_bytes) == (1, 10)


def test_room_ends_where_a_commit_could_not_say_more() -> None:
    one = ledger(100)
    assert one.has_room(100 + MAX_RUN_AHEAD - 1)
    assert not one.has_room(100 + MAX_RUN_AHEAD)
    settle(one, 100)
    assert not one.has_room(100 + MAX_RUN_AHEAD)
    one.written()
    assert one.has_room(100 + MAX_RUN_AHEAD)


def test_the_metadata_fits_a_broker_at_the_furthest_run_ahead() -> None:
    text = encode_metadata(0, set(range(1, MAX_RUN_AHEAD)))
    assert len(text) <= MAX_METADATA
    assert len(encode_metadata(2**60, {2**60 + MAX_RUN_AHEAD - 1})) <= MAX_METADATA


def test_metadata_no_broker_would_take_is_an_error() -> None:
    with pytest.raises(OverflowError, match="4096"):
        encode_metadata(0, {MAX_METADATA * 8})


@given(st.integers(0, 2**60), st.sets(st.integers(1, MAX_RUN_AHEAD - 1), max_size=300))
def test_what_is_encoded_is_decoded(prefix: int, distances: set[int]) -> None:
    settled = {prefix + distance for distance in distances}
    metadata = encode_metadata(prefix, settled)
    assert len(metadata) <= MAX_METADATA
    assert decode_metadata(prefix, metadata) == settled


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
        one = Ledger(PARTITION, offset, decode_metadata(offset, metadata))
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
