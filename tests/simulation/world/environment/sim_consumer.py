"""The consumers of a simulated process: the member of the group, and one that asks in its name."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tests.simulation.world.environment.brokers import GROUP, leader_of
from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.membership import Membership
from tests.simulation.world.environment.sim_calls import answer, call
from tests.simulation.world.environment.sim_kafka import SimKafka

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.streams.client.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    KafkaError,
    KafkaTimeoutError,
    RebalanceInProgressError,
)
from contribd.streams.client.port import GroupListener, Heartbeats, Member, SeenTopic, Topics

UNSTABLE_SECONDS = 0.1
"""How often stable offsets are asked for again."""

UNSETTLED_POLLS = 4
"""Polls that a thread may make in one while it has partitions that it may not begin yet."""

LONGEST_POLL = 10.0
"""Seconds that a poll may wait where nothing but what wakes it can happen: the thread that polls again every few
milliseconds would see nothing new."""


def ask_committed(life: Life, partition: Partition, seconds: float) -> Commit | None:
    """What the group has committed, once it is stable. Raises KafkaTimeoutError after ``seconds``."""
    schedule, kafka = life.world.schedule, life.world.kafka
    until = schedule.mono + seconds
    call(life, GROUP, seconds)
    while kafka.unstable(partition):
        if schedule.mono + UNSTABLE_SECONDS > until:
            current().sleep(max(0.0, until - schedule.mono))
            raise KafkaTimeoutError(f"no stable offset within {seconds:g} s")
        current().sleep(UNSTABLE_SECONDS)
    commit = kafka.committed(partition)
    answer(life)
    return commit


def ask_known(life: Life, member: Member) -> None:
    """Whether the group knows this member; raises KafkaError where not."""
    call(life, GROUP)
    said = life.world.group.heartbeat(member.member_id, member.generation)
    answer(life)
    if said == "fenced":
        raise FencedInstanceIdError("fenced")
    if said == "unknown":
        raise KafkaError("UnknownMemberId")


def seen_topics(kafka: SimKafka) -> Topics:
    """The topics as the cluster's metadata shows them."""
    return {"prices": SeenTopic(kafka.topic_id, len(kafka.logs))}


