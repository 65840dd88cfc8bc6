"""The records of a results topic, for seals: read by nobody's group, as committed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from contribd.audit.findings import Finding
from contribd.audit.kafka_evidence import raw_results
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.seals import Seal, Sealed, compared
from contribd.streams.client.access import Access
from contribd.streams.client.lookups import topic_ids
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, opened_reader, partitions_of
from contribd.streams.traffic import TrafficError


class SealedTopic:
    """Over a consumer of ``opened_reader``."""

    def __init__(self, consumer: Any, settings: KafkaSettings, topic_id: str | None) -> None:
        self._consumer = consumer
        self._topic, self._topic_id = settings.results, topic_id
        self._places = {at.partition: at for at in partitions_of(consumer, settings.results)}
        if not self._places:
            raise TrafficError(f"there is no topic {self._topic}, or it may not be read; check kafka.results")
        begins = consumer.beginning_offsets(list(self._places.values()))
        ends = consumer.end_offsets(list(self._places.values()))
        self._logs = {number: (begins[at], ends[at]) for number, at in self._places.items()}

    def seal(self, before: Seal | None, previous: str | None, tick: Callable[[int], None]) -> Seal:
        """Of what was written since the one before; ``previous``: its digest. All there is where there is none."""
        same = before is not None and before.topic_id == self._topic_id
        older: Mapping[int, Sealed] = before.partitions if before is not None and same else {}
        partitions = {}
        for number, (begin, end) in self._logs.items():
            first = older[number].end if number in older else begin
            if end < first:
                text = f"{self._topic}:{number} ends at {end} and was sealed up to {first}: verify the seals there are"
                raise TrafficError(f"nothing is sealed: {text}")
            records, root = self._root(number, max(first, begin), end, tick)
            partitions[number] = Sealed(first, end, records, root)
        return Seal(self._topic, self._topic_id, datetime.now(UTC), previous, partitions)

    def compare(
        self, name: str, seal: Seal, tick: Callable[[int], None]
    ) -> Iterator[tuple[Finding | None, str | None]]:
        """What is sealed beside what there is now, partition by partition."""
        if seal.topic != self._topic or (seal.topic_id and self._topic_id and seal.topic_id != self._topic_id):
            yield None, f"{name}: of another topic than {self._topic} as it is now, so not verified here"
            return
        for number, sealed in sorted(seal.partitions.items()):
            begin, end = self._logs.get(number, (0, 0))
            there = begin <= sealed.first and sealed.end <= end
            found = self._root(number, sealed.first, sealed.end, tick) if there else None
            yield compared(name, seal, number, found, (begin, end))

    def newer(self, seal: Seal) -> int:
        """How many offsets lie behind what is sealed."""
        ends = {number: sealed.end for number, sealed in seal.partitions.items()}
        return sum(max(0, end - ends.get(number, begin)) for number, (begin, end) in self._logs.items())

    def _root(self, number: int, first: int, end: int, tick: Callable[[int], None]) -> tuple[int, bytes]:
        """Number and root of the records from ``first`` on and below ``end``."""
        tree, at = Tree(), self._places[number]
        if first < end:
            reader = TopicReader(self._consumer, raw_results)
            for record in reader.bounded({at: first}, {at: end}, lambda _record: 0):
                tree.append(leaf_of(record))
                tick(1)
        return tree.size, tree.root()


@contextmanager
def open_sealed_topic(settings: KafkaSettings) -> Iterator[SealedTopic]:
    """The results topic as it is. Raises ``TrafficError``."""
    access = Access(settings)
    with opened_reader(settings, TrafficError, access) as consumer:
        ids = topic_ids(access, settings, (settings.results,), TrafficError)
        yield SealedTopic(consumer, settings, ids.get(settings.results))
