"""A simulated daemon: what ``contribd.worker`` does with the real engine, between a simulated source and sink."""

from collections import deque
from random import Random
from typing import Any

from contribd.engine.engine import Engine
from contribd.engine.events import Event, Records, Revoked, Revoking, Stop, Tick
from contribd.engine.ledger import Partition
from contribd.engine.result import ResultEncoder
from contribd.simulation.world.build import make_engine
from contribd.simulation.world.host import Life, World
from contribd.simulation.world.shell import Outcome, Shell
from contribd.simulation.world.sink import Sink, Write
from contribd.simulation.world.source import Source
from contribd.streams.membership import Joined

DRAIN_MARGIN = 10.0
BUSY_ROUNDS = 2_000
"""Rounds of the worker within one simulated second that mean that it never sleeps."""


class Process(Life):
    """One daemon process, from its start to its death or its clean exit."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self._schedule = world.schedule
        self.engine: Engine = make_engine(world.plan, world.mapper, Random(world.schedule.rng.getrandbits(64)))
        self._results = ResultEncoder(instance=name, version="0", config="0")
        self._mail: list[Event | Outcome | Joined] = []
        self._group: Any = None
        self._consumed = 0
        self._paused: frozenset[Partition] = frozenset()
        self._revoking: deque[frozenset[Partition]] = deque()
        self._wake_time = float("inf")
        self._deadline = float("inf")
        self._stop_requested = False
        self._rounds = (0, 0)
        self.stalled_until = 0.0
        """The worker's thread is held up until then; the others are not."""
        self.exited: str | None = None
        """How it ended by itself."""
        world.oracle.started(self)
        self.source = Source(self, self.put, lambda: self._consumed)
        self.sink = Sink(self, self.put)
        self._shell = Shell(self, self.engine, self.put, self._heard)
        self._wake_in(0.0)

    # The outside

    def put(self, event: Event | Outcome | Joined) -> None:
        """For the worker's mailbox."""
        self._mail.append(event)
        self._wake_in(self._schedule.rng.random() * 0.002)

    @property
    def stopping(self) -> bool:
        """Whether it got a SIGTERM."""
        return self._stop_requested

    def terminate(self) -> None:
        """SIGTERM; a second one ends the process at once."""
        if self._stop_requested:
            self.die()
            return
        self._stop_requested = True
        self.put(Stop())

    def die(self) -> None:
        """SIGKILL: the sockets close, nothing else happens."""
        if not self.dead:
            self.world.oracle.killed(self)
        self.dead = True
        self._shell.die()

    # The loop

    def poke(self) -> None:
        """Something outside the engine changed that the worker looks at every so often."""
        self._wake_in(self._schedule.rng.random() * 0.25)

    def _heard(self) -> None:
        self._wake_in(self._schedule.rng.random() * 0.002)

    def _wake_in(self, seconds: float) -> None:
        at = max(self._schedule.mono + seconds, self.stalled_until)
        if at < self._wake_time:
            self._wake_time = at
            self.later(at - self._schedule.mono, lambda: self._wake(at))

    def _wake(self, planned: float) -> None:
        if planned == self._wake_time:
            self._wake_time = float("inf")
            if self.stalled_until > self._schedule.mono:
                self._wake_in(0.0)
            else:
                self._round()

    def _round(self) -> None:
        self._count_round()
        self._shell.serve(self._schedule.now)
        mail, self._mail = self._mail, []
        for event in mail:
            self._take_event(event)
        now = self._schedule.now
        self.engine.handle(Tick(), now)
        self._act()
        if self._finished():
            return
        wait = self.engine.wake_at(now) - now.mono
        if wait < 1e9:
            self._wake_in(max(0.0, wait) + self._schedule.rng.random() * 0.001)

    def _count_round(self) -> None:
        second = int(self._schedule.mono)
        count = self._rounds[1] + 1 if self._rounds[0] == second else 1
        self._rounds = (second, count)
        if count > BUSY_ROUNDS:
            self.world.oracle.complain("the worker never sleeps", self.name)

    def _take_event(self, event: Event | Outcome | Joined) -> None:
        now = self._schedule.now
        if isinstance(event, Joined):
            self._group = event.metadata
            return
        if isinstance(event, Outcome):
            self._shell.made(event, now)
            return
        if isinstance(event, Stop):
            self._deadline = now.mono + self.world.plan.ack_timeout + DRAIN_MARGIN
            self.source.stop()
            self._schedule.at(self._deadline, self.poke)
        elif isinstance(event, Revoking):
            self._revoking.append(event.partitions)
        elif isinstance(event, Revoked) and self._revoking:
            self._revoking.popleft()
        self.world.oracle.told(self, event)
        self.engine.handle(event, now)
        if isinstance(event, Records):
            self._consumed += sum(len(records) for _, records in event.batches)
            self._act()

    def _act(self) -> None:
        now, engine = self._schedule.now, self.engine
        engine.may_post_until = self.source.membership.until(self._group)
        self._shell.act(now)
        self._write()
        if (paused := engine.paused()) != self._paused:
            self._paused = paused
            self.world.oracle.paused(self, paused)
            self.source.pause(paused)
        if self._revoking and engine.settled(self._revoking[0]):
            self.source.release()
        if self.sink.replaced and self.exited is None:
            self.exited = "replaced"
        self.world.oracle.measured(self)

    def _write(self) -> None:
        group = self._group
        if group is None:
            return
        batch = self.engine.take_batch(self._schedule.now)
        if batch is not None:
            encode = self._results.encode
            self.sink.write(Write(batch.number, [encode(s) for s in batch.settlements], batch.commits, group))

    # The end

    def _finished(self) -> bool:
        if not self.engine.drained and self._schedule.mono < self._deadline:
            return False
        now = self._schedule.now
        self.exited = "drained" if self.engine.drained else "deadline"
        self.engine.leave(now)
        self._shell.act(now)
        self._shell.drop()
        self.source.leave()
        self.dead = True
        self.world.oracle.left(self)
        return True
