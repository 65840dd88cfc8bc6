"""The steps of a verification, each of one partition and none in need of another of its half.

First each partition of the results topic is collected, then each stretch of prices is compared.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from contribd.audit.book import Bookkeeping
from contribd.audit.collecting import Collecting
from contribd.audit.comparing import Comparing, Covered
from contribd.audit.evidence import Evidence, Stretch
from contribd.audit.judge import Judge
from contribd.mapping.mapper import Mapper
from contribd.streams.client.partitioner import partition_of


class KnownRules(Protocol):
    """The rules that results name. It can be pickled. ``notes``: what must be known of how they came to be."""

    notes: list[str]

    def mapper(self, digest: str) -> Mapper | None:
        """Those of a digest; None where nobody has them."""

    def note(self, text: str) -> None:
        """One more note, told once."""


RulesOf: TypeAlias = Callable[[str], Mapper | None]
"""Those of a digest; None where nobody has them."""


class Terms(NamedTuple):
    """What is asked of a verification. ``partitions``: how many the results topic has and has had; ``version``: of this
    contribd; ``whole``: no beginning was asked for; ``since``: the stamp of the oldest records asked for, in
    milliseconds since 1970."""

    partitions: tuple[int, ...]
    version: str
    whole: bool
    since: int | None = None


class Collect(NamedTuple):
    """One partition of results, whose first offset and end are these."""

    partition: int
    first: int
    end: int

    @property
    def offsets(self) -> int:
        """How many there are."""
        return self.end - self.first


class Compare(NamedTuple):
    """One stretch of prices."""

    stretch: Stretch

    @property
    def offsets(self) -> int:
        """How many there are."""
        return self.stretch.end - self.stretch.first


Step: TypeAlias = Collect | Compare


class Steps:
    """Does steps, with what one process has."""

    def __init__(self, evidence: Evidence, book: Bookkeeping, rules: RulesOf, terms: Terms) -> None:
        self._evidence, self._book, self._terms = evidence, book, terms
        self._ranges = [range(count) for count in dict.fromkeys(terms.partitions)]
        self._judge = Judge(rules, book.store, evidence.results_topic, terms.version, book.counts)

    def do(self, step: Step) -> Covered | None:
        """Does what is left of one; what a stretch comes to."""
        if isinstance(step, Collect):
            Collecting(self._evidence, self._book, self._may_be_in).collect(*step)
            return None
        terms = self._terms
        return Comparing(
            self._evidence, self._book, self._judge, step.stretch, whole=terms.whole, since=terms.since
        ).run()

    def do_all(self, steps: Sequence[Step]) -> list[Covered | None]:
        """One after the other."""
        return [self.do(step) for step in steps]

    def _may_be_in(self, key: bytes) -> list[int]:
        return [partition_of(key, numbers) for numbers in self._ranges]
