"""The Kafka rig gives a broker that has what contribd builds on, and that survives what its tests do to it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.shared_broker import shared_broker
from tests.integration.rigs.spawned import listening
from tests.integration.rigs.wait import eventually


def produce(broker: KafkaBroker, topic: str, *values: bytes) -> None:
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap)) as producer:
        for future in [producer.send(topic, value) for value in values]:
            future.get(timeout=20)


def consumer(broker: KafkaBroker, topic: str, **settings: Any) -> KafkaConsumer:
    return KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings,
    )


def read(one: KafkaConsumer, count: int) -> list[bytes]:
    values: list[bytes] = []

    def enough() -> bool:
        for records in one.poll(timeout_ms=100).values():
            values.extend(record.value for record in records)
        return len(values) >= count

    eventually(enough, within=60, what=f"{count} records")
    return values


@pytest.fixture
def transactional(kafka: KafkaBroker) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=unique("rig"), retry_backoff_ms=5)
    producer.init_transactions()
    yield producer
    producer.close()


def test_a_transaction_carries_records_and_offsets_with_their_metadata(
    kafka: KafkaBroker, transactional: KafkaProducer
) -> None:
    prices, results, group = kafka.create_topic(unique("prices"), 2), kafka.create_topic(unique("results")), unique("g")
    produce(kafka, prices, b"1", b"2", b"3")
    with closing(consumer(kafka, prices, group_id=group)) as source:
        assert sorted(read(source, 3)) == [b"1", b"2", b"3"]
        partition = TopicPartition(prices, 0)
        transactional.begin_transaction()
        transactional.send(results, b"answer")
        offsets = {partition: OffsetAndMetadata(1, "bits=Zm9v", -1)}
        transactional.send_offsets_to_transaction(offsets, source.group_metadata())
        transactional.commit_transaction()
        committed = source.committed(partition, metadata=True)
    assert (committed.offset, committed.metadata) == (1, "bits=Zm9v")
    with closing(consumer(kafka, results)) as sink:
        assert read(sink, 1) == [b"answer"]


def test_an_aborted_transaction_is_not_read(kafka: KafkaBroker, transactional: KafkaProducer) -> None:
    results = kafka.create_topic(unique("results"))
    for value, end in ((b"dropped", transactional.abort_transaction), (b"kept", transactional.commit_transaction)):
        transactional.begin_transaction()
        transactional.send(results, value).get(timeout=20)
        end()
    with closing(consumer(kafka, results)) as sink:
        assert read(sink, 1) == [b"kept"]


def test_a_killed_broker_comes_back_on_its_port_with_its_data(own_kafka: KafkaBroker) -> None:
    topic, port = own_kafka.create_topic(unique("prices"), 3), own_kafka.port
    produce(own_kafka, topic, b"before")
    own_kafka.kill()
    assert not listening(port)
    own_kafka.start()
    assert own_kafka.port == port
    produce(own_kafka, topic, b"after")
    with closing(consumer(own_kafka, topic)) as source:
        assert sorted(read(source, 2)) == [b"after", b"before"]


def test_a_paused_broker_answers_nothing_until_it_is_resumed(own_kafka: KafkaBroker) -> None:
    topic = own_kafka.create_topic(unique("prices"))
    with closing(KafkaProducer(bootstrap_servers=own_kafka.bootstrap)) as producer:
        producer.send(topic, b"warm").get(timeout=20)
        own_kafka.pause()
        waiting = producer.send(topic, b"held")
        with pytest.raises(Exception, match=r"(?i)time"):
            waiting.get(timeout=1)
        assert own_kafka.running
        own_kafka.resume()
        assert waiting.get(timeout=20).offset == 1


@pytest.mark.usefixtures("kafka")  # for its need, and so that its jars are here
def test_a_broker_for_all_is_started_once_and_ends_with_its_last_user(tmp_path: Path) -> None:
    with shared_broker(tmp_path) as first:
        topic = first.create_topic(unique("prices"))
        with shared_broker(tmp_path) as second:
            assert second.port == first.port
        produce(first, topic, b"still there")
    eventually(lambda: not listening(first.port), within=30, what="the end of the broker")
    with shared_broker(tmp_path) as later:
        assert listening(later.port)
        assert later.directory != first.directory
