"""A commit that the log has passed by, at either end: what is begun with, and what is told."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from contribd.engine.records.commit_metadata import About, Commit, decode_about, decode_metadata, encode_metadata
from contribd.engine.records.keys import tags_of
from contribd.engine.records.offsets import Partition
from contribd.engine.records.parts import Told
from contribd.streams.client.errors import FencedInstanceIdError, KafkaTimeoutError
from contribd.streams.client.port import Member, SeenTopic, Topics
from contribd.streams.group import start_lines
from contribd.streams.group.hanging_transactions import HangingTransactions
from contribd.streams.group.results_lookup import ResultsLookup, Wanted
from contribd.streams.group.settled_offsets import SettledOffsets
from contribd.streams.group.start_offsets import Refused, StartOffsets
from contribd.streams.group.start_rules import Origin, find_start, passed_over

P = Partition("prices", 3)
FOUR = "contribd1:...4"
"""The metadata of a commit that says of nothing but how many partitions the topic has."""


@pytest.mark.parametrize("position", [20, 5])
def test_without_a_commit_it_begins_where_it_is_told_and_commits_that(position: int) -> None:
    start = find_start(None, 5, 20, fallback=position)
    assert (start.commit, start.position, start.unwritten, start.problem) == (
        Commit(position, ""),
        position,
        True,
        None,
    )


@pytest.mark.parametrize("offset", [5, 12, 20])
@pytest.mark.parametrize("fallback", [5, 20])
def test_a_commit_within_the_log_is_gone_on_from(offset: int, fallback: int) -> None:
    metadata = encode_metadata(0b10)
    start = find_start(Commit(offset, metadata), 5, 20, fallback=fallback)
    assert (start.commit, start.position) == (Commit(offset, metadata), offset)
    assert (start.unwritten, start.problem) == (False, None)


@pytest.mark.parametrize("fallback", [5, 20])
def test_a_log_that_ends_before_the_commit_is_gone_on_from_at_its_end(fallback: int) -> None:
    """Nobody can tell what lies below from what was consumed; the settled marks belong to records that are gone."""
    start = find_start(Commit(30, encode_metadata(0b10)), 5, 20, fallback=fallback)
    assert (start.commit, start.position, start.unwritten, start.lost) == (Commit(20, ""), 20, True, 10)
    assert start.problem is not None
    assert "ends before" in start.problem


@pytest.mark.parametrize("fallback", [5, 20])
def test_records_deleted_before_they_were_consumed_are_counted_and_the_oldest_left_is_next(fallback: int) -> None:
    metadata = encode_metadata(0b10110)
    start = find_start(Commit(5, metadata), 9, 20, fallback=fallback)
    assert (start.commit, start.position, start.unwritten) == (Commit(5, metadata), 9, False)
    assert start.lost == 2, "5 to 8, less 6 and 7, which were settled"
    assert start.problem is not None
    assert "deleted" in start.problem


def test_records_deleted_after_they_were_settled_are_nobodys_loss() -> None:
    start = find_start(Commit(5, encode_metadata(0b11)), 7, 20, fallback=7)
    assert (start.position, start.lost, start.problem) == (7, 0, None)


class _LoggedConsumer:
    """A consumer of one partition, with its broker."""

    def __init__(self, offset: int, begin: int, end: int) -> None:
        self.offset, self.begin, self.end = offset, begin, end
        self.position = -1
        self.topic = SeenTopic(None, 4)
        self.beside: dict[Partition, Commit] = {}
        """What the group has committed of all partitions."""
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

    def ask_topics(self, seconds: float) -> Topics:
        assert seconds <= 5
        return {"prices": self.topic}

    def committed_among(self, partitions: Collection[Partition], _seconds: float) -> dict[Partition, Commit]:
        return {each: commit for each, commit in self.beside.items() if each in partitions}

    def offsets_at(self, partitions: Collection[Partition], time: int) -> dict[Partition, tuple[int, int]]:
        return {each: (self.begin + time // 1000, time) for each in partitions if self.begin + time // 1000 < self.end}

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
        self.commits.extend(commits.values())

    def seek(self, _partition: Partition, position: int) -> None:
        self.position = position


def consumer_at(offset: int, begin: int, end: int) -> Any:
    """As much of a ``MemberConsumer`` as start offsets need; the group has committed ``offset``."""
    consumer = _LoggedConsumer(offset, begin, end)
    consumer.beside = {Partition("prices", number): Commit(0, "") for number in range(4)}
    return consumer


class NoOrphans(HangingTransactions):
    """Only counts how often it is asked to end them, and by which member."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def end(self, member_id: str) -> None:
        self.asked.append(member_id)


