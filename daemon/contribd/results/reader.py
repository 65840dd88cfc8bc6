"""Reading the results topic: what an auditor and ``contribd results`` see.

Reads ``read_committed`` and without a consumer group, so it disturbs nobody and sees only what counts.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from contribd.config.kafka_client import client_settings as settings_of
from contribd.ops.log import get_logger
from contribd.results.filters import Filters
from contribd.results.result import Result, ResultError, decode_result
from contribd.streams.client.access import Access
from contribd.streams.client.errors import KafkaError, KafkaTimeoutError, NoBroker
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import CONSUMER_OWN, KafkaSettings

_POLL_MS = 200
"""Longest wait for records in one poll; also how soon a request to stop is heard."""

_BUFFERED = 2_000
"""Results of one partition kept while another one's are older; at about 2 KiB each, a few MiB a partition."""

_MAX_WAIT = 30.0
"""Seconds of waiting for Kafka in vain before a bounded read gives up: kafka-python's own limit for one request."""

_CLOCKS = timedelta(minutes=5)
"""How far the clocks of a broker that stamps records itself and of the daemon may be apart."""

_WRITTEN_LATE = timedelta(hours=24)
"""How long after it was settled a result may have been written: longer than a broker is away in practice."""

_log = get_logger("results")


class AuditError(Exception):
    """The results topic cannot be read; the text says why and what to do."""


class StoredResult(NamedTuple):
    """A result, its place in the results topic, and the bytes it was read from."""

    result: Result
    topic: str
    partition: int
    offset: int
    value: bytes


class UnreadableResult(NamedTuple):
    """A record of the results topic that is not a result."""

    topic: str
    partition: int
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}: {self.reason}"


def _log_unreadable(record: UnreadableResult) -> None:
    _log.warning("a record of the results topic is no result", record=str(record))


def read_results(
    bootstrap: str | Sequence[str],
    topic: str,
    filters: Filters | None = None,
    client_settings: Mapping[str, Any] | None = None,
    *,
    follow: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_unreadable: Callable[[UnreadableResult], None] = _log_unreadable,
) -> Iterator[StoredResult]:
    """The results that pass ``filters``, from ``filters.since`` or the beginning.

    Without ``follow``: up to the last stable offset as it was at the start, oldest ``settled_at`` first over all
    partitions. With ``follow``: as they come, from ``filters.since`` or from now on, until ``stop`` returns true (it
    is asked several times a second; it ends a bounded read, too).

    ``client_settings`` are ``kafka.client`` of the configuration. Raises ``AuditError``.
    """
    filters = filters or Filters()
    settings = _reading(bootstrap, topic, client_settings or {})
    with _translated(settings), _consumer(settings) as consumer:
        partitions = _partitions(consumer, topic)
        reader = _Reader(consumer, filters.predicate(), on_unreadable, stop)
        if follow:
            starts = _starts(consumer, partitions, filters) if filters.since else consumer.end_offsets(partitions)
            yield from reader.follow(topic, starts)
        else:
            yield from reader.bounded(_starts(consumer, partitions, filters), _ends(consumer, partitions, filters))


