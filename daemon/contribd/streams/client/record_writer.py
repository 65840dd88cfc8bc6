"""Single records beside the results, over a ``KafkaProducer`` that waits for each to be durable."""

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer

from contribd.streams.client.access import Access
from contribd.streams.client.errors import KafkaError
from contribd.streams.client.partitioner import KeyPartitioner
from contribd.streams.client.settings import KafkaSettings

CLOSE_SECONDS: Final = 1.0
"""How long its end may take."""

WRITE_SECONDS: Final = 10.0
"""How long a record may take to be durable."""


class WriterOfRecords:
    """``RecordWriter`` over a ``KafkaProducer``."""

    def __init__(self, producer: Any) -> None:
        """``producer``: a ``KafkaProducer``, idempotent and without transactions."""
        self._producer = producer

    def write(self, topic: str, key: bytes, value: bytes) -> None:
        """One more record; it is durable when this returns."""
        self._producer.send(topic, key=key, value=value).get(timeout=WRITE_SECONDS)

    def close(self) -> None:
        """Ends it, whatever state it is in."""
        with suppress(KafkaError):
            self._producer.close(timeout=CLOSE_SECONDS)


def open_record_writer(access: Access, settings: KafkaSettings) -> WriterOfRecords:
    """One that is connected. Raises KafkaError, OSError."""
    return WriterOfRecords(
        access.opened(KafkaProducer, **settings.order_producer() | {"partitioner": KeyPartitioner()})
    )