class KnownResults(ResultsLookup):
    """Has looked up already what there is to know: the offsets with a result."""

    def __init__(self, offsets: Collection[int] = (), problem: str | None = None) -> None:
        self.offsets, self.problem = offsets, problem
        self.asked: list[Mapping[Partition, Wanted]] = []
        self.is_ready = True

    def ask(self, wanted: Mapping[Partition, Wanted]) -> dict[Partition, SettledOffsets]:
        self.asked.append(wanted)
        found = {each: SettledOffsets(want.begin, want.end) for each, want in wanted.items() if self.is_ready}
        for settled in found.values():
            if self.problem:
                settled.doubt(self.problem)
            for offset in self.offsets:
                settled.add(offset)
        return found

    def forget(self, partitions: Iterable[Partition]) -> None:
        pass


class Finder:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hanging = NoOrphans()
        self.lookup = KnownResults()
        self.starts = StartOffsets(self.hanging, self.lookup, start_from="latest")
        self.told: list[dict[str, object]] = []

        def write(level: str) -> Any:
            return lambda text, **details: self.told.append({"text": text, "level": level, **details})

        logger = SimpleNamespace(**{level: write(level) for level in ("info", "warning", "error")})
        monkeypatch.setattr(start_lines, "_log", logger)


def test_what_a_dead_process_left_open_is_ended_soon_and_a_slow_group_is_given_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(7, 0, 20)
    consumer.unstable = 2
    for _ in range(2):
        with pytest.raises(KafkaTimeoutError):
            finder.starts.find(consumer, {P})
    assert finder.hanging.asked == ["us", "us"]
    assert finder.starts.find(consumer, {P})[P].commit == Commit(7, FOUR)
    assert finder.starts.find(consumer, {P})
    assert consumer.asked_for == [0.3, 1.0, 1.0, 0.3]


