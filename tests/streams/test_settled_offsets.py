"""The set of offsets that have their result."""

from hypothesis import given
from hypothesis import strategies as st

from contribd.streams.group.settled_offsets import SettledOffsets

OFFSETS = st.integers(-5, 100_000)


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
