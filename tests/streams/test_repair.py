"""What the Kafka client does wrong is mended: partitions paused mid-batch, clients that cannot connect."""

import gc
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from contribd.streams.repair import finish_join, opened, release_set_aside

COUNT = 200


def read(consumer: KafkaConsumer, polls: int) -> dict[TopicPartition, int]:
    counts: dict[TopicPartition, int] = {}
    for _ in range(polls):
        release_set_aside(consumer)
        for partition, records in consumer.poll(timeout_ms=200).items():
            counts[partition] = counts.get(partition, 0) + len(records)
    return counts


def test_what_was_set_aside_while_paused_is_delivered_after_the_resume(
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
            opened(kind, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=100)
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
