"""The threads of a simulated process: fibers that give way where a thread would wait.

The source and the sink of the daemon block: on Kafka, on events, on a queue. Here each of their threads is a greenlet.
Where it would block it plans its own resumption in the schedule and gives way to it; so one seed decides how the
threads interleave. A process that is frozen resumes nothing, and one that has died never will.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet
from tests.simulation.world.environment.host import Life

from contribd.streams.runtime import Runtime


class _Thread(greenlet):
    fiber: Fiber


class Fiber:
    """One thread of a simulated process."""

    def __init__(self, life: Life, body: Callable[[], None]) -> None:
        self._life = life
        self._ticket = 0
        """Numbers the waits: a resumption that was planned for an earlier one comes to nothing."""
        self._greenlet = _Thread(body)
        self._greenlet.fiber = self
        life.fibers.append(self)

    @property
    def ended(self) -> bool:
        """Whether the body has returned."""
        return bool(self._greenlet.dead)

    def start(self) -> None:
        """Begins now, as soon as the schedule gets to it."""
        self._life.later(0.0, self.resumption())

    def resumption(self) -> Callable[[], None]:
        """What ends the current wait; called later than that, it does nothing."""
        ticket = self._ticket

        def resume() -> None:
            if ticket == self._ticket and not self.ended and not self._life.dead:
                self._greenlet.parent = getcurrent()
                self._greenlet.switch()

        return resume

    def give_way(self) -> None:
        """Lets the schedule go on until a ``resumption`` is called."""
        if self._life.dead:
            raise GreenletExit
        schedule = self._greenlet.parent
        if schedule is not None:
            schedule.switch()
        self._ticket += 1

    def sleep(self, seconds: float) -> None:
        """Waits in simulated time."""
        self._life.later(seconds, self.resumption())
        self.give_way()

    def kill(self) -> None:
        """Its process has died: unwinds it, its process being dead already."""
        if not self.ended:
            self._greenlet.parent = getcurrent()
            self._greenlet.throw(GreenletExit)


def current() -> Fiber:
    """The fiber that runs."""
    fiber: Fiber = getcurrent().fiber  # type: ignore[attr-defined]
    return fiber


class SimEvent:
    """``threading.Event`` between fibers."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._set = False
        self._waiting: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._set

    def set(self) -> None:
        """Wakes all that wait."""
        self._set = True
        waiting, self._waiting = self._waiting, []
        for resume in waiting:
            self._life.later(0.0, resume)
        self._life.notify()

    def clear(self) -> None:
        """Waiters wait again."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was set within so many seconds."""
        if self._set or (timeout is not None and timeout <= 0.0):
            return self._set
        fiber = current()
        resume = fiber.resumption()
        self._waiting.append(resume)
        if timeout is not None:
            self._life.later(timeout, resume)
        fiber.give_way()
        if resume in self._waiting:
            self._waiting.remove(resume)
        return self._set


class SimQueue:
    """``queue.SimpleQueue`` between fibers."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._items: deque[Any] = deque()
        self._filled = SimEvent(life)

    def put(self, item: Any) -> None:
        """Adds an item."""
        self._items.append(item)
        self._filled.set()

    def get(self, *, timeout: float | None = None) -> Any:
        """The oldest item; raises ``queue.Empty`` where none comes within so many seconds."""
        if not self._items:
            self._filled.clear()
            # A thread looks up every so often to show that it lives; nobody watches here, so one wait will do.
            self._filled.wait(None if timeout is None else max(timeout, 3600.0))
        return self.get_nowait()

    def get_nowait(self) -> Any:
        """The same without waiting."""
        if not self._items:
            raise Empty
        return self._items.popleft()


def runtime_of(life: Life) -> Runtime:
    """Time and waiting as the threads of this process see them."""
    schedule = life.world.schedule
    return Runtime(
        mono=lambda: schedule.mono,
        event=lambda: SimEvent(life),
        queue=lambda: SimQueue(life),
        background=lambda _name, work: Fiber(life, work).start(),
        clocks=lambda: (schedule.mono, schedule.mono, schedule.wall / 1e6),
    )
