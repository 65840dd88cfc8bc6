"""The records that results are of, on the embedded broker."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer

from contribd.results.inputs import InputError, opened_inputs
from contribd.results.reader import reading
from contribd.results.result import Source


def test_records_are_read_by_their_places(broker: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic()
    producer = KafkaProducer(bootstrap_servers=broker)
    for number in range(5):
        producer.send(topic, value=b'{"number": %d}' % number, key=b"k", timestamp_ms=1_795_000_000_000 + number).get(
            10
        )
    producer.flush()
    producer.close()

    def source(offset: int, stamp: int) -> Source:
        return Source(topic, 0, offset, datetime.fromtimestamp(1_795_000_000 + stamp / 1000, UTC), "k")

    with opened_inputs(reading(broker, topic, {})) as inputs:
        found = [inputs.read(source(offset, offset)).value for offset in (3, 1, 3, 4)]
        assert found == [b'{"number": %d}' % number for number in (3, 1, 3, 4)]
        with pytest.raises(InputError, match=f"the log does not have {topic}:0:5 any more"):
            inputs.read(source(5, 5))
        with pytest.raises(InputError, match="is another one"):
            inputs.read(source(2, 900))
        assert inputs.read(Source(topic, 0, 2, None, None)).value == b'{"number": 2}'
