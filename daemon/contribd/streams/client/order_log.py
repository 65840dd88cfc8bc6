"""The control topic over kafka-python: a consumer without a group, and a producer that waits for each record."""

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from contribd.streams.client.access import Access
from contribd.streams.client.errors import KafkaError, TopicMissing
from contribd.streams.client.port import OrderRecord
from contribd.streams.client.sentences import topics_missing
from contribd.streams.client.settings import KafkaSettings

CLOSE_SECONDS: Final = 1.0
"""How long its end may take."""

WRITE_SECONDS: Final = 5.0
"""How long a record may take to be durable."""

FIRST: Final = 0
"""The partition of orders: they have one order, and that takes one partition."""


class TopicOfOrders:
    """``OrderLog`` over a ``KafkaConsumer`` and a ``KafkaProducer``."""

    def __init__(self, consumer: Any, producer: Any, topic: str, start: int) -> None:
        """``start``: the first offset that is read."""
        self._consumer, self._producer, self._topic = consumer, producer, topic
        place = TopicPartition(topic, FIRST)
        consumer.assign([place])
        consumer.seek(place, start)

    def poll(self, seconds: float) -> list[OrderRecord]:
        """The next ones; waits for the first."""
        polled = self._consumer.poll(timeout_ms=round(seconds * 1000))
        found = [record for records in polled.values() for record in records]
        return [OrderRecord(each.offset, each.key or b"", each.value) for each in found]

    def write(self, key: bytes, value: bytes) -> None:
        """One more record; it is durable when this returns."""
        sent = self._producer.send(self._topic, key=key, value=value, partition=FIRST)
        sent.get(timeout=WRITE_SECONDS)

    def close(self) -> None:
        """Ends it, whatever state it is in."""
        with suppress(KafkaError):
            self._producer.close(timeout=CLOSE_SECONDS)
        self._consumer.close(autocommit=False, timeout_ms=round(CLOSE_SECONDS * 1000))


def open_order_log(access: Access, settings: KafkaSettings, start: int) -> TopicOfOrders:
    """The control topic from ``start`` on, connected. Raises KafkaError, OSError."""
    topic = settings.control or ""
    arguments = {**settings.consumer(), "group_id": None, "auto_offset_reset": "earliest"}
    consumer = access.opened(KafkaConsumer, **arguments)
    try:
        if not consumer.partitions_for_topic(topic):
            raise TopicMissing(topics_missing([topic], "Read and Write", settings))
        producer = access.opened(KafkaProducer, **settings.order_producer())
    except BaseException:
        consumer.close(autocommit=False)
        raise
    return TopicOfOrders(consumer, producer, topic, start)
