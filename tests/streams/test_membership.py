"""What the client keeps to itself of its group, as it is heard, asked and said from outside."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import (
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from contribd.streams.client.membership import confirm, speak_for, tell_out_of_range, watch
from contribd.streams.client.port import Member
from contribd.streams.group.blocked import BlockedPartitions
from contribd.streams.group.fencing import REFUSAL_GRACE, Fencing
from contribd.streams.group.hooks import Hooks
from contribd.streams.group.lease import Lease
from contribd.streams.group.positions import Positions

P = TopicPartition("prices", 3)


class Network:
    def run(self, coroutine: Callable[[], Awaitable[None]]) -> None:
        asyncio.run(coroutine())  # type: ignore[arg-type]


def consumer(answer: type[Exception] | None) -> Any:
    async def heartbeat() -> None:
        if answer is not None:
            raise answer

    return SimpleNamespace(_net=Network(), _coordinator=SimpleNamespace(_send_heartbeat_request=heartbeat))


@pytest.mark.parametrize("answer", [None, RebalanceInProgressError])
def test_a_group_that_takes_a_heartbeat_or_rebalances_knows_us(answer: type[Exception] | None) -> None:
    confirm(consumer(answer))


@pytest.mark.parametrize("answer", [FencedInstanceIdError, UnknownMemberIdError])
def test_a_group_that_refuses_a_heartbeat_does_not(answer: type[Exception]) -> None:
    with pytest.raises(answer):
        confirm(consumer(answer))


def test_another_consumer_asks_in_the_name_of_the_member() -> None:
    waits: list[int] = []

    def ready(timeout_ms: int) -> None:
        waits.append(timeout_ms)

    coordinator = SimpleNamespace(config={"group_instance_id": None}, _generation=None, ensure_coordinator_ready=ready)
    speak_for(SimpleNamespace(_coordinator=coordinator), Member(7, "member", "name"), 0.5)
    generation = coordinator._generation
    assert (generation.generation_id, generation.member_id) == (7, "member")
    assert (coordinator.config["group_instance_id"], waits) == ("name", [500])


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


class Watched:
    """A coordinator that is watched, and what is known of our standing."""

    def __init__(self) -> None:
        self.mono = 100.0
        self.coordinator, self.fencing = Coordinator(), Fencing(lambda: self.mono)
        hooks = Hooks(self.fencing, Lease(6.0), Positions(), BlockedPartitions(lambda: self.mono, lambda _event: None))
        watch(SimpleNamespace(_coordinator=self.coordinator), hooks)

    def beat(self, refuses: type[Exception] | None = None) -> None:
        self.coordinator.refuses = refuses
        asyncio.run(self.coordinator._send_heartbeat_request())


def test_heartbeats_refused_for_long_tell_that_another_has_the_name_and_others_do_not() -> None:
    watched = Watched()
    for _ in range(3):
        with pytest.raises(UnknownMemberIdError):
            watched.beat(UnknownMemberIdError)
        watched.mono += REFUSAL_GRACE
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
    watched.mono += REFUSAL_GRACE / 2
    with contextlib.suppress(RebalanceInProgressError):
        watched.beat(taken)
    watched.mono += REFUSAL_GRACE / 2
    with pytest.raises(CoordinatorNotAvailableError):
        watched.beat(FencedInstanceIdError)


def test_the_time_a_member_asked_for_its_partitions_is_told() -> None:
    coordinator, synced = Coordinator(), []
    hooks: Any = SimpleNamespace(known=lambda: None, synced=lambda *what: synced.append(what))
    watch(SimpleNamespace(_coordinator=coordinator), hooks)
    assert coordinator._process_sync_group_response(b"partitions", 7.0) == b"partitions"
    assert synced == [("a", 7.0)]


def test_the_client_resets_nothing_by_itself() -> None:
    told: list[TopicPartition] = []
    subscription = SimpleNamespace(request_offset_reset=None)
    tell_out_of_range(SimpleNamespace(_subscription=subscription), told.append)
    subscription.request_offset_reset(P)
    subscription.request_offset_reset(P, "earliest")
    assert told == [P, P]
