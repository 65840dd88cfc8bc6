"""The group coordinator: members, generations, and cooperative rebalancing (KIP-429) with its barrier."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.world.environment.schedule import Schedule

from contribd.engine.records.offsets import Partition

REBALANCE_TIMEOUT = 20.0
"""Seconds that a rebalance waits for members that do not join it."""


class Listener(Protocol):
    """A member's consumer."""

    def synced(self, generation: int, partitions: frozenset[Partition]) -> None:
        """The group's decision, on its way to the member."""

    def refused(self, name: str) -> None:
        """The group has no such member any more."""


@dataclass(slots=True, eq=False)
class _Member:
    name: str
    listener: Listener
    heard: float
    owned: frozenset[Partition]
    joined: bool = False
    waiting: bool = False


class Group:
    """One consumer group over all partitions of the prices topic."""

    def __init__(self, schedule: Schedule, partitions: list[Partition], session_timeout: float) -> None:
        self._schedule = schedule
        self._partitions = partitions
        self._timeout = session_timeout
        self._members: dict[str, _Member] = {}
        self._gone: set[str] = set()
        self._round = 0
        self.generation = 0
        self.preparing = False
        self.owners: dict[Partition, str] = {}
        """Which member each partition was last given to."""

    # What members ask

    def join(self, name: str, listener: Listener, owned: frozenset[Partition]) -> None:
        """A member joins, or joins again; it is told of the outcome by ``synced``."""
        member = self._members.get(name)
        if member is None:
            if name in self._gone:
                listener.refused(name)
                return
            member = self._members[name] = _Member(name, listener, self._schedule.mono, owned)
            self._watch(member)
        member.heard, member.owned = self._schedule.mono, owned
        member.joined = member.waiting = True
        self._prepare()
        self._complete_if_all_joined()

    def leave(self, name: str) -> None:
        """A member goes."""
        self._gone.add(name)
        if self._members.pop(name, None) is not None:
            self._prepare()
            self._complete_if_all_joined()

    def heartbeat(self, name: str, generation: int) -> str:
        """``ok``, ``rejoin`` while a rebalance waits for this member, ``unknown`` where it is out of the group."""
        member = self._members.get(name)
        if member is None or (generation != self.generation and not member.joined):
            return "unknown"
        member.heard = self._schedule.mono
        return "rejoin" if self.preparing and not member.joined else "ok"

    def is_current(self, name: str, generation: int) -> bool:
        """Whether a commit in this member's name counts."""
        return name in self._members and generation == self.generation

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
            for partition in partitions:
                self.owners[partition] = member.name
            member.listener.synced(self.generation, partitions)

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

    def settle(self, check: Callable[[str], bool]) -> bool:
        """Whether no rebalance is under way and ``check`` holds for every member."""
        return not self.preparing and all(check(name) for name in self._members)
