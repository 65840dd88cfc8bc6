"""What is put back into a prices topic, and what is not."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.results.made_results import RESULT, SOURCE, result_value

from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Status
from contribd.results.filters import Filters
from contribd.results.reader import StoredResult, reading
from contribd.results.resubmission import HEADER, Fate, Resubmission, Selected, select
from contribd.results.result import decode_result
from contribd.streams.client.topic_reader import opened_reader

NAKS = Filters(statuses=frozenset({Status.NAK}))


def stored(offset: int, second: int, **changes: Any) -> StoredResult:
    """A result at this offset, settled in this second."""
    value = result_value(**{"settled_at": f"2026-11-22T10:15:{second:02}.000000Z", **changes})
    return StoredResult(decode_result(value), "results", 0, offset, value)


def of(offset: int, **changes: Any) -> dict[str, Any]:
    """A record."""
    return {**SOURCE, "offset": offset, **changes}


def selected(*results: StoredResult, filters: Filters = NAKS) -> list[tuple[int, str | None]]:
    """Offsets of the records selected, and what superseded them."""

    def read(which: Filters) -> Iterable[StoredResult]:
        return filter(lambda each: which.predicate()(each.result), results)

    return [(each.source.offset, each.superseded) for each in select(read, filters)]


def test_a_record_with_the_last_result_of_its_ric_goes_back() -> None:
    assert selected(stored(0, 1, source=of(1)), stored(1, 2, source=of(2), status="NAK")) == [(2, None)]


def test_one_whose_ric_has_a_later_result_is_superseded() -> None:
    later = stored(1, 2, source=of(2), status="REJECTED")
    assert selected(stored(0, 1, source=of(1), status="NAK"), later) == [
        (1, "EUR=TRCC has a later result, results:0:1")
    ]


def test_the_same_ric_of_another_service_is_another_quote() -> None:
    other = stored(1, 2, source=of(2), service="OTHER")
    assert selected(stored(0, 1, source=of(1), status="NAK"), other) == [(1, None)]


def test_blanks_supersede_too() -> None:
    blanks = stored(1, 2, source=None, withdrawal={"reason": "order", "topic": "prices", "partition": 3})
    [(_, by)] = selected(stored(0, 1, source=of(1), status="NAK"), blanks)
    assert by is not None


def test_a_record_with_several_posts_goes_back_only_where_all_of_them_may() -> None:
    parts = {"parts": 2}
    curve = (
        stored(0, 1, source=of(1, part=0, **parts), status="NAK", ric="A"),
        stored(1, 1, source=of(1, part=1, **parts), ric="B"),
    )
    assert selected(*curve) == [(1, None)]
    assert selected(*curve, stored(2, 2, source=of(2), ric="B")) == [(1, "B has a later result, results:0:2")]


def test_what_has_no_ric_is_superseded_by_nothing() -> None:
    nameless = stored(0, 1, source=of(1), status="REJECTED", ric=None, service=None)
    assert selected(nameless, stored(1, 2, source=of(2)), filters=Filters(statuses=frozenset({Status.REJECTED}))) == [
        (1, None)
    ]


class Topic:
    """A prices topic on the embedded broker with three records."""

    def __init__(self, broker: str, name: str) -> None:
        self.broker, self.name = broker, name
        self.producer = KafkaProducer(bootstrap_servers=broker)
        for number in range(3):
            self.producer.send(
                name,
                value=b'{"n": %d}' % number,
                key=b"k",
                headers=[("desk", b"FX")],
                partition=0,
                timestamp_ms=1_795_000_000_000 + number,
            ).get(10)

    def resubmit(self, offset: int, settled: int, *, dry: bool = False, **source: Any) -> tuple[Fate, str]:
        """Of one record, where the group has settled so far."""
        value = result_value(source=of(offset, topic=self.name, partition=0, timestamp=None) | source)
        result = StoredResult(decode_result(value), "results", 4, 77, value)
        source_ = result.result.source
        assert source_ is not None
        with opened_reader(reading(self.broker, self.name, {}), RuntimeError) as consumer:
            one = Resubmission(consumer, None if dry else self.producer, {Partition(self.name, 0): settled})
            [done] = one.run([Selected(source_, result)])
        return done.fate, done.text

    def records(self) -> list[Any]:
        """All of it."""
        consumer, at = KafkaConsumer(bootstrap_servers=self.broker), TopicPartition(self.name, 0)
        consumer.assign([at])
        consumer.seek_to_beginning()
        found: list[Any] = []
        while consumer.position(at) < consumer.end_offsets([at])[at]:
            for records in consumer.poll(timeout_ms=200).values():
                found += records
        consumer.close()
        return found


@pytest.fixture
def topic(broker: str, new_topic: Callable[..., str]) -> Iterable[Topic]:
    made = Topic(broker, new_topic())
    yield made
    made.producer.close()


def test_the_record_is_written_unchanged_with_a_header_more(topic: Topic) -> None:
    assert topic.resubmit(1, 3) == (Fate.RESUBMITTED, f"as {topic.name}:0:3")
    record = topic.records()[-1]
    assert (record.offset, record.key, record.value, record.timestamp) == (3, b"k", b'{"n": 1}', 1_795_000_000_001)
    assert record.headers == [("desk", b"FX"), (HEADER, b"results:4:77")]


def test_a_dry_run_writes_nothing(topic: Topic) -> None:
    assert topic.resubmit(1, 3, dry=True)[0] is Fate.WOULD_BE
    assert len(topic.records()) == 3


def test_while_something_is_not_settled_nothing_goes_back(topic: Topic) -> None:
    assert topic.resubmit(1, 2) == (Fate.WAITING, f"{topic.name}:0 is settled up to 2, and ends at 3: wait for that")
    assert len(topic.records()) == 3


def test_what_is_gone_is_told(topic: Topic) -> None:
    assert topic.resubmit(7, 3)[0] is Fate.GONE
    assert topic.resubmit(1, 3, timestamp="2020-01-01T00:00:00.000000Z")[0] is Fate.GONE
    assert len(topic.records()) == 3


def test_the_sample_is_a_result() -> None:
    assert json.loads(result_value()) == RESULT
