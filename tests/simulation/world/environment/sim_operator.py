"""The operator of a run: reads why daemons are not ready, and orders what they say can be done about it."""

import re
from typing import Final

from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.hosts import Hosts
from tests.simulation.world.environment.sim_process import Process

from contribd.engine.records.offsets import Partition
from contribd.orders import Answer, Asked, SkipOrder

NAME: Final = "the operator"
REASON: Final = "it is lost for good"
_ADVICE: Final = re.compile(r"contribd skip (\S+):(\d+):(\d+) --reason TEXT")


class SimOperator:
    """Looks up every few seconds, and takes some of the advice there is."""

    def __init__(self, world: World, hosts: Hosts) -> None:
        self._world = world
        self._hosts = hosts
        if world.plan.unreadable:
            self._rest()

    def _rest(self) -> None:
        self._world.schedule.after(self._world.schedule.rng.uniform(0.3, 5.0), self._look)

    def _look(self) -> None:
        for process in self._hosts.processes:
            if process is not None and not process.dead:
                for topic, number, offset in _ADVICE.findall("; ".join(process.source.reasons())):
                    if self._world.calm or self._world.schedule.rng.random() < 0.5:
                        self._order(process, SkipOrder(Partition(topic, int(number)), int(offset), REASON))
        self._rest()

    def _order(self, process: Process, order: SkipOrder) -> None:
        world = self._world

        def answered(answer: Answer) -> None:
            world.counts["orders that hold" if answer.done else "orders that do not"] += 1
            world.oracle.answered(process, order, answer)

        process.put(Asked(order, NAME, answered))
