"""The brokers' side of a run: the topics, the group's offsets, and transactions with their fencing."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.simulation.world.environment.brokers import Brokers
from tests.simulation.world.environment.fed_records import Produced
from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.plan import Takes

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded

TRANSACTION_TIMEOUT = 10.0
"""Seconds after which the broker ends a transaction its producer left open (the setting the daemon uses)."""

_OLD_STATES = 20
"""Commits that a coordinator that tells an old state is behind, at most."""


class Fenced(Exception):
    """The producer's epoch is not the current one."""


class MetadataTooLong(Exception):
    """The metadata of an offset is longer than the brokers take."""


class RecordTooLarge(Exception):
    """A record is larger than its topic takes."""


class KeyMissing(Exception):
    """A record of a compacted topic has no key."""


class Forbidden(Exception):
    """The user may not write to the topic."""


class StaleMember(Exception):
    """The commit comes from a generation or member that the group does not have any more."""


class State(Enum):
    """Of a transaction. COMPLETING: durable, its offsets not yet visible."""

    OPEN = auto()
    COMPLETING = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class Transaction:
    """One transaction of one producer."""

    producer: str
    epoch: int
    process: str
    """Whose it is: several in turn have the same producer's name."""
    results: list[Encoded] = field(default_factory=list)
    offsets: dict[Partition, Commit] = field(default_factory=dict)
    state: State = State.OPEN


_BATCH_HEADER = 100
"""Bytes around a record that is a batch by itself."""


class SimKafka:
    """One cluster. Committed transactions are told to ``on_commit``, for readers that read committed results."""

    def __init__(
        self,
        schedule: Schedule,
        brokers: Brokers,
        partitions: int,
        takes: Takes,
        on_commit: Callable[[Transaction], None],
    ) -> None:
        self.schedule = schedule
        self.takes = takes
        self.forbidden_until = 0.0
        """The user may not write results until then."""
        self.brokers = brokers
        self.logs: list[list[Produced]] = [[] for _ in range(partitions)]
        self.ends = [0] * partitions
        """The next offset of each partition."""
        self.starts = [0] * partitions
        """Where each log begins."""
        self.topic_id = "prices-topic-1"
        self.results: list[tuple[int, Encoded]] = []
        """The committed results, each with when it was written (milliseconds since 1970)."""
        self.offsets: dict[Partition, Commit] = {}
        """What the group has committed."""
        self.begins: dict[Partition, int] = {}
        """Where the group began to consume."""
        self._before: dict[Partition, deque[Commit]] = {}
        """What it had committed earlier, the oldest first."""
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}
        self._on_commit = on_commit
        self.on_append: dict[Callable[[int], None], None] = {}
        """Consumers that wait for records."""

    # Prices

    def append(self, record: Produced) -> None:
        """A record of the prices topic."""
        self.logs[record.partition].append(record)
        self.ends[record.partition] = record.offset + 1
        for tell in list(self.on_append):
            tell(record.partition)

    def first(self, number: int) -> int:
        """The first offset of a log."""
        return self.starts[number]

    # The group's offsets

    def committed(self, partition: Partition) -> Commit | None:
        """What the coordinator says that the group has committed."""
        before = self._before.get(partition)
        if self.brokers.lies and before:
            return before[0]
        return self.offsets.get(partition)

    def commit_plainly(self, commits: Mapping[Partition, Commit]) -> None:
        """Offsets outside of a transaction: the group's first ones."""
        for partition, commit in commits.items():
            self.begins.setdefault(partition, commit.offset)
        self._store(commits)

    def _store(self, commits: Mapping[Partition, Commit]) -> None:
        for partition, commit in commits.items():
            if partition in self.offsets:
                before = self._before.setdefault(partition, deque(maxlen=_OLD_STATES))
                before.append(self.offsets[partition])
            self.offsets[partition] = commit

    def delete_offsets(self) -> None:
        """The group has none any more."""
        self.offsets.clear()
        self._before.clear()

    def unstable(self, partition: Partition) -> bool:
        """Whether an open transaction holds offsets of this partition: a read_committed consumer waits for it."""
        return any(partition in transaction.offsets for transaction in self._open.values())

    # Transactions

    def completing(self, producer: str) -> bool:
        """Whether the producer's last transaction is durable and not yet visible: it must wait."""
        transaction = self._open.get(producer)
        return transaction is not None and transaction.state is State.COMPLETING

    def init_transactions(self, producer: str) -> int:
        """A new epoch; ends what an earlier one left open."""
        transaction = self._open.get(producer)
        if transaction is not None and transaction.state is State.OPEN:
            del self._open[producer]
            transaction.state = State.ABORTED
        self._epochs[producer] = self._epochs.get(producer, -1) + 1
        return self._epochs[producer]

    def fence(self, producer: str) -> None:
        """The coordinator gives up on the producer's epoch: its transaction is aborted, its next call is refused."""
        self.init_transactions(producer)

    def begin(self, producer: str, epoch: int, process: str) -> Transaction:
        """Opens a transaction, with the first record or offset of it. Raises ``Fenced``."""
        self.check(producer, epoch)
        transaction = Transaction(producer, epoch, process)
        self._open[producer] = transaction
        self.schedule.after(TRANSACTION_TIMEOUT, lambda: self._expire(transaction))
        return transaction

    def _expire(self, transaction: Transaction) -> None:
        if transaction.state is State.OPEN:
            self.fence(transaction.producer)

    def add_offsets(self, transaction: Transaction, offsets: Mapping[Partition, Commit]) -> None:
        """The offsets it commits. Raises ``Fenced`` or ``MetadataTooLong``."""
        self.check(transaction.producer, transaction.epoch)
        if any(len(commit.metadata) > self.takes.metadata for commit in offsets.values()):
            raise MetadataTooLong
        transaction.offsets = dict(offsets)

    def check_results(self, transaction: Transaction) -> None:
        """Whether the results topic takes them. Raises ``Forbidden``, ``RecordTooLarge`` or ``KeyMissing``."""
        if self.schedule.mono < self.forbidden_until:
            raise Forbidden
        for key, value, headers in transaction.results:
            if key is None and self.takes.keyed:
                raise KeyMissing
            size = _BATCH_HEADER + len(value) + len(key or b"") + sum(len(name) + len(text) for name, text in headers)
            if size > self.takes.record:
                raise RecordTooLarge

    def commit(self, transaction: Transaction, visible_after: float) -> None:
        """Makes it durable; its offsets are seen ``visible_after`` seconds later. Raises ``Fenced``."""
        self.check(transaction.producer, transaction.epoch)
        if transaction.state is not State.OPEN:
            raise Fenced
        transaction.state = State.COMPLETING
        self.results += [(self.schedule.wall // 1000, encoded) for encoded in transaction.results]
        self._on_commit(transaction)
        self.schedule.after(visible_after, lambda: self._complete(transaction))

    def _complete(self, transaction: Transaction) -> None:
        del self._open[transaction.producer]
        transaction.state = State.COMMITTED
        self._store(transaction.offsets)

    def check(self, producer: str, epoch: int) -> None:
        """Raises ``Fenced`` where a later producer has this transactional.id."""
        if self._epochs.get(producer) != epoch:
            raise Fenced

    def open_transactions(self) -> dict[str, Transaction]:
        """By transactional.id."""
        return {name: each for name, each in self._open.items() if each.state is State.OPEN}
