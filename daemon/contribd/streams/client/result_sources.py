"""The results topic, read for the sources of its results, over a ``KafkaConsumer``."""

from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from contribd.streams.client.access import Access
from contribd.streams.client.errors import TopicMissing
from contribd.streams.client.port import ResultSource, WholeResult
from contribd.streams.client.sentences import topics_missing
from contribd.streams.client.settings import KafkaSettings

CLOSE_SECONDS: Final = 1.0
"""How long its end may take."""


class ResultsTail:
    """``ResultSources`` over a ``KafkaConsumer`` that joins no group."""

    def __init__(self, client: Any, settings: KafkaSettings) -> None:
        """``client``: a ``KafkaConsumer``. Raises KafkaError."""
        self._client = client
        topic = settings.results
        numbers = client.partitions_for_topic(topic)
        if not numbers:
            raise TopicMissing(topics_missing([topic], "Read", settings))
        self._places = [TopicPartition(topic, number) for number in sorted(numbers)]
        client.assign(self._places)
        self._begins: dict[TopicPartition, int] = client.beginning_offsets(self._places)
        self._ends: dict[TopicPartition, int] = client.end_offsets(self._places)
        self._open = set(self._places)
        """Those whose log may reach further, behind a transaction that was open."""

    def go_to(self, time: int | None) -> int:
        """To the first results written at or after ``time``, None: to the oldest there are."""
        starts = dict(self._begins)
        if time is not None:
            found = self._client.offsets_for_times(dict.fromkeys(self._places, max(0, time)))
            starts = {
                place: self._ends[place] if at is None or at.timestamp < 0 else at.offset for place, at in found.items()
            }
        return self._seek(starts)

    def go_to_last(self, most: int) -> int:
        """To the last ones, so many in all."""
        each = most // len(self._places)
        return self._seek({place: max(begin, self._ends[place] - each) for place, begin in self._begins.items()})

    def _seek(self, starts: dict[TopicPartition, int]) -> int:
        for place, start in starts.items():
            self._client.seek(place, start)
        return sum(self._ends[place] - start for place, start in starts.items())

    def poll(self, seconds: float) -> list[ResultSource]:
        """The next ones; waits for the first."""
        return [ResultSource.of(record.headers) for record in self._polled(seconds)]

    def poll_whole(self, seconds: float) -> list[WholeResult]:
        """The same with their values."""
        return [WholeResult.of(record.headers, record.value) for record in self._polled(seconds)]

    def _polled(self, seconds: float) -> list[Any]:
        polled = self._client.poll(timeout_ms=round(seconds * 1000))
        self._extend()
        return [record for records in polled.values() for record in records]

    def _extend(self) -> None:
        """An end is where the first open transaction began; a fetch tells where the log itself ends."""
        for place in sorted(self._open):
            if (end := self._client.highwater(place)) is not None:
                self._ends[place] = max(end, self._ends[place])
                self._open.discard(place)

    def left(self) -> int:
        """Offsets before the end; at least one before every log has said where it ends."""
        behind = sum(max(0, self._ends[place] - (self._position(place) or 0)) for place in self._places)
        return behind or len(self._open)

    def _position(self, place: TopicPartition) -> int | None:
        position: int | None = self._client.position(place)
        return position

    def oldest(self) -> int | None:
        """When the oldest result there is was written, where older ones were deleted."""
        deleted = [place for place in self._places if self._begins[place] > 0]
        if not deleted:
            return None
        found = self._client.offsets_for_times(dict.fromkeys(deleted, 0))
        stamps = [at.timestamp for at in found.values() if at is not None and at.timestamp >= 0]
        return max(stamps, default=None)

    def close(self) -> None:
        """Ends it."""
        self._client.close(autocommit=False, timeout_ms=round(CLOSE_SECONDS * 1000))


def open_results(access: Access, settings: KafkaSettings) -> ResultsTail:
    """A reader of our results, connected. Raises KafkaError, OSError."""
    arguments = {**settings.consumer(), "group_id": None, "auto_offset_reset": "earliest"}
    client = access.opened(KafkaConsumer, **arguments)
    try:
        return ResultsTail(client, settings)
    except BaseException:
        client.close(autocommit=False)
        raise
