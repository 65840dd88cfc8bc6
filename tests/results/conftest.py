"""Topics of results on the embedded broker."""

import itertools
import os
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer
from tests.results.made_results import result_headers

_numbers = itertools.count(1)


class ResultWriter:
    """Writes values to topics in transactions, as the daemon does."""

    def __init__(self, broker: str) -> None:
        self._producer = KafkaProducer(
            bootstrap_servers=broker, transactional_id=f"writer-{os.getpid()}-{next(_numbers)}"
        )
        self._producer.init_transactions()

    def write(
        self,
        topic: str,
        *values: bytes | None,
        key: bytes = b"k",
        partition: int = 0,
        timestamp_ms: int | None = None,
    ) -> None:
        """One transaction with these values."""
        self._producer.begin_transaction()
        for value in values:
            headers = result_headers(value) if value and value.startswith(b'{"status"') else []
            self._producer.send(
                topic, key=key, value=value, headers=headers, partition=partition, timestamp_ms=timestamp_ms
            )
        self._producer.commit_transaction()

    def close(self) -> None:
        """Release the connection."""
        self._producer.close()


@pytest.fixture
def writer(broker: str) -> Iterator[ResultWriter]:
    """A transactional producer of results."""
    writer = ResultWriter(broker)
    yield writer
    writer.close()
