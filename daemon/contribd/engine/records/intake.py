"""Records from the partitions in hand, as fast as they may be taken."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from contribd.engine.limits import DEFAULT_BOUNDS, Bounds
from contribd.engine.records.commit_metadata import Room
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.price import Price, Record


class Intake:
    """The trackers of the assigned partitions, and the records that came faster than they may be taken."""

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._bounds = bounds
        self.trackers: dict[Partition, OffsetTracker] = {}
        self._buffered: dict[Partition, deque[Record]] = {}
        self._held: dict[Partition, list[Price]] = {}
        self._older: dict[Partition, dict[Key, int]] = {}
        """By RIC, how many of the first prices that are held are older than one that was paused."""
        self._full = False
        self._blocked: frozenset[Partition] = frozenset()

    @property
    def waiting(self) -> int:
        """Records taken and not settled."""
        return sum(tracker.waiting for tracker in self.trackers.values())

    @property
    def waiting_bytes(self) -> int:
        """Bytes of values behind the records taken and not settled."""
        return sum(tracker.waiting_bytes for tracker in self.trackers.values())

    def buffered(self, partition: Partition) -> int:
        """Records fetched and not yet taken."""
        return len(self._buffered.get(partition, ()))

    def assign(self, tracker: OffsetTracker) -> None:
        """A partition is ours from now on."""
        self.trackers[tracker.partition] = tracker

    def block(self, partitions: frozenset[Partition]) -> None:
        """Nothing more can be read of these for now, and of all others something can."""
        self._blocked = partitions

    @property
    def blocked(self) -> int:
        """How many of ours nothing more can be read of."""
        return len(self._blocked & self.trackers.keys())

    def bound(self, room: Room) -> None:
        """Their commits have so much room from now on."""
        for tracker in self.trackers.values():
            tracker.bound(room)

    def stop(self, partitions: Iterable[Partition]) -> set[OffsetTracker]:
        """Takes nothing more of these partitions; their trackers."""
        trackers = {self.trackers[partition] for partition in partitions if partition in self.trackers}
        for tracker in trackers:
            tracker.stop()
            self._buffered.pop(tracker.partition, None)
            self._older.pop(tracker.partition, None)
            for price in self._held.pop(tracker.partition, ()):
                price.give_up()
        return trackers

    def close(self, partitions: Iterable[Partition]) -> set[OffsetTracker]:
        """The partitions are not ours any more; their trackers, closed."""
        trackers = self.stop(partitions)
        for tracker in trackers:
            tracker.close()
            del self.trackers[tracker.partition]
        return trackers

    def hold(self, price: Price) -> None:
        """Keeps a price of a partition that is catching up.

        The owner before may have posted it merged with newer ones that come later: posted now and by itself, it would
        follow them. Merged with all that was in the log then, it cannot.
        """
        price.hold()
        self._held.setdefault(price.tracker.partition, []).append(price)

    def paused_newer(self, price: Price, held: int | None = None) -> None:
        """A price of a partition that catches up is paused; ``held``: its place among those held, None where it just
        came. The older ones of its RIC may have been posted merged with it, and must not follow it."""
        partition, mapped = price.tracker.partition, price.mapped
        before = len(self._held.get(partition, ())) if held is None else held
        self._older.setdefault(partition, {})[mapped.service, mapped.ric] = before

    def held(self) -> list[tuple[int, Price]]:
        """All prices that are kept so, in order within their partitions, each with its place there."""
        return [each for held in self._held.values() for each in enumerate(held)]

    def caught_up(self, tracker: OffsetTracker) -> bool:
        """Whether no more of the log can have been posted: whoever owned the partition was bound to stop here too."""
        return tracker.partition in self._buffered or tracker.waiting_bytes >= self._bounds.waiting_bytes

    def let_go(self, tracker: OffsetTracker) -> list[tuple[Price, bool]]:
        """The partition has caught up: the prices that were held, in order, and of each whether a newer one of its RIC
        was paused. There are none where it had before."""
        if not tracker.catching_up:
            return []
        tracker.end_catch_up()
        held, older = self._held.pop(tracker.partition, []), self._older.pop(tracker.partition, {})
        keys = ((price.mapped.service, price.mapped.ric) for price in held)
        return [(price, number < older.get(key, 0)) for number, (price, key) in enumerate(zip(held, keys, strict=True))]

    def offer(self, partition: Partition, records: Sequence[Record]) -> Iterator[Record]:
        """New records of a partition, in order: those that may be taken now, each as it is asked for. The rest is
        buffered."""
        tracker = self.trackers.get(partition)
        if tracker is None or tracker.stopping:
            return iter(())
        buffered = self._buffered.setdefault(partition, deque())
        buffered.extend(records)
        return self._take_buffered(tracker, buffered)

    def release_buffered(self) -> Iterator[tuple[OffsetTracker, Iterator[Record]]]:
        """Buffered records that may be taken now; those of one partition before the next one's."""
        for partition, buffered in list(self._buffered.items()):
            tracker = self.trackers[partition]
            yield tracker, self._take_buffered(tracker, buffered)

    def put_back(self, tracker: OffsetTracker, record: Record) -> None:
        """The record taken last has to wait: it makes more posts than a commit may be able to tell of just now."""
        tracker.return_last(record.offset, len(record.value or b""))
        self._buffered[tracker.partition].appendleft(record)

    def _take_buffered(self, tracker: OffsetTracker, buffered: deque[Record]) -> Iterator[Record]:
        while buffered and tracker.has_room(buffered[0].offset):
            record = buffered.popleft()
            if tracker.take(record.offset, len(record.value or b"")):
                yield record
        if not buffered:
            self._buffered.pop(tracker.partition, None)

    @property
    def half_full(self) -> bool:
        """Whether half of what may wait does."""
        return self.waiting >= self._bounds.resume_records or self.waiting_bytes >= self._bounds.resume_bytes

    def regulate(self) -> None:
        """Decides whether too much waits; once it does, it does until half of it is settled."""
        stuck = self._stuck()
        waiting = self.waiting - sum(tracker.waiting for tracker in stuck)
        waiting_bytes = self.waiting_bytes - sum(tracker.waiting_bytes for tracker in stuck)
        bounds = self._bounds
        if waiting >= bounds.waiting_records or waiting_bytes >= bounds.waiting_bytes:
            self._full = True
        elif waiting <= bounds.resume_records and waiting_bytes <= bounds.resume_bytes:
            self._full = False

    def paused(self) -> frozenset[Partition]:
        """The partitions that must not be fetched now: all when too much waits, else those that ran too far ahead.

        One that is catching up is read on, one at a time and while the others' prices find room: its own cannot go
        before it has caught up.
        """
        if not self._full:
            return frozenset(self._buffered)
        behind = [
            tracker
            for partition, tracker in self.trackers.items()
            if tracker.catching_up and partition not in self._blocked
        ]
        others_wait = self.waiting - sum(tracker.waiting for tracker in [*behind, *self._stuck()])
        if not behind or others_wait >= self._bounds.waiting_records:
            return frozenset(self.trackers)
        return frozenset(self.trackers) - {behind[0].partition}

    def _stuck(self) -> list[OffsetTracker]:
        """Partitions that cannot catch up, since nothing more can be read of them. What is held of them, and it is
        bounded by what may be run ahead, must not keep the others waiting."""
        trackers = self.trackers
        return [trackers[each] for each in self._blocked if each in trackers and trackers[each].catching_up]
