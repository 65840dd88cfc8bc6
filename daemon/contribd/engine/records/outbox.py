"""Settlements on their way to Kafka: what a transaction holds, and what it frees once it is durable."""

from collections import deque
from itertools import chain
from typing import NamedTuple

from contribd.engine.limits import DEFAULT_BOUNDS, Bounds
from contribd.engine.records.carrier_promotion import Entry, without
from contribd.engine.records.commit_metadata import Accepted, Commit
from contribd.engine.records.input_digest import size_included
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.parts import Parts
from contribd.engine.records.price import Settlement


class Batch(NamedTuple):
    """One transaction: its results, and the offsets they settle."""

    number: int
    settlements: list[Settlement]
    commits: dict[Partition, Commit]


class Outbox:
    """Settled records in order. One batch is being written at a time; its offsets are fixed when it is taken.

    A batch that failed is offered again, less what belongs to partitions revoked since.
    """

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS, *, with_input: bool = False) -> None:
        """``with_input``: every result holds its record's value, that of each part too."""
        self._bounds = bounds
        self._with_input = with_input
        self._pending: deque[Entry] = deque()
        self._batch: Batch | None = None
        self._taken: list[Entry] = []
        self._known: list[tuple[OffsetTracker, Parts]] = []
        """Records all of whose posts turned out to have results already: a commit has to say so."""
        self._known_taken: set[OffsetTracker] = set()
        """Partitions of those that are in the batch."""
        self._due: set[OffsetTracker] = set()
        """Partitions whose commit is to be written anew though nothing of them may be settled."""
        self._writing = False
        self._number = 0
        self.accepted = Accepted()

    def __len__(self) -> int:
        return len(self._pending) + len(self._taken) + len(self._known) + len(self._known_taken) + len(self._due)

    @property
    def being_written(self) -> list[Settlement]:
        """What the batch holds that is being written; nothing where none is."""
        return [] if self._batch is None else self._batch.settlements

    @property
    def can_take(self) -> bool:
        """Whether ``take`` would give a batch."""
        return not self._writing and bool(self._taken or self._pending or self._known or self._known_taken or self._due)

    def add(self, settlement: Settlement, instrument: Instrument | None = None) -> None:
        """A settled record; ``instrument`` is freed for its next price once the result is durable."""
        self._pending.append((settlement, instrument))

    def add_known(self, tracker: OffsetTracker, parts: Parts) -> None:
        """A record all of whose posts have results already: others, which had none, its mapping makes no more."""
        self._known.append((tracker, parts))

    def add_due(self, tracker: OffsetTracker) -> None:
        """A partition whose commit says something else now, whether anything of it is settled or not."""
        self._due.add(tracker)

    def take(self) -> Batch | None:
        """The next transaction, or None where nothing is settled or one is being written."""
        if self._writing:
            return None
        if not self._taken:
            self._fill()
        self._take_known()
        if not self._taken and not self._known_taken:
            return None
        settlements = [settlement for settlement, _ in self._taken]
        trackers = dict.fromkeys([*(settlement.tracker for settlement in settlements), *self._known_taken])
        self._writing = True
        self._number += 1
        commits = {tracker.partition: tracker.commit() for tracker in trackers}
        self._batch = Batch(self._number, settlements, commits)
        return self._batch

    def _take_known(self) -> None:
        for tracker, parts in self._known:
            tracker.settle_whole(parts)
            self._known_taken.add(tracker)
        self._known.clear()
        self._known_taken |= self._due
        self._due.clear()

    def _fill(self) -> None:
        """Up to the bounds, and on to the price that carried the last ones: if they were written and it was not, a
        crash would post it again without what was merged into it."""
        pending, taken, bounds, size = self._pending, self._taken, self._bounds, 0
        merged = False
        while pending and (merged or (len(taken) < bounds.batch_results and size < bounds.batch_bytes)):
            entry = pending.popleft()
            settlement = entry[0]
            merged = settlement.carried_by is not None
            size += size_included(settlement.value) if self._with_input else settlement.size
            settlement.mark_settled()
            taken.append(entry)

    def committed(self, number: int) -> list[Instrument]:
        """The batch is durable: the instruments it frees."""
        commits = self._expect(number).commits
        for commit in commits.values():
            self.accepted = self.accepted.too(commit.metadata)
        freed = [instrument for _, instrument in self._taken if instrument is not None]
        for tracker in {settlement.tracker for settlement, _ in self._taken} | self._known_taken:
            tracker.written()
        self._known_taken.clear()
        self._taken = []
        self._batch, self._writing = None, False
        return freed

    def not_committed(self, number: int) -> list[Instrument]:
        """The batch was not written; what it held is offered again. The instruments freed by revoked partitions."""
        self._expect(number)
        self._batch, self._writing = None, False
        return self._drop_closed()

    def close(self, trackers: set[OffsetTracker]) -> list[Instrument]:
        """Partitions were revoked: forgets what is not being written of them. The instruments that frees."""
        self._known = [known for known in self._known if known[0] not in trackers]
        self._due -= trackers
        freed = self._drop_pending(trackers)
        if not self._writing:
            freed += self._drop_closed()
        return freed

    def holds(self, tracker: OffsetTracker) -> bool:
        """Whether a result of this partition is pending or being written."""
        trackers = (settlement.tracker for settlement, _ in chain(self._taken, self._pending))
        known = (each for each, _ in self._known)
        return any(each is tracker for each in chain(trackers, known, self._known_taken))

    def holds_any(self, tracker: OffsetTracker, offsets: range) -> bool:
        """The same of one of these offsets."""
        entries = chain(self._taken, self._pending)
        return any(settlement.tracker is tracker and settlement.offset in offsets for settlement, _ in entries)

    def _drop_pending(self, trackers: set[OffsetTracker]) -> list[Instrument]:
        kept, freed = without(self._pending, lambda tracker: tracker in trackers)
        self._pending = deque(kept)
        return freed

    def _drop_closed(self) -> list[Instrument]:
        self._taken, freed = without(self._taken, lambda tracker: tracker.closed)
        self._known_taken = {tracker for tracker in self._known_taken if not tracker.closed}
        return freed

    def _expect(self, number: int) -> Batch:
        if self._batch is None or self._batch.number != number:
            raise RuntimeError(f"batch {number} is not the one being written")
        return self._batch