def test_a_log_that_looks_cut_is_believed_once_the_broker_has_refused_the_offset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A leader that knows of less for a moment refuses nothing."""
    finder, consumer = Finder(monkeypatch), consumer_at(30, 0, 20)
    assert finder.starts.find(consumer, {P})[P].commit == Commit(30, FOUR)
    assert (consumer.position, consumer.commits, finder.told) == (30, [], [])
    finder.starts.out_of_range.add(P)
    assert finder.starts.find(consumer, {P})[P].commit == Commit(20, FOUR)
    assert consumer.position == 20
    assert consumer.commits == [Commit(20, FOUR)]
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
    assert finder.starts.find(consumer, {P})[P].commit == Commit(15, FOUR)


def test_offsets_read_while_a_group_forgets_us_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(15, 0, 20)
    consumer.confirmations = iter([None, FencedInstanceIdError])
    with pytest.raises(FencedInstanceIdError):
        finder.starts.find(consumer, {P})
    assert consumer.position == -1


@pytest.mark.parametrize(("said", "ours", "kept"), [("a", "a", True), ("a", "b", False), ("a", None, False)])
def test_other_rules_than_the_commit_names_are_committed_before_anything_is_consumed(
    monkeypatch: pytest.MonkeyPatch, said: str, ours: str | None, kept: bool
) -> None:
    """An owner by the old rules must not rely on how far one could post by these."""
    finder, consumer = Finder(monkeypatch), consumer_at(7, 0, 20)
    committed = Commit(7, encode_metadata(0b10, 0, About(None, 4, rules=said)))
    consumer.committed = lambda _partition, _seconds: committed
    finder.starts._rules = ours
    start = finder.starts.find(consumer, {P})[P]
    assert decode_about(start.commit.metadata).rules == (said if kept else None)
    assert decode_metadata(*start.commit) == {8}
    assert consumer.commits == ([] if kept else [start.commit])


def test_how_much_was_deleted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(5, 9, 20)
    assert finder.starts.find(consumer, {P})[P].position == consumer.position == 9
    [line] = finder.told
    assert (line["offsets_lost"], line["goes_on_at"]) == (4, 9)


# Without a commit


def test_a_partition_begins_with_what_has_results_for_some_of_its_posts() -> None:
    start = find_start(None, 0, 20, fallback=5)._replace(origin=Origin.NOWHERE)
    settled = SettledOffsets(5, 20)
    settled.add(5)
    for offset, ric in ((6, b"A"), (9, b"B")):
        settled.add_part(offset, b"0/2", b"TRCC", ric)
    begun = passed_over(start, settled)
    assert begun.position == begun.commit.offset == 6
    assert decode_about(begun.commit.metadata).results_to == 10, "whoever begins there next has to ask, too"
    assert begun.settled is not None
    assert begun.settled.in_part == {offset: Told(tags_of([("TRCC", ric)]), 1) for offset, ric in ((6, "A"), (9, "B"))}


NOW = SeenTopic("now", 4)


def none_at(begin: int, end: int, topic: SeenTopic = NOW, **beside: str) -> Any:
    """A consumer whose group has no offset of P, and these metadata of other partitions (``p0``)."""
    consumer = consumer_at(0, begin, end)
    consumer.topic = topic
    consumer.beside = {Partition("prices", int(name[1:])): Commit(1, metadata) for name, metadata in beside.items()}
    consumer.committed = lambda _partition, _seconds: None
    return consumer


@pytest.mark.parametrize(
    ("start_from", "start_time", "position", "left_out", "to_come"),
    [("latest", None, 20, 15, 0), ("earliest", None, 5, 0, 15), ("2026-11-22T10:15Z", 7_000, 12, 7, 8)],
)
def test_the_first_start_of_a_group_is_an_info_with_numbers(
    monkeypatch: pytest.MonkeyPatch,
    start_from: str,
    start_time: int | None,
    position: int,
    left_out: int,
    to_come: int,
) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.starts = StartOffsets(finder.hanging, finder.lookup, start_from=start_from, start_time=start_time)
    start = finder.starts.find(consumer, {P})[P]
    assert (start.position, start.commit, start.settled and start.settled.count) == (
        position,
        Commit(position, "contribd1:..now.4"),
        0,
    )
    assert consumer.commits == [start.commit], "a crash would begin elsewhere"
    [line] = finder.told
    assert line["level"] == "info"
    assert "a first start" in str(line["text"])
    assert (line["begin_at"], line["leaves_out_at_most"], line["contributes_at_most"]) == (
        f"prices:3:{position}",
        left_out,
        to_come,
    )


def test_a_time_after_all_records_begins_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.starts = StartOffsets(finder.hanging, finder.lookup, start_from="2031-01-01T00:00Z", start_time=99_000)
    assert finder.starts.find(consumer, {P})[P].position == 20


def test_offsets_that_are_gone_are_told_of_and_earliest_repeats_nothing_that_has_its_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.lookup.offsets = (5, 6, 7, 9, 12)
    finder.starts = StartOffsets(finder.hanging, finder.lookup, start_from="earliest")
    start = finder.starts.find(consumer, {P})[P]
    assert (start.position, consumer.position) == (8, 8)
    assert start.commit == Commit(8, "contribd1:..now.4.13"), "whoever comes next asks the results, too, below 13"
    assert start.settled is not None
    assert [offset for offset in range(8, 20) if offset in start.settled] == [9, 12]
    [line] = finder.told
    assert line["level"] == "warning"
    assert "offsets are gone" in str(line["text"])
    assert (line["have_results"], line["leaves_out_at_most"], line["contributes_at_most"]) == (5, 0, 10)


def test_at_the_latest_it_is_told_what_came_after_the_last_result(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.lookup.offsets = (*range(5, 12), 13)
    assert finder.starts.find(consumer, {P})[P].position == 20
    assert finder.lookup.asked[0][P].briefly
    [line] = finder.told
    assert (line["level"], line["leaves_out_at_most"], line["contributes_at_most"]) == ("warning", 7, 0)


def test_what_the_results_cannot_tell_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.lookup.problem = "results written before 2026-11-22T10:15:00Z were deleted"
    finder.starts = StartOffsets(finder.hanging, finder.lookup, start_from="earliest")
    assert finder.starts.find(consumer, {P})[P].position == 5
    [line] = finder.told
    assert (line["level"], line["cannot_tell"]) == ("warning", finder.lookup.problem)


def test_what_is_looked_up_still_waits_and_the_others_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer, other = Finder(monkeypatch), none_at(5, 20), Partition("prices", 0)
    consumer.committed = lambda partition, _seconds: Commit(6, "") if partition == other else None
    finder.lookup.is_ready = False
    assert finder.starts.find(consumer, {P, other}).keys() == {other}
    finder.lookup.is_ready = True
    assert finder.starts.find(consumer, {P}).keys() == {P}


def test_a_start_that_looked_results_up_is_gone_on_with_by_whoever_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(8, 5, 20)
    consumer.topic = SeenTopic("now", 4)
    consumer.committed = lambda _partition, _seconds: Commit(8, "contribd1:..now.4.13")
    finder.lookup.offsets = (9, 12)
    start = finder.starts.find(consumer, {P})[P]
    assert finder.lookup.asked == [{P: Wanted("now", 8, 13, since=0)}]
    assert (start.position, start.commit) == (8, Commit(8, "contribd1:..now.4.13"))
    assert start.settled is not None
    assert 12 in start.settled


def test_refuse_refuses_rather_than_guess_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20)
    finder.starts = StartOffsets(finder.hanging, finder.lookup, start_from="refuse")
    with pytest.raises(Refused, match=r"prices:3 \(15 offsets in the log\).*--reset-offsets"):
        finder.starts.find(consumer, {P})
    assert consumer.commits == []
    consumer.beside = {Partition("prices", 0): Commit(1, "contribd1:..now.3")}
    assert finder.starts.find(consumer, {P})[P].position == 5, "a new partition is no guess"


# Partitions that are new


@pytest.mark.parametrize(
    ("beside", "begins_at", "why"),
    [
        ({"p0": "contribd1:..now.4"}, 20, "the group has just begun: the partition was there"),
        ({"p0": "contribd1:..now.3"}, 5, "there were three when the group consumed the others"),
        ({"p0": "contribd1:..now.3", "p4": "contribd1:..now.5"}, 5, "and has begun with another new one since"),
        ({"p0": "", "p1": "", "p2": ""}, 5, "commits of before say nothing, but are of the lower ones"),
        ({"p0": "", "p4": ""}, 20, "a higher one was consumed: its own offset is gone"),
        ({}, 20, "nothing is known of the topic"),
    ],
)
def test_a_partition_that_is_new_under_the_group_is_read_from_its_beginning(
    monkeypatch: pytest.MonkeyPatch, beside: dict[str, str], begins_at: int, why: str
) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20, SeenTopic("now", 5), **beside)
    assert finder.starts.find(consumer, {P})[P].position == begins_at, why
    assert finder.told[0]["level"] == "info"
    assert consumer.commits[0].offset == begins_at


def test_a_partition_that_this_process_has_seen_appear_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where commits cannot say how many there were: the broker drops what is said with them."""
    finder, consumer = Finder(monkeypatch), none_at(5, 20, SeenTopic(None, 3))
    finder.starts.find(consumer, {Partition("prices", 0)})
    consumer.topic = SeenTopic(None, 4)
    assert finder.starts.find(consumer, {P})[P].position == 5
    assert "new partitions" in str(finder.told[-1]["text"])


