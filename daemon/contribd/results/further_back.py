"""The last results of one RIC, whoever wrote them: the results topic, read from its end backwards.

For a person who asks the running daemon, so it is bounded in every way. One reading at a time, in the thread of
whoever asks, with a consumer of its own and without a group. Only the partition that results of this RIC are written to
is read, in pieces that double, the newest first, until the RIC is found or ``MOST`` results were looked at; at most
``PACE`` of them a second, and for ``SECONDS`` at most: the worker goes on beside it.
"""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import msgspec
from kafka import TopicPartition

from contribd.ops.last_results import ANSWERED, LastResult
from contribd.ops.ric_search import FurtherBack, NotLooked
from contribd.streams.client.partitioner import partition_of
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, opened_reader, partitions_of

MOST: Final = 25_000
"""Results that are looked at."""

FIRST: Final = 2_000
"""Of them, those of the first piece."""

PACE: Final = 5_000.0
"""Results a second, at most."""

AT_ONCE: Final = 250
"""Results of one poll: the pace is kept between two of them."""

SECONDS: Final = 10.0
"""After these nothing more is read."""

REST: Final = 2.0
"""Seconds between the end of one reading and the next one."""

BUSY: Final = "the results topic is read for one search at a time: try again in a few seconds"

_Written: TypeAlias = tuple[int, bytes]
"""When a result was written (milliseconds since 1970), and the result."""


class ResultsBackwards:
    """Asked by any thread; reads for one of them at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        """``settings``: those of ``reader.reading``."""
        client = {**settings.client, "max_poll_records": AT_ONCE}
        self._settings = replace(settings, client=client)
        self._reading = threading.Lock()
        self._next = float("-inf")

    def __call__(self, ric: str, services: Collection[str]) -> FurtherBack:
        """What is found of ``ric``; looks on until it is found for each of ``services``. Raises ``NotLooked``."""
        if not self._reading.acquire(blocking=False):
            raise NotLooked(BUSY, busy=True)
        try:
            if time.monotonic() < self._next:
                raise NotLooked(BUSY, busy=True)
            with opened_reader(self._settings, NotLooked) as consumer:
                found = _Reading(consumer, self._settings.results, ric, services).read()
            self._next = time.monotonic() + REST
            return found
        finally:
            self._reading.release()


class _Reading:
    """One search."""

    def __init__(self, consumer: Any, topic: str, ric: str, services: Collection[str]) -> None:
        self._consumer = consumer
        self._key = ric.encode()
        self._wanted = {service.encode() for service in services}
        self._until = time.monotonic() + SECONDS
        self._at = self._partition(topic)
        self._last: dict[bytes, _Written] = {}
        self._posted: dict[bytes, _Written] = {}
        self._results = self._read = 0
        self._back_to: int | None = None

    def _partition(self, topic: str) -> TopicPartition:
        """Where results of this RIC are written to."""
        places = partitions_of(self._consumer, topic)
        if not places:
            raise NotLooked(
                f"there is no topic {topic}, or it may not be read: check kafka.results and its access rights"
            )
        return TopicPartition(topic, partition_of(self._key, [place.partition for place in places]))

    def read(self) -> FurtherBack:
        """Reads one piece after the other."""
        begin = self._consumer.beginning_offsets([self._at])[self._at]
        end = self._consumer.end_offsets([self._at])[self._at]
        lowest, size = max(begin, end - MOST), FIRST
        while end > lowest and not self._found():
            start = max(lowest, end - size)
            piece = _Piece(self._key, self._until)
            if not piece.read(self._consumer, self._at, start, end):
                break  # what lies behind a gap would be told as the last there is
            self._add(piece)
            end, size = start, 2 * size
        if end > lowest and not self._read:
            raise NotLooked(f"Kafka gave too few results within {SECONDS:g} s: try again", busy=True)
        back_to = None if self._back_to is None else self._back_to / 1000
        place = f"partition {self._at.partition} of topic {self._at.topic}"
        return FurtherBack(list(self._told()), place, self._results, self._read, back_to, whole=end <= begin)

    def _found(self) -> bool:
        """Whether nothing is missing: of each service the last result, and the last one that was posted."""
        return self._posted.keys() >= (self._wanted or self._last.keys()) and bool(self._posted)

    def _add(self, piece: "_Piece") -> None:
        """One that is older than all before."""
        self._read += piece.read_so_far
        self._results += piece.results
        self._back_to = self._back_to if piece.oldest is None else piece.oldest
        self._last = {**piece.last, **self._last}
        self._posted = {**piece.posted, **self._posted}

    def _told(self) -> Iterator[tuple[str, LastResult]]:
        for service, (stamp, value) in sorted(self._last.items()):
            _, posted = self._posted.get(service, (0, None))
            yield service.decode(errors="replace"), LastResult(stamp * 1000, value, None if posted is value else posted)


class _Piece:
    """What lies between two offsets, read as far as there is time."""

    def __init__(self, key: bytes, until: float) -> None:
        """``until``: monotonic seconds."""
        self._key = key
        self._until = until
        self._next = time.monotonic()
        self.read_so_far = self.results = 0
        self.oldest: int | None = None
        """When the oldest one was written, in milliseconds since 1970."""
        self.last: dict[bytes, _Written] = {}
        """By service, the last result."""
        self.posted: dict[bytes, _Written] = {}
        """The same, of those that were posted."""

    def read(self, consumer: Any, at: TopicPartition, start: int, end: int) -> bool:
        """Whether all of it was read."""
        consumer.assign([])  # or the reader would go on where the piece before has ended
        for _ in TopicReader(consumer, self._take, self._is_late).bounded({at: start}, {at: end}, bool):
            pass
        return not self._is_late()

    def _is_late(self) -> bool:
        return time.monotonic() >= self._until

    def _take(self, records: Sequence[Any]) -> Iterator[None]:
        """Looks at some; gives nothing out."""
        for record in records:
            if self.oldest is None:
                self.oldest = record.timestamp
            if record.key == self._key:
                self._add(record)
        self.read_so_far += len(records)
        self._next += len(records) / PACE
        time.sleep(min(max(0.0, self._next - time.monotonic()), SECONDS))
        yield from ()

    def _add(self, record: Any) -> None:
        """One of the RIC. What is no result is passed over."""
        headers = dict(record.headers)
        status, service = headers.get("status", b""), headers.get("service", b"")
        if _is_result(record.value):
            self.results += 1
            self.last[service] = record.timestamp, record.value
            if status in ANSWERED:
                self.posted[service] = record.timestamp, record.value


def _is_result(value: bytes | None) -> bool:
    try:
        return value is not None and "status" in msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
        return False
