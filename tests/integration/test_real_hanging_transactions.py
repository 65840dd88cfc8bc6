"""A transaction that a process left open when it died, and its successors; only real Kafka has the requests."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions
from kafka.errors import CommitFailedError, KafkaError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.streams.stream_suite import GroupProcess, Topics, eventually, no_member, unique

from contribd.streams.client.cluster import connect
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.hanging_transactions import ONCE_IN, HangingTransactions
from contribd.streams.runtime import THREADS

FAR_AWAY = 60_000
"""Milliseconds after which the broker would end a transaction by itself."""


class Open(Protocol):
    """Opens a transaction in the name of an instance, as ``member`` of the group where it is given."""

    def __call__(self, topics: Topics, instance: str, member: GroupProcess | None = None) -> KafkaProducer: ...


def begins(producer: KafkaProducer, topics: Topics, member: GroupProcess | None) -> bool:
    producer.begin_transaction()
    producer.send(topics.results, b"unfinished").get(timeout=10)
    offsets = {TopicPartition(topics.prices, 0): OffsetAndMetadata(0, "", -1)}
    ours = no_member() if member is None else member.group
    assert ours is not None
    group = ConsumerGroupMetadata(topics.group, ours.generation, ours.member_id, ours.static_id)
    try:
        producer.send_offsets_to_transaction(offsets, group)
    except CommitFailedError:
        producer.abort_transaction()
        return False
    producer.flush()
    return True


@pytest.fixture
def topics(kafka: KafkaBroker) -> Topics:
    return Topics(kafka, 2)


@pytest.fixture
def left_open() -> Iterator[Open]:
    """Opens a transaction of the group with a result and an offset of partition 0, as an instance's sink does."""
    opened: list[KafkaProducer] = []

    def open_one(topics: Topics, instance: str, member: GroupProcess | None = None) -> KafkaProducer:
        settings = topics.settings(instance)
        client = {**settings.client, "transaction_timeout_ms": FAR_AWAY}
        producer = KafkaProducer(**replace(settings, client=client).producer())
        opened.append(producer)
        producer.init_transactions()
        eventually(lambda: begins(producer, topics, member), "a transaction in the group's present generation")
        return producer

    yield open_one
    for producer in opened:
        try:
            producer.close(timeout=1)
        except KafkaError:
            producer._sender.force_close()


def is_open(producer: KafkaProducer) -> bool:
    """Whether its transaction can still be committed."""
    try:
        producer.commit_transaction()
    except KafkaError:
        return False
    return True


class Ender:
    """Looks for what the dead of a group left open, and waits for each look."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        runtime = replace(THREADS, mono=clock, background=self._run)
        self._hanging = HangingTransactions(connect(settings), settings, runtime)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        thread.join(30)

    def end(self, member_id: str) -> None:
        self._hanging.end(member_id)


def end(member: GroupProcess, settings: KafkaSettings) -> None:
    assert member.group is not None
    Ender(settings).end(member.group.member_id)


def test_the_heirs_of_a_dead_process_do_not_wait_for_the_timeout_of_its_transaction(
    topics: Topics, left_open: Open
) -> None:
    producer = left_open(topics, "dead")
    begun = time.monotonic()
    promoted = GroupProcess(topics.settings("promoted"))
    promoted.wait_for(topics.partition(0), topics.partition(1))
    assert time.monotonic() - begun < FAR_AWAY / 1000 / 2
    assert topics.read(topics.results) == []
    assert not is_open(producer)
    promoted.leave()


def test_that_of_a_member_is_left_alone(topics: Topics, left_open: Open) -> None:
    alive, other = GroupProcess(topics.settings("alive")), GroupProcess(topics.settings("other"))
    alive.wait_for(topics.partition(0))
    other.wait_for()
    producer = left_open(topics, "alive", alive)
    end(other, topics.settings("other"))
    assert is_open(producer)
    alive.leave()
    other.leave()


def test_that_of_another_group_s_member_is_left_alone_though_it_may_be_read_as_ours(
    kafka: KafkaBroker, topics: Topics, left_open: Open
) -> None:
    """Instance ``one`` of group ``g-b`` has the transactional.id that ``b-one`` of ``g`` would have."""
    member = GroupProcess(topics.settings("member"))
    member.wait_for(topics.partition(0))
    theirs = Topics(kafka)
    theirs.group, theirs.results = f"{topics.group}-b", topics.results
    neighbour = GroupProcess(theirs.settings("one"))
    neighbour.wait_for(theirs.partition(0))
    producer = left_open(theirs, "one", neighbour)
    end(member, topics.settings("member"))
    assert is_open(producer)
    member.leave()
    neighbour.leave()


def test_nothing_is_believed_of_a_group_that_does_not_know_us(topics: Topics, left_open: Open) -> None:
    producer = left_open(topics, "dead")
    Ender(topics.settings("promoted")).end(unique("member"))
    assert is_open(producer)


def test_none_is_ended_twice_in_a_short_while(topics: Topics, left_open: Open) -> None:
    """Whoever opens another one is alive, though the group does not know it."""
    now = 1000.0
    member = GroupProcess(topics.settings("member"))
    member.wait_for(topics.partition(0))
    ender = Ender(topics.settings("member"), clock=lambda: now)

    def is_ended() -> bool:
        producer = left_open(topics, "dead", member)
        assert member.group is not None
        ender.end(member.group.member_id)
        return not is_open(producer)

    assert is_ended()
    now += ONCE_IN - 1
    assert not is_ended()
    now += 1
    assert is_ended()
    member.leave()


def test_a_new_partition_begins_though_others_of_its_topic_are_being_committed(topics: Topics, left_open: Open) -> None:
    """Where many members write, there is always a transaction open."""
    member = GroupProcess(topics.settings("one", start_from="latest"))
    member.wait_for(topics.partition(0), topics.partition(1))
    producer = left_open(topics, "two", member)
    admin = KafkaAdminClient(bootstrap_servers=topics.bootstrap)
    admin.create_partitions({topics.prices: NewPartitions(3)})
    admin.close()
    topics.produce(b"new", partition=2)
    eventually(lambda: member.values == [b"new"], "the record of the new partition")
    assert is_open(producer), "nobody had to end it"
    member.leave()