def test_a_partition_that_is_not_there_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20, SeenTopic(None, 3))
    assert finder.starts.find(consumer, {P}) == {}
    consumer.ask_topics = lambda _seconds: {}
    assert finder.starts.find(consumer, {Partition("prices", 0)}) == {}


# A topic that is another one


def test_a_commit_of_another_topic_of_the_name_is_begun_at_the_beginning_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(7, 2, 20)
    consumer.topic = SeenTopic("now", 4)
    consumer.committed = lambda _partition, _seconds: Commit(7, "contribd1:Ag==..before.4")
    start = finder.starts.find(consumer, {P})[P]
    assert (start.position, start.commit) == (2, Commit(2, "contribd1:..now.4"))
    assert consumer.commits == [start.commit]
    [line] = finder.told
    assert line["level"] == "warning"
    assert "another one" in str(line["text"])
    assert (line["topic"], line["topic_id"], line["committed_of"], line["begin_at"], line["records"]) == (
        "prices",
        "now",
        "before",
        "prices:3:2",
        18,
    )


@pytest.mark.parametrize("metadata", ["contribd1:Ag==", "contribd1:Ag==..now.4", "contribd1:Ag==...4"])
def test_a_commit_of_before_the_id_counts_as_of_the_topic_and_gets_it(
    monkeypatch: pytest.MonkeyPatch, metadata: str
) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(7, 2, 20)
    consumer.topic = SeenTopic("now", 4)
    consumer.committed = lambda _partition, _seconds: Commit(7, metadata)
    assert finder.starts.find(consumer, {P})[P].commit == Commit(7, "contribd1:Ag==..now.4")
    assert (consumer.commits, finder.told) == ([], [])


