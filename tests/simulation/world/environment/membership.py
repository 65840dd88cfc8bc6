"""A simulated process in its group: joins, heartbeats and what came of them, as the client's own thread does it."""

from collections.abc import Callable

from tests.simulation.world.environment.brokers import GROUP
from tests.simulation.world.environment.host import Life

from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import Heartbeats, Member, MemberHooks

_NEVER = Heartbeats(float("-inf"), float("-inf"))


class Membership:
    """Belongs to the member's consumer, which asks it from within its polls."""

    def __init__(self, life: Life, hooks: MemberHooks, static_id: str | None, client_id: str) -> None:
        self._life = life
        self._world = life.world
        self._hooks = hooks
        self._static_id = static_id
        self._client_id = client_id
        self._joins = 0
        self._name = ""
        self._generation = -1
        self._given: frozenset[Partition] | None = None
        self._synced = -1
        """The generation of what was given last."""
        self._lost = False
        self._beating = False
        self._closed = False
        self.joining = False
        self.rejoin = True
        self.held = False
        """A callback of a rebalance holds the thread: the client sends no heartbeats meanwhile."""
        self.replaced = False
        self.heartbeats = _NEVER
        self.on_change: Callable[[], None] = lambda: None
        life.later(self._world.plan.heartbeat, self._beat)

    @property
    def member(self) -> Member:
        """As the client knows it."""
        return Member(self._generation, self._name, self._static_id)

    @property
    def busy(self) -> bool:
        """Whether there is more to come than a poll can wait for."""
        return self.rejoin and not self.joining

    def take_lost(self) -> bool:
        """Whether the group has given up this member, told once."""
        lost, self._lost = self._lost, False
        return lost

    def take_assignment(self) -> frozenset[Partition] | None:
        """What the group gives from now on, told once."""
        given, self._given = self._given, None
        if given is not None:
            self._generation = self._synced
            self.joining = False
        return given

    def close(self, *, leave: bool) -> None:
        """No more of it; ``leave``: the group is told."""
        if self._life.dead:
            return
        self._closed = True
        if leave:
            self._world.group.leave(self._name)

    # Joining

    def join_if_needed(self, owned: frozenset[Partition]) -> None:
        """Asks the group, where it must be asked and was not."""
        if not self.rejoin or self.joining or self._closed:
            return
        self.rejoin, self.joining = False, True
        if self._generation < 0:
            self._joins += 1
            self._name = f"{self._life.name}#{self._joins}"
        self._send_join(self._name, owned)

    def _send_join(self, name: str, owned: frozenset[Partition]) -> None:
        def arrives() -> None:
            if self._world.brokers.lies:
                self._send_join(name, owned)
            elif not self._closed:
                self._world.group.join(name, self._static_id, self._client_id, self, owned)

        self._life.later(self._life.rtt() + self._world.brokers.wait(GROUP), arrives)

    def completed(self, member: str, generation: int) -> None:
        """The group has a new generation: its answer to the join is on its way, then this member asks for its part."""
        self._life.later(self._life.rtt(), lambda: self._ask_assignment(member, generation))

    def _ask_assignment(self, member: str, generation: int) -> None:
        if member != self._name or self._closed or not self.joining:
            return  # not joining: given up while it joined, and so it joins anew
        self._generation = generation  # the client shows it from here on, before it knows its part
        asked_at = self._world.schedule.mono
        takes = self._life.rtt() + self._world.brokers.wait(GROUP)
        self._life.later(takes, lambda: self._give(member, generation, asked_at))

    def _give(self, member: str, generation: int, asked_at: float) -> None:
        given = self._world.group.sync(member, generation)
        self._life.later(self._life.rtt(), lambda: self._got(member, generation, asked_at, given))

    def _got(self, member: str, generation: int, asked_at: float, given: frozenset[Partition] | None) -> None:
        if member != self._name or self._closed or not self.joining:
            return
        if given is None:
            self.joining, self.rejoin = False, True
        else:
            self._given, self._synced = given, generation
            self._hooks.known()
            self._hooks.synced(member, asked_at)
        self.on_change()

    def refused(self, member: str) -> None:
        """The group does not know this member any more, on its way."""
        self._life.later(self._life.rtt(), lambda: self._given_up(member))

    def _given_up(self, member: str) -> None:
        if member != self._name or self._closed:
            return
        self._lost, self.rejoin, self.joining = True, True, False
        self._generation, self._given = -1, None
        self.heartbeats = _NEVER
        self.on_change()

    # Heartbeats

    def _beat(self) -> None:
        if self._closed:
            return
        self._life.later(self._world.plan.heartbeat, self._beat)
        if self.held or self._generation < 0 or self._beating:
            return
        self._beating = True
        self.heartbeats = self.heartbeats._replace(sent=self._world.schedule.mono)
        member, generation = self._name, self._generation
        # It is on its way already: it arrives whatever becomes of the process.
        takes = self._life.rtt() + self._world.brokers.wait(GROUP)
        self._world.schedule.after(takes, lambda: self._beat_arrives(member, generation))

    def _beat_arrives(self, member: str, generation: int) -> None:
        said = self._world.group.heartbeat(member, generation)
        self._life.later(self._life.rtt(), lambda: self._beat_answered(member, generation, said))

    def _beat_answered(self, member: str, generation: int, said: str) -> None:
        self._beating = False
        if self._closed or member != self._name or generation != self._generation:
            return
        if said == "fenced":
            self.replaced = self._hooks.refused()
        elif said == "unknown":
            self._given_up(member)
            return
        else:
            self._hooks.known()
            self.heartbeats = self.heartbeats._replace(answered=self._world.schedule.mono)
            self.rejoin = self.rejoin or said == "rejoin"
        self.on_change()
