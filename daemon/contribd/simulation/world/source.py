"""The source of a simulated daemon: what ``contribd.streams.source`` does, on the simulated group and topics."""

from collections.abc import Callable
from typing import NamedTuple

from contribd.engine.events import Assigned, CaughtUp, Event, Records, Revoked, Revoking
from contribd.engine.ledger import Commit, Partition
from contribd.engine.price import Record
from contribd.simulation.world.host import Life
from contribd.streams.membership import Joined, Membership

REVOKE_SECONDS = 2.0
"""How long a rebalance waits for outstanding answers; as in the daemon, far below the session timeout."""

POLL_SECONDS = 0.05


class Metadata(NamedTuple):
    """A membership as the consumer shows it."""

    generation_id: int
    member_id: str


class _Heartbeat:
    """When heartbeats were sent and answered, by the names the consumer has for it."""

    def __init__(self) -> None:
        self.last_send = self.last_receive = float("-inf")


class Source:
    """Owns the membership. Everything it learns goes to ``emit``."""

    def __init__(self, life: Life, emit: Callable[[Event | Joined], None], consumed: Callable[[], int]) -> None:
        self._life = life
        self._world = life.world
        self._rng = life.world.schedule.rng
        self._emit = emit
        self._consumed = consumed
        self._handed_over = 0
        self._joins = 0
        self._joining = False
        """A request to join is under way; there is never a second."""
        self._beating = False
        """The same for a heartbeat."""
        self._member = ""
        self._generation = -1
        self._owned: frozenset[Partition] = frozenset()
        self._positions: dict[Partition, int] = {}
        """The next record (index in the log) of each announced partition."""
        self._new: set[Partition] = set()
        self._behind: dict[Partition, int] = {}
        self._wanted: frozenset[Partition] = frozenset()
        self._paused: frozenset[Partition] = frozenset()
        """What is not fetched: what was wanted when the poll under way began."""
        self._busy = False
        """A callback or a call to Kafka holds the thread."""
        self._polling = False
        self._released: Callable[[], None] | None = None
        self._stopping = self._left = False
        self.heartbeat = _Heartbeat()
        self._coordinator = self
        self.membership = Membership(
            self._world.plan.session_timeout, float("inf"), clock=lambda: self._world.schedule.mono
        )
        life.later(0.05 + self._rng.random() * 0.5, self._start)

    def group_metadata(self) -> Metadata:
        """For the membership, as the consumer gives it."""
        return Metadata(self._generation, self._member)

    def _start(self) -> None:
        self._join()
        self._life.later(self._world.plan.heartbeat, self._beat)

    # For the worker

    def pause(self, partitions: frozenset[Partition]) -> None:
        """Fetch every assigned partition but these."""
        self._wanted = partitions
        self._life.later(self._rng.random() * POLL_SECONDS, self.nudge)

    def release(self) -> None:
        """The partitions being revoked are settled."""
        if self._released is not None:
            self._life.later(0.0, self._released)

    def stop(self) -> None:
        """Fetch nothing more."""
        self._stopping = True

    def leave(self) -> None:
        """Leave the group."""
        self._stopping = self._left = True
        self._world.group.leave(self._member)

    # The group

    def _join(self) -> None:
        if self._left or self._joining:
            return
        self._joining = True
        if self._generation < 0:
            self._joins += 1
            self._member = f"{self._life.name}#{self._joins}"
        member, owned = self._member, self._owned
        self._life.later(self._life.rtt(), lambda: self._world.group.join(member, self, owned))

    def refused(self, name: str) -> None:
        """The group does not know this member any more, on its way."""
        self._life.later(self._life.rtt(), lambda: self._turned_away(name))

    def _turned_away(self, name: str) -> None:
        if name == self._member and not self._left:
            if self._busy:
                self._life.later(POLL_SECONDS, lambda: self._turned_away(name))
            else:
                self._lose()

    def synced(self, generation: int, partitions: frozenset[Partition]) -> None:
        """The group's answer, on its way."""
        member = self._member
        self._life.later(self._life.rtt(), lambda: self._joined(member, generation, partitions))

    def _joined(self, member: str, generation: int, partitions: frozenset[Partition]) -> None:
        if self._left or member != self._member:
            return
        if self._busy:  # a rebalance ends in a poll, and there is none while the thread waits for Kafka or the worker
            self._life.later(0.01, lambda: self._joined(member, generation, partitions))
            return
        self._joining = False
        self._generation = generation
        going = self._owned - partitions
        self._new |= partitions - self._owned
        self._owned = partitions
        for partition in going:
            self._positions.pop(partition, None)
            self._behind.pop(partition, None)
        announced = going - self._new
        self._new -= going
        self._observe()
        if announced:
            self._revoke(announced)
        else:
            self._announce()

    def _revoke(self, going: frozenset[Partition]) -> None:
        self._busy = True
        done = False

        def finish() -> None:
            nonlocal done
            if done:
                return
            done = True
            self._released = None
            self._busy = False
            self._emit(Revoked(going))
            self._announce()
            self._join()

        self._released = finish
        self._emit(Revoking(going))
        self._life.later(REVOKE_SECONDS, finish)

    def _announce(self) -> None:
        """Says what is assigned and from where, once the offsets are stable."""
        if self._left:
            return
        ready = sorted(self._new)
        if not ready:
            self.nudge()
            return
        self._busy = True
        self._life.later(self._life.rtt(), lambda: self._fetch_offsets(ready))

    def _fetch_offsets(self, ready: list[Partition]) -> None:
        kafka, group = self._world.kafka, self._world.group
        if any(kafka.unstable(partition) for partition in ready):
            self._life.later(0.1, lambda: self._fetch_offsets(ready))
            return
        for partition in ready:
            if partition not in kafka.offsets:
                if not group.is_current(self._member, self._generation):
                    self._busy = False
                    return
                kafka.start(partition, latest=self._world.plan.latest)
        commits = {partition: kafka.offsets[partition] for partition in ready}
        self._life.later(self._life.rtt(), lambda: self._announced(commits))

    def _announced(self, commits: dict[Partition, Commit]) -> None:
        self._busy = False
        commits = {partition: commit for partition, commit in commits.items() if partition in self._new}
        if commits and not self._left:
            self._new -= commits.keys()
            for partition, commit in commits.items():
                log = self._world.kafka.logs[partition.number]
                self._positions[partition] = next((i for i, r in enumerate(log) if r.offset >= commit.offset), len(log))
            self._observe()
            ends = self._world.kafka.ends
            late = {p: ends[p.number] for p, commit in commits.items() if ends[p.number] > commit.offset}
            self._behind.update(late)
            self._emit(Assigned(commits, frozenset(late)))
        self.nudge()

    # Heartbeats

    def _beat(self) -> None:
        if self._left:
            return
        self._life.later(self._world.plan.heartbeat, self._beat)
        if self._released is not None or self._generation < 0 or self._beating:
            return
        self._beating = True
        self.heartbeat.last_send = self._world.schedule.mono
        member, generation = self._member, self._generation
        self._world.schedule.after(self._life.rtt(), lambda: self._beat_arrives(member, generation))

    def _beat_arrives(self, member: str, generation: int) -> None:
        answer = self._world.group.heartbeat(member, generation)
        self._life.later(self._life.rtt(), lambda: self._beat_answered(member, generation, answer))

    def _beat_answered(self, member: str, generation: int, answer: str) -> None:
        if self._left or member != self._member:
            return
        self._beating = False
        if generation != self._generation:
            return
        if self._busy and answer != "ok":
            self._life.later(POLL_SECONDS, lambda: self._beat_answered(member, generation, answer))
            return
        if answer == "unknown":
            self._lose()
            return
        self.heartbeat.last_receive = self._world.schedule.mono
        self._observe()
        if answer == "rejoin":
            self._life.later(self._rng.random() * POLL_SECONDS, self._join)

    def _lose(self) -> None:
        gone, self._owned = self._owned, frozenset()
        self._new.clear()
        self._positions.clear()
        self._behind.clear()
        self._generation, self._member = -1, ""
        self._joining = self._beating = False
        if gone:
            self._emit(Revoked(gone))
        self._observe()
        self._join()

    def _observe(self) -> None:
        if joined := self.membership.observe(self):
            self._emit(joined)

    # Records

    def nudge(self) -> None:
        """There may be something to fetch."""
        if self._polling or self._busy or self._stopping:
            return
        self._paused = self._wanted
        if self._fetchable():
            self._polling = True
            self._life.later(self._life.rtt() + self._rng.choice((0.0, 0.0, POLL_SECONDS)), self._poll)

    def _fetchable(self) -> list[Partition]:
        logs = self._world.kafka.logs
        return [
            partition
            for partition, position in self._positions.items()
            if position < len(logs[partition.number]) and partition not in self._paused
        ]

    def _poll(self) -> None:
        self._polling = False
        if self._busy or self._stopping:
            return
        plan = self._world.plan
        if self._handed_over - self._consumed() > 2 * plan.max_poll:
            self._life.later(POLL_SECONDS, self.nudge)
            return
        room, batches = self._rng.randint(1, plan.max_poll), []
        for partition in self._fetchable():
            position = self._positions[partition]
            found = self._world.kafka.logs[partition.number][position : position + room]
            if found:
                self._positions[partition] = position + len(found)
                batches.append((partition, [Record(r.offset, r.timestamp, r.key, r.value) for r in found]))
                room -= len(found)
        if batches:
            self._handed_over += sum(len(records) for _, records in batches)
            self._emit(Records(batches))
        self._tell_caught_up()
        self.nudge()

    def _tell_caught_up(self) -> None:
        logs = self._world.kafka.logs
        there = set()
        for partition, end in self._behind.items():
            log, position = logs[partition.number], self._positions[partition]
            if position == len(log) or log[position].offset >= end:
                there.add(partition)
        for partition in there:
            del self._behind[partition]
        if there:
            self._emit(CaughtUp(frozenset(there)))
