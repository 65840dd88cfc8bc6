"""Prices and results of a simulated run, as evidence that a verification reads: real results of the real engine, after
kills, cuts and rebalances, and nothing of them on a disk."""

import pickle
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Self, TypeVar

from tests.simulation.world.environment.fed_records import Produced
from tests.simulation.world.environment.sim_mappings import make_mapper
from tests.simulation.world.plan import Plan
from tests.simulation.world.seeded_run import simulate

from contribd.audit.book import Book
from contribd.audit.claim import RawResult
from contribd.audit.evidence import Bounds, Stretch, Unread
from contribd.audit.findings import Finding
from contribd.audit.job_process import Setting, serve
from contribd.audit.jobs import JobLost, Jobs
from contribd.audit.jobs import verified as verified_by
from contribd.audit.steps import Terms
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

    @property
    def bounds(self) -> Bounds:
        """Everything."""
        ends = {number: results[-1].offset + 1 if results else 0 for number, results in self.results.items()}
        return Bounds(self.stretches, {number: (0, end) for number, end in ends.items()}, PARTITIONS)

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


@contextmanager
def opened(topics: Topics, ends_after: int | None, bounds: Bounds | None) -> Iterator[tuple[InMemory, Bounds]]:
    """As evidence is opened, with what comes last, in any process."""
    yield InMemory(topics, ends_after), bounds or topics.bounds


def verified(
    topics: Topics, folder: Path, *, ends_after: int | None = None, since: int | None = None, jobs: int = 1
) -> tuple[Verified, list[Finding]]:
    """What ``contribd audit verify`` makes of it; goes on where an earlier one in the folder ended."""
    with verification(topics, folder, ends_after=ends_after, since=since) as (setting, evidence, book, found):
        return verified_by(setting, evidence, book, jobs), found


def verified_in_threads(topics: Topics, folder: Path, ends_after: int | None = None) -> tuple[Verified, list[Finding]]:
    """The same by two jobs that are threads of this process, which begin at once."""
    with verification(topics, folder, ends_after=ends_after) as (setting, _, book, found), ExitStack() as ended:
        jobs = [ended.enter_context(InThread(setting)) for _ in range(2)]
        return verify(setting.bounds, book, Jobs(jobs, book, setting.rules).do), found


@contextmanager
def verification(
    topics: Topics, folder: Path, *, ends_after: int | None = None, since: int | None = None
) -> Iterator[tuple[Setting, InMemory, Book, list[Finding]]]:
    """All that one has before it; the list gets what is found."""
    found: list[Finding] = []
    opener, terms = partial(opened, topics, ends_after), Terms((PARTITIONS,), "0", since is None, since)
    with ClaimStore(folder / "work.sqlite") as store, opener(None) as (evidence, bounds):
        found += store.findings()
        store.keep()
        setting = Setting(opener, bounds, folder / "work.sqlite", SimulatedRules(topics.plan), terms)
        yield setting, evidence, Book(store, found.append), found


class InThread:
    """A ``Job`` that is a thread: all of it but the process."""

    def __init__(self, setting: Setting) -> None:
        self.port, theirs = Pipe()
        copied = pickle.loads(pickle.dumps(setting))  # noqa: S301 - as a process gets it
        self._thread = Thread(target=self._serve, args=(theirs, copied))

    @staticmethod
    def _serve(port: Connection, setting: Setting) -> None:
        with closing(port), suppress(SystemExit):
            serve(port, setting)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def lost(self) -> JobLost:
        """What is to be said where the pipe is closed."""
        return JobLost("the thread has ended")

    def end(self) -> None:
        """As soon as it asks for a step, or has something to tell."""
        self.port.close()
        self._thread.join()


class SimulatedRules:
    """Those that results of a plan's run name."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """One more."""
        self.notes.append(text)

    def mapper(self, digest: str) -> Mapper | None:
        """Of a generation, and a mapping."""
        return rules_of(self._plan, digest)


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
