"""The set of offsets that have their result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.engine.records.keys import tags_of
from contribd.engine.records.parts import Told
from contribd.streams.group.settled_offsets import SettledOffsets

OFFSETS = st.integers(-5, 100_000)


def test_a_record_with_several_posts_is_settled_once_each_has_its_result() -> None:
    settled = SettledOffsets(5, 20)
    for ric in (b"A", b"A", b"C"):
        settled.add_part(7, b"0/3", b"TRCC", ric)
    settled.add_part(4, b"0/2", b"TRCC", b"A")
    assert 7 not in settled
    assert settled.in_part == {7: Told(tags_of([("TRCC", "A"), ("TRCC", "C")]), 0b11)}
    settled.add_part(7, b"1/3", b"TRCC", b"B")
    assert 7 not in settled
    settled.add_part(7, b"2/3", b"TRCC", b"C")
    assert 7 in settled
    assert (settled.count, settled.in_part) == (1, {})


def test_of_two_mappings_the_parts_of_the_last_one_count() -> None:
    settled = SettledOffsets(0, 20)
    settled.add_part(7, b"0/3", b"TRCC", b"A")
    settled.add_part(7, b"0/2", b"TRCC", b"D")
    assert 7 not in settled
    settled.add_part(7, b"1/2", b"TRCC", b"")
    assert 7 in settled


def test_parts_of_two_mappings_that_make_as_many_are_not_all() -> None:
    settled = SettledOffsets(0, 20)
    settled.add_part(7, b"1/2", b"TRCC", b"A", b"before")
    settled.add_part(7, b"0/2", b"TRCC", b"A", b"now")
    settled.add_part(7, b"0/2", b"TRCC", b"B", b"now")
    assert (7 in settled, settled.in_part) == (False, {7: Told(tags_of([("TRCC", "A"), ("TRCC", "B")]), 0b11)})
    settled.add_part(7, b"1/2", b"TRCC", b"C", b"now")
    assert 7 in settled


@pytest.mark.parametrize("part", [b"", b"x/3", b"3", b"1/-2", b"1/" + b"9" * 40])
def test_what_is_no_part_of_ours_says_nothing(part: bytes) -> None:
    settled = SettledOffsets(0, 20)
    settled.add_part(7, part, b"TRCC", b"\xff")
    assert (settled.count, settled.in_part) == (0, {})


@given(st.integers(0, 50_000), st.integers(0, 100_000), st.lists(OFFSETS, max_size=60), OFFSETS, OFFSETS)
def test_it_is_what_a_set_would_be(begin: int, end: int, offsets: list[int], low: int, high: int) -> None:
    settled, plain = SettledOffsets(begin, end), {offset for offset in offsets if begin <= offset < end}
    for offset in offsets:
        settled.add(offset)
    assert settled.count == len(plain)
    assert settled.highest == max(plain, default=begin - 1)
    assert [offset in settled for offset in offsets] == [offset in plain for offset in offsets]
    low, high = max(0, low), max(0, high)
    assert settled.unsettled(low, high) == max(0, high - low) - sum(low <= offset < high for offset in plain)
    for offset in offsets:
        if offset >= 0:
            assert settled.first_unsettled(offset) == next(n for n in range(offset, 200_000) if n not in plain)


def test_millions_that_lie_close_take_a_bit_each_and_are_passed_at_once() -> None:
    settled = SettledOffsets(7, 400_000)
    for offset in range(7, 300_000):
        settled.add(offset)
    assert settled.first_unsettled(7) == 300_000
    assert settled.unsettled(7, 400_000) == 100_000
    assert sum(len(chunk) for chunk in settled._chunks.values()) < 300_000 / 8 + 4_097
