"""Prices and results of a simulated run, as evidence that a verification reads: real results of the real engine, after
kills, cuts and rebalances, and nothing of them on a disk."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.simulation.world.environment.fed_records import Produced
from tests.simulation.world.environment.sim_mappings import make_mapper
from tests.simulation.world.plan import Plan
from tests.simulation.world.seeded_run import simulate

from contribd.audit.book import Book
from contribd.audit.claim import RawResult
from contribd.audit.evidence import Stretch, Unread
from contribd.audit.findings import Finding
from contribd.audit.store import ClaimStore
from contribd.audit.verification import Verified, verify
from contribd.engine.records.result_encoder import Encoded
from contribd.mapping.inputs import Input
from contribd.mapping.mapper import Mapper
from contribd.mapping.scope import Surroundings
from contribd.streams.client.partitioner import partition_of

T = TypeVar("T")

PARTITIONS = 3
"""Of the results topic."""


@dataclass
class Topics:
    """Both topics, in lists that a test may spoil. ``results``: of each partition of the results topic."""

    plan: Plan
    records: dict[int, list[Input]]
    results: dict[int, list[RawResult]]
    unread_offsets: list[Unread] = field(default_factory=list)
    results_topic: str = "results"

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Everything."""
        return tuple(
            Stretch("prices", number, _offset(records[0]), _offset(records[-1]) + 1, _offset(records[0]))
            for number, records in self.records.items()
            if records
        )

    def result_bounds(self) -> Mapping[int, tuple[int, int]]:
        """Everything."""
        return {number: (0, results[-1].offset + 1 if results else 0) for number, results in self.results.items()}

    def results_from(self, partition: int, first: int) -> list[RawResult]:
        """Those of one partition from there on."""
        return [each for each in self.results[partition] if each.offset >= first]

    def records_of(self, stretch: Stretch, first: int) -> list[Input]:
        """Those of a stretch from there on."""
        return [each for each in self.records[stretch.partition] if first <= _offset(each) < stretch.end]


class InMemory:
    """``Evidence`` over topics; a batch at a time. ``ends_after``: so many batches, and then it fails."""

    def __init__(self, topics: Topics, ends_after: int | None = None) -> None:
        self._topics = topics
        self._left = ends_after
        self.results_topic, self.stretches = topics.results_topic, topics.stretches

    def result_bounds(self) -> Mapping[int, tuple[int, int]]:
        """Everything."""
        return self._topics.result_bounds()

    def results(self, partition: int, first: int) -> Iterator[list[RawResult]]:
        """Some at a time."""
        return self._batches(self._topics.results_from(partition, first))

    def records(self, stretch: Stretch, first: int) -> Iterator[list[Input]]:
        """Some at a time."""
        return self._batches(self._topics.records_of(stretch, first))

    def unread(self, _stretch: Stretch) -> list[Unread]:
        """What a test says."""
        return self._topics.unread_offsets

    def is_unread(self, stretch: Stretch, offset: int) -> bool:
        """Whether that is among it."""
        return any(each.first <= offset <= each.last for each in self.unread(stretch))

    def _batches(self, items: Sequence[T]) -> Iterator[list[T]]:
        for start in range(0, len(items), 10):
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    raise ConnectionError("the connection is gone")
            yield list(items[start : start + 10])


def topics_of(plan: Plan) -> Topics:
    """What a run of this plan leaves."""
    kafka = simulate(plan)
    records = {number: [_input(each) for each in log] for number, log in enumerate(kafka.logs)}
    topics = Topics(plan, records, {number: [] for number in range(PARTITIONS)})
    for _, encoded in kafka.results:
        append(topics, encoded._replace(value=_named(encoded.value)))
    return topics


def _named(value: bytes) -> bytes:
    """A result's config names all of its rules: in a run they are told by its version, too."""
    return re.sub(rb'"version":"(\d+)","config":"(\d+)"', rb'"version":"0","config":"\2.\1"', value)


def append(topics: Topics, encoded: Encoded) -> None:
    """One more result, where its key belongs."""
    key, value, headers = encoded
    number = 0 if key is None else partition_of(key, range(PARTITIONS))
    log = topics.results[number]
    log.append(RawResult(number, len(log), key, value, tuple(headers)))


def verified(
    topics: Topics, folder: Path, *, ends_after: int | None = None, since: int | None = None
) -> tuple[Verified, list[Finding]]:
    """What ``contribd audit verify`` makes of it; goes on where an earlier one in the folder ended."""
    found: list[Finding] = []
    with ClaimStore(folder / "work.sqlite") as store:
        found += store.findings()
        book = Book(store, found.append)
        outcome = verify(
            InMemory(topics, ends_after),
            book,
            lambda config: rules_of(topics.plan, config),
            lambda key: [partition_of(key, range(PARTITIONS))],
            "0",
            whole=since is None,
            since=since,
        )
    return outcome, found


def rules_of(plan: Plan, config: str) -> Mapper | None:
    """The rules that a result of this run names; None where it has none such."""
    generation, _, mapping = config.partition(".")
    if not mapping:
        return None
    return make_mapper(int(mapping), None if plan.reloads is None else int(generation), curves=plan.curves is not None)


def _offset(record: Input) -> int:
    return record.surroundings.offset


def _input(record: Produced) -> Input:
    key = None if record.key is None else record.key.decode()
    stamp = None if record.timestamp < 0 else record.timestamp
    return Input(record.value, Surroundings(key, "prices", record.partition, record.offset, stamp, {}))
