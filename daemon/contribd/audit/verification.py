"""A verification from its beginning to its end."""

from collections.abc import Callable
from typing import NamedTuple

from contribd.audit.book import Book
from contribd.audit.collecting import Collecting, PartitionsOf
from contribd.audit.comparing import Comparing, Covered
from contribd.audit.evidence import Evidence
from contribd.audit.judge import Judge
from contribd.mapping.mapper import Mapper


class Verified(NamedTuple):
    """``counts``: what was looked at, by words."""

    covered: list[Covered]
    counts: dict[str, int]
    wrong: int

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to look at: that shows nothing."""
        return not any(each.records for each in self.covered)


def verify(
    evidence: Evidence,
    book: Book,
    rules: Callable[[str], Mapper | None],
    partitions_of: PartitionsOf,
    version: str,
    *,
    whole: bool,
    since: int | None = None,
) -> Verified:
    """Does what is left to do of it. ``rules``: those of a digest; ``whole``: no beginning was asked for; ``since``:
    the stamp of the oldest records asked for, in milliseconds since 1970."""
    Collecting(evidence, book, partitions_of).run()
    judge = Judge(rules, book.store, evidence.results_topic, version, book.counts)
    covered = [Comparing(evidence, book, judge, each, whole=whole, since=since).run() for each in evidence.stretches]
    book.keep("done", True)
    return Verified(covered, dict(book.counts), book.wrong)