def test_a_broker_that_does_not_tell_the_id_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, consumer = Finder(monkeypatch), consumer_at(7, 2, 20)
    consumer.committed = lambda _partition, _seconds: Commit(7, "contribd1:Ag==..before.4")
    assert finder.starts.find(consumer, {P})[P].position == 7


def test_where_the_broker_dropped_the_offsets_with_the_topic_who_knew_it_begins_at_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder, consumer = Finder(monkeypatch), none_at(5, 20, SeenTopic("before", 4))
    finder.starts.find(consumer, {P})
    consumer.topic = SeenTopic("now", 4)
    assert finder.starts.find(consumer, {P})[P].position == 5
    assert "another one" in str(finder.told[-1]["text"])


# How many partitions there were

SIX = SeenTopic("now", 6)


def said(consumer: Any, commit: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many partitions the commits of partition 0 say from now on, which said ``commit`` before."""
    finder, zero = Finder(monkeypatch), Partition("prices", 0)
    consumer.committed = lambda _partition, _seconds: Commit(1, commit)
    return decode_about(finder.starts.find(consumer, {zero})[zero].commit.metadata).partitions


def test_commits_say_so_as_before_until_the_group_has_an_offset_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever gets a new one takes it for one whose offset is gone, where it comes a moment later."""
    five = {f"p{number}": "contribd1:..now.4" for number in range(5)}
    assert said(none_at(0, 9, SIX, **five), "contribd1:..now.4", monkeypatch) == 4
    assert said(none_at(0, 9, SIX, **five), "", monkeypatch) == 0, "of a version that did not say"
    assert said(none_at(0, 9, SIX, **five, p5="contribd1:..now.6"), "contribd1:..now.4", monkeypatch) == 6


def test_the_others_are_not_asked_for_where_nothing_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = none_at(0, 9, SIX)
    consumer.committed_among = None
    assert said(consumer, "contribd1:..now.6", monkeypatch) == 6
