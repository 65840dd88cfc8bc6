"""A simulated daemon: what ``contribd.worker`` does with the real engine, between a simulated source and sink."""

import socket
from collections.abc import Callable
from random import Random
from typing import cast

from tests.simulation.world.environment.host import Life, World
from tests.simulation.world.environment.make_engine import make_engine
from tests.simulation.world.environment.sim_sink import Sink
from tests.simulation.world.environment.sim_source import Source
from tests.simulation.world.environment.sim_wire import Wire
from tests.simulation.world.environment.sockets import SimSelector, SimSocket

from contribd.ads.dialer import DialError, DialOptions
from contribd.ads.driver import Driver, Outcome
from contribd.engine.engine import Engine
from contribd.engine.events import Event, Stop
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.session.endpoints import Failure
from contribd.loop import DRAIN_MARGIN, Loop
from contribd.streams.group.lease import Joined

BUSY_ROUNDS = 2_000
"""Rounds of the worker within one simulated second that mean that it never sleeps."""


class Process(Life):
    """One daemon process, from its start to its death or its clean exit."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self._schedule = world.schedule
        self._selector = SimSelector(self, self._heard)
        rng = Random(world.schedule.rng.getrandbits(64))
        self.engine: Engine = make_engine(self, lambda: self._selector.wire, rng)
        self._mail: list[Event | Outcome | Joined] = []
        self._wake_time = float("inf")
        self._stop_requested = False
        self._rounds = (0, 0)
        self.stalled_until = 0.0
        """The worker's thread is held up until then; the others are not."""
        self.exited: str | None = None
        """How it ended by itself."""
        world.oracle.started(self)
        self.source = Source(self, self.put, lambda: self._loop.consumed)
        self.sink = Sink(self, self.put)
        self._sockets: list[SimSocket] = []
        self._driver = Driver(self.engine, self._selector, DialOptions(3.0), self.put, dial=self._dial)
        self._loop = Loop(
            self.engine,
            self._driver,
            self.source,
            self.sink,
            self.source.lease,
            ResultEncoder(instance=name, version="0", config="0"),
            rejects=False,
            ack_timeout=world.plan.ack_timeout,
            clock=lambda: world.schedule.now,
        )
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
        for sock in self._sockets:
            sock.wire.hang_up()

    def _dial(self, endpoint: str, _options: DialOptions, done: Callable[[socket.socket | DialError], None]) -> None:
        """Makes a connection, or fails to, in a while."""
        venue, rng = self.world.venues[endpoint], self._schedule.rng

        def connected() -> None:
            if not venue.reachable:
                done(DialError(Failure.NETWORK, "refused"))
                return
            wire = Wire(
                self._schedule,
                rng,
                latency=rng.choice((0.0003, 0.003, 0.04)),
                room=self.world.plan.socket_room,
                cuts=0.1,
            )
            self.world.oracle.connected(self, wire)
            sock = SimSocket(self, wire, self._heard)
            self._sockets.append(sock)
            venue.accept(wire)
            done(cast("socket.socket", sock))

        self.later(rng.choice((0.001, 0.02, 0.3)), connected)

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
        mail, self._mail = self._mail, []
        if any(isinstance(event, Stop) for event in mail):
            self._schedule.after(self.world.plan.ack_timeout + DRAIN_MARGIN, self.poke)
        finished = self._loop.round(self._selector.select(), mail)
        if self.sink.replaced and self.exited is None:
            self.exited = "replaced"
        self.world.oracle.measured(self)
        if finished:
            self._leave()
        elif (wait := self._loop.wait()) < 1e9:
            self._wake_in(wait + self._schedule.rng.random() * 0.001)

    def _count_round(self) -> None:
        second = int(self._schedule.mono)
        count = self._rounds[1] + 1 if self._rounds[0] == second else 1
        self._rounds = (second, count)
        if count > BUSY_ROUNDS:
            self.world.oracle.complain("the worker never sleeps", self.name)

    def _leave(self) -> None:
        self.exited = "drained" if self.engine.drained else "deadline"
        self._loop.leave()
        self.source.leave()
        self.dead = True
        self.world.oracle.left(self)
