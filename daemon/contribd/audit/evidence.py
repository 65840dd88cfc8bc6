"""Where a verification reads from: results and records, whatever keeps them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

from contribd.audit.claim import RawResult
from contribd.mapping.inputs import Input


class Stretch(NamedTuple):
    """Records of one partition of prices: from ``first`` on and below ``end``, of which ``why`` says what ends it.

    ``log_start``: the oldest offset that the log still has.
    """

    topic: str
    partition: int
    first: int
    end: int
    log_start: int
    topic_id: str | None = None
    why: str = "the end of the log"

    @property
    def place(self) -> str:
        """For people."""
        return f"{self.topic}:{self.partition}"


class Bounds(NamedTuple):
    """All that a verification reads: ``results``: first offset and end of each partition of the results topic, of
    which there are ``partitions``."""

    stretches: tuple[Stretch, ...]
    results: Mapping[int, tuple[int, int]]
    partitions: int

    @property
    def offsets(self) -> int:
        """How many there are to read, of records and of results; some may hold nothing."""
        results = sum(end - first for first, end in self.results.values())
        return results + sum(each.end - each.first for each in self.stretches)


class Unread(NamedTuple):
    """Offsets of a stretch that nobody can read, and why."""

    first: int
    last: int
    what: str


class Evidence(Protocol):
    """Results and records. Its bounds are fixed once it is opened."""

    results_topic: str
    stretches: tuple[Stretch, ...]

    def results(self, partition: int, first: int) -> Iterator[list[RawResult]]:
        """Those of one partition from ``first`` on, in order, some at a time."""

    def records(self, stretch: Stretch, first: int) -> Iterator[list[Input]]:
        """The records of a stretch from ``first`` on, in order, some at a time."""

    def unread(self, stretch: Stretch) -> list[Unread]:
        """What could not be read of it so far."""

    def is_unread(self, stretch: Stretch, offset: int) -> bool:
        """Whether that is among it."""


Opener: TypeAlias = Callable[[Bounds | None], AbstractContextManager[tuple[Evidence, Bounds]]]
"""Opens evidence, with these bounds where they are known. It can be pickled: each process opens its own."""
