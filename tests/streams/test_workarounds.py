"""What the Kafka client does wrong is mended: partitions paused mid-batch, clients that cannot connect."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.abstract import RebalanceProtocol
from kafka.coordinator.base import Generation
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.errors import KafkaError, NotCoordinatorError, RebalanceInProgressError, UnknownMemberIdError
from kafka.future import Future

from contribd.streams.client.consumer_faults import finish_join, lose_what_is_lost, release_buffered
from contribd.streams.client.workarounds import opened

COUNT = 200


def read(consumer: KafkaConsumer, polls: int) -> dict[TopicPartition, int]:
    counts: dict[TopicPartition, int] = {}
    for _ in range(polls):
        release_buffered(consumer)
        for partition, records in consumer.poll(timeout_ms=200).items():
            counts[partition] = counts.get(partition, 0) + len(records)
    return counts


def test_what_was_buffered_while_paused_is_delivered_after_the_resume(
    broker: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic(partitions=2)
    partitions = [TopicPartition(topic, number) for number in (0, 1)]
    producer = KafkaProducer(bootstrap_servers=broker)
    for _topic, number in partitions:
        for _ in range(COUNT):
            producer.send(topic, value=b"x", partition=number)
    producer.flush()
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, max_poll_records=50)
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    begun: dict[TopicPartition, int] = {}
    while not begun:
        begun = read(consumer, 1)
    (first,) = begun
    consumer.pause(first)
    read(consumer, 8)
    consumer.resume(first)
    rest = read(consumer, 10)
    consumer.close()
    assert begun[first] + rest.get(first, 0) == COUNT


@pytest.mark.parametrize("kind", [KafkaConsumer, KafkaProducer, KafkaAdminClient])
def test_a_client_that_cannot_connect_leaves_nothing_behind(kind: Callable[..., object]) -> None:
    threads = set(threading.enumerate())
    for _ in range(2):
        with pytest.raises(KafkaError):
            opened(kind, lambda _manager: None, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=100)
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - threads and time.monotonic() < deadline:
        time.sleep(0.02)
    assert set(threading.enumerate()) - threads == set()
    gc.collect()


@pytest.mark.parametrize(("task", "asked"), [(object(), True), (None, False)])
def test_a_join_under_way_is_asked_for_until_it_is_over(task: object, *, asked: bool) -> None:
    coordinator = SimpleNamespace(_join_task=task, rejoin_needed=False)
    finish_join(SimpleNamespace(_coordinator=coordinator))
    assert coordinator.rejoin_needed is asked


class JoiningCoordinator:
    """What a coordinator asks for while it joins: each try has the next of ``outcomes``."""

    def __init__(self, coordinator: ConsumerCoordinator, outcomes: list[type[Exception] | None]) -> None:
        self._coordinator = coordinator
        self._outcomes = outcomes
        self._net = SimpleNamespace(sleep=self._sleep)

    async def _sleep(self, _seconds: float) -> None:
        pass

    def call_soon(self, _coroutine: object) -> Future:
        outcome = self._outcomes.pop(0)
        if outcome is None:
            return Future().success(b"")
        if outcome is UnknownMemberIdError:
            self._coordinator.reset_generation()
        return Future().failure(outcome())

    async def wait_for(self, task: Future, _timeout_ms: float | None) -> object:
        if task.failed():
            raise task.exception
        return task.value


@pytest.mark.parametrize(
    "outcomes",
    [
        [UnknownMemberIdError, None],
        [RebalanceInProgressError, UnknownMemberIdError, None],
        [NotCoordinatorError, UnknownMemberIdError, None],
    ],
    ids=["at once", "while a rebalance went on", "after the coordinator moved"],
)
def test_a_member_put_out_of_its_group_while_it_joins_loses_its_partitions(
    outcomes: list[type[Exception] | None],
) -> None:
    lost: list[TopicPartition] = []
    owned = [TopicPartition("prices", 1)]
    coordinator = ConsumerCoordinator.__new__(ConsumerCoordinator)
    coordinator.config = {"api_version": (4, 0), "enable_auto_commit": False, "retry_backoff_ms": 0, "group_id": "g"}
    coordinator._lock = threading.RLock()
    coordinator._generation = Generation(7, "member", "cooperative-sticky")
    coordinator._rebalance_protocol = RebalanceProtocol.COOPERATIVE
    coordinator._subscription = SimpleNamespace(
        assigned_partitions=lambda: list(owned),
        assign_from_subscribed=lambda partitions: owned.clear() if not partitions else None,
        mark_pending_revocation=lambda _partitions: None,
        rebalance_listener=SimpleNamespace(on_partitions_lost=lost.extend),
        reset_group_subscription=lambda: None,
        subscription={"prices"},
    )
    coordinator._manager = JoiningCoordinator(coordinator, outcomes)
    coordinator._join_task = None
    coordinator.rejoining, coordinator.rejoin_needed = False, True
    coordinator.need_rejoin = lambda: coordinator.rejoin_needed
    coordinator.ensure_coordinator_ready_async = _ready
    coordinator._disable_heartbeat = coordinator._enable_heartbeat = lambda: None
    coordinator._do_join_and_sync_async = None
    coordinator._on_join_complete_async = _complete
    lose_what_is_lost(SimpleNamespace(_coordinator=coordinator))
    assert asyncio.run(coordinator.join_group_async())
    assert lost == [TopicPartition("prices", 1)]


async def _ready(timeout_ms: float | None = None) -> bool:
    del timeout_ms
    return True


async def _complete(*_what: object) -> None:
    pass
