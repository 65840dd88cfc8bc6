"""Records from the partitions in hand, as fast as they may be taken."""

from collections import deque
from collections.abc import Iterable, Sequence

from contribd.engine.bounds import DEFAULT, Bounds
from contribd.engine.ledger import Ledger, Partition
from contribd.engine.price import Record


class Intake:
    """The ledgers of the assigned partitions, and the records that came faster than they may be taken."""

    def __init__(self, bounds: Bounds = DEFAULT) -> None:
        self._bounds = bounds
        self.ledgers: dict[Partition, Ledger] = {}
        self._parked: dict[Partition, deque[Record]] = {}
        self._full = False

    @property
    def waiting(self) -> int:
        """Records taken and not settled."""
        return sum(ledger.waiting for ledger in self.ledgers.values())

    @property
    def waiting_bytes(self) -> int:
        """Bytes of values behind the records taken and not settled."""
        return sum(ledger.waiting_bytes for ledger in self.ledgers.values())

    def parked(self, partition: Partition) -> int:
        """Records fetched and not yet taken."""
        return len(self._parked.get(partition, ()))

    def assign(self, ledger: Ledger) -> None:
        """A partition is ours from now on."""
        self.ledgers[ledger.partition] = ledger

    def stop(self, partitions: Iterable[Partition]) -> set[Ledger]:
        """Takes nothing more of these partitions; their ledgers."""
        ledgers = {self.ledgers[partition] for partition in partitions if partition in self.ledgers}
        for ledger in ledgers:
            ledger.stopping = True
            self._parked.pop(ledger.partition, None)
        return ledgers

    def close(self, partitions: Iterable[Partition]) -> set[Ledger]:
        """The partitions are not ours any more; their ledgers, closed."""
        ledgers = self.stop(partitions)
        for ledger in ledgers:
            ledger.closed = True
            del self.ledgers[ledger.partition]
        return ledgers

    def offer(self, partition: Partition, records: Sequence[Record]) -> list[Record]:
        """New records of a partition, in order: those that may be taken now. The rest is parked."""
        ledger = self.ledgers.get(partition)
        if ledger is None or ledger.stopping:
            return []
        parked = self._parked.setdefault(partition, deque())
        parked.extend(records)
        return self._take_parked(ledger, parked)

    def unpark(self) -> list[tuple[Ledger, list[Record]]]:
        """Records that were parked and may be taken now."""
        ready = []
        for partition, parked in list(self._parked.items()):
            ledger = self.ledgers[partition]
            if taken := self._take_parked(ledger, parked):
                ready.append((ledger, taken))
        return ready

    def _take_parked(self, ledger: Ledger, parked: deque[Record]) -> list[Record]:
        taken = []
        while parked and ledger.has_room(parked[0].offset):
            record = parked.popleft()
            if ledger.take(record.offset, len(record.value or b"")):
                taken.append(record)
        if not parked:
            self._parked.pop(ledger.partition, None)
        return taken

    def paused(self) -> frozenset[Partition]:
        """The partitions that must not be fetched now: all when too much waits, else those that ran too far ahead."""
        waiting, bounds = self.waiting, self._bounds
        if waiting >= bounds.waiting_records or self.waiting_bytes >= bounds.waiting_bytes:
            self._full = True
        elif waiting <= bounds.resume_records and self.waiting_bytes <= bounds.resume_bytes:
            self._full = False
        return frozenset(self.ledgers) if self._full else frozenset(self._parked)
