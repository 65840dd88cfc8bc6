"""Whether a group that refuses us, or tells of offsets, is believed."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import FencedInstanceIdError, RebalanceInProgressError, UnknownMemberIdError
from kafka.structs import ConsumerGroupMetadata

from contribd.streams.group.fencing import PATIENCE, Fencing, confirm, speak_for


class Clock:
    def __init__(self) -> None:
        self.mono = 100.0

    def __call__(self) -> float:
        return self.mono


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refuse(fencing: Fencing, clock: Clock, seconds: float) -> None:
    """As heartbeats are refused: a few a second."""
    for _ in range(round(seconds / 0.5)):
        assert not fencing.refused()
        clock.mono += 0.5


def test_a_refusal_is_believed_once_it_has_lasted(clock: Clock) -> None:
    fencing = Fencing(clock)
    refuse(fencing, clock, PATIENCE)
    assert fencing.refused()
    assert fencing.replaced


def test_a_heartbeat_that_is_taken_makes_refusals_before_it_void(clock: Clock) -> None:
    fencing = Fencing(clock)
    refuse(fencing, clock, PATIENCE)
    fencing.known()
    refuse(fencing, clock, PATIENCE)
    assert not fencing.replaced


def test_refusals_with_a_silence_between_them_have_not_lasted(clock: Clock) -> None:
    """A broker that is killed twice may refuse for a moment after each."""
    fencing = Fencing(clock)
    refuse(fencing, clock, 1.0)
    clock.mono += 4 * PATIENCE
    refuse(fencing, clock, 1.0)
    assert not fencing.replaced


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
    speak_for(SimpleNamespace(_coordinator=coordinator), ConsumerGroupMetadata("g", 7, "member", "name"), 500)
    generation = coordinator._generation
    assert (generation.generation_id, generation.member_id) == (7, "member")
    assert (coordinator.config["group_instance_id"], waits) == ("name", [500])
