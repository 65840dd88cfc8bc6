"""The second half of a verification: the claims of each record are laid beside it.

Theory of operation
===================

Offsets without a record are no fault: Kafka writes markers of transactions, and compaction takes records away. A record
without a result is one, with two exceptions, which are named instead: what lies before the first result of a partition
where no beginning was asked for (the group began there), and what nobody can read any more. A result without a record
is one too, but where the log begins later (retention).

Records without a result that follow each other are one finding: a gap of a million is one line.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from contribd.audit.book import Bookkeeping
from contribd.audit.claim import Claim
from contribd.audit.evidence import Evidence, Stretch
from contribd.audit.findings import Finding, Wrong
from contribd.audit.judge import Judge
from contribd.mapping.inputs import Input

KEEP: Final = 20_000
"""Records between two moments at which the store is made durable."""


class Covered(NamedTuple):
    """What was looked at of one partition of prices. ``notes``: what of it was not, and why."""

    place: str
    first: int
    end: int
    why: str
    records: int
    notes: tuple[str, ...]


class _Reached(msgspec.Struct):
    """How far it is, as the store keeps it. ``before``: records stamped before the range. ``missing``: first, last
    and number of the records without a result that were met last."""

    at: int
    records: int = 0
    before: int = 0
    missing: tuple[int, int, int] | None = None
    notes: list[str] = []


class Comparing:
    """Of one stretch."""

    def __init__(
        self,
        evidence: Evidence,
        book: Bookkeeping,
        judge: Judge,
        stretch: Stretch,
        *,
        whole: bool,
        since: int | None = None,
    ) -> None:
        """``whole``: no beginning was asked for; ``since``: milliseconds since 1970 before which records are none of
        those asked for, wherever they lie."""
        self._since = since
        self._evidence, self._book, self._judge, self._stretch = evidence, book, judge, stretch
        self._name = f"records {stretch.place}"
        kept = book.store.recall(self._name, None)
        self._reached = _Reached(stretch.first) if kept is None else msgspec.convert(kept, _Reached)
        first = book.store.first(stretch.topic, stretch.partition, stretch.first)
        self._begins = (stretch.end if first is None else first) if whole else None
        """The first record that has a result, where those before it are an exception."""

    def run(self) -> Covered:
        """Compares what is left."""
        stretch, reached, book = self._stretch, self._reached, self._book
        book.tick(reached.at - stretch.first)
        if reached.at < stretch.end:
            self._compare()
            self._end_missing()
            self._name_unread()
            if reached.before:
                self._note(f"{reached.before} records between these are stamped before the range: not looked at")
            book.tick(stretch.end - reached.at)
            reached.at = stretch.end
            self._keep()
        return Covered(stretch.place, stretch.first, stretch.end, stretch.why, reached.records, tuple(reached.notes))

    def _keep(self) -> None:
        self._book.keep(self._name, msgspec.to_builtins(self._reached))

    def _compare(self) -> None:
        stretch, reached = self._stretch, self._reached
        claims = _Claims(self._book.store.of_partition(stretch.topic, stretch.partition, reached.at, stretch.end))
        kept = reached.at
        for batch in self._evidence.records(stretch, reached.at):
            for record in batch:
                offset = record.surroundings.offset
                self._without_record(claims.below(offset))
                own = claims.take(offset)
                if self._is_before(record):
                    reached.before += 1
                    continue
                reached.records += 1
                if not own:
                    self._without_result(offset)
                    continue
                self._end_missing()
                for finding in self._judge.judge(record, own):
                    self._book.report(finding)
            self._book.tick(batch[-1].surroundings.offset + 1 - reached.at)
            reached.at = batch[-1].surroundings.offset + 1
            if reached.at - kept >= KEEP:
                kept = reached.at
                self._keep()
        self._without_record(claims.below(stretch.end))

    def _is_before(self, record: Input) -> bool:
        """Whether its stamp is older than what was asked for: one that was stamped ahead lies before it in the log."""
        stamp = record.surroundings.timestamp
        return self._since is not None and stamp is not None and stamp < self._since

    # Records without a result

    def _without_result(self, offset: int) -> None:
        first, _, count = self._reached.missing or (offset, offset, 0)
        self._reached.missing = first, offset, count + 1

    def _end_missing(self) -> None:
        """A record has its result again, or there are no more."""
        if (missing := self._reached.missing) is None:
            return
        self._reached.missing = None
        first, last, count = missing
        what = f"{first}" if count == 1 else f"{first}..{last}"
        if self._begins is not None and last < self._begins:
            self._note(f"{count} records before the first result ({what}): the group began after them")
        else:
            text = "it has no result" if count == 1 else f"{count} records have no result"
            self._book.report(Finding(Wrong.MISSING, f"{self._stretch.place}:{what}", text))

    def _note(self, text: str) -> None:
        self._reached.notes.append(text)

    # Results without a record

    def _without_record(self, claims: Iterator[tuple[int, list[Claim]]]) -> None:
        for offset, own in claims:
            if self._evidence.is_unread(self._stretch, offset) or offset < self._stretch.log_start:
                self._book.counts["results whose record cannot be read"] += len(own)
                continue
            for claim in own:
                place = f"{self._evidence.results_topic}:{claim.at[0]}:{claim.at[1]}"
                text = "the log has no such record, though it has others before and behind it"
                self._book.report(Finding(Wrong.NO_RECORD, f"{self._stretch.place}:{offset}", text, place))

    def _name_unread(self) -> None:
        for each in self._evidence.unread(self._stretch):
            self._note(f"{each.first}..{each.last} cannot be read: {each.what}")


class _Claims:
    """Claims in the order of their records, looked at one record at a time."""

    def __init__(self, claims: Iterator[tuple[int, list[Claim]]]) -> None:
        self._claims = claims
        self._next = next(claims, None)

    def below(self, offset: int) -> Iterator[tuple[int, list[Claim]]]:
        """Takes those of records before this one."""
        while self._next is not None and self._next[0] < offset:
            yield self._next
            self._next = next(self._claims, None)

    def take(self, offset: int) -> list[Claim]:
        """Takes those of this record; none where it has none."""
        if self._next is None or self._next[0] != offset:
            return []
        own = self._next[1]
        self._next = next(self._claims, None)
        return own
