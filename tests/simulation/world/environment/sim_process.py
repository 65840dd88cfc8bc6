"""A simulated daemon: the production loop, driver, source and sink, over simulated sockets, brokers and threads."""

import socket
from collections.abc import Callable
from random import Random
from typing import cast

from tests.simulation.world.environment.fiber import Fiber, runtime_of
from tests.simulation.world.environment.host import Life, World
from tests.simulation.world.environment.make_engine import make_engine
from tests.simulation.world.environment.sim_client import connect, rules_of, settings_of
from tests.simulation.world.environment.sim_reader import SimRulesReader
from tests.simulation.world.environment.sim_wire import Wire
from tests.simulation.world.environment.sockets import SimSelector, SimSocket
from tests.simulation.world.oracle.pause_evidence import number_in

from contribd.ads.dialer import DialedSocket, DialError, DialOptions
from contribd.ads.driver import Driver
from contribd.ads.own_address import OwnAddress
from contribd.engine.engine import Engine
from contribd.engine.events import Stop
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.session.endpoints import Failure
from contribd.loop import DRAIN_MARGIN, Loop, Mail
from contribd.ops.progress import Pulse
from contribd.orders import Asked
from contribd.pausing.pause_orders import Myself, Ordering
from contribd.quoting.quote_orders import QuoteOrder
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.order_topic import Followed, OrderTopic
from contribd.streams.sink import Sink
from contribd.streams.source import Source
from contribd.streams.standing_reader import StandingReader

OWN = OwnAddress("10.0.0.9", "10.0.0.9")
"""Every daemon's end of its connections."""

BUSY_ROUNDS = 2_000
"""Rounds of the worker within one simulated second that mean that it never sleeps."""


class WatchedSource(Source):
    """The source as it is; the oracle is told what the worker wants."""

    life: Life

    def pause(self, partitions: frozenset[Partition]) -> None:
        """As the source's."""
        self.life.world.oracle.paused(self.life, partitions)
        super().pause(partitions)


