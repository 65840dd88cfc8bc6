"""Reading the results topic: what an auditor and ``contribd results`` see.

Reads ``read_committed`` and without a consumer group, so it disturbs nobody and sees only what counts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from kafka import TopicPartition

from contribd.ops.log import get_logger
from contribd.results.filters import Filters
from contribd.results.result import Result, ResultError, decode_result
from contribd.streams.client.access import Access
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, offsets_at, opened_reader, partitions_of

CLOCKS = timedelta(minutes=5)
"""How far the clocks of a broker that stamps records itself and of the daemon may be apart."""

_WRITTEN_LATE = timedelta(hours=24)
"""How long after it was settled a result may have been written: longer than a broker is away in practice."""

_log = get_logger("results")


class AuditError(Exception):
    """The results topic cannot be read; the text says why and what to do."""


Bounds: TypeAlias = Mapping[int, tuple[int, int]]
"""The first offset and the end of what is looked at, by partition of the results topic."""


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
    on_bounds: Callable[[Bounds], None] = lambda _bounds: None,
    access: Access | None = None,
) -> Iterator[StoredResult]:
    """The results that pass ``filters``, from ``filters.since`` or the beginning.

    Without ``follow``: up to the last stable offset as it was at the start, oldest ``settled_at`` first over all
    partitions. With ``follow``: as they come, from ``filters.since`` or from now on, until ``stop`` returns true (it
    is asked several times a second; it ends a bounded read, too).

    ``on_bounds`` is told what a bounded read looks at, before the first result. ``client_settings`` are
    ``kafka.client`` of the configuration; ``access``, made of ``reading`` them, tells its owner why no broker answers.
    Raises ``AuditError``.
    """
    filters = filters or Filters()
    settings = reading(bootstrap, topic, client_settings or {})
    with opened_reader(settings, AuditError, access) as consumer:
        partitions = _partitions(consumer, topic)
        reader = TopicReader(consumer, partial(_decoded, filters.predicate(), on_unreadable), stop)
        if follow:
            starts = _starts(consumer, partitions, filters) if filters.since else consumer.end_offsets(partitions)
            yield from reader.follow(topic, starts)
        else:
            starts, ends = _starts(consumer, partitions, filters), _ends(consumer, partitions, filters)
            on_bounds({at.partition: (starts[at], max(starts[at], ends[at])) for at in partitions})
            yield from reader.bounded(starts, ends, attrgetter("result.settled_at"))


def _decoded(
    accept: Callable[[Result], bool], on_unreadable: Callable[[UnreadableResult], None], records: Sequence[Any]
) -> Iterator[StoredResult]:
    for record in records:
        try:
            result = decode_result(record.value)
        except ResultError as error:
            on_unreadable(UnreadableResult(record.topic, record.partition, record.offset, str(error)))
            continue
        if accept(result):
            yield StoredResult(result, record.topic, record.partition, record.offset, record.value)


def reading(bootstrap: str | Sequence[str], topic: str, client: Mapping[str, Any]) -> KafkaSettings:
    """Settings of somebody who reads this topic and writes nothing."""
    servers = tuple(bootstrap.split(",")) if isinstance(bootstrap, str) else tuple(bootstrap)
    return KafkaSettings(servers, "", (topic,), topic, None, "earliest", "", client)


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    partitions = partitions_of(consumer, topic)
    if not partitions:
        raise AuditError(f"there is no topic {topic}, or it may not be read; check kafka.results and its access rights")
    return partitions


def _starts(consumer: Any, partitions: list[TopicPartition], filters: Filters) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = consumer.beginning_offsets(partitions)
    if filters.since is None:
        return first
    # A result is written after it was settled: what was settled since then was not written before it.
    last = consumer.end_offsets(partitions)
    found = offsets_at(consumer, partitions, _moved(filters.since, -CLOCKS))
    return {partition: max(first[partition], found.get(partition, last[partition])) for partition in partitions}


def _moved(when: datetime, by: timedelta) -> datetime:
    try:
        return when + by
    except OverflowError:
        return when  # before or after all results in any case


def _ends(consumer: Any, partitions: list[TopicPartition], filters: Filters) -> dict[TopicPartition, int]:
    last: dict[TopicPartition, int] = consumer.end_offsets(partitions)
    if filters.until is None:
        return last
    found = offsets_at(consumer, partitions, _moved(filters.until, _WRITTEN_LATE))
    return {partition: min(last[partition], found.get(partition, last[partition])) for partition in partitions}
