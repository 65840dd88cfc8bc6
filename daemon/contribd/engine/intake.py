"""Records from the partitions in hand, as fast as they may be taken."""

from collections import deque
from collections.abc import Iterable, Sequence

from contribd.engine.bounds import DEFAULT, Bounds
from contribd.engine.ledger import Ledger, Partition
from contribd.engine.price import Price, Record


class Intake:
    """The ledgers of the assigned partitions, and the records that came faster than they may be taken."""

    def __init__(self, bounds: Bounds = DEFAULT) -> None:
        self._bounds = bounds
        self.ledgers: dict[Partition, Ledger] = {}
        self._parked: dict[Partition, deque[Record]] = {}
        self._held: dict[Partition, list[Price]] = {}
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
            for price in self.let_go(ledger):
                price.give_up()
        return ledgers

    def close(self, partitions: Iterable[Partition]) -> set[Ledger]:
        """The partitions are not ours any more; their ledgers, closed."""
        ledgers = self.stop(partitions)
        for ledger in ledgers:
            ledger.closed = True
            del self.ledgers[ledger.partition]
        return ledgers

    def hold(self, price: Price) -> None:
        """Keeps a price of a partition that is catching up.

        The owner before may have posted it merged with newer ones that come later: posted now and by itself, it would
        follow them. Merged with all that was in the log then, it cannot.
        """
        self._held.setdefault(price.ledger.partition, []).append(price)

    def caught_up(self, ledger: Ledger) -> bool:
        """Whether no more of the log can have been posted: whoever owned the partition was bound to stop here too."""
        return ledger.partition in self._parked or ledger.waiting_bytes >= self._bounds.waiting_bytes

    def let_go(self, ledger: Ledger) -> list[Price]:
        """The partition has caught up, or is going: the prices that were held, in order."""
        ledger.catching_up = False
        return self._held.pop(ledger.partition, [])

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
        """The partitions that must not be fetched now: all when too much waits, else those that ran too far ahead.

        One that is catching up is read on, one at a time and while the others' prices find room: its own cannot go
        before it has caught up.
        """
        waiting, bounds = self.waiting, self._bounds
        if waiting >= bounds.waiting_records or self.waiting_bytes >= bounds.waiting_bytes:
            self._full = True
        elif waiting <= bounds.resume_records and self.waiting_bytes <= bounds.resume_bytes:
            self._full = False
        if not self._full:
            return frozenset(self._parked)
        behind = [ledger for ledger in self.ledgers.values() if ledger.catching_up]
        if not behind or waiting - sum(ledger.waiting for ledger in behind) >= bounds.waiting_records:
            return frozenset(self.ledgers)
        return frozenset(self.ledgers) - {behind[0].partition}
