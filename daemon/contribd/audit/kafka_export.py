"""What an export reads of Kafka: prices, results and events as they are, read by nobody's group."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from contribd.audit.evidence import Stretch, Unread
from contribd.audit.export_columns import RawRecord
from contribd.audit.exporting import LogRange, MadeAnew, follows
from contribd.audit.kafka_evidence import batches, result_bounds, settled_stretches, told
from contribd.audit.manifest import ExportedLog, Kind
from contribd.streams.client.access import Access
from contribd.streams.client.lookups import topic_ids
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, opened_reader, partitions_of
from contribd.streams.span import Span
from contribd.streams.traffic import TrafficError

_STAMPED: Final = {0: "CreateTime", 1: "LogAppendTime"}
_LOG_END: Final = "the end of the log"

Before: TypeAlias = Mapping[tuple[str, int], ExportedLog]
"""How far earlier runs came, by topic and partition."""


@dataclass(frozen=True)
class KafkaLogs:
    """``Logs`` over a consumer of ``opened_reader``. ``ranges``: what there is to export, in the order in which it is
    read; ``results_partitions``: how many the results topic has."""

    consumer: Any
    reader: TopicReader[RawRecord]
    ranges: tuple[LogRange, ...]
    results_partitions: int
    met: list[Unread]
    """Of the range that is read."""

    def read(self, log: LogRange) -> Iterator[list[RawRecord]]:
        """The records of a range, in order, some at a time."""
        self.met.clear()
        at = next(each for each in partitions_of(self.consumer, log.topic) if each.partition == log.partition)
        return batches(self.reader.bounded({at: log.first}, {at: log.end}, lambda _record: 0))

    def unread(self, _log: LogRange) -> list[Unread]:
        """What of the range read last could not be read."""
        return list(self.met)


@contextmanager
def open_kafka_logs(settings: KafkaSettings, span: Span, before: Before) -> Iterator[KafkaLogs]:
    """What there is of a span, from where ``before`` ends. Raises ``TrafficError``."""
    access = Access(settings)
    with opened_reader(settings, TrafficError, access) as consumer:
        # First what the group has settled, then where the logs end: its results are all before that.
        try:
            ranges = (
                *_prices(settled_stretches(consumer, access, settings, span), before),
                *_results(consumer, access, settings, span, before),
                *_events(consumer, access, settings, before),
            )
        except MadeAnew as error:
            raise TrafficError(str(error)) from None
        reader = TopicReader(consumer, _raw_records)
        met: list[Unread] = []
        reader.pass_over(settings, lambda _partition, fault: met.append(told(fault)))
        yield KafkaLogs(consumer, reader, ranges, len(partitions_of(consumer, settings.results)), met)


def _prices(stretches: Sequence[Stretch], before: Before) -> Iterator[LogRange]:
    for each in stretches:
        place = each.topic, each.partition
        first, gone = follows(Kind.PRICES, place, each.topic_id, each.first, each.log_start, before)
        end = max(first, each.end)
        at = each.topic, each.topic_id, each.partition
        yield LogRange(Kind.PRICES, *at, first, end, each.log_start, each.why, gone)


def _results(consumer: Any, access: Access, settings: KafkaSettings, span: Span, before: Before) -> Iterator[LogRange]:
    bounds = result_bounds(consumer, settings, span)
    yield from _whole(consumer, access, settings, Kind.RESULTS, settings.results, before, bounds)


def _events(consumer: Any, access: Access, settings: KafkaSettings, before: Before) -> Iterator[LogRange]:
    if (topic := settings.events_topic) is None:
        return
    partitions = partitions_of(consumer, topic)
    if not partitions:
        raise TrafficError(f"there is no topic {topic}, or it may not be read; check events_topic and its rights")
    begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    bounds = {at.partition: (begins[at], ends[at]) for at in partitions}
    yield from _whole(consumer, access, settings, Kind.EVENTS, topic, before, bounds)


def _whole(
    consumer: Any,
    access: Access,
    settings: KafkaSettings,
    kind: Kind,
    topic: str,
    before: Before,
    bounds: Mapping[int, tuple[int, int]],
) -> Iterator[LogRange]:
    """All partitions of a topic, up to their ends."""
    topic_id = topic_ids(access, settings, (topic,), TrafficError).get(topic)
    begins = consumer.beginning_offsets(partitions_of(consumer, topic))
    starts = {at.partition: begin for at, begin in begins.items()}
    for number, (begin, end) in sorted(bounds.items()):
        place = topic, number
        first, gone = follows(kind, place, topic_id, begin, starts[number], before)
        if end < first:
            raise TrafficError(
                f"{topic}:{number} ends at {end} and was exported up to {first}: its end was cut off, or the topic was "
                "made anew; name another folder"
            )
        yield LogRange(kind, topic, topic_id, number, first, end, starts[number], _LOG_END, gone)


def _raw_records(records: Sequence[Any]) -> list[RawRecord]:
    return [
        RawRecord(
            each.offset,
            each.timestamp,
            _STAMPED.get(each.timestamp_type),
            each.key,
            each.value,
            each.headers,
        )
        for each in records
    ]
