"""Kafka as the daemon needs it, in the daemon's own words: what ``streams`` and ``checks`` ask of a client.

Two implementations stand behind these ports. ``streams/client`` has the real one, over kafka-python; the seeded
simulation has one over a simulated cluster. The source, the sink and everything in ``streams/group`` see only this
file, so that the same code runs in production and under every seed.

Partitions, offsets and commits are the engine's types. Times are seconds; what takes time takes it as an argument, and
raises ``KafkaTimeoutError`` past it. Every error is a ``KafkaError`` (``streams/client/errors.py``).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, TypeAlias

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import Encoded


class Member(NamedTuple):
    """A membership of the consumer group, as a transaction is committed under (KIP-447).

    ``generation``: -1 where the consumer is no member.
    """

    generation: int
    member_id: str
    static_id: str | None = None


class Heartbeats(NamedTuple):
    """When the last heartbeat was sent, and when the last answer to one came; monotonic seconds."""

    sent: float
    answered: float


class SeenTopic(NamedTuple):
    """A topic as the cluster's metadata shows it.

    ``topic_id``: as Kafka prints it (KIP-516), None where the broker does not tell. ``partitions``: 0 where the topic
    may not be seen.
    """

    topic_id: str | None
    partitions: int


Topics: TypeAlias = Mapping[str, SeenTopic]
"""By name; a topic that is not in it does not exist."""


class FetchFault(NamedTuple):
    """Why nothing can be read of a partition from an offset on."""

    offset: int
    """The first that cannot be read."""
    last: int
    """The last that it is about: of a batch that cannot be read, its last one where that can be told."""
    what: str
    """What is wrong, in plain words."""
    cure: str = ""
    """What to do, where ``what`` does not say it."""
    skippable: bool = False
    """Whether an operator may decide to go on behind ``last``."""
    passing: bool = False
    """Whether it is one of those that end by themselves within seconds, as when a leader moves."""


class GroupListener(Protocol):
    """Told by the consumer, from within ``poll``, of what the group decides."""

    def revoked(self, partitions: Collection[Partition]) -> None:
        """These go in order; the rebalance waits for the call."""

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These are new."""

    def lost(self, partitions: Collection[Partition]) -> None:
        """The group has given these to others already."""


class MemberHooks(Protocol):
    """Told by the consumer of what the group says of this member; in whichever of the client's threads heard it."""

    def known(self) -> None:
        """The group has taken a heartbeat or a request of ours: it knows us."""

    def refused(self) -> bool:
        """The group says that another process has our static name; whether to believe it."""

    def synced(self, member_id: str, asked_at: float) -> None:
        """The group has answered this member's request for its partitions, sent at ``asked_at`` (monotonic)."""

    def out_of_range(self, partition: Partition) -> None:
        """The broker has refused the offset that was to be fetched next."""

    def fetch_failed(self, partition: Partition, fault: FetchFault | None) -> None:
        """Nothing of it can be read, and the consumer has paused it. None: the broker gives again what it refused."""


class OffsetReader(Protocol):
    """What may be asked of the group's offsets by whoever speaks for one of its members."""

    def confirm(self) -> None:
        """Asks the group at once whether it knows this member. Raises ``KafkaError`` where not."""

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        """What the group has committed, None where it has not; only stable offsets (KIP-447). Raises ``KafkaError``."""


