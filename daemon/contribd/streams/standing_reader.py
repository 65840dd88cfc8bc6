"""What stands in the market, RIC by RIC, read from the results topic in the background.

Theory of operation
===================

For orders about quotes, and to know what a former owner of a partition left. One reading at a time: what is asked for
meanwhile is read after it, all at once, so that each reading begins after it was asked for. Who asks notes what becomes
durable from then on (``engine/posts/ordered.py``).

How far back. ``MOST`` results, from the end of the log as it is when the reading begins, whatever transactions are open
(see ``results_lookup``): some seconds' reading. When the oldest post was sent that was found is told, since what
was posted before it is not known.

Where Kafka cannot be asked, it is tried again for ``PATIENCE``; then it is told why.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from contribd.engine.events import StandingRead
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Reply, Status
from contribd.engine.records.standing import Merged, PostedResult, StandingQuote, after
from contribd.mapping.outcome import PostType
from contribd.streams.client.errors import TopicAuthorizationFailedError, TopicMissing
from contribd.streams.client.port import Kafka, WholeResult
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.sentences import RIGHTS, explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Runtime

MOST: Final = 200_000
"""Results: some seconds' reading, beside everything else."""

PATIENCE: Final = 5.0
"""Seconds for which a reading that fails is tried again."""

PAUSE: Final = 0.5
"""Seconds between two tries."""

_POLL_SECONDS: Final = 0.2
_MICROSECONDS: Final = 1_000_000
_CONFLATED: Final = Status.CONFLATED.encode()
_POSTED: Final = {status.encode() for status in (Status.ACK, Status.NAK, Status.ERROR, Status.UNANSWERED)} | {
    _CONFLATED
}
"""What a result can say of something that was posted, by itself or as a part of another's post."""


class StandingReader:
    """Asked in the worker's thread. ``emit`` takes what was read."""

    def __init__(
        self, kafka: Kafka, settings: KafkaSettings, runtime: Runtime, emit: Callable[[StandingRead], None]
    ) -> None:
        self._kafka, self._settings, self._runtime, self._emit = kafka, settings, runtime, emit
        self._asked: list[int] = []
        self._is_reading = False

    def read(self, number: int) -> None:
        """A ``StandingRead`` of this number will follow."""
        self._asked.append(number)
        self.follow()

    def follow(self) -> None:
        """Begins the next reading, where one is asked for and none goes on; called in each round."""
        if self._asked and not self._is_reading:
            numbers, self._asked = self._asked, []
            self._is_reading = True
            self._runtime.background("standing quotes", lambda: self._read(numbers))

    # Its thread

    def _read(self, numbers: list[int]) -> None:
        reading, failure = Reading(), None
        try:
            reading, failure = self._try()
        finally:
            self._is_reading = False
            for number in numbers:
                self._emit(StandingRead(number, reading.quotes, reading.since, failure))

    def _try(self) -> tuple["Reading", str | None]:
        until, pause = self._runtime.mono() + PATIENCE, self._runtime.event()
        while True:
            try:
                return self._read_all(), None
            except TopicMissing as error:
                return Reading(), str(error)
            except TopicAuthorizationFailedError:
                topic = self._settings.results
                right = f"it needs Read on Topic {topic} {RIGHTS}"
                return Reading(), f"{self._settings.principal} may not read topic {topic}: {right}"
            except FAILURES as error:
                if self._runtime.mono() >= until:
                    return Reading(), explain(error, self._settings)
                pause.wait(PAUSE)

    def _read_all(self) -> "Reading":
        reading, results = Reading(), self._kafka.results()
        try:
            results.go_to_last(MOST)
            while results.left():
                for result in results.poll_whole(_POLL_SECONDS):
                    reading.take(result)
            return reading
        finally:
            results.close()


class _Post(msgspec.Struct):
    type: PostType
    sent_at: datetime
    answer: Reply


class _Source(msgspec.Struct):
    topic: str
    partition: int
    timestamp: datetime | None = None


class _Place(msgspec.Struct):
    topic: str
    partition: int


class _Posted(msgspec.Struct):
    """What is looked at of a result."""

    status: Status
    mapping: str | None
    fields: dict[str, Any] | None
    source: _Source | None
    posts: list[_Post]
    withdrawal: _Place | None = None


_decoder = msgspec.json.Decoder(_Posted, float_hook=Decimal)


class Reading:
    """What results come to, RIC by RIC. ``since``: when the oldest post was sent (microseconds since 1970)."""

    def __init__(self) -> None:
        self.quotes: dict[Key, StandingQuote] = {}
        self.since: int | None = None
        self._merged = Merged()

    def take(self, result: WholeResult) -> None:
        """The next one of its RIC."""
        if result.status not in _POSTED or (found := _decoded(result.value)) is None:
            return
        key = result.service.decode(errors="replace"), result.ric.decode(errors="replace")
        if result.status == _CONFLATED:
            self._merged.add(key, found.fields, _stamp(found))
        elif (posted := _posted_result(found, self._merged, key)) is not None:
            self._take(key, posted)

    def _take(self, key: Key, posted: PostedResult) -> None:
        if self.since is None or posted.sent_at < self.since:
            self.since = posted.sent_at
        if (quote := after(self.quotes.get(key), posted)) is not None:
            self.quotes[key] = quote


def _decoded(value: bytes | None) -> _Posted | None:
    try:
        return None if value is None else _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _posted_result(found: _Posted, merged: Merged, key: Key) -> PostedResult | None:
    """The result of something that was posted; None of anything else."""
    place = found.source or found.withdrawal
    if place is None or not found.posts:
        return None
    first, last = found.posts[0], found.posts[-1]
    return PostedResult(
        found.status,
        found.mapping or "",
        Partition(place.topic, place.partition),
        found.fields,
        first.type,
        last.type,
        _microseconds(last.sent_at),
        _stamp(found),
        tuple([post.answer for post in found.posts]),
        found.withdrawal is not None,
        merged.take(key, found.fields),
    )


def _stamp(found: _Posted) -> int:
    """Of its record; 0 where it has none."""
    stamp = None if found.source is None else found.source.timestamp
    return 0 if stamp is None else _microseconds(stamp)


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * _MICROSECONDS)
