"""Whoever changes the files of a run and has the daemons take them anew."""

from random import Random

from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.hosts import Hosts
from tests.simulation.world.environment.sim_process import Process
from tests.simulation.world.oracle.reload_rules import Given
from tests.simulation.world.reload_plan import ReloadsPlan

from contribd.orders import Answer
from contribd.pausing.book import Caller
from contribd.reloads import ReloadAsked, ReloadOrder

USER = Caller("eve (uid 7)", 7)

LAST_RELOAD = 0.5
"""Seconds from the end of all faults to a reload that has to be done."""

TWICE = 0.2
"""Share of reloads that are asked for twice at once."""


class Reloaders:
    """Changes the files of a run, by chance of its own."""

    def __init__(self, world: World, hosts: Hosts, reloads: ReloadsPlan) -> None:
        self._world, self._hosts, self._reloads = world, hosts, reloads
        self._rng = Random(f"reloaders {world.plan.seed}")
        self._number = 0

    def plan(self) -> None:
        """At random times while the run's faults last, and once when these are over."""
        schedule, spread = self._world.schedule, self._world.plan.spread
        at = self._rng.expovariate(self._reloads.rate)
        while at < spread:
            schedule.at(at, self._change)
            at += self._rng.expovariate(self._reloads.rate)
        schedule.at(spread + LAST_RELOAD, self._last)

    def _change(self) -> None:
        rng, world = self._rng, self._world
        world.broken = rng.random() < self._reloads.broken
        if not world.broken and rng.random() < 0.9:
            world.generation += 1
        running = [each for each in self._hosts.processes if each is not None and not each.dead]
        everywhere, place, twice = rng.random() < self._reloads.at_all, rng.random(), rng.random() < TWICE
        if running:
            asked = running if everywhere else [running[int(place * len(running))]]
            self._ask(asked * 2 if twice else asked)

    def _last(self) -> None:
        self._world.broken = False
        self._world.generation += 1
        self._ask([each for each in self._hosts.processes if each is not None and not each.dead])

    def _ask(self, processes: list[Process]) -> None:
        for process in processes:
            self._ask_one(process)

    def _ask_one(self, process: Process) -> None:
        world, oracle = self._world, self._world.oracle.reloads
        self._number += 1
        given = Given(self._number, process.name, calm=world.calm)
        world.counts["reloads"] += 1

        def answered(answer: Answer) -> None:
            world.counts["reloads done" if answer.done else "reloads refused"] += 1
            oracle.answered(given, answer.text, answer.details["digest"], done=answer.done, stopping=process.stopping)

        oracle.given(given)
        process.put(ReloadAsked(ReloadOrder(), USER, answered))
