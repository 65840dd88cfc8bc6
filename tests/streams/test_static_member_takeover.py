"""Who had our name before must have stopped posting when we begin, whatever became of it."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError

from contribd.engine.events import Records
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.ops.progress import Progress
from contribd.streams.client.cluster import connect
from contribd.streams.client.errors import FencedInstanceIdError
from contribd.streams.client.port import GroupMember, Heartbeats, Kafka, Member, Topics
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.group.static_member import StaticMember
from contribd.streams.runtime import THREADS
from contribd.streams.source import Source


def settings(instance: str = "one", **client: Any) -> KafkaSettings:
    return KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", instance, client)


def members_of(*static_ids: str | None) -> list[GroupMember]:
    return [GroupMember(f"{static_id}-0", static_id, "contribd-before") for static_id in static_ids]


def group_of(members: list[GroupMember]) -> Kafka:
    """A cluster whose groups have these members."""
    admin = SimpleNamespace(members=lambda _group: members, close=lambda: None)
    return replace(connect(settings()), admin=lambda: admin)


class ProcessStart:
    """A process that starts and joins; ``known``: the group's answer to whether it has our name already."""

    def __init__(self, known: bool, **client: Any) -> None:
        self.mono = 100.0
        one = settings(**client)
        self.members = members_of("other", None, *[one.static_id] * known)
        """What the group says of its members, whenever it is asked."""
        self.static_member = StaticMember(one, group_of(self.members), clock=lambda: self.mono)
        self.static_member.look()

    def join(self, member_id: str) -> float:
        return self.static_member.joined(Member(1, member_id))


def test_a_name_in_use_is_waited_for() -> None:
    start = ProcessStart(known=True)
    assert start.join("a") == 10.0
    start.mono += 4.0
    assert start.join("a") == start.static_member.wait == 6.0
    start.mono += 6.0
    assert start.static_member.wait == 0.0


def test_a_name_nobody_uses_is_not_waited_for() -> None:
    assert ProcessStart(known=False).join("a") == 0.0


def test_a_second_membership_may_have_replaced_anybody() -> None:
    start = ProcessStart(known=False)
    start.join("a")
    assert start.join("a") == 0.0
    assert start.join("b") == 10.0


def test_a_dynamic_member_waits_for_nobody() -> None:
    start = ProcessStart(known=True, group_instance_id=None)
    assert start.join("a") == start.join("b") == 0.0


def test_who_took_over_from_another_joins_again_once() -> None:
    start = ProcessStart(known=True)
    assert not start.static_member.must_rejoin()
    start.join("a")
    assert start.static_member.must_rejoin()
    start.join("a")
    assert not start.static_member.must_rejoin()


@pytest.mark.parametrize("known", [True, False])
def test_each_takeover_is_another_one_to_join_again_for(*, known: bool) -> None:
    start = ProcessStart(known=known)
    start.join("a")
    assert start.static_member.must_rejoin() == known
    start.join("b")
    assert start.static_member.must_rejoin()
    assert not start.static_member.must_rejoin()


def test_who_took_over_from_nobody_need_not_join_again() -> None:
    start = ProcessStart(known=False)
    start.join("a")
    start.join("a")
    assert not start.static_member.must_rejoin()


def test_a_dynamic_member_never_joins_again_for_a_name() -> None:
    start = ProcessStart(known=True, group_instance_id=None)
    for member_id in "ab":
        start.join(member_id)
        assert not start.static_member.must_rejoin()


def test_who_was_told_of_fewer_members_asks_again_and_joins_again_where_there_are_some() -> None:
    """The coordinator had answered from an old state: this member may have taken over from another."""
    start = ProcessStart(known=False)
    start.join("a")
    start.members.extend([*members_of("third"), GroupMember("a", "one", "contribd-one")])
    start.mono += 9.9
    assert not start.static_member.must_rejoin()
    start.mono += 0.1
    assert start.static_member.must_rejoin()
    start.mono += 100.0
    assert not start.static_member.must_rejoin()


def test_who_was_told_of_all_members_asks_again_once() -> None:
    start = ProcessStart(known=False)
    start.join("a")
    start.members.append(GroupMember("a", "one", "contribd-one"))
    start.mono += 10.0
    assert not start.static_member.must_rejoin()
    start.members.extend(members_of("third"))
    start.mono += 100.0
    assert not start.static_member.must_rejoin()


def test_where_the_group_cannot_be_asked_again_it_is_asked_later() -> None:
    start = ProcessStart(known=False)
    start.join("a")
    start.mono += 10.0
    with patch.object(start.static_member, "_members", side_effect=KafkaTimeoutError), pytest.raises(KafkaTimeoutError):
        start.static_member.must_rejoin()
    start.members.extend(members_of("third"))
    assert not start.static_member.must_rejoin()
    start.mono += 10.0
    assert start.static_member.must_rejoin()


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
    member = Member(3, "a")
    old = Lease(both.lease_seconds, clock=lambda: clock[0])
    old.observe(member, Heartbeats(float("-inf"), float("-inf")))
    clock[0] = sent + freeze
    old.observe(member, Heartbeats(sent, sent + freeze))
    clock[0] = sent + before_join + answer_late
    new = StaticMember(both, connect(both), clock=lambda: clock[0])
    wait = new.joined(Member(3, "b"))
    assert clock[0] + wait > old.until(member)


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


