"""Results and records as Kafka has them, read by nobody's group."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final

from contribd.audit.claim import RawResult
from contribd.audit.evidence import Bounds, Opener, Stretch, Unread
from contribd.engine.records.offsets import Partition
from contribd.mapping.inputs import Input
from contribd.results.reader import CLOCKS
from contribd.streams.client.access import Access
from contribd.streams.client.lookups import group_offsets, topic_ids
from contribd.streams.client.port import FetchFault
from contribd.streams.client.settings import KafkaSettings, login_wait
from contribd.streams.client.topic_reader import TopicReader, offsets_at, opened_reader, partitions_of
from contribd.streams.span import Span
from contribd.streams.traffic import TrafficError, decoded_inputs, span_bounds

BATCH: Final = 500
"""Records handed on at a time."""


class KafkaEvidence:
    """Over a consumer of ``opened_reader``; reads one partition at a time."""

    def __init__(self, consumer: Any, settings: KafkaSettings, bounds: Bounds) -> None:
        self._consumer, self._settings, self._bounds = consumer, settings, bounds
        self.results_topic = settings.results
        self.stretches = bounds.stretches
        self._unread: dict[Stretch, list[Unread]] = {}
        self._met: list[Unread] = []
        """Of the stretch that is read."""
        self._reader: TopicReader[Input] | None = None

    def results(self, partition: int, first: int) -> Iterator[list[RawResult]]:
        """Those of one partition from ``first`` on, in order, some at a time."""
        _, end = self._bounds.results[partition]
        at = self._place(self.results_topic, partition)
        reader = TopicReader(self._consumer, raw_results)
        return batches(reader.bounded({at: first}, {at: end}, lambda _result: 0))

    def records(self, stretch: Stretch, first: int) -> Iterator[list[Input]]:
        """The records of a stretch from ``first`` on, in order, some at a time."""
        self._met = self._unread.setdefault(stretch, [])
        at = self._place(stretch.topic, stretch.partition)
        if self._reader is None:  # one for all: the client is told only once whom to tell
            self._reader = TopicReader(self._consumer, decoded_inputs)
            self._reader.pass_over(self._settings, lambda _partition, fault: self._met.append(told(fault)))
        return batches(self._reader.bounded({at: first}, {at: stretch.end}, lambda _record: 0))

    def unread(self, stretch: Stretch) -> list[Unread]:
        """What could not be read of it so far."""
        return self._unread.get(stretch, [])

    def is_unread(self, stretch: Stretch, offset: int) -> bool:
        """Whether that is among it."""
        return any(each.first <= offset <= each.last for each in self.unread(stretch))

    def _place(self, topic: str, number: int) -> Any:
        return next(each for each in partitions_of(self._consumer, topic) if each.partition == number)


@contextmanager
def open_kafka_evidence(
    settings: KafkaSettings, span: Span, kept: Bounds | None = None
) -> Iterator[tuple[KafkaEvidence, Bounds]]:
    """What there is of a span. ``kept``: the bounds of an earlier run that is gone on with. Raises ``TrafficError``."""
    access = Access(settings)
    with opened_reader(settings, TrafficError, access) as consumer:
        bounds = kept or _bounds(consumer, access, settings, span)
        yield KafkaEvidence(consumer, settings, bounds), bounds


def kafka_opener(settings: KafkaSettings, span: Span) -> Opener:
    """Opens it in any process."""
    # How long a refused login waits is of no use to one who is told at once, and cannot be pickled.
    return partial(open_kafka_evidence, replace(settings, login_wait=login_wait), span)


def _bounds(consumer: Any, access: Access, settings: KafkaSettings, span: Span) -> Bounds:
    # First what the group has settled, then where the logs end: its results are all before that.
    stretches = settled_stretches(consumer, access, settings, span)
    return Bounds(stretches, result_bounds(consumer, settings, span), len(partitions_of(consumer, settings.results)))


def settled_stretches(consumer: Any, access: Access, settings: KafkaSettings, span: Span) -> tuple[Stretch, ...]:
    """What of a span of the prices topics the group has settled. Raises ``TrafficError``."""
    settled = group_offsets(access, settings, TrafficError)
    ids = topic_ids(access, settings, settings.prices, TrafficError)
    starts, ends = span_bounds(consumer, settings.prices, span)
    begins, log_ends = consumer.beginning_offsets(list(starts)), consumer.end_offsets(list(starts))
    stretches = []
    for at in starts:
        place = Partition(*at)
        end, why = end_of(starts[at], ends[at], log_ends[at], settled.get(place))
        stretches.append(Stretch(at.topic, at.partition, starts[at], end, begins[at], ids.get(at.topic), why))
    return tuple(stretches)


def end_of(first: int, asked: int, log_end: int, committed: int | None) -> tuple[int, str]:
    """Up to where a partition is looked at, and why; ``asked``: the end of what was asked for."""
    if committed is None:
        return first, "the group has committed no offset"
    if committed < asked:
        return max(first, committed), "the group has settled so far"
    if asked < log_end:
        return asked, "all that was asked for"
    if committed > log_end:
        return asked, f"the end of the log; the group has settled up to {committed}: what it has settled behind is gone"
    return asked, "the end of the log"


def result_bounds(consumer: Any, settings: KafkaSettings, span: Span) -> dict[int, tuple[int, int]]:
    """First offset and end of each partition of the results topic, as far as it may have results of a span's records.

    Raises ``TrafficError``.
    """
    partitions = partitions_of(consumer, settings.results)
    if not partitions:
        raise TrafficError(f"there is no topic {settings.results}, or it may not be read; check kafka.results")
    begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    if span.since is not None:
        found = offsets_at(consumer, partitions, span.since - CLOCKS)
        begins = {at: max(begins[at], found.get(at, ends[at])) for at in partitions}
    return {at.partition: (begins[at], ends[at]) for at in partitions}


def raw_results(records: Sequence[Any]) -> list[RawResult]:
    """Records of the client's as they were read."""
    return [RawResult(each.partition, each.offset, each.key, each.value, each.headers) for each in records]


def told(fault: FetchFault) -> Unread:
    """What the client could not read."""
    return Unread(fault.offset, fault.last, fault.what)


def batches(records: Iterator[Any]) -> Iterator[list[Any]]:
    """As many at a time as are handed on."""
    while batch := list(islice(records, BATCH)):
        yield batch
