"""The first half of a verification: what each result claims goes into the store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from contribd.audit.book import Bookkeeping
from contribd.audit.claim import Claim, Contradiction, NoResult, Place, Placed, RawResult, claim_of
from contribd.audit.evidence import Evidence
from contribd.audit.findings import Finding, Wrong

KEEP: Final = 20_000
"""Offsets between two moments at which the store is made durable."""

PartitionsOf: TypeAlias = Callable[[bytes], Sequence[int]]
"""The partitions of the results topic in which a key may lie."""


class Collecting:
    """Of one results topic, a partition at a time."""

    def __init__(self, evidence: Evidence, book: Bookkeeping, partitions_of: PartitionsOf) -> None:
        self._evidence, self._book, self._partitions_of = evidence, book, partitions_of
        self._stretches = {(each.topic, each.partition): each for each in evidence.stretches}

    def collect(self, partition: int, first: int, end: int) -> None:
        """What is left of a partition whose bounds are these."""
        book, name = self._book, f"results {partition}"
        at = kept = int(book.store.recall(name, first))
        book.tick(at - first)
        if at >= end:
            return
        for batch in self._evidence.results(partition, at):
            book.add(self._claims(batch))
            reached = batch[-1].offset + 1
            book.tick(reached - at)
            at = reached
            if at - kept >= KEEP:
                kept = at
                book.keep(name, at)
        book.tick(end - at)
        book.keep(name, end)

    def _claims(self, batch: Iterable[RawResult]) -> Iterator[Placed]:
        for result in batch:
            self._book.counts["results read"] += 1
            try:
                placed = claim_of(result)
            except NoResult as error:
                wrong = Wrong.ALTERED if isinstance(error, Contradiction) else Wrong.NO_RESULT
                place = self._place(result)
                self._book.report(Finding(wrong, place, str(error), place))
                continue
            self._look_at_partition(result, placed)
            if placed.place is None:
                self._book.counts["withdrawals"] += 1
            elif self._is_wanted(placed.place, placed.claim):
                yield placed

    def _look_at_partition(self, result: RawResult, placed: Placed) -> None:
        if result.key is None or result.partition in (may := self._partitions_of(result.key)):
            return
        place = self._place(result)
        belongs = " or ".join(map(str, dict.fromkeys(may)))
        text = f"its key belongs into partition {belongs}; where there were fewer once, --partitions says how many"
        self._book.report(Finding(Wrong.MISPLACED, str(placed.place or place), text, place))

    def _is_wanted(self, place: Place, claim: Claim) -> bool:
        """Whether it is of a record that is looked at, or of one behind it that may have carried such a one."""
        stretch = self._stretches.get((place.topic, place.partition))
        if (carrier := claim.carrier) is not None and self._is_looked_at(carrier):
            return True  # what it carried shows in the fields of its carrier
        if stretch is None:
            self._book.counts["of topics or partitions not asked for"] += 1
            return False
        if claim.topic_id is not None and stretch.topic_id is not None and claim.topic_id != stretch.topic_id:
            self._book.counts["of an earlier topic of the same name"] += 1
            return False
        return place.offset >= stretch.first

    def _is_looked_at(self, place: Place) -> bool:
        stretch = self._stretches.get((place.topic, place.partition))
        return stretch is not None and place.offset >= stretch.first

    def _place(self, result: RawResult) -> str:
        return f"{self._evidence.results_topic}:{result.partition}:{result.offset}"
