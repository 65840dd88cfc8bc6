"""The records that results are of, read from the prices topics by their places, one at a time.

Nobody is disturbed: no group, no commits, and of a partition little more than the one batch is fetched.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from kafka import TopicPartition

from contribd.mapping.inputs import Input, from_kafka
from contribd.results.result import Source
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, opened_reader

FETCH_BYTES: Final = 64 * 1024
"""Of one partition, unless its next batch is larger."""


class InputError(Exception):
    """A record cannot be read; the text says why."""


class Inputs:
    """Reads with a consumer that is used for nothing else."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def read(self, source: Source) -> Input:
        """The record at this place. Raises ``InputError`` where it is gone, or another one is there."""
        found = self.raw(source)
        return from_kafka(
            found.topic, found.partition, found.offset, found.timestamp, found.key, found.value, found.headers
        )

    def raw(self, source: Source) -> Any:
        """The same as the client has it."""
        at = TopicPartition(source.topic, source.partition)
        # Forgets where it was: the same partition is read from another place each time.
        self._consumer.assign([])
        if not self._consumer.beginning_offsets([at])[at] <= source.offset < self._consumer.end_offsets([at])[at]:
            raise InputError(f"the log does not have {source} any more")
        reader = TopicReader[Any](self._consumer, _as_they_are)
        found = next(reader.bounded({at: source.offset}, {at: source.offset + 1}, lambda _record: 0), None)
        if found is None or found.offset != source.offset:
            raise InputError(f"there is no record at {source} any more")
        stamp = None if source.timestamp is None else round(source.timestamp.timestamp() * 1000)
        if stamp is not None and found.timestamp != stamp:
            raise InputError(f"the record at {source} is another one: the topic was made anew")
        return found


def _as_they_are(records: Sequence[Any]) -> Sequence[Any]:
    return records


@contextmanager
def opened_inputs(settings: KafkaSettings) -> Iterator[Inputs]:
    """What reads them. Raises ``InputError``, also while it is used."""
    client = {**settings.client, "max_partition_fetch_bytes": FETCH_BYTES}
    with opened_reader(replace(settings, client=client), InputError) as consumer:
        yield Inputs(consumer)
