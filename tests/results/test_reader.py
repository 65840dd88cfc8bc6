"""The results topic read back from a broker."""

import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.structs import OffsetAndTimestamp
from tests.integration.rigs.wait import eventually
from tests.results.conftest import ResultWriter
from tests.results.made_results import result_of

from contribd.engine.records.price import Status
from contribd.results import reader as audit
from contribd.results.filters import Filters
from contribd.results.reader import AuditError, StoredResult, UnreadableResult, read_results
from contribd.streams.client import topic_reader
from contribd.streams.client.topic_reader import TopicReader

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


def result_at(when: datetime, offset: int, **changes: Any) -> bytes:
    return result_of(offset, settled_at=when.isoformat().replace("+00:00", "Z"), **changes)


def offsets(results: Iterator[StoredResult]) -> list[int]:
    return [stored.result.record.offset for stored in results]


def test_everything_committed_is_read_oldest_first_over_all_partitions(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic = new_topic(partitions=3)
    for number in range(12):
        writer.write(topic, result_at(NOON + timedelta(seconds=number), number), partition=number % 3)
    assert offsets(read_results(broker, topic)) == list(range(12))


def test_where_it_was_stored_and_its_bytes_come_with_each_result(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic = new_topic(partitions=2)
    writer.write(topic, result_at(NOON, 1), result_at(NOON, 2), partition=1)
    first, second = read_results([broker], topic)
    assert (first.topic, first.partition, first.offset) == (topic, 1, 0)
    assert (second.partition, second.offset) == (1, 1)
    assert first.value == result_at(NOON, 1)


def test_an_empty_topic_has_no_results(broker: str, new_topic: Callable[..., str]) -> None:
    assert offsets(read_results(broker, new_topic(partitions=2))) == []


def test_the_end_is_reached_although_transaction_markers_stand_there(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic = new_topic()
    for number in range(5):
        writer.write(topic, result_at(NOON, number))
    started = time.monotonic()
    assert offsets(read_results(broker, topic)) == [0, 1, 2, 3, 4]
    assert time.monotonic() - started < topic_reader.MAX_WAIT / 2


def test_filters_hold(broker: str, new_topic: Callable[..., str], writer: ResultWriter) -> None:
    topic = new_topic()
    writer.write(topic, result_at(NOON, 1), result_at(NOON, 2, status="NAK", code="SymbolUnknown", ric="GBP=TRCC"))
    assert offsets(read_results(broker, topic, Filters(statuses=frozenset({Status.NAK})))) == [2]
    assert offsets(read_results(broker, topic, Filters(rics=("EUR*",)))) == [1]
    assert offsets(read_results(broker, topic, Filters(sources=frozenset({"prices:3:2"})))) == [2]


def test_times_bound_what_is_fetched() -> None:
    early, late, none = (TopicPartition("results", number) for number in range(3))
    asked = list[datetime]()

    class Broker:
        def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 10)

        def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 90)

        def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
            asked.append(datetime.fromtimestamp(times[early] / 1000, UTC))
            # Where nothing is as late as that, Apache Kafka says None and the embedded broker says -1.
            return {early: OffsetAndTimestamp(30, 1, 0), late: OffsetAndTimestamp(0, -1, 0), none: None}

    partitions, filters = [early, late, none], Filters(since=NOON, until=NOON)
    assert audit._starts(Broker(), partitions, filters) == {early: 30, late: 90, none: 90}
    assert audit._ends(Broker(), partitions, filters) == {early: 30, late: 90, none: 90}
    # Written after it was settled, perhaps long after; stamped by a clock that may differ.
    assert asked == [NOON - timedelta(minutes=5), NOON + timedelta(hours=24)]
    assert audit._starts(Broker(), partitions, Filters()) == dict.fromkeys(partitions, 10)
    assert audit._ends(Broker(), partitions, Filters()) == dict.fromkeys(partitions, 90)


def test_a_time_before_and_a_time_after_everything(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic, now = new_topic(), datetime.now(UTC)
    writer.write(topic, result_at(now, 1))
    assert offsets(read_results(broker, topic, Filters(since=now + timedelta(days=2)))) == []
    assert offsets(read_results(broker, topic, Filters(since=now, until=now))) == [1]
    assert offsets(read_results(broker, topic, Filters(since=datetime.min.replace(tzinfo=UTC)))) == [1]


def test_what_is_no_result_is_told_and_the_rest_is_read(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic, told = new_topic(), list[UnreadableResult]()
    writer.write(topic, b"hello", None, result_at(NOON, 1))
    assert offsets(read_results(broker, topic, on_unreadable=told.append)) == [1]
    assert [(record.offset, "not a result" in record.reason) for record in told] == [(0, True), (1, True)]
    assert str(told[0]).startswith(f"{topic}:0:0: not a result: ")


def test_one_partition_far_ahead_of_another_is_held_back_and_loses_nothing(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_reader, "BUFFERED", 10)
    fill, kept = TopicReader._fill, list[int]()

    def filled(reader: TopicReader[StoredResult]) -> None:
        fill(reader)
        kept.extend(map(len, reader._buffers.values()))

    monkeypatch.setattr(TopicReader, "_fill", filled)
    topic = new_topic(partitions=2)
    writer.write(topic, *(result_at(NOON + timedelta(seconds=n), n) for n in range(1000, 2500)), partition=0)
    writer.write(topic, *(result_at(NOON + timedelta(seconds=n), n) for n in range(1000)), partition=1)
    assert offsets(read_results(broker, topic, None, {"max_poll_records": 50})) == list(range(2500))
    assert max(kept) < 10 + 50


def test_what_lies_beyond_the_end_as_it_was_is_left_alone(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic()
    writer.write(topic, *(result_at(NOON, number) for number in range(5)))
    monkeypatch.setattr(audit, "_ends", lambda *_: {TopicPartition(topic, 0): 2})
    assert offsets(read_results(broker, topic)) == [0, 1]


def test_following_starts_now_sees_what_comes_and_ends_when_told(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic, done, begun, seen = new_topic(partitions=2), threading.Event(), threading.Event(), list[int]()
    writer.write(topic, result_at(NOON, 1))
    while offsets(read_results(broker, topic)) != [1]:
        pass  # a commit is answered before its markers are written, and until then the topic ends before it

    def stop() -> bool:
        begun.set()
        return done.is_set()

    def follow() -> None:
        for stored in read_results(broker, topic, follow=True, stop=stop):
            seen.append(stored.result.record.offset)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        # The embedded broker gives a wrong end while a transaction is open: nothing is written before it was asked.
        assert begun.wait(20)
        for number in range(2, 7):
            writer.write(topic, result_at(NOON, number), partition=number % 2)
        eventually(lambda: len(seen) >= 5, within=20, what="five results")
    finally:
        done.set()
        thread.join(20)
    assert not thread.is_alive()
    assert sorted(seen) == [2, 3, 4, 5, 6]


def test_following_since_a_time_begins_there(broker: str, new_topic: Callable[..., str], writer: ResultWriter) -> None:
    topic, now = new_topic(), datetime.now(UTC)
    writer.write(topic, result_at(now - timedelta(hours=2), 1), result_at(now, 2))
    seen = read_results(broker, topic, Filters(since=now - timedelta(hours=1)), follow=True)
    with closing(cast("Generator[StoredResult]", seen)):
        assert next(seen).result.record.offset == 2


def test_following_sees_the_partitions_a_topic_gets_meanwhile(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic(partitions=2)
    writer.write(topic, result_at(NOON, 7), partition=1)
    known = itertools.chain([{0}], itertools.repeat({0, 1}))
    monkeypatch.setattr("kafka.KafkaConsumer.partitions_for_topic", lambda *_: next(known))
    with closing(cast("Generator[StoredResult]", read_results(broker, topic, follow=True))) as seen:
        assert next(seen).result.record.offset == 7


def test_a_bounded_read_can_be_stopped(broker: str, new_topic: Callable[..., str], writer: ResultWriter) -> None:
    topic = new_topic()
    writer.write(topic, result_at(NOON, 1))
    assert offsets(read_results(broker, topic, stop=lambda: True)) == []


def test_a_topic_that_does_not_exist_is_a_clear_error_and_is_not_created(broker: str) -> None:
    for _ in range(2):
        with pytest.raises(AuditError, match=r"no topic no-such-topic.*check kafka\.results"):
            list(read_results(broker, "no-such-topic"))


def test_a_broker_that_is_not_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not a real try: kafka-python leaves a socket and a thread behind when it cannot start.
    class Unreachable(KafkaConsumer):  # type: ignore[misc]  # kafka-python is untyped
        def __init__(self, **settings: Any) -> None:
            raise KafkaTimeoutError(f"Unable to bootstrap from {settings['bootstrap_servers']}")

    monkeypatch.setattr(topic_reader, "KafkaConsumer", Unreachable)
    with pytest.raises(AuditError, match=r"cannot read from Kafka at k1:1,k2:2: .*kafka\.bootstrap_servers"):
        list(read_results(["k1:1", "k2:2"], "results"))


def test_a_broker_that_stops_answering_ends_a_bounded_read_with_an_error(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(topic_reader, "THREADS", SimpleNamespace(mono=lambda: float(next(clock))))
    monkeypatch.setattr("kafka.KafkaConsumer.poll", lambda self, timeout_ms: {})  # noqa: ARG005 - poll's signature
    topic = new_topic()
    writer.write(topic, result_at(NOON, 1))
    with pytest.raises(AuditError, match="not all there is"):
        list(read_results(broker, topic))


def test_settings_only_a_producer_has_do_not_reach_the_consumer(
    broker: str, new_topic: Callable[..., str], writer: ResultWriter
) -> None:
    topic = new_topic()
    writer.write(topic, result_at(NOON, 1))
    settings = {"compression_type": "gzip", "fetch_max_bytes": 1_000_000}
    assert offsets(read_results(broker, topic, client_settings=settings)) == [1]
