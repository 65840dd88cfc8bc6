"""How far behind its log's end a partition is: true, or not known."""

from collections.abc import Collection
from typing import Any

import pytest

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.streams.client.errors import KafkaTimeoutError
from contribd.streams.client.settings import CONSUMER_DEFAULTS
from contribd.streams.group.lags import ANSWER_SECONDS, ASK_SECONDS, KNOWN_SECONDS, Lags
from contribd.streams.group.start_rules import Start

A, B = Partition("prices", 0), Partition("prices", 1)


class _Consumer:
    """At ``positions``; ``high_water``: what fetches told; ``logs``: the ends as they are, None: nobody answers."""

    def __init__(self) -> None:
        self.positions: dict[Partition, int | None] = {A: 4, B: 2}
        self.high_water_of: dict[Partition, int] = {}
        self.logs: dict[Partition, int] | None = {A: 9, B: 5}
        self.asked: list[list[Partition]] = []
        self.joining = False

    def position(self, partition: Partition) -> int | None:
        return self.positions[partition]

    def high_water(self, partition: Partition) -> int | None:
        return self.high_water_of.get(partition)

    def is_joining(self) -> bool:
        return self.joining

    def ends(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, int]:
        assert seconds < 1
        self.asked.append(sorted(partitions))
        if self.logs is None:
            raise KafkaTimeoutError
        return {partition: self.logs[partition] for partition in partitions}


class Group:
    def __init__(self) -> None:
        self.mono = 100.0
        self.consumer = _Consumer()
        self.lags = Lags(lambda: self.mono)
        self.lags.begin({A: Start(Commit(4, ""), 4, 9), B: Start(Commit(2, ""), 2, 5)})

    def after(self, seconds: float) -> dict[Partition, tuple[int, int | None]]:
        """What is known then, with a look each second."""
        consumer: Any = self.consumer
        for _ in range(int(seconds)):
            self.mono += 1.0
            self.lags.follow(consumer)
        return self.lags.follow(consumer)


@pytest.fixture
def group() -> Group:
    return Group()


def test_the_end_at_the_assignment_or_of_the_last_fetch_counts(group: Group) -> None:
    assert group.after(0) == {A: (4, 5), B: (2, 3)}
    group.consumer.high_water_of[A] = 15
    group.consumer.positions = {A: 12, B: None}
    assert group.after(0) == {A: (12, 3)}
    assert group.consumer.asked == []


def test_one_that_stands_still_is_asked_for(group: Group) -> None:
    """It may be paused, or one that nothing can be fetched of: 0 would say that all is well."""
    group.consumer.positions = {A: 9, B: 5}
    assert group.after(0) == {A: (9, 0), B: (5, 0)}
    group.consumer.logs = {A: 1_009, B: 5}
    assert group.after(ASK_SECONDS + 1) == {A: (9, 1_000), B: (5, 0)}
    assert len(group.consumer.asked) == 1
    group.consumer.positions[A] = 500
    group.after(4)
    assert group.after(1)[A] == (500, 509)
    assert group.consumer.asked[1:] == [[B]], "one that moves on is heard of by its fetches"


def test_where_nobody_answers_it_is_not_known(group: Group) -> None:
    group.consumer.logs = None
    assert group.after(KNOWN_SECONDS - 1) == {A: (4, 5), B: (2, 3)}
    assert group.after(1) == {A: (4, None), B: (2, None)}
    assert isinstance(group.lags.silence, KafkaTimeoutError)
    group.consumer.logs = {A: 4, B: 2_000}
    assert group.after(ASK_SECONDS)[B] == (2, 1_998)
    assert group.lags.silence is None


def test_nobody_is_asked_during_a_join_nor_for_what_is_not_ours(group: Group) -> None:
    group.consumer.joining = True
    group.after(2 * ASK_SECONDS)
    assert group.consumer.asked == []
    group.consumer.joining = False
    group.lags.forget([A])
    assert group.after(0).keys() == {B}
    assert group.consumer.asked == [[B]]


def test_an_answer_may_take_longer_than_an_idle_fetch_that_it_waits_behind() -> None:
    """Brokers answer a connection's requests one by one: with 500 and 300 ms, two in five questions were in vain."""
    assert CONSUMER_DEFAULTS["fetch_max_wait_ms"] / 1000 < ANSWER_SECONDS - 0.05
