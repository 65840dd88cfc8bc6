"""The clock of this host, as the kernel tells of it: whether somebody keeps it, and how far off it is thought to be.

Results are evidence, and their times are this clock's. ``adjtimex`` reads without a right of its own, but a sandbox may
refuse it whatever it is asked (``ProtectClock=`` of systemd does): then it is said to be unknown, and why.
"""

import ctypes
import errno
import os
from collections.abc import Callable
from typing import Final

from contribd.ops.log import get_logger
from contribd.ops.snapshot import ClockView

INTERVAL: Final = 10.0
"""Seconds between two looks: those who keep clocks correct them every minute or so."""

_TIME_ERROR: Final = 5
_NANOSECONDS: Final = 0x2000
_INTS_BEHIND: Final = 11

_log = get_logger("clock")


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux, where a long has 64 bits."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * _INTS_BEHIND),
    )


def read_clock() -> ClockView:
    """What the kernel says just now."""
    if ctypes.sizeof(ctypes.c_long) != 8 or (adjtimex := getattr(_libc(), "adjtimex", None)) is None:
        return ClockView(unknown="this system does not tell")
    told = _Timex()
    state = adjtimex(ctypes.byref(told))
    return clock_view(state, ctypes.get_errno(), told.status, told.offset, told.maxerror)


def clock_view(state: int, error: int, status: int, offset: int, max_error: int) -> ClockView:
    """What an ``adjtimex`` comes to: its return value and ``errno``, and three members of its ``struct timex``."""
    if state < 0:
        hidden = "the sandbox of the service hides it (systemd: ProtectClock=, SystemCallFilter=)"
        return ClockView(unknown=hidden if error in (errno.EPERM, errno.ENOSYS) else os.strerror(error))
    unit = 1e9 if status & _NANOSECONDS else 1e6
    return ClockView(synchronized=state != _TIME_ERROR, offset=offset / unit, max_error=max_error / 1e6)


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):
        return None


class HostClock:
    """Looks at the clock now and then, and logs where nobody keeps it. Belongs to one thread."""

    def __init__(self, read: Callable[[], ClockView] = read_clock) -> None:
        self._read = read
        self._next = float("-inf")
        self._said: bool | None = None
        """Of the last line: whether the clock was synchronised; None where there was none."""
        self.now = ClockView(unknown="not looked at yet")

    def follow(self, mono: float) -> ClockView:
        """The clock as it was found last; ``mono``: monotonic seconds."""
        if mono >= self._next:
            self._next = mono + INTERVAL
            self.now = self._read()
            self._tell(self.now.synchronized)
        return self.now

    def _tell(self, synchronized: bool | None) -> None:
        if synchronized is None or synchronized == self._said or (synchronized and self._said is None):
            return
        self._said = synchronized
        if synchronized:
            _log.info("this host's clock is synchronised again")
        else:
            _log.warning(
                "this host's clock is not synchronised: the times in results may be wrong (see chrony or ntpd)"
            )
