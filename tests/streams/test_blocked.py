"""A partition that cannot be read waits by itself, is told of once, tried again at a bounded pace, and skipped where an
operator decides so."""

from collections.abc import Iterable
from typing import Any

import pytest

from contribd.engine.events import Blocked
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.mapping.outcome import UnreadValue
from contribd.streams.client.port import FetchFault
from contribd.streams.group.blocked import (
    CHUNK,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PASSING_PAUSE,
    PASSING_SECONDS,
    BlockedPartitions,
    Skip,
    Skipped,
)

A, B = Partition("prices", 0), Partition("prices", 1)
TOLD = "a partition cannot be read and waits"
BAD = FetchFault(5, 9, "its checksum is wrong", "restore it", skippable=True)
NO_LEADER = FetchFault(5, 5, "there is no leader", passing=True)
NO_RIGHT = FetchFault(5, 5, "you may not read it: you need Read on it")


class Blocking:
    """The partitions under test, a clock in hand, and as much of a consumer as they need."""

    def __init__(self) -> None:
        self.mono = 100.0
        self.emitted: list[Any] = []
        self.positions: dict[Partition, int] = {A: 5, B: 5}
        self.held: set[Partition] = set()
        self.blocked = BlockedPartitions(lambda: self.mono, self.emitted.append)

    # What it uses of a ``MemberConsumer``

    def position(self, partition: Partition) -> int | None:
        return self.positions.get(partition)

    def pause(self, partitions: Iterable[Partition]) -> None:
        self.held |= set(partitions)

    def seek(self, partition: Partition, offset: int) -> None:
        self.positions[partition] = offset

    # The test's

    def fail(self, partition: Partition = A, fault: FetchFault | None = BAD) -> None:
        self.blocked.failed(partition, fault)

    def follow(self) -> bool:
        return self.blocked.follow(self)  # type: ignore[arg-type]

    def tried_after(self, fault: FetchFault) -> float:
        """Seconds until it is tried again, which fails again."""
        began = self.mono
        while not self.follow():
            self.mono += 0.05
        self.blocked.failed(A, fault)
        return self.mono - began

    def skip(self, offset: int = 5, partition: Partition = A, number: int = 1, until: float = 1e9) -> None:
        self.blocked.skip(Skip(number, partition, offset, "skipped by me: because", until), {A, B})

    def take(self, *full: Partition) -> dict[Partition, list[Record]]:
        taken = self.blocked.take_skipped(self, frozenset(full))  # type: ignore[arg-type]
        self.blocked.leave_behind(self)  # type: ignore[arg-type]
        return taken

    def answers(self) -> list[Skipped]:
        return [event for event in self.emitted if isinstance(event, Skipped)]


@pytest.fixture
def blocking() -> Blocking:
    return Blocking()


def test_nothing_is_said_and_nothing_waits_where_all_can_be_read(blocking: Blocking) -> None:
    assert not blocking.follow()
    assert (blocking.blocked.reasons(), blocking.blocked.paused, blocking.emitted) == ([], set(), [])


def test_it_is_told_once_with_place_and_cure_and_so_is_its_end(
    blocking: Blocking, capsys: pytest.CaptureFixture[str]
) -> None:
    blocking.fail()
    assert blocking.blocked.paused == {A}
    assert blocking.emitted == [Blocked(frozenset({A}))]
    [reason] = blocking.blocked.reasons()
    assert reason == (
        "prices:0 cannot be read at offset 5: its checksum is wrong (restore it, or go on behind it: "
        "contribd skip prices:0:5 --reason TEXT)"
    )
    for _ in range(5):
        blocking.tried_after(BAD)
    said = capsys.readouterr().err
    assert said.count(TOLD) == 1
    for fact in ("topic=prices", "partition=0", "offset=5", "contribd skip prices:0:5"):
        assert fact in said
    blocking.positions[A] = 10
    assert blocking.follow()
    assert (blocking.blocked.reasons(), blocking.blocked.paused) == ([], set())
    assert blocking.emitted[-1] == Blocked(frozenset())


def test_it_is_tried_again_at_pauses_that_double_up_to_a_bound(blocking: Blocking) -> None:
    blocking.fail()
    pauses = [blocking.tried_after(BAD) for _ in range(8)]
    assert pauses[:3] == pytest.approx([FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE], abs=0.1)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, abs=0.1)


def test_two_answers_to_one_question_are_one_try(blocking: Blocking) -> None:
    blocking.fail()
    blocking.fail()
    assert blocking.tried_after(BAD) == pytest.approx(FIRST_PAUSE, abs=0.1)


