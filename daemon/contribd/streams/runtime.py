"""Time and waiting, as the threads of the source and the sink see them; a simulation brings its own."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol


class Event(Protocol):
    """``threading.Event``, as far as it is used."""

    def is_set(self) -> bool:
        """Whether it was set."""

    def set(self) -> None:
        """Wakes all that wait."""

    def clear(self) -> None:
        """Waiters wait again."""

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was set within so many seconds."""


class Queue(Protocol):
    """``queue.SimpleQueue``, as far as it is used."""

    def put(self, item: Any) -> None:
        """Adds an item."""

    def get(self, *, timeout: float | None = None) -> Any:
        """The oldest item; raises ``queue.Empty`` where none comes within so many seconds."""

    def get_nowait(self) -> Any:
        """The same without waiting."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Time as a thread of the daemon sees it, and what it waits on; a simulation brings its own.

    ``mono`` in monotonic seconds; ``clocks`` gives the time by every clock there is, since which of them go on while a
    host is suspended depends on the host.
    """

    mono: Callable[[], float]
    event: Callable[[], Event]
    queue: Callable[[], Queue]
    background: Callable[[str, Callable[[], None]], None]
    """Runs something in a thread of its own, by this name."""
    clocks: Callable[[], tuple[float, ...]]


def lock() -> AbstractContextManager[bool]:
    """For what several of a client's own threads write; held for moments, and never while anything is waited for."""
    return threading.Lock()


def _in_background(name: str, work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()


_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the host is suspended; Linux alone has it."""


def _clocks() -> tuple[float, ...]:
    return time.monotonic(), time.clock_gettime(_BOOT_CLOCK), time.time()


THREADS: Final = Runtime(
    mono=time.monotonic, event=threading.Event, queue=queue.SimpleQueue, background=_in_background, clocks=_clocks
)
"""The real one."""
