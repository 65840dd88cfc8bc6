"""Whether a group that refuses us, or tells of offsets, is believed."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import FencedInstanceIdError, RebalanceInProgressError, UnknownMemberIdError

from contribd.streams.standing import PATIENCE, Standing, confirm


class Clock:
    def __init__(self) -> None:
        self.mono = 100.0

    def __call__(self) -> float:
        return self.mono


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_refusal_is_believed_once_it_has_lasted(clock: Clock) -> None:
    standing = Standing(clock)
    assert not standing.refused()
    clock.mono += PATIENCE - 0.1
    assert not standing.refused()
    clock.mono += 0.1
    assert standing.refused()
    assert standing.replaced


def test_a_heartbeat_that_is_taken_makes_refusals_before_it_void(clock: Clock) -> None:
    standing = Standing(clock)
    standing.refused()
    clock.mono += PATIENCE - 0.1
    standing.known(clock.mono)
    clock.mono += 0.2
    assert not standing.refused()
    assert not standing.replaced


def test_only_a_heartbeat_sent_after_the_moment_shows_that_the_group_knows_us_since(clock: Clock) -> None:
    standing, stopping = Standing(clock), threading.Event()
    stopping.set()
    standing.known(100.0)
    assert not standing.known_since(100.0, stopping)
    standing.known(100.1)
    standing.known(99.0)  # an answer that overtook another
    assert standing.known_since(100.0, stopping)


def test_a_group_that_does_not_know_us_in_time_is_not_waited_for_any_longer() -> None:
    begun = time.monotonic()
    standing = Standing(lambda: begun + 1000 * (time.monotonic() - begun))
    assert not standing.known_since(begun, threading.Event())
    assert time.monotonic() - begun < 5


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