def test_what_passes_is_tried_soon_and_told_of_only_where_it_stays(
    blocking: Blocking, capsys: pytest.CaptureFixture[str]
) -> None:
    blocking.fail(A, NO_LEADER)
    began = blocking.mono
    while blocking.mono - began < PASSING_SECONDS:
        assert blocking.blocked.reasons() == []
        assert blocking.tried_after(NO_LEADER) <= PASSING_PAUSE + 0.1
    blocking.tried_after(NO_LEADER)
    blocking.follow()
    assert blocking.blocked.reasons() == ["prices:0 cannot be read at offset 5: there is no leader"]
    assert capsys.readouterr().err.count(TOLD) == 1
    blocking.fail(A, None)
    assert blocking.blocked.reasons() == []


def test_a_refusal_ends_where_the_broker_gives_again_what_it_refused_and_a_bad_batch_does_not(
    blocking: Blocking,
) -> None:
    blocking.fail(A, NO_RIGHT)
    blocking.fail(B, BAD)
    assert blocking.blocked.reasons()[0].endswith("at offset 5: you may not read it: you need Read on it")
    blocking.fail(A, None)
    blocking.fail(B, None)
    assert blocking.blocked.paused == {B}


def test_many_are_a_few_sentences(blocking: Blocking) -> None:
    for number in range(10):
        blocking.fail(Partition("prices", number))
    assert len(blocking.blocked.reasons()) == 4
    assert blocking.blocked.reasons()[-1] == "and 7 more partitions"


def test_a_skip_makes_a_record_of_each_offset_and_goes_on_behind_them(blocking: Blocking) -> None:
    blocking.fail()
    blocking.skip()
    [(partition, records)] = blocking.take().items()
    assert (partition, [record.offset for record in records]) == (A, [5, 6, 7, 8, 9])
    for record in records:
        assert isinstance(record.value, UnreadValue)
        assert (record.key, record.timestamp, record.value) == (None, -1, b"")
        assert record.value.reason == (
            "skipped by me: because (prices:0:5 to 9 could not be read: its checksum is wrong)"
        )
    assert blocking.positions[A] == 10
    assert blocking.answers() == [Skipped(1, 9, "prices:0:5 to 9 is skipped")]
    assert (blocking.blocked.reasons(), blocking.blocked.paused) == ([], set())


def test_a_skip_given_twice_is_done_once(blocking: Blocking) -> None:
    blocking.fail()
    blocking.skip(number=1)
    assert len(blocking.take()) == 1
    blocking.skip(number=2)
    assert blocking.take() == {}
    assert blocking.answers()[-1] == Skipped(2, 9, "prices:0:5 to 9 was skipped before", before=True)


def test_a_long_batch_is_handed_over_piece_by_piece_and_not_while_the_partition_is_full(blocking: Blocking) -> None:
    blocking.fail(A, BAD._replace(last=5 + 2 * CHUNK))
    blocking.skip()
    assert blocking.take(A) == {}
    taken = [len(records) for _ in range(3) for records in blocking.take().values()]
    assert taken == [CHUNK, CHUNK, 1]
    assert not blocking.follow(), "it is not tried again meanwhile"
    assert blocking.positions[A] == 6 + 2 * CHUNK


def test_a_skip_of_anything_else_says_why_not_and_what_waits(blocking: Blocking) -> None:
    blocking.fail(A, BAD)
    blocking.fail(B, NO_RIGHT)
    blocking.skip(4, number=1)
    blocking.skip(5, B, number=2)
    blocking.skip(5, Partition("prices", 7), number=3)
    assert [answer.last for answer in blocking.answers()] == [None, None, None]
    texts = [answer.text for answer in blocking.answers()]
    assert texts[0].startswith("prices:0 does not wait at offset 4; prices:0 cannot be read at offset 5")
    assert texts[1].startswith("prices:1 cannot be skipped")
    assert texts[2].startswith("prices:7 is not assigned to this instance")
    assert blocking.take() == {}


def test_a_skip_that_nobody_waits_for_any_more_is_not_begun(blocking: Blocking) -> None:
    blocking.fail()
    blocking.skip(until=blocking.mono - 1.0)
    assert blocking.take() == {}
    assert blocking.answers() == []


def test_what_is_revoked_is_forgotten_and_whoever_waits_hears_of_it(blocking: Blocking) -> None:
    blocking.fail()
    blocking.skip()
    blocking.blocked.forget([A])
    assert blocking.take() == {}
    assert blocking.answers() == [Skipped(1, None, "prices:0 was revoked meanwhile")]
    assert blocking.blocked.reasons() == []
    assert blocking.emitted[-1] == Blocked(frozenset())
