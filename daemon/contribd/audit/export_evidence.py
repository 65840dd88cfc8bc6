"""Results and records as an export has them, and its results beside seals: nobody needs Kafka."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from contribd.audit.claim import RawResult
from contribd.audit.evidence import Bounds, Stretch, Unread
from contribd.audit.exported import Export, Place
from contribd.audit.findings import Finding
from contribd.audit.manifest import Kind
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.seals import Seal, compared
from contribd.mapping.inputs import Input, from_kafka

BATCH: Final = 500
"""Records handed on at a time."""


class ExportEvidence:
    """``Evidence`` over an export that was looked at before (``export_check``)."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self.results_topic = export.results_topic
        self.stretches = tuple(_stretch(export, place) for place in export.places(Kind.PRICES))
        self._left_out = {each: _left_out(export, _place(each)) for each in self.stretches}

    def results(self, partition: int, first: int) -> Iterator[list[RawResult]]:
        """Those of one partition from ``first`` on, in order, some at a time."""
        place = Place(Kind.RESULTS, self.results_topic, partition)
        records = self._export.records(place, first, self._export.bounds(place)[1])
        results = (RawResult(partition, each.offset, each.key, each.value, each.headers) for each in records)
        while batch := list(islice(results, BATCH)):
            yield batch

    def records(self, stretch: Stretch, first: int) -> Iterator[list[Input]]:
        """The records of a stretch from ``first`` on, in order, some at a time."""
        place = _place(stretch)
        inputs = (
            from_kafka(
                stretch.topic, stretch.partition, each.offset, each.timestamp, each.key, each.value, each.headers
            )
            for each in self._export.records(place, first, stretch.end)
        )
        while batch := list(islice(inputs, BATCH)):
            yield batch

    def unread(self, stretch: Stretch) -> list[Unread]:
        """What was not exported of it, and what is in files that cannot be read."""
        damaged = self._export.damaged
        if not damaged:
            return self._left_out[stretch]
        files = (each for each in self._export.files(_place(stretch)) if each.path in damaged)
        in_them = [Unread(each.first, each.last, f"{each.path}: {damaged[each.path]}") for each in files]
        return self._left_out[stretch] + in_them

    def is_unread(self, stretch: Stretch, offset: int) -> bool:
        """Whether that is among it."""
        return any(each.first <= offset <= each.last for each in self.unread(stretch))

    def bounds(self) -> Bounds:
        """All that a verification reads."""
        results = {place.partition: self._export.bounds(place) for place in self._export.places(Kind.RESULTS)}
        return Bounds(self.stretches, results, self._export.last.results_partitions)

    def counts_of_partitions(self) -> list[int]:
        """How many the results topic has had."""
        return [each.manifest.results_partitions for each in self._export.manifests]


@contextmanager
def open_export(export: Export, _kept: Bounds | None = None) -> Iterator[tuple[ExportEvidence, Bounds]]:
    """All that is in an export, in any process: its manifests say what that is."""
    evidence = ExportEvidence(export)
    yield evidence, evidence.bounds()


def _place(stretch: Stretch) -> Place:
    return Place(Kind.PRICES, stretch.topic, stretch.partition)


def _left_out(export: Export, place: Place) -> list[Unread]:
    parts = export.parts[place]
    return [Unread(each.first, each.last, each.what) for part in parts for each in part.log.not_exported]


def _stretch(export: Export, place: Place) -> Stretch:
    parts = export.parts[place]
    first, last = parts[0].log, parts[-1].log
    return Stretch(place.topic, place.partition, first.first, last.end, first.log_start, last.topic_id, last.why)


class ExportedTopic:
    """The results of an export, for seals."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._places = {place.partition: place for place in export.places(Kind.RESULTS)}
        ids = {part.log.topic_id for place in self._places.values() for part in export.parts[place]}
        self._topic, self._topic_id = export.results_topic, next(iter(ids), None)

    def compare(
        self, name: str, seal: Seal, tick: Callable[[int], None]
    ) -> Iterator[tuple[Finding | None, str | None]]:
        """What is sealed beside what was exported, partition by partition."""
        if seal.topic != self._topic or (seal.topic_id and self._topic_id and seal.topic_id != self._topic_id):
            yield None, f"{name}: of another topic than the exported {self._topic}, so not verified here"
            return
        for number, sealed in sorted(seal.partitions.items()):
            first, end = self._bounds(number)
            place = f"{seal.topic}:{number}:{sealed.first}..{sealed.end - 1}"
            if sealed.first == sealed.end:
                continue
            if not first <= sealed.first <= sealed.end <= end:
                yield None, f"{place}: the export has {first}..{end - 1} of it, so this is not verified here ({name})"
                continue
            yield compared(name, seal, number, self._root(number, sealed.first, sealed.end, tick), (first, end))

    def newer(self, seal: Seal) -> int:
        """How many exported offsets lie behind what is sealed."""
        ends = {number: sealed.end for number, sealed in seal.partitions.items()}
        return sum(
            max(0, end - ends.get(number, first))
            for number, (first, end) in ((number, self._bounds(number)) for number in self._places)
        )

    def _bounds(self, number: int) -> tuple[int, int]:
        place = self._places.get(number)
        return (0, 0) if place is None else self._export.bounds(place)

    def _root(self, number: int, first: int, end: int, tick: Callable[[int], None]) -> tuple[int, bytes]:
        tree = Tree()
        for record in self._export.records(self._places[number], first, end):
            tree.append(leaf_of(record))
            tick(1)
        return tree.size, tree.root()
