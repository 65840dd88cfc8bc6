"""Stretches of the prices topics, read for somebody to look at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaProducer

from contribd.engine.records.offsets import Partition
from contribd.mapping.inputs import Input
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.span import OffsetRange, Span, parse_offsets
from contribd.streams.traffic import Stretch, TrafficError, open_traffic

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


def write(broker: str, topic: str, partition: int, *seconds: int) -> None:
    """Records that say when they are stamped, that many seconds after noon; each in a transaction, since the embedded
    broker knows the end of a log only behind those: offsets are even, and markers stand between."""
    producer = KafkaProducer(bootstrap_servers=broker, transactional_id=f"{topic}-{partition}")
    producer.init_transactions()
    for each in seconds:
        producer.begin_transaction()
        stamp = round((NOON + timedelta(seconds=each)).timestamp() * 1000)
        headers = [("desk", b"fx")]
        producer.send(topic, b"%d" % each, key=b"k", partition=partition, timestamp_ms=stamp, headers=headers)
        producer.commit_transaction()
    producer.close()


def settings(broker: str, *topics: str) -> KafkaSettings:
    return KafkaSettings((broker,), "", topics, "results", None, "earliest", "", {})


def read(broker: str, topic: str, span: Span) -> list[Input]:
    with open_traffic(settings(broker, topic), span) as traffic:
        return list(traffic.records)


def values(records: list[Input]) -> list[int]:
    return [int(each.value or b"") for each in records]


@pytest.fixture
def topic(broker: str, new_topic: Callable[..., str]) -> str:
    made = new_topic(partitions=2)
    write(broker, made, 0, 0, 2, 4, 6)
    write(broker, made, 1, 1, 3, 5)
    return made


def test_all_partitions_are_read_oldest_first_with_all_that_surrounds_a_record(broker: str, topic: str) -> None:
    found = read(broker, topic, Span())
    assert values(found) == [0, 1, 2, 3, 4, 5, 6]
    around = found[1].surroundings
    stamp = round((NOON + timedelta(seconds=1)).timestamp() * 1000)
    assert around == ("k", topic, 1, 0, stamp, {"desk": "fx"})


def test_offsets_are_read_as_far_as_they_are_there(broker: str, topic: str) -> None:
    with open_traffic(settings(broker, topic), Span(offsets=(parse_offsets(f"{topic}:0:1..4"),))) as traffic:
        assert traffic.stretches == (Stretch(Partition(topic, 0), 1, 5),)
        assert traffic.offsets == 4
        assert values(list(traffic.records)) == [2, 4]
    assert values(read(broker, topic, Span(offsets=(parse_offsets(f"{topic}:0:3.."),)))) == [4, 6]
    assert values(read(broker, topic, Span(offsets=(parse_offsets(f"{topic}:1:4"),)))) == [5]
    assert read(broker, topic, Span(offsets=(parse_offsets(f"{topic}:1:99"),))) == []


def test_the_newest_of_each_partition_are_read(broker: str, topic: str) -> None:
    # Markers of transactions count: of four offsets at the end of a partition two hold records.
    assert values(read(broker, topic, Span(newest=4))) == [3, 4, 5, 6]
    assert values(read(broker, topic, Span(newest=100))) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("place", "said"),
    [("{}:7:0", "there is no partition"), ("none:0:0", "no topic")],
)
def test_what_is_not_there_is_told(broker: str, topic: str, place: str, said: str) -> None:
    with pytest.raises(TrafficError, match=said):
        read(broker, topic, Span(offsets=(parse_offsets(place.format(topic)),)))


def test_a_place_is_an_offset_several_or_all_from_one_on() -> None:
    assert parse_offsets("prices:3:1812") == OffsetRange(Partition("prices", 3), 1812, 1812)
    assert parse_offsets("prices:3:1812..1900") == OffsetRange(Partition("prices", 3), 1812, 1900)
    assert parse_offsets("prices:3:1812..") == OffsetRange(Partition("prices", 3), 1812, None)
    for wrong in ("prices", "prices:3", "prices:3:9..8", "prices:-1:2", "prices:3:1-2"):
        with pytest.raises(ValueError, match=r"names no records|ends before"):
            parse_offsets(wrong)
