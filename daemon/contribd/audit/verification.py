"""A verification from its beginning to its end, whichever processes do its steps."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from contribd.audit.book import Book
from contribd.audit.comparing import Covered
from contribd.audit.evidence import Bounds
from contribd.audit.steps import Collect, Compare, Step


class Verified(NamedTuple):
    """``counts``: what was looked at, by words."""

    covered: list[Covered]
    counts: dict[str, int]
    wrong: int

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to look at: that shows nothing."""
        return not any(each.records for each in self.covered)


Do: TypeAlias = Callable[[Sequence[Step]], list[Covered | None]]
"""Does steps, in whatever order; what came of each, in theirs."""


def verify(bounds: Bounds, book: Book, do: Do) -> Verified:
    """Does what is left to do of it."""
    do([Collect(partition, first, end) for partition, (first, end) in bounds.results.items()])
    covered = do([Compare(stretch) for stretch in bounds.stretches])
    book.keep("done", True)
    return Verified([each for each in covered if each is not None], dict(book.counts), book.wrong)