class SimMemberConsumer:
    """``streams.client.port.MemberConsumer`` over a simulated cluster."""

    def __init__(self, life: Life, membership: Membership) -> None:
        self._life = life
        self._world = life.world
        self._rng = life.world.schedule.rng
        self._membership = membership
        self._listener: GroupListener | None = None
        self._assigned: set[Partition] = set()
        self._paused: set[Partition] = set()
        self._positions: dict[Partition, int] = {}
        self._seen_ends: dict[Partition, int] = {}
        self._wake: Callable[[], None] | None = None
        membership.on_change = self._notified

    # The group

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """None ever is."""
        del topics
        current().sleep(self._life.rtt())
        return []

    def topics(self) -> Topics:
        """As the cluster is."""
        return seen_topics(self._world.kafka)

    def ask_topics(self, seconds: float) -> Topics:
        """The same, asked for now."""
        call(self._life, leader_of(0), seconds)
        answer(self._life)
        return self.topics()

    def subscribe(self, topics: Sequence[str], listener: GroupListener) -> None:
        """Joins with the next poll."""
        del topics
        self._listener = listener

    def member(self) -> Member:
        """As the membership has it."""
        return self._membership.member

    def heartbeats(self) -> Heartbeats:
        """Of the membership."""
        return self._membership.heartbeats

    def is_joining(self) -> bool:
        """Whether a join is in flight."""
        return self._membership.joining

    def rejoin(self) -> None:
        """Joins again."""
        self._membership.rejoin = True

    def confirm(self) -> None:
        """A heartbeat, at once."""
        ask_known(self._life, self.member())

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        """What the group has committed."""
        return ask_committed(self._life, partition, seconds)

    def commit(self, commits: Mapping[Partition, Commit]) -> None:
        """The group's first offsets."""
        call(self._life, GROUP)
        member = self.member()
        state = self._world.group.state_of(member.member_id, member.generation)
        if state != "ok":
            answer(self._life)
            raise RebalanceInProgressError if state == "stale" else CommitFailedError
        self._world.kafka.commit_plainly(commits)
        answer(self._life)

    def close(self, *, leave: bool) -> None:
        """Ends it."""
        self._membership.close(leave=leave)

    # Records

    def assignment(self) -> set[Partition]:
        """What the group has given."""
        return set(self._assigned)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Nothing of these."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """These again."""
        self._paused.difference_update(partitions)

    def seek(self, partition: Partition, offset: int) -> None:
        """The next offset."""
        self._positions[partition] = offset

    def position(self, partition: Partition) -> int | None:
        """The next offset to be polled."""
        return self._positions.get(partition)

    def high_water(self, partition: Partition) -> int | None:
        """The log's end at the last fetch."""
        return self._seen_ends.get(partition)

    def log_ends(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        """Both ends of each log."""
        for partition in sorted(partitions):
            call(self._life, leader_of(partition.number))
        kafka = self._world.kafka
        return {each: (kafka.first(each.number), kafka.ends[each.number]) for each in partitions}

    def ends(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, int]:
        """The end of each log."""
        for partition in sorted(partitions):
            call(self._life, leader_of(partition.number), seconds)
        return {each: self._world.kafka.ends[each.number] for each in partitions}

    def offsets_at(self, partitions: Collection[Partition], time: int) -> dict[Partition, tuple[int, int]]:
        """The first record of each log stamped at or after ``time``."""
        found = {}
        for partition in sorted(partitions):
            call(self._life, leader_of(partition.number))
            for record in self._world.kafka.logs[partition.number]:
                if record.timestamp >= max(0, time):
                    found[partition] = (record.offset, record.timestamp)
                    break
        return found

    def committed_among(self, partitions: Collection[Partition], seconds: float) -> dict[Partition, Commit]:
        """What the group has committed of these, whatever is being committed."""
        call(self._life, GROUP, seconds)
        found = {each: self._world.kafka.committed(each) for each in sorted(partitions)}
        answer(self._life)
        return {each: commit for each, commit in found.items() if commit is not None}

    def poll(self, seconds: float) -> dict[Partition, list[Record]]:
        """Follows the group, then fetches."""
        self._follow_group()
        fetchable = self._fetchable()
        if not fetchable:
            self._wait(seconds)
            self._follow_group()
            fetchable = self._fetchable()
        if not fetchable:
            return {}
        current().sleep(self._life.rtt())
        return self._fetch(fetchable)

    def _fetch(self, fetchable: list[Partition]) -> dict[Partition, list[Record]]:
        kafka, room = self._world.kafka, self._rng.randint(1, self._world.plan.max_poll)
        found = {}
        for partition in fetchable:
            log, position = kafka.logs[partition.number], self._positions[partition]
            index = _index(log, position)
            records = [Record(r.offset, r.timestamp, r.key, r.value) for r in log[index : index + room]]
            self._seen_ends[partition] = kafka.ends[partition.number]
            if records:
                found[partition] = records
                self._positions[partition] = records[-1].offset + 1
                room -= len(records)
        return found

    def _fetchable(self) -> list[Partition]:
        """What has something to fetch, and a leader."""
        kafka, brokers = self._world.kafka, self._world.brokers
        return [
            partition
            for partition in sorted(self._assigned - self._paused)
            if (position := self._positions.get(partition)) is not None
            and (log := kafka.logs[partition.number])
            and log[-1].offset >= position
            and not brokers.wait(leader_of(partition.number))
        ]

    def _wait(self, seconds: float) -> None:
        """Until a record comes, the group says something, or the thread would have looked up for another reason."""
        kafka, life, resume = self._world.kafka, self._life, current().resumption()

        def appended(number: int) -> None:
            if any(p.number == number for p in self._assigned - self._paused):
                life.later(life.rtt() + self._rng.choice((0.0, 0.0, seconds)), resume)

        def noticed() -> None:
            life.later(self._rng.random() * seconds, resume)

        kafka.on_append[appended] = life.on_notify[noticed] = None
        self._wake = resume
        life.later(self._longest(seconds), resume)
        try:
            current().give_way()
        finally:
            self._wake = None
            kafka.on_append.pop(appended, None)
            life.on_notify.pop(noticed, None)

    def _longest(self, seconds: float) -> float:
        """How long a poll may wait: until a leader is back, and not long where the thread has more to do than fetch."""
        if self._membership.busy or any(partition not in self._positions for partition in self._assigned):
            return UNSETTLED_POLLS * seconds
        waits = [self._world.brokers.wait(leader_of(partition.number)) for partition in self._assigned]
        return min([wait for wait in waits if wait] or [LONGEST_POLL])

    def _notified(self) -> None:
        if self._wake is not None:
            self._life.later(0.0, self._wake)

    # What the group decides, from within a poll

    def _follow_group(self) -> None:
        if self._listener is None:
            return
        if self._membership.replaced:
            raise FencedInstanceIdError("another process has this name")
        if self._membership.take_lost():
            self._lost(self._listener)
        if (given := self._membership.take_assignment()) is not None:
            self._given(given, self._listener)
        self._membership.join_if_needed(frozenset(self._assigned))

    def _lost(self, listener: GroupListener) -> None:
        lost, self._assigned = self._assigned, set()
        self._forget(lost)
        if lost:
            listener.lost(lost)

    def _given(self, given: frozenset[Partition], listener: GroupListener) -> None:
        gone, new = self._assigned - given, given - self._assigned
        if gone:
            self._membership.held = True
            try:
                listener.revoked(gone)
            finally:
                self._membership.held = False
            self._membership.rejoin = True
        self._assigned = set(given)
        self._forget(gone)
        listener.assigned(new)

    def _forget(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._seen_ends.pop(partition, None)
            self._paused.discard(partition)


def _index(log: list, offset: int) -> int:  # type: ignore[type-arg]
    """Of the first record at or after an offset."""
    low, high = 0, len(log)
    while low < high:
        middle = (low + high) // 2
        if log[middle].offset < offset:
            low = middle + 1
        else:
            high = middle
    return low


class SimAskingConsumer:
    """``streams.client.port.AskingConsumer`` over a simulated cluster."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._member: Member | None = None

    def speak_for(self, member: Member, seconds: float) -> None:
        """From now on asked as this member's."""
        call(self._life, GROUP, seconds)
        self._member = member

    def confirm(self) -> None:
        """Whether the group knows the member."""
        if self._member is not None:
            ask_known(self._life, self._member)

    def committed(self, partition: Partition, seconds: float) -> Commit | None:
        """What the group has committed."""
        self._life.world.counts["unknown outcomes read back"] += 1
        return ask_committed(self._life, partition, seconds)

    def close(self) -> None:
        """Nothing is left open."""
