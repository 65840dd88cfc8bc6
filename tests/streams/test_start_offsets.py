"""A commit that the log has passed by, at either end: what is begun with, and what is told."""

from collections.abc import Collection, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from contribd.engine.records.offsets import Commit, Partition, encode_metadata
from contribd.streams.client.errors import FencedInstanceIdError, KafkaTimeoutError
from contribd.streams.client.port import Member
from contribd.streams.group import start_offsets as start_offsets_module
from contribd.streams.group.hanging_transactions import HangingTransactions
from contribd.streams.group.start_offsets import StartOffsets, find_start

P = Partition("prices", 3)


@pytest.mark.parametrize(("latest", "position"), [(True, 20), (False, 5)])
def test_without_a_commit_it_begins_where_it_is_told_and_commits_that(latest: bool, position: int) -> None:
    start = find_start(None, 5, 20, latest=latest)
    assert (start.commit, start.position, start.unwritten, start.problem) == (
        Commit(position, ""),
        position,
        True,
        None,
    )


@pytest.mark.parametrize("offset", [5, 12, 20])
@pytest.mark.parametrize("latest", [True, False])
def test_a_commit_within_the_log_is_gone_on_from(offset: int, latest: bool) -> None:
    metadata = encode_metadata(0b10)
    start = find_start(Commit(offset, metadata), 5, 20, latest=latest)
    assert (start.commit, start.position) == (Commit(offset, metadata), offset)
    assert (start.unwritten, start.problem) == (False, None)


@pytest.mark.parametrize("latest", [True, False])
def test_a_log_that_ends_before_the_commit_is_gone_on_from_at_its_end(latest: bool) -> None:
    """Nobody can tell what lies below from what was consumed; the settled marks belong to records that are gone."""
    start = find_start(Commit(30, encode_metadata(0b10)), 5, 20, latest=latest)
    assert (start.commit, start.position, start.unwritten, start.lost) == (Commit(20, ""), 20, True, 10)
    assert start.problem is not None
    assert "ends before" in start.problem


@pytest.mark.parametrize("latest", [True, False])
def test_records_deleted_before_they_were_consumed_are_counted_and_the_oldest_left_is_next(latest: bool) -> None:
    metadata = encode_metadata(0b10110)
    start = find_start(Commit(5, metadata), 9, 20, latest=latest)
    assert (start.commit, start.position, start.unwritten) == (Commit(5, metadata), 9, False)
    assert start.lost == 2, "5 to 8, less 6 and 7, which were settled"
    assert start.problem is not None
    assert "deleted" in start.problem


def test_records_deleted_after_they_were_settled_are_nobodys_loss() -> None:
    start = find_start(Commit(5, encode_metadata(0b11)), 7, 20, latest=False)
    assert (start.position, start.lost, start.problem) == (7, 0, None)


class _Consumer:
    """A consumer of one partition, with its broker."""

    def __init__(self, offset: int, begin: int, end: int) -> None:
        self.offset, self.begin, self.end = offset, begin, end
        self.position = -1
        self.commits: list[Any] = []
        self.refused = 0
        """So many times more the group does not know us."""
        self.stale: Commit | None = None
        self.unstable = 0
        """So many times more there is a transaction open."""
        self.asked_for: list[float] = []
        self.confirmations: Iterator[type[Exception] | None] | None = None
        """What each confirmation comes to, where it is not by ``refused``."""

    def confirm(self) -> None:
        if self.confirmations is not None and (refusal := next(self.confirmations)) is not None:
            raise refusal
        if self.refused:
            self.refused -= 1
            raise FencedInstanceIdError

    def member(self) -> Member:
        return Member(1, "us")

    def log_ends(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        return dict.fromkeys(partitions, (self.begin, self.end))

    def committed(self, _partition: Partition, seconds: float) -> Commit | None:
        assert seconds <= 1, "what we have already is not fetched meanwhile"
        self.asked_for.append(seconds)
        if self.unstable:
            self.unstable -= 1
            raise KafkaTimeoutError
        return self.stale if self.refused else Commit(self.offset, "")

    def commit(self, commits: Mapping[Partition, Commit]) -> None:
        self.commits.append(commits[P])

    def seek(self, _partition: Partition, position: int) -> None:
        self.position = position


def consumer_at(offset: int, begin: int, end: int) -> Any:
    """As much of a ``MemberConsumer`` as start offsets need; the group has committed ``offset``."""
    return _Consumer(offset, begin, end)


class NoOrphans(HangingTransactions):
    """Only counts how often it is asked to end them, and by which member."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def end(self, member_id: str) -> None:
        self.asked.append(member_id)


class Finder:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hanging = NoOrphans()
        self.starts = StartOffsets(self.hanging, latest=True)
        self.told: list[dict[str, object]] = []
        logger = SimpleNamespace(error=lambda text, **details: self.told.append({"text": text, **details}))
        monkeypatch.setattr(start_offsets_module, "_log", logger)


def test_what_a_dead_process_left_open_is_ended_soon_and_a_slow_group_is_given_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(7, 0, 20)
    consumer.unstable = 2
    for _ in range(2):
        with pytest.raises(KafkaTimeoutError):
            finder.starts.find(consumer, {P})
    assert finder.hanging.asked == ["us", "us"]
    assert finder.starts.find(consumer, {P})[P].commit == Commit(7, "")
    assert finder.starts.find(consumer, {P})
    assert consumer.asked_for == [0.3, 1.0, 1.0, 0.3]


def test_a_log_that_looks_cut_is_believed_once_the_broker_has_refused_the_offset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A leader that knows of less for a moment refuses nothing."""
    finder, consumer = Finder(monkeypatch), consumer_at(30, 0, 20)
    assert finder.starts.find(consumer, {P})[P].commit == Commit(30, "")
    assert (consumer.position, consumer.commits, finder.told) == (30, [], [])
    finder.starts.out_of_range.add(P)
    assert finder.starts.find(consumer, {P})[P].commit == Commit(20, "")
    assert consumer.position == 20
    assert consumer.commits == [Commit(20, "")]
    [line] = finder.told
    assert "ends before" in str(line["text"])
    assert (line["topic"], line["partition"], line["committed"], line["log_end"]) == ("prices", 3, 30, 20)
    assert finder.starts.find(consumer, {P})[P].position == 30, "a new suspicion needs a new proof"


@pytest.mark.parametrize("stale", [None, Commit(2, "")])
def test_what_a_group_says_is_committed_counts_once_it_knows_us(
    monkeypatch: pytest.MonkeyPatch, stale: Commit | None
) -> None:
    """A coordinator that has just started may tell of offsets that are minutes old, or of none."""
    finder, consumer = Finder(monkeypatch), consumer_at(15, 0, 20)
    consumer.refused, consumer.stale = 2, stale
    for _ in range(2):
        with pytest.raises(FencedInstanceIdError):
            finder.starts.find(consumer, {P})
    assert (consumer.position, consumer.commits) == (-1, []), "nothing was done on the strength of that"
    assert finder.starts.find(consumer, {P})[P].commit == Commit(15, "")


def test_offsets_read_while_a_group_forgets_us_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(15, 0, 20)
    consumer.confirmations = iter([None, FencedInstanceIdError])
    with pytest.raises(FencedInstanceIdError):
        finder.starts.find(consumer, {P})
    assert consumer.position == -1


def test_how_much_was_deleted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(5, 9, 20)
    assert finder.starts.find(consumer, {P})[P].position == consumer.position == 9
    [line] = finder.told
    assert (line["offsets_lost"], line["goes_on_at"]) == (4, 9)
