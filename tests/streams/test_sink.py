"""The sink on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py)."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from kafka.errors import (
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    TopicAuthorizationFailedError,
)
from tests.streams.embedded import EmbeddedCluster
from tests.streams.stream_suite import SinkSuite

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.ops.progress import Pulse
from contribd.streams import sink as sinks
from contribd.streams.client.cluster import connect
from contribd.streams.client.port import ClusterLimits, Member
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.runtime import THREADS
from contribd.streams.sink import Sink
from contribd.streams.transaction import Failed, Times, Write, since

SETTINGS = KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", "one", {})


@pytest.fixture
def cluster(broker: str) -> EmbeddedCluster:
    return EmbeddedCluster(broker)


class TestSink(SinkSuite):
    keeps_metadata = False


@pytest.mark.parametrize(
    ("error", "level"),
    [(IllegalGenerationError(), "info"), (RebalanceInProgressError(), "info"), (KafkaTimeoutError(), "warning")],
)
def test_a_new_generation_is_in_the_normal_course_of_things(
    monkeypatch: pytest.MonkeyPatch, error: Exception, level: str
) -> None:
    group, log = SinkGroup(), Mock()
    monkeypatch.setattr(sinks, "_log", log)
    group.sink._failed(Failed(3, error))
    ((name, (event,), facts),) = log.mock_calls
    assert (name, event, facts["results"]) == (level, "results were not written, trying again", 3)
    assert (group.sink.failure is None) == (level == "info")


def test_each_reason_is_said_once_and_once_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Mock()
    monkeypatch.setattr(sinks, "_log", log)
    refusals = [TopicAuthorizationFailedError({"results"})] * 3
    group = SinkGroup(Commit(1, ""), refusals=[*refusals, None, None])
    reasons: list[str] = []
    monkeypatch.setattr(group.sink, "_emit", lambda _event: reasons.extend(group.sink.reasons()))
    group.run(*(commit_of(offset) for offset in range(1, 6)))
    said = [(name, args[0]) for name, args, _ in log.mock_calls]
    assert said == [("warning", "results were not written, trying again"), ("info", "results are written again")]
    assert len(reasons) == 3
    assert "may not write topic results" in reasons[0]
    assert group.sink.reasons() == []


@pytest.mark.parametrize("learned", [True, False])
def test_reasons_that_take_turns_are_said_once_each(monkeypatch: pytest.MonkeyPatch, *, learned: bool) -> None:
    log, sink = Mock(), SinkGroup().sink
    monkeypatch.setattr(sinks, "_log", log)
    for _ in range(3):
        for error in (KafkaTimeoutError(), TopicAuthorizationFailedError({"results"})):
            sink._failed(Failed(3, error, learned=learned))
    assert len(log.mock_calls) == 2
    sink._recovered()  # of what is cured nothing is said again: the limit is known better with each
    sink._failed(Failed(3, KafkaTimeoutError(), learned=learned))
    assert len(log.warning.mock_calls) == (2 if learned else 3)


def times() -> Times:
    return Times(0.0, THREADS.clocks())


@pytest.mark.parametrize("slept", ["monotonic", "boottime", "wall"])
def test_a_time_that_any_clock_has_counted_has_passed(monkeypatch: pytest.MonkeyPatch, slept: str) -> None:
    """A host that is suspended or moved stops some of its clocks; which, depends on the host."""
    began = times()
    jump = dict.fromkeys(("monotonic", "boottime", "wall"), 0.0) | {slept: 60.0}
    real_monotonic, real_boottime, real_wall = time.monotonic, time.clock_gettime, time.time
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + jump["monotonic"])
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real_boottime(clock) + jump["boottime"])
    monkeypatch.setattr(time, "time", lambda: real_wall() + jump["wall"])
    assert 60.0 <= since(began, times()) < 70.0


def test_a_clock_that_was_set_back_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    began = times()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0.0 <= since(began, times()) < 10.0


class Hasty:
    """An event that nobody waits for."""

    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        return self._is_set


class SinkGroup:
    """A producer and who asks for offsets, in one.

    ``answers``: what the group says of partition 0, one after the other; ``refusals``: what becomes of the offsets, and
    ``losses``: of the commits, one after the other, None where all is well; ``known``: whether the group knows us.
    """

    def __init__(
        self,
        *answers: Commit | None,
        refusals: Iterable[Exception | None] = (),
        losses: Iterable[Exception | None] = (),
        known: bool = True,
    ) -> None:
        self.answers, self.refusals, self.losses, self.known = list(answers), list(refusals), list(losses), known
        self.producers = self.confirmed = 0
        self.events: list[Event] = []
        self.fencing = Fencing()
        self.fencing.member = Member(1, "a", "one")
        limits = ClusterLimits({}, None)
        admin: Any = SimpleNamespace(missing_topics=lambda _: [], limits=lambda _: limits, close=lambda: None)
        kafka = replace(connect(SETTINGS), asking=lambda: self, producer=self._producer, admin=lambda: admin)
        hasty, pulse = replace(THREADS, event=Hasty), Pulse("sink", 60.0, 0.0)
        self.sink = Sink(SETTINGS, kafka, runtime=hasty, emit=self.events.append, pulse=pulse, fencing=self.fencing)

    def run(self, *writes: Write) -> list[Event]:
        """Writes these; their outcomes."""
        for write in writes:
            self.sink.write(write)
        self.sink._writes.put(None)  # a stop would end the waits, too
        self.sink.run()
        return self.events

    def _producer(self, _batch_bytes: int | None) -> "SinkGroup":
        self.producers += 1
        return self

    def begin(self) -> None:
        pass

    def append(self, topic: str, records: Iterable[Encoded]) -> None:
        pass

    def send_offsets(self, commits: Mapping[Partition, Commit], member: Member, seconds: float) -> None:
        assert commits
        assert member.static_id == "one"
        assert seconds
        if self.refusals and (error := self.refusals.pop(0)):
            raise error

    def commit(self, seconds: float) -> None:
        assert seconds
        if self.losses and (error := self.losses.pop(0)):
            raise error

    def discard(self) -> None:
        pass

    def speak_for(self, member: Member, seconds: float) -> None:
        assert member == self.fencing.member
        assert seconds

    def confirm(self) -> None:
        self.confirmed += 1
        if not self.known:
            self.fencing.replaced = True
            raise FencedInstanceIdError

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        assert partition == Partition("prices", 0)
        assert seconds
        return self.answers.pop(0)

    def close(self) -> None:
        pass


def commit_of(offset: int, generation: int = 1) -> Write:
    return Write(offset, [], [], {Partition("prices", 0): Commit(offset, "")}, Member(generation, "a", "one"))


def test_a_group_that_refuses_for_a_moment_only_costs_the_transaction() -> None:
    group = SinkGroup(refusals=[FencedInstanceIdError()])
    assert group.run(commit_of(1)) == [NotCommitted(1)]
    assert not group.sink.replaced
    assert group.producers == 2


def test_a_process_that_was_replaced_fences_no_producer_of_the_one_that_has_its_name() -> None:
    group = SinkGroup(refusals=[FencedInstanceIdError()], known=False)
    assert group.run(commit_of(1), commit_of(2)) == [NotCommitted(1)]
    assert group.producers == 1


def test_offsets_from_before_the_last_durable_transaction_are_asked_for_again() -> None:
    """A coordinator that loads its log once more knows us before it knows our last commit."""
    group = SinkGroup(Commit(7, ""), None, Commit(110, ""), losses=[None, KafkaTimeoutError()])
    assert group.run(commit_of(100), commit_of(110)) == [Committed(100), Committed(110)]
    assert (group.answers, group.confirmed) == ([], 4)


def test_offsets_of_the_last_durable_transaction_say_that_the_next_one_was_not() -> None:
    group = SinkGroup(Commit(100, ""), losses=[None, KafkaTimeoutError()])
    assert group.run(commit_of(100), commit_of(110)) == [Committed(100), NotCommitted(110)]


def test_what_another_member_has_committed_meanwhile_is_believed() -> None:
    group = SinkGroup(Commit(205, ""), Commit(300, ""), losses=[None, None, KafkaTimeoutError()])
    between = commit_of(1, generation=2)._replace(commits={Partition("prices", 1): Commit(1, "")})
    outcomes = group.run(commit_of(100), between, commit_of(210, generation=2))
    assert outcomes == [Committed(100), Committed(1), NotCommitted(210)]
