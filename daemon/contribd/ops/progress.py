"""Heartbeats of the daemon's threads: the systemd watchdog and ``/livez`` follow the work, not a timer."""

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pulse:
    """One thread's heartbeat. Only that thread writes it; any thread may read it.

    ``allowance`` is the longest time in seconds between two beats that is still normal.
    """

    name: str
    allowance: float
    last: float
    """Monotonic seconds of the last beat; infinity while no beat is expected."""

    def beat(self, now: float) -> None:
        """Say that the thread got somewhere. ``now`` is in monotonic seconds."""
        # One attribute store is atomic in CPython: a lock here would cost more than everything around it.
        self.last = now

    def rest(self) -> None:
        """Say that no further beat is to be expected: the thread ended on purpose. The next beat ends the rest."""
        self.last = math.inf


@dataclass(slots=True)
class Progress:
    """All pulses of a process. Threads register before they start; reading never blocks them."""

    _pulses: list[Pulse] = field(default_factory=list)

    def pulse(self, name: str, *, allowance: float, now: float) -> Pulse:
        """Register a thread; its first beat is due within ``allowance`` seconds of ``now`` (monotonic seconds)."""
        pulse = Pulse(name, allowance, now)
        self._pulses.append(pulse)
        return pulse

    def stalled(self, now: float) -> list[str]:
        """The names of the threads whose last beat is older than their allowance, in order of registration."""
        return [pulse.name for pulse in self._pulses if now - pulse.last > pulse.allowance]
