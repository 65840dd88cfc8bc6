"""What reads the files of a run anew in a simulated process."""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.make_engine import changed_rules

from contribd.answers.table import NO_ANSWERS
from contribd.reloads import Planned, Read, Ready

SECONDS: Final = (0.01, 0.1, 1.0, 4.0)
"""Seconds that reading the files takes."""

LATE: Final = 70.0
"""The same, now and then: the reload is given up before."""


class SimRulesReader:
    """``reloads.ReadsRules`` over the files of a run."""

    def __init__(self, process: Life, put: Callable[[Read], None]) -> None:
        self._process, self._put = process, put
        self._rng = Random(f"reader {process.world.plan.seed} {process.name}")
        self._in_force = process.generation

    @property
    def digest(self) -> str:
        """What is in force."""
        return str(self._in_force)

    def begin(self, number: int, _plan: Planned | None) -> None:
        """It takes a while, and never fails to say something."""
        late = not self._process.world.calm and self._rng.random() < 0.01
        self._process.later(LATE if late else self._rng.choice(SECONDS), lambda: self._read(number))

    def _read(self, number: int) -> None:
        process, now = self._process, self.digest
        world = process.world
        found = str(world.generation)
        if world.broken:
            self._put(Read(number, False, "nothing changed: 1 problem", now, now, problems=("a mistake",)))
            return
        rules = None if found == now else changed_rules(process, world.generation, self._rng)
        generation = world.generation
        ready = Ready(rules, NO_ANSWERS.explain, world.plan.ack_timeout, self._taken(generation))
        self._put(Read(number, True, f"rules {found}", found, now, ready=ready))

    def _taken(self, generation: int) -> Callable[[], None]:
        def take() -> None:
            self._in_force = generation

        return take
