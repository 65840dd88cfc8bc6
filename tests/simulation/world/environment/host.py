"""What the parts of one simulated process share: the run around it, and time as the process sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.world.environment.brokers import Brokers
from tests.simulation.world.environment.group import Group
from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.environment.sim_kafka import SimKafka
from tests.simulation.world.environment.venue import Venue
from tests.simulation.world.plan import Plan

if TYPE_CHECKING:
    from tests.simulation.world.environment.fiber import Fiber
    from tests.simulation.world.environment.sim_orders import SimOrderTopic
    from tests.simulation.world.oracle.oracle import Oracle

    from contribd.mapping.mapper import Mapper


@dataclass(slots=True)
class World:
    """Everything outside the daemons."""

    schedule: Schedule
    plan: Plan
    brokers: Brokers
    kafka: SimKafka
    group: Group
    venues: dict[str, Venue]
    oracle: Oracle
    counts: Counter[str]
    mapper: Callable[[int, int | None], Mapper]
    """By which mapping, and by which generation of the files where these change."""
    orders: SimOrderTopic | None = None
    """The control topic, where there is one."""
    generation: int = 0
    """Of the files that processes read: each time they change, it is the next. A start reads the last whole one."""
    broken: bool = False
    """They have a mistake just now."""
    calm: bool = False
    """Faults are over."""

    def mapping_of(self, process: str) -> int:
        """The mapping that a process is started with: whoever restarts a daemon may have changed it."""
        curves = self.plan.curves
        return 0 if curves is None else Random(f"mapping {self.plan.seed} {process}").choice(curves.mappings)

    def happens(self, what: str) -> bool:
        """Whether a fault that strikes a share of cases strikes this one."""
        share = self.plan.shares.get(what, 0.0)
        if not share or self.calm or self.schedule.rng.random() >= share:
            return False
        self.counts[what] += 1
        return True


class Life:
    """One process from its start to its end. Threads of a frozen process do nothing until it goes on."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.mapping = world.mapping_of(name)
        """Which of the mappings it has."""
        self.generation = world.generation
        """Which files it was started with."""
        self.dead = False
        self.frozen_until = 0.0
        self.offline_until = 0.0
        self.no_orders_until = 0.0
        """The network to Kafka is down until then."""
        self.fibers: list[Fiber] = []
        """Its threads, but for the worker."""
        self.on_notify: dict[Callable[[], None], None] = {}
        """Whoever waits in a poll and would have looked up by itself before long."""

    def notify(self) -> None:
        """Something happened that a thread of this process would see when it looks up next."""
        for wake in list(self.on_notify):
            wake()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Runs ``action`` in the process after ``seconds``, unless it has died."""
        schedule = self.world.schedule

        def run() -> None:
            if self.dead:
                return
            if self.frozen_until > schedule.mono:
                schedule.at(self.frozen_until, run)
                return
            action()

        schedule.after(seconds, run)

    def rtt(self) -> float:
        """How long the next call to Kafka takes, one way; while the network is down, until it is back."""
        rng = self.world.schedule.rng
        wait = max(0.0, self.offline_until - self.world.schedule.mono)
        return wait + rng.choice((0.0005, 0.002, 0.02)) * (0.5 + rng.random())
