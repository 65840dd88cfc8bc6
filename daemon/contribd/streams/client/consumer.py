"""The consumers, over kafka-python's: this process's member of the group, and one that asks in its name."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import OffsetAndMetadata

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.streams.client import consumer_faults as faults
from contribd.streams.client import fetch_faults, membership, topic_metadata
from contribd.streams.client.access import Access
from contribd.streams.client.port import (
    AskingConsumer,
    GroupListener,
    Heartbeats,
    Member,
    MemberConsumer,
    MemberHooks,
    Topics,
)
from contribd.streams.client.settings import KafkaSettings

METADATA_SECONDS: Final = 5.0
"""How long a broker may take to tell of the topics when they are subscribed to."""

LEAVE_SECONDS: Final = 2.0
"""How long leaving the group may take; without it the others wait for the session timeout."""

CLOSE_SECONDS: Final = 1.0
"""How long a consumer that is no member may take for its end."""


def open_member(access: Access, settings: KafkaSettings, hooks: MemberHooks) -> MemberConsumer:
    """The member of our group, connected and not subscribed yet. Raises KafkaError, OSError."""
    strategy = [CooperativeStickyAssignor]
    consumer = access.opened(KafkaConsumer, **settings.member(), partition_assignment_strategy=strategy)
    faults.lose_what_is_lost(consumer)
    membership.tell_out_of_range(consumer, lambda tp: hooks.out_of_range(Partition(*tp)))
    fetch_faults.keep_apart(consumer, settings, lambda tp, fault: hooks.fetch_failed(Partition(*tp), fault))
    membership.watch(consumer, hooks)
    return Consumer(consumer)


def open_asking(access: Access, settings: KafkaSettings) -> AskingConsumer:
    """A consumer that is no member, connected. Raises KafkaError, OSError."""
    return Asking(access.opened(KafkaConsumer, **settings.consumer()))


class Consumer:
    """A ``MemberConsumer`` over a ``KafkaConsumer``."""

    def __init__(self, client: Any) -> None:
        """``client``: a ``KafkaConsumer``."""
        self._client = client
        self._topics: Sequence[str] = ()

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """Those that do not exist, or may not be seen."""
        return [topic for topic in topics if not self._client.partitions_for_topic(topic)]

    def subscribe(self, topics: Sequence[str], listener: GroupListener) -> None:
        """Joins the group with the next ``poll``. Raises KafkaError."""
        self._topics = topics
        self._client.subscribe(topics, listener=_Rebalances(listener))
        # What it joins with must be what the metadata says: with the first news of that it would join once more.
        topic_metadata.refresh(self._client, METADATA_SECONDS)

    def topics(self) -> Topics:
        """Those subscribed to, as the cluster told of them last."""
        return topic_metadata.topics_of(self._client, self._topics)

    def ask_topics(self, seconds: float) -> Topics:
        """The same, asked for now."""
        topic_metadata.refresh(self._client, seconds)
        return self.topics()

    def poll(self, seconds: float) -> dict[Partition, list[Record]]:
        """Records of partitions that are not paused; waits for the first ones. Calls the listener."""
        faults.release_buffered(self._client)
        faults.finish_join(self._client)
        polled = self._client.poll(timeout_ms=int(seconds * 1000))
        return {
            Partition(*tp): [
                Record(each.offset, each.timestamp, each.key, each.value, each.headers or ()) for each in records
            ]
            for tp, records in polled.items()
        }

    def assignment(self) -> set[Partition]:
        """What the group has given this member."""
        return {Partition(*tp) for tp in self._client.assignment()}

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Nothing of these is fetched from now on."""
        self._client.pause(*_places(partitions))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """These are fetched again."""
        self._client.resume(*_places(partitions))

    def seek(self, partition: Partition, offset: int) -> None:
        """The next offset to fetch."""
        self._client.seek(TopicPartition(*partition), offset)

    def position(self, partition: Partition) -> int | None:
        """The next offset to be polled, None where it is not known; asks nobody."""
        # A tuple finds what its like was put under; position() may block on the network.
        state = self._client._subscription.assignment.get(partition)  # noqa: SLF001
        return state.position.offset if state is not None and state.position is not None else None

    def high_water(self, partition: Partition) -> int | None:
        """The log's end as the last fetch told it, None where none did."""
        end: int | None = self._client.highwater(TopicPartition(*partition))
        return end

    def log_ends(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        """The first and the next offset of each log, as a read_committed consumer sees it."""
        places = _places(partitions)
        begins, ends = self._client.beginning_offsets(places), self._client.end_offsets(places)
        return {Partition(*tp): (begins[tp], ends[tp]) for tp in places}

    def ends(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, int]:
        """The next offset of each log, as a read_committed consumer sees it."""
        found = self._client.end_offsets(_places(partitions), timeout_ms=round(seconds * 1000))
        return {Partition(*tp): end for tp, end in found.items()}

    def offsets_at(self, partitions: Collection[Partition], time: int) -> dict[Partition, tuple[int, int]]:
        """Offset and timestamp of the first record of each log stamped at or after ``time``."""
        found = self._client.offsets_for_times(dict.fromkeys(_places(partitions), time))
        # None, or a stamp of -1 from some brokers: nothing is as late as that.
        return {
            Partition(*tp): (at.offset, at.timestamp)
            for tp, at in found.items()
            if at is not None and at.timestamp >= 0
        }

    def committed_among(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, Commit]:
        """What the group has committed of these, whatever is being committed."""
        found = membership.unstable_offsets(self._client, _places(partitions), round(seconds * 1000))
        return {
            Partition(*tp): Commit(each.offset, each.metadata or "") for tp, each in found.items() if each.offset >= 0
        }

    def confirm(self) -> None:
        """Asks the group at once whether it knows this member."""
        membership.confirm(self._client)

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        """What the group has committed, None where it has not."""
        return _committed(self._client, partition, seconds)

    def commit(self, commits: Mapping[Partition, Commit]) -> None:
        """Commits offsets outside of a transaction."""
        self._client.commit(
            {TopicPartition(*each): OffsetAndMetadata(offset, text, -1) for each, (offset, text) in commits.items()}
        )

    def member(self) -> Member:
        """The membership as the client knows it just now."""
        found = self._client.group_metadata()
        return Member(found.generation_id, found.member_id, found.group_instance_id)

    def heartbeats(self) -> Heartbeats:
        """Of the membership just now."""
        return membership.heartbeats(self._client)

    def is_joining(self) -> bool:
        """Whether a join is in flight: nothing may then keep the thread from its next poll."""
        return faults.is_joining(self._client)

    def rejoin(self) -> None:
        """Joins again with the next ``poll``."""
        self._client._coordinator.request_rejoin()  # noqa: SLF001 - kafka-python joins by itself only

    def close(self, *, leave: bool) -> None:
        """Ends the consumer; ``leave``: tells the group, which a member that is not static does in any case."""
        if leave:
            faults.leave_though_static(self._client)
        self._client.close(autocommit=False, timeout_ms=round(LEAVE_SECONDS * 1000))


class Asking:
    """An ``AskingConsumer`` over a ``KafkaConsumer``."""

    def __init__(self, client: Any) -> None:
        """``client``: a ``KafkaConsumer``."""
        self._client = client

    def speak_for(self, member: Member, seconds: float) -> None:
        """From now on ``confirm`` and ``committed`` are asked as this member's."""
        membership.speak_for(self._client, member, seconds)

    def confirm(self) -> None:
        """Asks the group at once whether it knows this member."""
        membership.confirm(self._client)

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        """What the group has committed, None where it has not."""
        return _committed(self._client, partition, seconds)

    def close(self) -> None:
        """Ends it."""
        self._client.close(autocommit=False, timeout_ms=round(CLOSE_SECONDS * 1000))


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    """Hands the group's decisions on, in the client's own thread."""

    def __init__(self, listener: GroupListener) -> None:
        self._listener = listener

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """These go in order."""
        _hand_on(self._listener.revoked, revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """These are new."""
        _hand_on(self._listener.assigned, assigned)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """These are lost."""
        _hand_on(self._listener.lost, lost)


def _hand_on(tell: Callable[[Collection[Partition]], None], partitions: Iterable[TopicPartition]) -> None:
    tell(frozenset(Partition(*tp) for tp in partitions))


def _places(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*partition) for partition in partitions]


def _committed(client: Any, partition: Partition, seconds: float) -> Commit | None:
    found = client.committed(TopicPartition(*partition), metadata=True, timeout_ms=round(seconds * 1000))
    return None if found is None or found.offset < 0 else Commit(found.offset, found.metadata or "")
