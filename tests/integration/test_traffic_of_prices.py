"""Prices read for somebody to look at, from real Kafka: by time, in every codec, and past what cannot be read."""

from datetime import datetime, timedelta

from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.test_codecs import CODECS
from tests.integration.test_unreadable import AFTER, BAD, BEFORE, SPOILT, prepared
from tests.streams.test_traffic import NOON, settings, values

from contribd.streams.span import Span
from contribd.streams.traffic import open_traffic


def write(kafka: KafkaBroker, topic: str) -> None:
    """A partition in each codec, of records that say when they are stamped, in seconds after noon."""
    for number, codec in enumerate(CODECS):
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=codec, linger_ms=50)
        for second in range(number, 40, len(CODECS)):
            producer.send(topic, b"%d" % second, partition=number, timestamp_ms=milliseconds(second))
        producer.close()


def milliseconds(second: int) -> int:
    return round((at(second)).timestamp() * 1000)


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def test_a_time_is_read_from_all_partitions_oldest_first_in_every_codec(kafka: KafkaBroker) -> None:
    topic = kafka.create_topic(unique("prices"), len(CODECS))
    write(kafka, topic)
    for since, until, expected in (
        (None, None, range(40)),
        (at(5), at(30), range(5, 31)),
        (at(38), None, range(38, 40)),
        (None, at(3), range(4)),
        (at(100), None, range(0)),
    ):
        with open_traffic(settings(kafka.bootstrap, topic), Span(since, until)) as traffic:
            assert values(list(traffic.records)) == list(expected)
            assert traffic.offsets == len(expected)


def test_what_cannot_be_read_is_passed_over_and_told(own_kafka: KafkaBroker) -> None:
    topic = unique("prices")
    prepared(own_kafka, topic)
    with open_traffic(settings(own_kafka.bootstrap, topic), Span()) as traffic:
        found = list(traffic.records)
    whole = BEFORE + BAD + AFTER
    assert len({each.place for each in found}) == len(found) == whole + len(SPOILT) * (BEFORE + AFTER)
    assert [(each.partition.number, each.first, each.last) for each in sorted(traffic.unread)] == [
        (number, BEFORE, BEFORE + BAD - 1) for number in SPOILT
    ]
    assert "checksum" in min(traffic.unread).what