class TakeoverConsumer:
    """A consumer that gives these records once; all else that is asked of it has an empty answer."""

    def __init__(self, *records: Record, joining: bool = False) -> None:
        self._left, self._joining = list(records), joining
        self.closed: list[bool] = []
        """Whether each close was to leave the group."""

    def poll(self, seconds: float) -> dict[Partition, list[Record]]:
        assert seconds
        records, self._left = self._left, []
        return {Partition("prices", 0): records} if records else {}

    def is_joining(self) -> bool:
        return self._joining

    def assignment(self) -> set[Partition]:
        return set()

    def topics(self) -> Topics:
        return {}

    def close(self, *, leave: bool) -> None:
        self.closed.append(leave)


def make_source(said: list[object]) -> Source:
    """A source that was not started, which adds to ``said`` what it tells of."""
    return Source(
        settings(),
        connect(settings()),
        runtime=THREADS,
        emit=said.append,
        consumed=lambda: 0,
        pulse=Progress().pulse("source", allowance=60, now=0.0),
        lease=Lease(6.0),
        fencing=Fencing(),
    )


class Rejoining(TakeoverConsumer):
    """A consumer that counts how often it is to join again."""

    def __init__(self) -> None:
        super().__init__()
        self.generation = 0
        self.rejoins = 0

    def member(self) -> Member:
        return Member(self.generation, "a")

    def heartbeats(self) -> Heartbeats:
        return Heartbeats(float("-inf"), float("-inf"))

    def rejoin(self) -> None:
        self.rejoins += 1


def test_the_group_is_joined_again_once_whatever_generations_follow() -> None:
    start, consumer, said = ProcessStart(known=True), Rejoining(), list[object]()
    assignment = make_source(said)._assignment
    assignment._static_member = start.static_member
    for _ in range(4):
        consumer.generation += 1
        assignment.follow(consumer)  # type: ignore[arg-type]
        assignment.follow(consumer)  # type: ignore[arg-type]
        start.mono += 1.0
        assert start.static_member.wait
        assert consumer.rejoins == 1
    assert len(said) == 4


def waiting_source(wait: float) -> tuple[Source, list[object]]:
    """A source that may not take anything over for ``wait`` seconds, and what it has said."""
    said: list[object] = []
    made = make_source(said)
    member: Any = SimpleNamespace(wait=wait, must_rejoin=lambda: False)
    made._static_member = made._assignment._static_member = member
    made._assignment._observe = lambda _consumer: None  # type: ignore[assignment,method-assign]
    return made, said


def test_what_is_not_taken_over_yet_is_not_given_away_before_the_wait_is_over() -> None:
    made, said = waiting_source(0.3)
    place, consumer = Partition("prices", 0), TakeoverConsumer()
    made._assignment._new.add(place)
    began = time.monotonic()
    made._assignment.revoked(consumer, [place])  # type: ignore[arg-type]
    assert time.monotonic() - began >= 0.3
    assert said == []


@pytest.mark.parametrize(("wait", "leaves"), [(0.0, True), (5.0, False)])
def test_a_member_that_still_waits_keeps_its_partitions_in_the_group_when_it_stops(
    wait: float, *, leaves: bool
) -> None:
    source, _said = waiting_source(wait)
    consumer = TakeoverConsumer()
    source._start = lambda: consumer  # type: ignore[method-assign,assignment,return-value]
    source.leave()
    source.run()
    assert consumer.closed == [leaves]


@pytest.mark.parametrize(("joining", "announced"), [(True, 0), (False, 1)], ids=["joining", "joined"])
def test_nothing_is_announced_while_a_join_is_under_way(joining: bool, announced: int) -> None:
    """Announcing asks Kafka, which may take longer than the join: the client would throw that away and join anew."""
    source, _said = waiting_source(0.0)
    assignment = source._assignment
    assignment._new.add(Partition("prices", 0))
    calls: list[object] = []
    assignment._announce = calls.append  # type: ignore[assignment,method-assign]
    source._step(TakeoverConsumer(joining=joining))  # type: ignore[arg-type]
    assert len(calls) == announced


def test_records_that_were_polled_are_handed_on_although_the_group_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client never gives them again."""
    made, said = waiting_source(0.0)

    def refuse(_consumer: object) -> bool:
        raise FencedInstanceIdError

    monkeypatch.setattr(made._assignment, "follow", refuse)
    monkeypatch.setattr(made._assignment, "retake_changed", lambda _consumer: set())
    monkeypatch.setattr(made._assignment, "tell_caught_up", lambda _consumer: None)
    monkeypatch.setattr(made._assignment, "positions", SimpleNamespace(lags=lambda _consumer: {}))
    made._step(TakeoverConsumer(Record(7, -1, None, b"{}")))  # type: ignore[arg-type]
    [event] = said
    assert isinstance(event, Records)
    [(partition, [record])] = event.batches
    assert (partition, record.offset) == (("prices", 0), 7)
    assert not made.replaced