class _Reader:
    def __init__(
        self,
        consumer: Any,
        accept: Callable[[Result], bool],
        on_unreadable: Callable[[UnreadableResult], None],
        stop: Callable[[], bool],
    ) -> None:
        self._consumer = consumer
        self._accept = accept
        self._on_unreadable = on_unreadable
        self._stop = stop
        self._ends: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._buffers: dict[TopicPartition, deque[StoredResult]] = {}
        self._waited = 0.0

    def follow(self, topic: str, starts: Mapping[TopicPartition, int]) -> Iterator[StoredResult]:
        """Everything from ``starts`` on, as it comes, and all of the partitions the topic gets meanwhile."""
        self._positions = dict(starts)
        while not self._stop():
            self._fetch_from(self._positions.keys())
            for records in self._consumer.poll(timeout_ms=_POLL_MS).values():
                yield from self._decoded(records)
            for number in self._consumer.partitions_for_topic(topic):
                self._positions.setdefault(TopicPartition(topic, number), 0)

    def bounded(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[StoredResult]:
        """What lies between ``starts`` and ``ends``, merged by the time it was settled."""
        self._ends = dict(ends)
        self._positions = dict(starts)
        self._buffers = {partition: deque() for partition in ends}
        return heapq.merge(*map(self._partition, ends), key=attrgetter("result.settled_at"))

    def _partition(self, partition: TopicPartition) -> Iterator[StoredResult]:
        buffer = self._buffers[partition]
        while not self._stop():
            while buffer:
                yield buffer.popleft()
            if self._at_end(partition):
                return
            self._fill()

    def _fill(self) -> None:
        wanted = {p for p, buffer in self._buffers.items() if len(buffer) < _BUFFERED and not self._at_end(p)}
        self._fetch_from(wanted)
        asked_at = time.monotonic()
        for partition, records in self._consumer.poll(timeout_ms=_POLL_MS).items():
            end = self._ends[partition]
            self._buffers[partition].extend(self._decoded([record for record in records if record.offset < end]))
        # Not the number of records: a stretch of transaction markers, or of what aborted, is progress, too.
        reached = {partition: self._consumer.position(partition) for partition in wanted}
        if any(self._positions[partition] != position for partition, position in reached.items()):
            self._positions.update(reached)
            self._waited = 0.0
            return
        self._waited += time.monotonic() - asked_at
        if self._waited > _MAX_WAIT:
            raise AuditError(f"no answer from Kafka for {_MAX_WAIT:g} s; what was read so far is not all there is")

    def _at_end(self, partition: TopicPartition) -> bool:
        # The end is the last stable offset. What lies before it may be a marker, which no record is delivered for:
        # only the position tells that it was passed.
        return self._positions[partition] >= self._ends[partition]

    def _fetch_from(self, wanted: AbstractSet[TopicPartition]) -> None:
        # Not by pause() and resume(): in kafka-python 3.0.12 a resumed partition whose records were buffered in the
        # middle of a fetch may never get them back.
        before = self._consumer.assignment()
        if wanted != before:
            self._consumer.assign(list(wanted))
            for partition in wanted - before:
                self._consumer.seek(partition, self._positions[partition])

    def _decoded(self, records: Sequence[Any]) -> Iterator[StoredResult]:
        for record in records:
            try:
                result = decode_result(record.value)
            except ResultError as error:
                self._on_unreadable(UnreadableResult(record.topic, record.partition, record.offset, str(error)))
                continue
            if self._accept(result):
                yield StoredResult(result, record.topic, record.partition, record.offset, record.value)


def _reading(bootstrap: str | Sequence[str], topic: str, client: Mapping[str, Any]) -> KafkaSettings:
    """Settings of somebody who reads this topic and writes nothing."""
    servers = tuple(bootstrap.split(",")) if isinstance(bootstrap, str) else tuple(bootstrap)
    return KafkaSettings(servers, "", (topic,), topic, None, "earliest", "", client)


@contextmanager
def _consumer(settings: KafkaSettings) -> Iterator[Any]:
    consumer = Access(settings).opened(
        KafkaConsumer,
        **{
            # A person waits for the answer; the daemon itself tries for longer.
            "bootstrap_timeout_ms": 10_000,
            **settings_of(settings.client, KafkaConsumer),
            "bootstrap_servers": list(settings.bootstrap_servers),
            "group_id": None,
            **CONSUMER_OWN,
            # Only where retention overtakes the reading: go on with the oldest there is.
            "auto_offset_reset": "earliest",
        },
    )
    try:
        yield consumer
    finally:
        consumer.close()


@contextmanager
def _translated(settings: KafkaSettings) -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        servers = ",".join(settings.bootstrap_servers)
        cure = (
            "; check kafka.bootstrap_servers and kafka.client"
            if isinstance(error, NoBroker | KafkaTimeoutError)
            else ""
        )
        raise AuditError(f"cannot read from Kafka at {servers}: {explain(error, settings)}{cure}") from error


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise AuditError(f"there is no topic {topic}, or it may not be read; check kafka.results and its access rights")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def _starts(consumer: Any, partitions: list[TopicPartition], filters: Filters) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = consumer.beginning_offsets(partitions)
    if filters.since is None:
        return first
    # A result is written after it was settled: what was settled since then was not written before it.
    last = consumer.end_offsets(partitions)
    found = _offsets_at(consumer, partitions, filters.since, -_CLOCKS)
    return {partition: max(first[partition], found.get(partition, last[partition])) for partition in partitions}


def _ends(consumer: Any, partitions: list[TopicPartition], filters: Filters) -> dict[TopicPartition, int]:
    last: dict[TopicPartition, int] = consumer.end_offsets(partitions)
    if filters.until is None:
        return last
    found = _offsets_at(consumer, partitions, filters.until, _WRITTEN_LATE)
    return {partition: min(last[partition], found.get(partition, last[partition])) for partition in partitions}


def _offsets_at(
    consumer: Any, partitions: list[TopicPartition], when: datetime, margin: timedelta
) -> dict[TopicPartition, int]:
    """The first offset stamped at or after ``when`` plus ``margin``, for the partitions that have one."""
    milliseconds = max(0, int((when.timestamp() + margin.total_seconds()) * 1000))
    found = consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    # None, or a stamp of -1 from some brokers: nothing is as late as that.
    return {partition: at.offset for partition, at in found.items() if at is not None and at.timestamp >= 0}