class MemberConsumer(OffsetReader, Protocol):
    """The consumer that is this process's member of the group. Belongs to the source's thread."""

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """Those that do not exist, or may not be seen."""

    def subscribe(self, topics: Sequence[str], listener: GroupListener) -> None:
        """Joins the group with the next ``poll``. Raises ``KafkaError``."""

    def topics(self) -> Topics:
        """Those subscribed to, as the cluster told of them last, some seconds ago at most; asks nobody."""

    def ask_topics(self, seconds: float) -> Topics:
        """The same, asked for now. Raises ``KafkaError``."""

    def poll(self, seconds: float) -> dict[Partition, list[Record]]:
        """Records of partitions that are not paused; waits for the first ones. Calls the listener. Raises
        ``KafkaError``, but for what is wrong with one partition alone: see ``MemberHooks.fetch_failed``."""

    def assignment(self) -> set[Partition]:
        """What the group has given this member."""

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Nothing of these is fetched from now on."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """These are fetched again."""

    def seek(self, partition: Partition, offset: int) -> None:
        """The next offset to fetch."""

    def position(self, partition: Partition) -> int | None:
        """The next offset to be polled, None where it is not known; asks nobody."""

    def high_water(self, partition: Partition) -> int | None:
        """The log's end as the last fetch told it, None where none did."""

    def log_ends(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        """The first and the next offset of each log, as a read_committed consumer sees it. Raises ``KafkaError``."""

    def ends(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, int]:
        """The next offset of each log, as a read_committed consumer sees it. Raises ``KafkaError``."""

    def offsets_at(self, partitions: Collection[Partition], time: int) -> dict[Partition, tuple[int, int]]:
        """Offset and timestamp of the first record of each log stamped at or after ``time`` (milliseconds since 1970);
        logs that have none are left out. Raises ``KafkaError``."""

    def committed_among(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, Commit]:
        """What the group has committed of these; those of which it has not are left out. What transactions are about to
        commit is not waited for: there may always be one. Raises ``KafkaError``."""

    def commit(self, commits: Mapping[Partition, Commit]) -> None:
        """Commits offsets outside of a transaction: the first ones of a group. Raises ``KafkaError``."""

    def member(self) -> Member:
        """The membership as the client knows it just now."""

    def heartbeats(self) -> Heartbeats:
        """Of the membership just now."""

    def is_joining(self) -> bool:
        """Whether a join is in flight: nothing may then keep the thread from its next poll."""

    def rejoin(self) -> None:
        """Joins again with the next ``poll``, as the member it is: the group distributes its partitions anew."""

    def close(self, *, leave: bool) -> None:
        """Ends the consumer; ``leave``: tells the group, so that others get the partitions at once."""


class AskingConsumer(OffsetReader, Protocol):
    """A consumer that is no member, and asks in the name of one."""

    def speak_for(self, member: Member, seconds: float) -> None:
        """From now on ``confirm`` and ``committed`` are asked as this member's. Raises ``KafkaError``."""

    def close(self) -> None:
        """Ends it."""


class ResultSource(NamedTuple):
    """What a result's headers say of its record: ``topic:partition:offset``, empty for what is of no record, and the
    topic's id, where there is one. ``part``: where the record has several posts, which one it is, as ``3/40``; with its
    service and RIC, and what names the rules that made so many."""

    source: bytes
    topic_id: bytes | None
    part: bytes | None = None
    service: bytes = b""
    ric: bytes = b""
    rules: bytes = b""

    @classmethod
    def of(cls, headers: Iterable[tuple[str, bytes]]) -> Self:
        """From a result's headers."""
        found = dict(headers)
        source, part = found.get("source", b""), found.get("part")
        if part is None:
            return cls(source, found.get("topic_id"))
        return cls(source, found.get("topic_id"), part, *(found.get(name, b"") for name in ("service", "ric", "rules")))


class WholeResult(NamedTuple):
    """A result: what its headers say, and its value. ``withdrawal``: whether blanks were posted for a quote."""

    status: bytes
    service: bytes
    ric: bytes
    source: bytes
    withdrawal: bool
    value: bytes | None

    @classmethod
    def of(cls, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Self:
        """From a record of the results topic."""
        found = dict(headers)
        status, service, ric, source = (found.get(name, b"") for name in ("status", "service", "ric", "source"))
        return cls(status, service, ric, source, "withdrawal" in found, value)


class ResultSources(Protocol):
    """The results topic, read for the sources of its results, as a read_committed reader sees them.

    Read are those that the log held when it was gone to. Belongs to one thread. Everything raises ``KafkaError``.
    """

    def go_to(self, time: int | None) -> int:
        """To the first results written at or after ``time`` (milliseconds since 1970), None: to the oldest there are.
        How many offsets lie before the end."""

    def go_to_last(self, most: int) -> int:
        """To the last ones, so many in all; how many offsets lie before the end."""

    def poll(self, seconds: float) -> list[ResultSource]:
        """The next ones; waits for the first."""

    def poll_whole(self, seconds: float) -> list[WholeResult]:
        """The same with their values."""

    def left(self) -> int:
        """Offsets before the end; what lies behind a transaction that is open has to wait for it."""

    def oldest(self) -> int | None:
        """When the oldest result there is was written (milliseconds since 1970), where older ones were deleted."""

    def close(self) -> None:
        """Ends it."""


class OrderRecord(NamedTuple):
    """A record of the control topic. ``value``: None where its key has been deleted."""

    offset: int
    key: bytes
    value: bytes | None


class OrderLog(Protocol):
    """The control topic: its first partition, read on from where it was opened. Belongs to one thread.

    Everything raises ``KafkaError``.
    """

    def poll(self, seconds: float) -> list[OrderRecord]:
        """The next ones; waits for the first."""

    def write(self, key: bytes, value: bytes) -> None:
        """One more record, at the end; it is durable when this returns. Past an error it may be so, too."""

    def close(self) -> None:
        """Ends it."""


class RecordWriter(Protocol):
    """Writes single records outside of any transaction. Belongs to one thread. Everything raises ``KafkaError``."""

    def write(self, topic: str, key: bytes, value: bytes) -> None:
        """One more record; it is durable when this returns. Past an error it may be so, too."""

    def close(self) -> None:
        """Ends it."""


class TransactionalProducer(Protocol):
    """A producer past ``init_transactions``. Belongs to the sink's thread. Everything raises ``KafkaError``."""

    def begin(self) -> None:
        """Opens a transaction."""

    def append(self, topic: str, records: Iterable[Encoded]) -> None:
        """Adds records to it; whether they were written shows when it is committed."""

    def send_offsets(self, commits: Mapping[Partition, Commit], member: Member, seconds: float) -> None:
        """Adds the offsets it settles, under the group's generation."""

    def commit(self, seconds: float) -> None:
        """Makes it durable; after ``KafkaTimeoutError`` the outcome is unknown."""

    def discard(self) -> None:
        """Ends the producer, whatever state it is in, within about two seconds."""


class GroupMember(NamedTuple):
    """A member of a group, as the group tells of it; ``topics``: what it has subscribed to, None where it is not told,
    as while it is joining."""

    member_id: str
    static_id: str | None
    client_id: str
    topics: tuple[str, ...] | None = None
    host: str = ""


class TopicLimits(NamedTuple):
    """What a topic takes. ``record_bytes``: None where that may not be asked; ``keyed``: records with a key only."""

    record_bytes: int | None = None
    keyed: bool = False


class ClusterLimits(NamedTuple):
    """What the cluster says of what it takes; ``metadata`` in characters, None where that may not be asked."""

    topics: Mapping[str, TopicLimits]
    metadata: int | None = None


class Admin(Protocol):
    """What is asked of the cluster. Everything raises ``KafkaError``."""

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """Those that do not exist, or may not be seen."""

    def existing_topics(self, topics: Sequence[str]) -> Topics:
        """Those that exist, as far as they may be seen."""

    def limits(self, topics: Sequence[str]) -> ClusterLimits:
        """What these topics and the group's coordinator take, as far as it may be asked."""

    def members(self, group: str) -> list[GroupMember]:
        """The members of a group, none where there is no such group. ``GroupUnseen`` where it may not be looked at."""

    def open_transactions(self) -> list[str]:
        """The transactional.ids that have a transaction open (KIP-664)."""

    def topics_of(self, transactional_id: str) -> set[str]:
        """The topics that an open transaction has written to; empty where it has ended meanwhile."""

    def close(self) -> None:
        """Ends it."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """Makes clients of one cluster, each connected when it is returned. Everything raises ``KafkaError`` or OSError."""

    consumer: Callable[[MemberHooks], MemberConsumer]
    """The member of our group; not subscribed yet."""
    asking: Callable[[], AskingConsumer]
    producer: Callable[[int | None], TransactionalProducer]
    """Under our transactional.id: what a producer of that name left open is ended (KIP-98). Takes how many bytes of
    records the topics take at once, None where that is not known."""
    admin: Callable[[], Admin]
    results: Callable[[], ResultSources]
    end_transactions_of: Callable[[str], None]
    """Ends what a producer of this transactional.id left open, and fences it."""
    problem: Callable[[], str | None] = lambda: None
    """Why nothing can be asked of any broker just now, in a sentence; None where that is not so."""
    orders: Callable[[int], OrderLog] | None = None
    """The control topic, from this offset on; None where there is none."""
    writer: Callable[[], RecordWriter] | None = None
    """What writes topics beside the results; None where there are none."""
