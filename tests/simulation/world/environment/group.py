"""The group coordinator: members, generations, cooperative rebalancing (KIP-429), and static members (KIP-345)."""

from dataclasses import dataclass
from typing import Protocol

from tests.simulation.world.environment.brokers import Brokers
from tests.simulation.world.environment.schedule import Schedule

from contribd.engine.records.offsets import Partition

REBALANCE_TIMEOUT = 20.0
"""Seconds that a rebalance waits for members that do not join it."""


class Joining(Protocol):
    """A member's consumer."""

    def completed(self, member: str, generation: int) -> None:
        """The group has a new generation with this member in it, on its way."""

    def refused(self, member: str) -> None:
        """The group has no such member any more."""


@dataclass(slots=True, eq=False)
class _Member:
    name: str
    static_id: str | None
    client_id: str
    consumer: Joining
    heard: float
    owned: frozenset[Partition]
    given: frozenset[Partition] = frozenset()
    joined: bool = False
    waiting: bool = False


class Group:
    """One consumer group over all partitions of the prices topic."""

    def __init__(
        self, schedule: Schedule, brokers: Brokers, partitions: list[Partition], session_timeout: float
    ) -> None:
        self._schedule = schedule
        self._brokers = brokers
        self._partitions = partitions
        self._timeout = session_timeout
        self._members: dict[str, _Member] = {}
        self._fenced: set[str] = set()
        """Members whose static name another process has now."""
        self._gone: set[str] = set()
        self._round = 0
        self.generation = 0
        self.preparing = False
        self.owners: dict[Partition, str] = {}
        """Which member each partition was last given to."""

    # What members ask

    def join(
        self, name: str, static_id: str | None, client_id: str, consumer: Joining, owned: frozenset[Partition]
    ) -> None:
        """A member joins, or joins again; it is told of the outcome by ``completed``."""
        member = self._members.get(name)
        if member is None:
            if name in self._gone or name in self._fenced:
                consumer.refused(name)
                return
            member = _Member(name, static_id, client_id, consumer, self._schedule.mono, owned)
            if self._takes_over(member):
                return
            self._members[name] = member
            self._watch(member)
        member.heard, member.owned = self._schedule.mono, owned
        member.joined = member.waiting = True
        self._prepare()
        self._complete_if_all_joined()

    def _takes_over(self, member: _Member) -> bool:
        """A static member that comes anew replaces the one of its name; in a group at rest it gets its partitions at
        once, and nobody else is asked to rebalance."""
        before = next((m for m in self._members.values() if m.static_id == member.static_id), None)
        if member.static_id is None or before is None:
            return False
        del self._members[before.name]
        self._fenced.add(before.name)
        if self.preparing:
            return False
        member.given = before.given
        self._members[member.name] = member
        self._watch(member)
        for partition in member.given:
            self.owners[partition] = member.name
        member.consumer.completed(member.name, self.generation)
        return True

    def sync(self, name: str, generation: int) -> frozenset[Partition] | None:
        """What the generation gives this member, None where it must join again."""
        if self.state_of(name, generation) != "ok":
            return None
        self._members[name].heard = self._schedule.mono
        return self._members[name].given

    def leave(self, name: str) -> None:
        """A member goes."""
        self._gone.add(name)
        if self._members.pop(name, None) is not None:
            self._prepare()
            self._complete_if_all_joined()

    def heartbeat(self, name: str, generation: int) -> str:
        """``ok``, ``rejoin`` while a rebalance waits for this member, ``fenced``, or ``unknown``."""
        state = self.state_of(name, generation)
        if state == "ok":
            self._members[name].heard = self._schedule.mono
            return "rejoin" if self.preparing and not self._members[name].joined else "ok"
        if state == "stale" and self._members[name].joined:
            self._members[name].heard = self._schedule.mono
            return "ok"
        return "unknown" if state == "stale" else state

    def state_of(self, name: str, generation: int) -> str:
        """``ok``, ``stale`` (another generation), ``fenced`` or ``unknown``.

        A coordinator that answers from an old state knows other members, among them earlier ones of a static name.
        """
        member = self._members.get(name)
        if self._brokers.lies:
            return "unknown" if member is None or member.static_id is None else "fenced"
        if name in self._fenced:
            return "fenced"
        if member is None:
            return "unknown"
        return "ok" if generation == self.generation else "stale"

    def members(self) -> list[tuple[str, str | None, str]]:
        """Member id, static id and client id of each."""
        return [(member.name, member.static_id, member.client_id) for member in self._members.values()]

    # Rebalancing

    def _prepare(self) -> None:
        if self.preparing:
            return
        self.preparing = True
        self._round += 1
        number = self._round
        self._schedule.after(REBALANCE_TIMEOUT, lambda: self._give_up_waiting(number))

    def _give_up_waiting(self, number: int) -> None:
        if self.preparing and number == self._round:
            for name in [name for name, member in self._members.items() if not member.joined]:
                del self._members[name]
                self._gone.add(name)
            self._complete_if_all_joined()

    def _complete_if_all_joined(self) -> None:
        if not self.preparing or not self._members:
            return
        if all(member.joined for member in self._members.values()):
            number = self._round
            self._schedule.after(0.01, lambda: self._complete(number))

    def _complete(self, number: int) -> None:
        members = self._members.values()
        if not self.preparing or number != self._round or not members or not all(m.joined for m in members):
            return
        self.preparing = False
        self.generation += 1
        for member, partitions in self._assign():
            member.joined = member.waiting = False
            member.heard = self._schedule.mono
            member.given = partitions
            for partition in partitions:
                self.owners[partition] = member.name
            member.consumer.completed(member.name, self.generation)

    def _assign(self) -> list[tuple[_Member, frozenset[Partition]]]:
        """Sticky and balanced; what one member still owns and another shall have goes to neither in this round."""
        members = sorted(self._members.values(), key=lambda member: member.name)
        share, extra = divmod(len(self._partitions), len(members))
        keepers = sorted(members, key=lambda member: -len(member.owned))
        room = {member.name: share + (index < extra) for index, member in enumerate(keepers)}
        targets: dict[str, set[Partition]] = {member.name: set() for member in members}
        held = {partition: member.name for member in members for partition in member.owned}
        rest = []
        for partition in self._partitions:
            owner = held.get(partition)
            if owner is not None and len(targets[owner]) < room[owner]:
                targets[owner].add(partition)
            else:
                rest.append(partition)
        for partition in rest:
            name = next(name for name, wanted in targets.items() if len(wanted) < room[name])
            targets[name].add(partition)
        return [(m, frozenset(p for p in targets[m.name] if held.get(p, m.name) == m.name)) for m in members]

    # Silence

    def _watch(self, member: _Member) -> None:
        def look() -> None:
            if self._members.get(member.name) is not member:
                return
            if not member.waiting and self._schedule.mono - member.heard >= self._timeout - 1e-9:
                self.leave(member.name)
                return
            due = self._schedule.mono if member.waiting else member.heard
            self._schedule.at(due + self._timeout, look)

        self._schedule.after(self._timeout, look)
