"""Kafka as far as a run needs it: the topics, the group's offsets, and transactions with their fencing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.simulation.world.environment.record_feed import Produced
from tests.simulation.world.environment.schedule import Schedule

from contribd.engine.records.offsets import Commit, Partition
from contribd.engine.records.result_encoder import Encoded

TRANSACTION_TIMEOUT = 10.0
"""Seconds after which the broker ends a transaction its producer left open (the setting the daemon uses)."""

MAX_METADATA = 4_096


class Fenced(Exception):
    """The producer's epoch is not the current one."""


class StaleMember(Exception):
    """The commit comes from a generation or member that the group does not have any more."""


class State(Enum):
    """Of a transaction."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class Transaction:
    """One transaction of one producer."""

    producer: str
    epoch: int
    results: list[Encoded] = field(default_factory=list)
    offsets: dict[Partition, Commit] = field(default_factory=dict)
    state: State = State.OPEN


class Kafka:
    """One cluster. Committed transactions are told to ``on_commit``, for readers that read committed results."""

    def __init__(self, schedule: Schedule, partitions: int, on_commit: Callable[[Transaction], None]) -> None:
        self.schedule = schedule
        self.logs: list[list[Produced]] = [[] for _ in range(partitions)]
        self.ends = [0] * partitions
        """The next offset of each partition."""
        self.offsets: dict[Partition, Commit] = {}
        """What the group has committed."""
        self.begins: dict[Partition, int] = {}
        """Where the group began to consume."""
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}
        self._on_commit = on_commit
        self.check_member: Callable[[str, int], bool] = lambda _member, _generation: True

    def append(self, record: Produced) -> None:
        """A record of the prices topic."""
        self.logs[record.partition].append(record)
        self.ends[record.partition] = record.offset + 1

    def start(self, partition: Partition, *, latest: bool) -> None:
        """The group's first commit for a partition: the log's end or its beginning."""
        log = self.logs[partition.number]
        first = log[0].offset if log else self.ends[partition.number]
        self.begins[partition] = self.ends[partition.number] if latest else first
        self.offsets[partition] = Commit(self.begins[partition], "")

    def init_transactions(self, producer: str) -> int:
        """A new epoch; ends what an earlier one left open."""
        self.abort_open(producer)
        self._epochs[producer] = self._epochs.get(producer, -1) + 1
        return self._epochs[producer]

    def abort_open(self, producer: str) -> None:
        """Aborts the producer's open transaction, where there is one."""
        transaction = self._open.pop(producer, None)
        if transaction is not None:
            transaction.state = State.ABORTED

    def fence(self, producer: str) -> None:
        """The coordinator gives up on the producer's epoch: its transaction is aborted, its next call is refused."""
        self.init_transactions(producer)

    def begin(self, producer: str, epoch: int, results: list[Encoded]) -> Transaction:
        """Opens a transaction and writes results into it. Raises ``Fenced``."""
        self._check(producer, epoch)
        transaction = Transaction(producer, epoch, results)
        self._open[producer] = transaction
        self.schedule.after(TRANSACTION_TIMEOUT, lambda: self._expire(transaction))
        return transaction

    def _expire(self, transaction: Transaction) -> None:
        if transaction.state is State.OPEN:
            self.fence(transaction.producer)

    def add_offsets(self, transaction: Transaction, offsets: dict[Partition, Commit], member: str, gen: int) -> None:
        """The offsets it commits. Raises ``Fenced``, ``StaleMember``, or ValueError for metadata that is too long."""
        self._check(transaction.producer, transaction.epoch)
        if not self.check_member(member, gen):
            raise StaleMember
        for commit in offsets.values():
            if len(commit.metadata) > MAX_METADATA:
                raise ValueError("OffsetMetadataTooLarge")
        transaction.offsets = offsets

    def commit(self, transaction: Transaction) -> None:
        """Makes it durable. Raises ``Fenced``."""
        self._check(transaction.producer, transaction.epoch)
        if transaction.state is not State.OPEN:
            raise Fenced
        del self._open[transaction.producer]
        transaction.state = State.COMMITTED
        self.offsets.update(transaction.offsets)
        self._on_commit(transaction)

    def _check(self, producer: str, epoch: int) -> None:
        if self._epochs.get(producer) != epoch:
            raise Fenced

    def unstable(self, partition: Partition) -> bool:
        """Whether an open transaction holds offsets of this partition: a read_committed consumer waits for it."""
        return any(partition in transaction.offsets for transaction in self._open.values())
