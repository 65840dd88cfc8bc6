"""Prices in, results out: what the end-to-end tests feed and count."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.schemas import checked_result

from contribd.results.result import Result, decode_result
from contribd.simulation.demo.pricing_engine import PriceRecord, PricingEngine
from contribd.simulation.demo.rates import load_references

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Reachable(Protocol):
    """A broker, or a cluster of them."""

    @property
    def bootstrap(self) -> str:
        """``host:port`` of each, with commas between."""


@dataclass
class FedRecords:
    """What was produced: each record by its place, in the order of its partition."""

    records: dict[Place, PriceRecord] = field(default_factory=dict)

    def of_kind(self, kind: str) -> int:
        return sum(record.kind == kind for record in self.records.values())

    def bids(self, pair: str) -> list[str]:
        """The pair's bids in offset order, as the provider prints numbers."""
        key = pair.encode()
        ordered = [self.records[place] for place in sorted(self.records)]
        return [
            f"{msgspec.json.decode(record.value or b'')['bid']:g}"
            for record in ordered
            if (record.key, record.kind) == (key, "price")
        ]


def records(count: int, *, seed: int = 1, poison: float = 0.005, unmapped: float = 0.005) -> list[PriceRecord]:
    """Records of the simulated pricing engine: real reference rates, moved by a seeded walk."""
    engine = PricingEngine(load_references(), seed=seed, poison=poison, unmapped=unmapped)
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)
    return [engine.next(start + timedelta(milliseconds=10 * number)) for number in range(count)]


def feed(broker: Reachable, topic: str, priced: Sequence[PriceRecord]) -> FedRecords:
    """Produces records by their keys and returns once the broker has them all."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", linger_ms=5)
    futures = [producer.send(topic, key=record.key, value=record.value) for record in priced]
    producer.flush(60)
    places = [future.get(timeout=60) for future in futures]
    producer.close()
    return FedRecords({(p.topic, p.partition, p.offset): record for p, record in zip(places, priced, strict=True)})


def read_results(broker: Reachable, topic: str) -> list[Result]:
    """Every result a read_committed reader finds, in the order of each partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    found = []
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for batch in consumer.poll(timeout_ms=200).values():
            found += [decode_result(checked_result(record.value)) for record in batch]
    consumer.close()
    return found


def places(results: Iterable[Result]) -> Counter[Place]:
    """How many results each input record has."""
    return Counter((r.record.topic, r.record.partition, r.record.offset) for r in results)


def assert_one_each(results: Sequence[Result], fed: FedRecords) -> None:
    """The first promise: exactly one result for every record."""
    counted = places(results)
    missing = sorted(set(fed.records) - set(counted))
    twice = sorted(place for place, count in counted.items() if count > 1)
    strange = sorted(set(counted) - set(fed.records))
    wrong = len(missing) + len(twice) + len(strange)
    assert not wrong, f"missing {missing[:5]}, twice {twice[:5]}, strange {strange[:5]}, {wrong} in all"
