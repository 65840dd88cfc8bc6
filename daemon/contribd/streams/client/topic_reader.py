"""Reading topics as they are: without a consumer group, so that nobody is disturbed, and only what is committed.

What reads results and what reads prices for somebody to look at has this in common. A bounded read ends where the logs
ended when it began, and merges the partitions by an order of the caller's.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

from kafka import KafkaConsumer, TopicPartition

from contribd.config.kafka_client import client_settings as settings_of
from contribd.engine.records.offsets import Partition
from contribd.streams.client import fetch_faults
from contribd.streams.client.access import Access
from contribd.streams.client.errors import KafkaError, KafkaTimeoutError, NoBroker
from contribd.streams.client.port import FetchFault
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import CONSUMER_OWN, KafkaSettings
from contribd.streams.runtime import THREADS

POLL_MS: Final = 200
"""Longest wait for records in one poll; also how soon a request to stop is heard."""

BUFFERED: Final = 2_000
"""Records of one partition kept while another one's are older; at about 2 KiB each, a few MiB a partition."""

MAX_WAIT: Final = 30.0
"""Seconds of waiting for Kafka in vain before a bounded read gives up: kafka-python's own limit for one request."""

T = TypeVar("T")
Offsets: TypeAlias = Mapping[TopicPartition, int]
Unread: TypeAlias = Callable[[Partition, FetchFault], None]


class ReadStalled(Exception):
    """Kafka gives no more of what was there; the text says so in a sentence."""


def _why_unread(error: Exception, settings: KafkaSettings) -> str:
    """As a sentence, with what to do."""
    if isinstance(error, ReadStalled):
        return str(error)
    servers = ",".join(settings.bootstrap_servers)
    is_away = isinstance(error, NoBroker | KafkaTimeoutError)
    cure = "; check kafka.bootstrap_servers and kafka.client" if is_away else ""
    return f"cannot read from Kafka at {servers}: {explain(error, settings)}{cure}"


@contextmanager
def opened_reader(settings: KafkaSettings, failure: type[Exception], access: Access | None = None) -> Iterator[Any]:
    """A consumer without a group, closed at the end. Raises ``failure``, also for what goes wrong while it is used.

    ``access``: tells its owner why no broker answers.
    """
    try:
        with closing(_reader(settings, access or Access(settings))) as consumer:
            yield consumer
    except (ReadStalled, KafkaError, OSError) as error:
        raise failure(_why_unread(error, settings)) from error


def _reader(settings: KafkaSettings, access: Access) -> Any:
    return access.opened(
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


def partitions_of(consumer: Any, topic: str) -> list[TopicPartition]:
    """All of a topic's; none where it does not exist, or may not be read."""
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def offsets_at(consumer: Any, partitions: Iterable[TopicPartition], when: datetime) -> dict[TopicPartition, int]:
    """The first offset stamped at or after ``when``, for the partitions that have one."""
    found = consumer.offsets_for_times(dict.fromkeys(partitions, max(0, int(when.timestamp() * 1000))))
    # None, or a stamp of -1 from some brokers: nothing is as late as that.
    return {partition: at.offset for partition, at in found.items() if at is not None and at.timestamp >= 0}


class TopicReader(Generic[T]):
    """Reads with a consumer of ``opened_reader``; ``decode`` makes of records what is given out."""

    def __init__(
        self,
        consumer: Any,
        decode: Callable[[Sequence[Any]], Iterable[T]],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """``stop`` is asked several times a second; true ends a read early."""
        self._consumer = consumer
        self._decode = decode
        self._stop = stop
        self._ends: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._buffers: dict[TopicPartition, deque[T]] = {}
        self._waited = 0.0
        self._faults: dict[TopicPartition, FetchFault] = {}
        self._unread: Unread | None = None

    def pass_over(self, settings: KafkaSettings, unread: Unread) -> None:
        """From now on what cannot be read of a partition is told to ``unread`` and passed over."""
        self._unread = unread
        fetch_faults.keep_apart(self._consumer, settings, self._note)

    def _note(self, partition: TopicPartition, fault: FetchFault | None) -> None:
        if fault is None:
            self._faults.pop(partition, None)
        else:
            self._faults[partition] = fault

    def follow(self, topic: str, starts: Offsets) -> Iterator[T]:
        """Everything from ``starts`` on, as it comes, and all of the partitions the topic gets meanwhile."""
        self._positions = dict(starts)
        while not self._stop():
            self._fetch_from(self._positions.keys())
            for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                yield from self._decode(records)
            for number in self._consumer.partitions_for_topic(topic):
                self._positions.setdefault(TopicPartition(topic, number), 0)

    def bounded(self, starts: Offsets, ends: Offsets, order: Callable[[T], Any]) -> Iterator[T]:
        """What lies between ``starts`` and ``ends``, merged by ``order``. Raises ``ReadStalled``."""
        self._ends = dict(ends)
        self._positions = dict(starts)
        self._buffers = {partition: deque() for partition in ends}
        return heapq.merge(*map(self._partition, ends), key=order)

    def _partition(self, partition: TopicPartition) -> Iterator[T]:
        buffer = self._buffers[partition]
        while not self._stop():
            while buffer:
                yield buffer.popleft()
            if self._at_end(partition):
                return
            self._fill()

    def _fill(self) -> None:
        wanted = {p for p, buffer in self._buffers.items() if len(buffer) < BUFFERED and not self._at_end(p)}
        self._fetch_from(wanted)
        asked_at = THREADS.mono()
        for partition, records in self._consumer.poll(timeout_ms=POLL_MS).items():
            end = self._ends[partition]
            self._buffers[partition].extend(self._decode([record for record in records if record.offset < end]))
        # Not the number of records: a stretch of transaction markers, or of what aborted, is progress, too.
        reached = {partition: self._consumer.position(partition) for partition in wanted}
        moved = any(self._positions[partition] != position for partition, position in reached.items())
        self._positions.update(reached)
        if self._pass_faults() or moved:
            self._waited = 0.0
            return
        self._waited += THREADS.mono() - asked_at
        if self._waited > MAX_WAIT:
            why = "".join(
                f": {partition.topic}:{partition.partition}: {each.what}" for partition, each in self._stuck()
            )
            raise ReadStalled(f"no answer from Kafka for {MAX_WAIT:g} s{why}; what was read so far is not all there is")

    def _stuck(self) -> list[tuple[TopicPartition, FetchFault]]:
        return sorted(self._faults.items())

    def _pass_faults(self) -> bool:
        """Goes on behind what cannot be read, and tries again what may pass; whether anything was passed over."""
        passed = False
        for partition, fault in self._stuck():
            self._consumer.resume(partition)
            if not fault.passing and self._unread is not None:
                del self._faults[partition]
                passed = True
                last = fault.last if fault.skippable else self._ends[partition] - 1
                self._unread(Partition(*partition), fault._replace(last=min(last, self._ends[partition] - 1)))
                self._positions[partition] = last + 1
                self._consumer.seek(partition, last + 1)
        return passed

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
