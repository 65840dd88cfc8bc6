"""The source of a simulated daemon: what ``contribd.streams.source`` does, on the simulated group and topics.

Here is its membership of the group, with what ``contribd.streams.group.assignment`` does; ``fetcher`` fetches the
records.
"""

from collections.abc import Callable

from tests.simulation.world.environment.fetcher import POLL_SECONDS, Fetcher
from tests.simulation.world.environment.host import Life

from contribd.engine.events import Assigned, Event, Revoked, Revoking
from contribd.engine.records.offsets import Commit, Partition
from contribd.streams.client.port import Heartbeats, Member
from contribd.streams.group.lease import Joined, Lease

REVOKE_SECONDS = 2.0
"""How long a rebalance waits for outstanding answers; as in the daemon, far below the session timeout."""


class Source:
    """Owns the membership, and the thread that it and the fetcher share. Everything it learns goes to ``emit``."""

    def __init__(self, life: Life, emit: Callable[[Event | Joined], None], consumed: Callable[[], int]) -> None:
        self._life = life
        self._world = life.world
        self._rng = life.world.schedule.rng
        self._emit = emit
        self._joins = 0
        self._joining = False
        """A request to join is under way; there is never a second."""
        self._beating = False
        """The same for a heartbeat."""
        self._member = ""
        self._generation = -1
        self._owned: frozenset[Partition] = frozenset()
        self._new: set[Partition] = set()
        self._busy = False
        """A callback or a call to Kafka holds the thread."""
        self._released: Callable[[], None] | None = None
        self._left = False
        self._fetcher = Fetcher(life, emit, consumed, lambda: self._busy)
        self._heartbeats = Heartbeats(float("-inf"), float("-inf"))
        self.lease = Lease(self._world.plan.session_timeout, float("inf"), clock=lambda: self._world.schedule.mono)
        life.later(0.05 + self._rng.random() * 0.5, self._start)

    def _start(self) -> None:
        self._join()
        self._life.later(self._world.plan.heartbeat, self._beat)

    # For the worker

    def pause(self, partitions: frozenset[Partition]) -> None:
        """Fetch every assigned partition but these."""
        self._world.oracle.paused(self._life, partitions)
        self._fetcher.pause(partitions)

    def nudge(self) -> None:
        """There may be something to fetch."""
        self._fetcher.nudge()

    def release(self) -> None:
        """The partitions being revoked are settled."""
        if self._released is not None:
            self._life.later(0.0, self._released)

    def stop(self) -> None:
        """Fetch nothing more."""
        self._fetcher.stop()

    def leave(self) -> None:
        """Leave the group."""
        self._left = True
        self._fetcher.stop()
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
        self._fetcher.drop(going)
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
            behind = self._fetcher.take(commits)
            self._observe()
            self._emit(Assigned(commits, behind))
        self.nudge()

    # Heartbeats

    def _beat(self) -> None:
        if self._left:
            return
        self._life.later(self._world.plan.heartbeat, self._beat)
        if self._released is not None or self._generation < 0 or self._beating:
            return
        self._beating = True
        self._heartbeats = self._heartbeats._replace(sent=self._world.schedule.mono)
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
        self._heartbeats = self._heartbeats._replace(answered=self._world.schedule.mono)
        self._observe()
        if answer == "rejoin":
            self._life.later(self._rng.random() * POLL_SECONDS, self._join)

    def _lose(self) -> None:
        gone, self._owned = self._owned, frozenset()
        self._new.clear()
        self._fetcher.drop(gone)
        self._generation, self._member = -1, ""
        self._joining = self._beating = False
        if gone:
            self._emit(Revoked(gone))
        self._observe()
        self._join()

    def _observe(self) -> None:
        if joined := self.lease.observe(Member(self._generation, self._member), self._heartbeats):
            self._emit(joined)
