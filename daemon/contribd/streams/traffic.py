"""A stretch of the prices topics, read as the daemon reads them, for somebody to look at.

No group, no commits: the daemon does not hear of it. The stretch ends where the logs ended when it was opened. All
partitions are merged by their records' timestamps.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from contribd.engine.records.offsets import Partition
from contribd.mapping.inputs import Input, from_kafka
from contribd.streams.client.port import FetchFault
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import Offsets, TopicReader, offsets_at, opened_reader, partitions_of
from contribd.streams.span import OffsetRange, Span


class TrafficError(Exception):
    """The records cannot be read; the text says why and what to do."""


class Stretch(NamedTuple):
    """What is read of one partition: from ``first`` to before ``end``."""

    partition: Partition
    first: int
    end: int


class Unread(NamedTuple):
    """Offsets that could not be read, and why."""

    partition: Partition
    first: int
    last: int
    what: str


@dataclass(frozen=True)
class Traffic:
    """Records, oldest first. ``unread`` grows while they are read."""

    stretches: tuple[Stretch, ...]
    records: Iterator[Input]
    unread: list[Unread] = field(default_factory=list)

    @property
    def offsets(self) -> int:
        """How many offsets there are; some may hold no record."""
        return sum(each.end - each.first for each in self.stretches)


@contextmanager
def open_traffic(settings: KafkaSettings, span: Span) -> Iterator[Traffic]:
    """The records of a span. Raises ``TrafficError``, also while they are read."""
    with opened_reader(settings, TrafficError) as consumer:
        starts, ends = span_bounds(consumer, settings.prices, span)
        stretches = tuple(Stretch(Partition(*each), starts[each], ends[each]) for each in ends)
        reader = TopicReader(consumer, decoded_inputs)
        unread: list[Unread] = []
        reader.pass_over(settings, lambda partition, fault: unread.append(_unread(partition, fault)))
        yield Traffic(stretches, reader.bounded(starts, ends, _stamp), unread)


def _unread(partition: Partition, fault: FetchFault) -> Unread:
    return Unread(partition, fault.offset, fault.last, fault.what)


def decoded_inputs(records: Sequence[Any]) -> Iterable[Input]:
    return [
        from_kafka(each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, each.headers)
        for each in records
    ]


def _stamp(record: Input) -> int:
    # What stands behind another in its partition comes after it whatever its stamp says: the merge sees to that.
    return record.surroundings.timestamp or 0


def span_bounds(consumer: Any, topics: Sequence[str], span: Span) -> tuple[Offsets, Offsets]:
    wanted = tuple(dict.fromkeys(each.partition.topic for each in span.offsets)) or topics
    known = {topic: partitions_of(consumer, topic) for topic in wanted}
    for topic, partitions in known.items():
        if not partitions:
            raise TrafficError(f"there is no topic {topic}, or it may not be read; check kafka.prices and its rights")
    everywhere = [partition for partitions in known.values() for partition in partitions]
    if span.offsets:
        return _given(consumer, everywhere, span.offsets)
    begins, ends = consumer.beginning_offsets(everywhere), consumer.end_offsets(everywhere)
    since = offsets_at(consumer, everywhere, span.since) if span.since else begins
    # The first record after the end of the time asked for, which is inclusive to the millisecond.
    until = offsets_at(consumer, everywhere, span.until + timedelta(milliseconds=1)) if span.until else {}
    starts = {each: max(begins[each], since.get(each, ends[each])) for each in everywhere}
    ends = {each: max(starts[each], min(ends[each], until.get(each, ends[each]))) for each in everywhere}
    if span.newest is not None:
        starts = {each: max(starts[each], ends[each] - span.newest) for each in everywhere}
    return starts, ends


def _given(consumer: Any, known: list[Any], given: Sequence[OffsetRange]) -> tuple[Offsets, Offsets]:
    places = {Partition(*each): each for each in known}
    for each in given:
        if each.partition not in places:
            raise TrafficError(f"there is no partition {each.partition}")
    wanted = {places[each.partition]: each for each in given}
    if len(wanted) < len(given):
        raise TrafficError("name each partition once: prices:3:1812..1900 names many of its offsets")
    begins, ends = consumer.beginning_offsets(list(wanted)), consumer.end_offsets(list(wanted))
    starts = {at: min(max(each.first, begins[at]), ends[at]) for at, each in wanted.items()}
    last = {at: ends[at] if each.last is None else min(each.last + 1, ends[at]) for at, each in wanted.items()}
    return starts, {at: max(starts[at], end) for at, end in last.items()}
