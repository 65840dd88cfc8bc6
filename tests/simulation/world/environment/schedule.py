"""Simulated time: what happens next, and both clocks."""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

from contribd.engine.clock import Now

START_WALL = 1_795_000_000_000_000
"""Wall time at the start of every run, microseconds since 1970."""

MICROSECOND = 1e-6

Action = Callable[[], None]


class Schedule:
    """One monotonic clock for all machines (seconds from 0), one wall clock that faults may step, one source of chance.

    Actions at the same time run in the order they were planned, so that a seed decides everything.
    """

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.mono = 0.0
        self.steps = 0
        """Actions run so far."""
        self._wall_offset = START_WALL
        self._offsets = [(0.0, START_WALL)]
        """From when on each offset between the clocks."""
        self._actions: list[tuple[float, int, Action]] = []
        self._order = count()

    @property
    def now(self) -> Now:
        """Both clocks."""
        return Now(self.mono, self.wall)

    @property
    def wall(self) -> int:
        """Microseconds since 1970."""
        return self._wall_offset + int(self.mono * 1e6)

    def step_wall(self, seconds: float) -> None:
        """The wall clock jumps."""
        self._wall_offset += int(seconds * 1e6)
        self._offsets.append((self.mono, self._wall_offset))

    def monos_of(self, wall: int) -> list[float]:
        """When it was ``wall``, to a microsecond: several times where the wall clock was set back, or never."""
        ends = [since for since, _ in self._offsets[1:]] + [float("inf")]
        found = []
        for (since, offset), end in zip(self._offsets, ends, strict=True):
            mono = (wall - offset) / 1e6
            if since - MICROSECOND <= mono <= end:
                found.append(mono)
        return found

    def after(self, seconds: float, action: Action) -> None:
        """Runs ``action`` once so many seconds have passed."""
        heapq.heappush(self._actions, (self.mono + seconds, next(self._order), action))

    def at(self, mono: float, action: Action) -> None:
        """Runs ``action`` at a time, or now where that has passed."""
        heapq.heappush(self._actions, (max(mono, self.mono), next(self._order), action))

    def run(self, until: float, done: Callable[[], bool]) -> bool:
        """Runs what is planned until ``done`` (True), or until the time is up or nothing is left (False)."""
        actions, pop = self._actions, heapq.heappop
        while actions and actions[0][0] <= until:
            self.mono, _, action = pop(actions)
            self.steps += 1
            action()
            if not self.steps & 31 and done():
                return True
        return done()