class Process(Life):
    """One daemon process, from its start to its death or its clean exit."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self._schedule = world.schedule
        self._selector = SimSelector(self, self._heard)
        rng = Random(world.schedule.rng.getrandbits(64))
        self.engine: Engine = make_engine(self, lambda: self._selector.wire, rng)
        self._mail: list[Mail] = []
        self._wake_time = float("inf")
        self._stop_requested = False
        self._rounds = (0, 0)
        self._followed = -1
        """The offset in the control topic up to where the worker has heard of it."""
        self.stalled_until = 0.0
        """The worker's thread is held up until then; the others are not."""
        self.exited: str | None = None
        """How it ended by itself."""
        world.oracle.started(self)
        self._sockets: list[SimSocket] = []
        instance = name.partition("/")[0]
        self._make_streams(instance)
        self._make_orders(Myself(instance, name))
        self._driver = Driver(self.engine, self._selector, DialOptions(3.0), self.put, dial=self._dial)
        self._loop = Loop(
            self.engine,
            self._driver,
            self.source,
            self.sink,
            self._lease,
            ResultEncoder(
                instance=name,
                version=str(self.mapping),  # the rules are told by both
                config=str(self.generation),
                rules=rules_of(self.mapping, self.generation),
            ),
            rejects=False,
            ack_timeout=world.plan.ack_timeout,
            clock=lambda: world.schedule.now,
            ordering=self._ordering,
            standing=self._reader(),
        )
        self._loop.reloads.read_by(SimRulesReader(self, self.put))
        self._wake_in(0.0)
        for run in (self.source.run, self.sink.run, *(() if self._orders is None else (self._orders.run,))):
            Fiber(self, run).start()

    def _make_streams(self, instance: str) -> None:
        settings, runtime = settings_of(self.world.plan, instance, self.mapping, self.generation), runtime_of(self)
        kafka = connect(self, settings)
        self._settings, self._kafka = settings, kafka
        self._lease = Lease(settings.lease_seconds, settings.answer_timeout, clock=runtime.mono)
        fencing = Fencing(clock=runtime.mono)
        self.source = WatchedSource(
            settings,
            kafka,
            runtime=runtime,
            emit=self.put,
            consumed=lambda: self._loop.consumed,
            pulse=Pulse("source", 60.0, 0.0),
            lease=self._lease,
            fencing=fencing,
            max_backlog=2 * self.world.plan.max_poll,
        )
        self.source.life = self
        self.sink = Sink(
            settings, kafka, runtime=runtime, emit=self.put, pulse=Pulse("sink", 60.0, 0.0), fencing=fencing
        )

    def _make_orders(self, myself: Myself) -> None:
        plan = self.world.plan.orders
        self._orders: OrderTopic | None = None
        if (opened := self._kafka.orders) is not None:
            self._orders = OrderTopic(
                self._settings,
                opened,
                myself.presence(),
                runtime=runtime_of(self),
                emit=self.put,
                pulse=Pulse("orders", 60.0, 0.0),
            )
        self._ordering = Ordering(1 if plan is None else plan.approvals, self._orders, myself)

    def _reader(self) -> StandingReader | None:
        """What reads the quotes that stand, where somebody gives orders about them."""
        orders = self.world.plan.orders
        if orders is None or not orders.quotes:
            return None
        return StandingReader(self._kafka, self._settings, runtime_of(self), self.put)

    # The outside

    @property
    def knows_orders(self) -> bool:
        """Whether it reads and writes the control topic, where there is one."""
        return self._orders is None or not self._orders.reasons()

    @property
    def is_up_to_date(self) -> bool:
        """Whether it has heard of all that was ordered, and what was ordered here is written."""
        topic, oracle = self.world.orders, self.world.oracle.orders
        return topic is None or (self._followed >= topic.last_order and not oracle.unwritten(self.name))

    def put(self, event: Mail) -> None:
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
        self.end()

    def end(self) -> None:
        """Nothing more happens in it."""
        self.world.oracle.orders.ended(self.name)
        self.world.oracle.reloads.ended(self.name)
        self.dead = True
        for sock in self._sockets:
            sock.die()
        for fiber in self.fibers:
            fiber.kill()

    def _dial(self, endpoint: str, _options: DialOptions, done: Callable[[DialedSocket | DialError], None]) -> None:
        """Makes a connection, or fails to, in a while."""
        venue, rng, plan = self.world.venues[endpoint], self._schedule.rng, self.world.plan

        def connected() -> None:
            if not venue.reachable:
                done(DialError(Failure.NETWORK, "refused"))
                return
            latency = rng.choice((0.0003, 0.003, 0.04))
            wire = Wire(self._schedule, rng, latency=latency, room=plan.socket_room, cuts=0.1)
            self.world.oracle.connected(self, wire)
            sock = SimSocket(self, wire, self._heard)
            self._sockets.append(sock)
            venue.accept(wire)
            done(DialedSocket(cast("socket.socket", sock), endpoint, (), OWN))

        self.later(rng.choice((0.001, 0.001, 0.02, 0.02, 0.3, 0.3 if plan.harm_alone else 7.0)), connected)

    # The worker

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
        if planned == self._wake_time and self.exited not in {"drained", "deadline"}:
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
        self._tell_orders(mail)
        consumed = self._loop.consumed
        finished = self._loop.round(self._selector.select(), mail)
        if self._loop.consumed != consumed:
            self.notify()  # the source waits for that where it has handed over too much
        if self.source.replaced:
            self.world.oracle.complain("ended for another process of its name, and there is none", self.name)
        if self.sink.replaced and self.exited is None:
            self.exited = "replaced"
        self.world.oracle.measured(self)
        if finished:
            self._leave()
            return
        if self._selector.select():
            self._heard()
        if (wait := self._loop.wait()) < 1e9:
            self._wake_in(wait + self._schedule.rng.random() * 0.001)

    def _tell_orders(self, mail: list[Mail]) -> None:
        """The oracle is told what the worker is about to hear of orders."""
        oracle, quotes = self.world.oracle.orders, self.world.oracle.quotes
        for event in mail:
            if isinstance(event, Asked) and isinstance(event.order, QuoteOrder):
                quotes.taken(self.name, number_in(event.order.reason), self._schedule.mono)
            elif isinstance(event, Asked):
                oracle.taken(self.name, event.order.reason)
            elif isinstance(event, Followed):
                oracle.followed(self.name, event.records)
                self._followed = event.records[-1].offset
                quotes.followed(self.name, event.records, self._schedule.mono)

    def _count_round(self) -> None:
        second = int(self._schedule.mono)
        count = self._rounds[1] + 1 if self._rounds[0] == second else 1
        self._rounds = (second, count)
        if count > BUSY_ROUNDS:
            self.world.oracle.complain("the worker never sleeps", self.name)

    # The end

    def _leave(self) -> None:
        self.exited = "drained" if self.engine.drained else "deadline"
        self._loop.leave()
        if self._orders is not None:
            self._orders.stop()
        self.world.oracle.left(self)
        each = max(1.0, min(DRAIN_MARGIN / 2, self._loop.deadline - self._schedule.mono))
        self._schedule.after(2 * each, self.end)  # the worker waits so long for each of its threads
        self._await_threads()

    def _await_threads(self) -> None:
        if all(fiber.ended for fiber in self.fibers):
            self.end()
        else:
            self.later(0.05, self._await_threads)
