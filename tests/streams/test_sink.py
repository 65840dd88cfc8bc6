"""The sink on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py)."""

import time
from types import SimpleNamespace

import pytest
import tenacity
from kafka.errors import FencedInstanceIdError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata
from tests.streams.embedded import EmbeddedCluster
from tests.streams.stream_suite import SinkSuite

from contribd.engine.records.offsets import Commit, Partition
from contribd.ops.progress import Pulse
from contribd.streams import sink
from contribd.streams.client import retrying as patience
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.sink import Write


@pytest.fixture
def cluster(broker: str) -> EmbeddedCluster:
    return EmbeddedCluster(broker)


class TestSink(SinkSuite):
    keeps_metadata = False


@pytest.mark.parametrize("slept", ["monotonic", "boottime", "wall"])
def test_a_time_that_any_clock_has_counted_has_passed(monkeypatch: pytest.MonkeyPatch, slept: str) -> None:
    """A host that is suspended or moved stops some of its clocks; which, depends on the host."""
    began = sink._clocks()
    jump = dict.fromkeys(("monotonic", "boottime", "wall"), 0.0) | {slept: 60.0}
    real_monotonic, real_boottime, real_wall = time.monotonic, time.clock_gettime, time.time
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + jump["monotonic"])
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real_boottime(clock) + jump["boottime"])
    monkeypatch.setattr(time, "time", lambda: real_wall() + jump["wall"])
    assert 60.0 <= sink._since(began) < 70.0


def test_a_clock_that_was_set_back_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    began = sink._clocks()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0.0 <= sink._since(began) < 10.0


class Offline:
    """A sink whose transactions the group refuses, in favour of another process of its name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, known: bool) -> None:
        self.fencing = Fencing()
        self.events: list[object] = []
        settings = KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", "one", {})
        pulse = Pulse("sink", 60.0, time.monotonic())
        self.sink = sink.Sink(settings, emit=self.events.append, pulse=pulse, fencing=self.fencing)
        self.producers = 0
        monkeypatch.setattr(self.sink, "_renew", self._renew)
        monkeypatch.setattr(self.sink, "_ask", lambda _read: known or None)
        monkeypatch.setattr(sink, "append", lambda *_: None)
        monkeypatch.setattr(sink, "send_offsets", self._refuse)
        self._renew()

    def _renew(self) -> bool:
        self.producers += 1
        self.sink._producer = SimpleNamespace(begin_transaction=lambda: None)
        return True

    def _refuse(self, *_: object) -> None:
        raise FencedInstanceIdError

    def write(self) -> bool:
        group = ConsumerGroupMetadata("g")
        return self.sink._transact(Write(1, [], [], {Partition("prices", 0): Commit(1, "")}, group))


def test_a_group_that_refuses_for_a_moment_only_costs_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    offline = Offline(monkeypatch, known=True)
    assert not offline.write()
    assert not offline.sink.replaced
    assert offline.producers == 2


def test_a_process_that_was_replaced_fences_no_producer_of_the_one_that_has_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offline = Offline(monkeypatch, known=False)
    assert not offline.write()
    assert offline.producers == 1


class Group:
    """What the group says of partition 0, one answer after the other; it knows us."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Commit | None) -> None:
        self.answers = list(answers)
        self.confirmed = 0
        monkeypatch.setattr(sink, "opened", lambda *_args, **_settings: self)
        monkeypatch.setattr(sink, "speak_for", lambda *_: None)
        monkeypatch.setattr(sink, "confirm", self._confirm)
        monkeypatch.setattr(patience, "WAIT", tenacity.wait_none())
        settings = KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", "one", {})
        fencing = Fencing()
        fencing.member = ConsumerGroupMetadata("g", 1, "a", "one")
        self.sink = sink.Sink(settings, emit=print, pulse=Pulse("sink", 60.0, 0.0), fencing=fencing)

    def _confirm(self, _consumer: object) -> None:
        self.confirmed += 1

    def committed(self, _tp: object, metadata: bool, timeout_ms: int) -> OffsetAndMetadata | None:
        assert metadata
        assert timeout_ms
        answer = self.answers.pop(0)
        return None if answer is None else OffsetAndMetadata(answer.offset, answer.metadata, -1)

    def close(self, **_: object) -> None:
        pass


def commit_of(offset: int, generation: int = 1) -> Write:
    group = ConsumerGroupMetadata("g", generation, "a", "one")
    return Write(offset, [], [], {Partition("prices", 0): Commit(offset, "")}, group)


def test_offsets_from_before_the_last_durable_transaction_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coordinator that loads its log once more knows us before it knows our last commit."""
    group = Group(monkeypatch, Commit(7, ""), None, Commit(110, ""))
    group.sink._remember(commit_of(100))
    assert group.sink._read_back(commit_of(110))
    assert (group.answers, group.confirmed) == ([], 4)


def test_offsets_of_the_last_durable_transaction_say_that_the_next_one_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(monkeypatch, Commit(100, ""))
    group.sink._remember(commit_of(100))
    assert not group.sink._read_back(commit_of(110))


def test_what_another_member_has_committed_meanwhile_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(monkeypatch, Commit(205, ""), Commit(300, ""))
    group.sink._remember(commit_of(100))
    group.sink._remember(Write(1, [], [], {}, ConsumerGroupMetadata("g", 2, "a", "one")))
    assert not group.sink._read_back(commit_of(210, generation=2))
