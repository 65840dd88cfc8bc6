"""Records appended together are those that the producer would have sent one by one."""

from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.producer import Producer
from contribd.streams.client.settings import KafkaSettings

RECORDS = [
    Encoded(f"R{number}=".encode(), b'{"n":%d}' % number, [("status", b"ACK"), ("n", str(number).encode())])
    for number in range(300)
]


@pytest.fixture
def producer(broker: str) -> Any:
    settings = KafkaSettings((broker,), "g", ("prices",), "results", None, "latest", "append", client={})
    made = KafkaProducer(**{**settings.producer(), "max_block_ms": 2_000})
    made.init_transactions()
    yield made
    made.close()


def read(broker: str, topic: str, partitions: int) -> dict[int, list[tuple[bytes, bytes, list[tuple[str, bytes]]]]]:
    """What a read_committed reader finds, by partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker, isolation_level="read_committed", enable_auto_commit=False)
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    found: dict[int, list[tuple[bytes, bytes, list[tuple[str, bytes]]]]] = {number: [] for number in range(partitions)}
    while any(consumer.position(place) < end for place, end in ends.items()):
        for place, records in consumer.poll(timeout_ms=200).items():
            found[place.partition] += [(record.key, record.value, list(record.headers)) for record in records]
    consumer.close()
    return found


def test_they_are_the_same_in_the_same_partitions_and_order(
    broker: str, producer: Any, new_topic: Callable[..., str]
) -> None:
    sent, appended = new_topic(partitions=3), new_topic(partitions=3)
    producer.begin_transaction()
    for record in RECORDS:
        producer.send(sent, key=record.key, value=record.value, headers=record.headers)
    Producer(producer, "g").append(appended, RECORDS)
    producer.commit_transaction()
    expected = read(broker, sent, 3)
    assert sum(map(len, expected.values())) == len(RECORDS)
    assert read(broker, appended, 3) == expected


def test_records_without_a_key_go_somewhere(broker: str, producer: Any, new_topic: Callable[..., str]) -> None:
    topic = new_topic(partitions=2)
    producer.begin_transaction()
    Producer(producer, "g").append(topic, [Encoded(None, b"1", []), RECORDS[0], Encoded(None, b"2", [])])
    producer.commit_transaction()
    values = [value for records in read(broker, topic, 2).values() for _key, value, _headers in records]
    assert sorted(values) == sorted([b"1", b"2", RECORDS[0].value])
