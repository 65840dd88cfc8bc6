"""Who had our name before must have stopped posting when we begin, whatever became of it."""

import asyncio
import contextlib
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import (
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from contribd.engine.events import Records
from contribd.ops.progress import Progress
from contribd.streams import source
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import static_member as static_member_module
from contribd.streams.group.fencing import PATIENCE, Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.group.static_member import StaticMember
from contribd.streams.source import Source


def settings(instance: str = "one", **client: Any) -> KafkaSettings:
    return KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", instance, client)


class Start:
    """A process that starts and joins; ``known``: the group's answer to whether it has our name already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, known: bool, **client: Any) -> None:
        monkeypatch.setattr(static_member_module, "_has_member", lambda *_: known)
        self.mono = 100.0
        self.static_member = StaticMember(settings(**client), Fencing(), clock=lambda: self.mono)
        self.static_member.look()

    def join(self, member: str) -> float:
        return self.static_member.joined(SimpleNamespace(member_id=member))


def test_a_name_in_use_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, known=True)
    assert start.join("a") == 10.0
    start.mono += 4.0
    assert start.join("a") == start.static_member.wait == 6.0
    start.mono += 6.0
    assert start.static_member.wait == 0.0


def test_a_name_nobody_uses_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Start(monkeypatch, known=False).join("a") == 0.0


def test_a_second_membership_may_have_replaced_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, known=False)
    start.join("a")
    assert start.join("a") == 0.0
    assert start.join("b") == 10.0


def test_a_dynamic_member_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, known=True, group_instance_id=None)
    assert start.join("a") == start.join("b") == 0.0


@pytest.mark.parametrize(
    ("client", "lease"),
    [
        ({}, 10.0),
        ({"session_timeout_ms": 6000}, 6.0),
        ({"heartbeat_interval_ms": 5000}, 15.0),
        ({"heartbeat_interval_ms": 20_000}, 45.0),
        ({"group_instance_id": None}, 45.0),
    ],
)
def test_the_lease_is_short_for_a_name_and_never_longer_than_the_session(client: Any, lease: float) -> None:
    assert settings(**client).lease_seconds == lease


@given(st.floats(0, 1000), st.floats(0, 60), st.floats(0, 60), st.floats(0, 5), st.integers(6, 60), st.integers(1, 20))
def test_the_one_before_has_stopped_whenever_its_last_heartbeat_was_and_however_late_we_learn_of_our_join(
    sent: float, before_join: float, answer_late: float, freeze: float, session: int, interval: int
) -> None:
    """Its heartbeat was sent before the group gave us its name, and that was before we heard of it."""
    both = settings(session_timeout_ms=session * 1000, heartbeat_interval_ms=interval * 1000)
    clock = [0.0]
    metadata = SimpleNamespace(generation_id=3, member_id="a")
    heartbeat = SimpleNamespace(last_send=float("-inf"), last_receive=float("-inf"))
    consumer = SimpleNamespace(group_metadata=lambda: metadata, _coordinator=SimpleNamespace(heartbeat=heartbeat))
    old = Lease(both.lease_seconds, clock=lambda: clock[0])
    old.observe(consumer)
    heartbeat.last_send, heartbeat.last_receive = sent, sent + freeze
    clock[0] = sent + freeze
    old.observe(consumer)
    clock[0] = sent + before_join + answer_late
    new = StaticMember(both, Fencing(), clock=lambda: clock[0])
    wait = new.joined(SimpleNamespace(member_id="b"))
    assert clock[0] + wait > old.until(metadata)


class Coordinator:
    """What of the client's coordinator is watched."""

    def __init__(self) -> None:
        self._generation = SimpleNamespace(member_id="a")
        self.refuses: type[Exception] | None = None

    async def _send_heartbeat_request(self) -> None:
        if self.refuses is not None:
            raise self.refuses

    def _process_sync_group_response(self, response: bytes, _asked_at: float) -> bytes:
        return response


@pytest.mark.parametrize(
    ("instance", "static"),
    [
        ("pricing-host-1", "pricing-host-1"),
        ("a b", "a_b-c8687a08aa5d"),
        ("a_b", "a_b"),
        ("..", "..-"),
        ("preisrechner-zürich", "preisrechner-z_rich-"),
        ("x" * 300, "x" * 230 + "-"),
    ],
)
def test_every_instance_has_a_name_that_kafka_takes(instance: str, static: str) -> None:
    found = settings(instance).static_id
    assert found is not None
    assert found.startswith(static)
    assert len(found) <= 249
    assert settings(instance).member()["group_instance_id"] == found


def test_the_name_can_be_set_and_left_out() -> None:
    assert settings(group_instance_id="other").member()["group_instance_id"] == "other"
    assert settings(group_instance_id=None).member()["group_instance_id"] is None
    assert settings().consumer()["group_instance_id"] is None


class Watched:
    """A coordinator that is watched, and what is known of our standing."""

    def __init__(self) -> None:
        self.mono = 100.0
        self.coordinator, self.fencing = Coordinator(), Fencing(lambda: self.mono)
        static_member = StaticMember(settings(), self.fencing, clock=lambda: self.mono)
        static_member.watch(SimpleNamespace(_coordinator=self.coordinator), lambda _member, _asked_at: None)

    def beat(self, refuses: type[Exception] | None = None) -> None:
        self.coordinator.refuses = refuses
        asyncio.run(self.coordinator._send_heartbeat_request())


def test_heartbeats_refused_for_long_tell_that_another_has_the_name_and_others_do_not() -> None:
    watched = Watched()
    for _ in range(3):
        with pytest.raises(UnknownMemberIdError):
            watched.beat(UnknownMemberIdError)
        watched.mono += PATIENCE
    # A client that is told of a fenced name sends no heartbeat any more.
    with pytest.raises(CoordinatorNotAvailableError):
        watched.beat(FencedInstanceIdError)
    assert not watched.fencing.replaced
    for _ in range(9):
        watched.mono += 1.0
        with pytest.raises(CoordinatorNotAvailableError):
            watched.beat(FencedInstanceIdError)
    watched.mono += 1.0
    with pytest.raises(FencedInstanceIdError):
        watched.beat(FencedInstanceIdError)
    assert watched.fencing.replaced


@pytest.mark.parametrize("taken", [None, RebalanceInProgressError])
def test_a_coordinator_that_refuses_for_a_moment_replaces_nobody(taken: type[Exception] | None) -> None:
    watched = Watched()
    with pytest.raises(CoordinatorNotAvailableError):
        watched.beat(FencedInstanceIdError)
    watched.mono += PATIENCE / 2
    with contextlib.suppress(RebalanceInProgressError):
        watched.beat(taken)
    watched.mono += PATIENCE / 2
    with pytest.raises(CoordinatorNotAvailableError):
        watched.beat(FencedInstanceIdError)


def test_the_time_a_member_asked_for_its_partitions_is_told() -> None:
    coordinator, synced = Coordinator(), []
    StaticMember(settings(), Fencing()).watch(
        SimpleNamespace(_coordinator=coordinator), lambda member, asked_at: synced.append((member, asked_at))
    )
    assert coordinator._process_sync_group_response(b"partitions", 7.0) == b"partitions"
    assert synced == [("a", 7.0)]


def waiting_source(wait: float) -> tuple[Source, list[object]]:
    """A source that may not take anything over for ``wait`` seconds, and what it has said."""
    said: list[object] = []
    pulse = Progress().pulse("source", allowance=60, now=0.0)
    made = Source(
        settings(),
        emit=said.append,
        consumed=lambda: 0,
        pulse=pulse,
        lease=Lease(6.0),
        fencing=Fencing(),
    )
    made._static_member = made._assignment._static_member = SimpleNamespace(wait=wait)  # type: ignore[assignment]
    made._assignment._observe = lambda _consumer: None  # type: ignore[assignment,method-assign]
    return made, said


def test_what_is_not_taken_over_yet_is_not_given_away_before_the_wait_is_over() -> None:
    made, said = waiting_source(0.3)
    place = TopicPartition("prices", 0)
    made._assignment._new.add(place)
    began = time.monotonic()
    made._assignment.revoked(None, [place])
    assert time.monotonic() - began >= 0.3
    assert said == []


@pytest.mark.parametrize(("wait", "leaves"), [(0.0, True), (5.0, False)])
def test_a_member_that_still_waits_keeps_its_partitions_in_the_group_when_it_stops(
    wait: float, *, leaves: bool
) -> None:
    source, _said = waiting_source(wait)
    consumer = SimpleNamespace(_coordinator=SimpleNamespace(), close=lambda **_how: None)
    source._start = lambda: consumer  # type: ignore[method-assign]
    source.leave()
    source.run()
    assert hasattr(consumer._coordinator, "is_dynamic_member") is leaves


@pytest.mark.parametrize(("join", "announced"), [(object(), 0), (None, 1)], ids=["joining", "joined"])
def test_nothing_is_announced_while_a_join_is_under_way(join: object, announced: int) -> None:
    """Announcing asks Kafka, which may take longer than the join: the client would throw that away and join anew."""
    source, _said = waiting_source(0.0)
    assignment = source._assignment
    assignment._new.add(TopicPartition("prices", 0))
    calls: list[object] = []
    assignment._announce = calls.append  # type: ignore[assignment,method-assign]
    consumer = SimpleNamespace(
        _coordinator=SimpleNamespace(_join_task=join, rejoin_needed=False),
        _fetcher=SimpleNamespace(_next_partition_records=None),
        assignment=set,
        poll=lambda **_how: {},
    )
    source._step(consumer)
    assert len(calls) == announced


class Polled:
    """A consumer that gives one record and then nothing, and whose group cannot be asked."""

    def __init__(self) -> None:
        self.left = [SimpleNamespace(offset=7, timestamp=-1, key=None, value=b"{}")]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[SimpleNamespace]]:
        assert timeout_ms
        records, self.left = self.left, []
        return {TopicPartition("prices", 0): records} if records else {}


def test_records_that_were_polled_are_handed_on_although_the_group_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client never gives them again."""
    made, said = waiting_source(0.0)
    for name in ("release_set_aside", "finish_join"):
        monkeypatch.setattr(source, name, lambda _consumer: None)

    def refuse(_consumer: object) -> bool:
        raise FencedInstanceIdError

    monkeypatch.setattr(made._assignment, "follow", refuse)
    monkeypatch.setattr(made._assignment, "retake_astray", lambda _consumer: set())
    monkeypatch.setattr(made._assignment, "tell_caught_up", lambda _consumer: None)
    monkeypatch.setattr(made._assignment, "positions", SimpleNamespace(lags=lambda _consumer: {}))
    made._step(Polled())
    [event] = said
    assert isinstance(event, Records)
    [(partition, [record])] = event.batches
    assert (partition, record.offset) == (("prices", 0), 7)
    assert not made.replaced
