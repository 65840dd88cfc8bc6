"""What the position of a consumer tells of its logs."""

from typing import Any

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.streams.group.positions import Positions
from contribd.streams.group.start_rules import Start

A, B = Partition("prices", 0), Partition("prices", 1)


class _PlacedConsumer:
    """A consumer at these positions; None: not known."""

    def __init__(self, positions: dict[Partition, int | None], **high_water: int) -> None:
        self.positions = positions
        self._high_water = high_water

    def position(self, partition: Partition) -> int | None:
        return self.positions.get(partition)

    def assignment(self) -> set[Partition]:
        return set(self.positions)

    def high_water(self, partition: Partition) -> int | None:
        return self._high_water.get(f"p{partition.number}")


def consumer_at(positions: dict[Partition, int | None], **high_water: int) -> Any:
    """As much of a ``MemberConsumer`` as positions need."""
    return _PlacedConsumer(positions, **high_water)


def at(offset: int, end: int) -> Start:
    return Start(Commit(offset, ""), offset, end)


def test_what_lies_behind_its_log_s_end_is_told_once_it_is_there() -> None:
    positions, consumer = Positions(), consumer_at({A: 3, B: 7})
    assert positions.begin({A: at(3, 5), B: at(7, 7)}) == {A}
    assert positions.caught_up(consumer) == frozenset()
    consumer.positions[A] = None
    assert positions.caught_up(consumer) == frozenset()
    consumer.positions[A] = 5
    assert positions.caught_up(consumer) == {A}
    assert positions.caught_up(consumer) == frozenset()


def test_a_position_that_goes_back_is_out_of_range_and_one_that_goes_on_is_not() -> None:
    positions, consumer = Positions(), consumer_at({A: 3, B: 3})
    positions.begin({A: at(3, 9), B: at(3, 9)})
    consumer.positions = {A: 9, B: None}
    assert positions.out_of_range(consumer) == set()
    consumer.positions = {A: 8, B: 3}
    assert positions.out_of_range(consumer) == {A}


def test_what_the_broker_refuses_is_out_of_range_once() -> None:
    positions, consumer = Positions(), consumer_at({A: 3})
    positions.begin({A: at(3, 9)})
    positions.mark_out_of_range(A)
    assert positions.out_of_range(consumer) == {A}
    assert positions.out_of_range(consumer) == set()


def test_what_was_not_announced_or_has_gone_is_neither_out_of_range_nor_caught_up_with() -> None:
    positions, consumer = Positions(), consumer_at({A: 0, B: 9})
    positions.begin({A: at(3, 9)})
    positions.forget([A])
    positions.mark_out_of_range(B)
    assert positions.out_of_range(consumer) == set()
    consumer.positions[A] = 9
    assert positions.caught_up(consumer) == frozenset()
