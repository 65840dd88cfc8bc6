"""The service manager's notification protocol (sd_notify(3), sd_watchdog_enabled(3)), with no library behind it.

Without ``$NOTIFY_SOCKET`` every call does nothing, so the daemon runs the same from a terminal.
"""

import os
import socket
from collections.abc import Mapping

from contribd.ops.log import get_logger
from contribd.ops.progress import Progress

_SEND_TIMEOUT = 1.0
"""Seconds a notification may wait for the manager to drain its socket: long for a manager, short for a worker."""

_log = get_logger("systemd")


class Notifier:
    """Sends the process's state to the service manager. Used from one thread."""

    def __init__(self, address: str | None) -> None:
        """``address`` is ``$NOTIFY_SOCKET``: an absolute path, or ``@name`` in the abstract namespace, or None."""
        self._address = address
        self._socket: socket.socket | None = None
        self._status = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Notifier":
        """The notifier for this process's own service manager."""
        return cls(environ.get("NOTIFY_SOCKET") or None)

    @property
    def enabled(self) -> bool:
        """Whether there is anyone to notify."""
        return self._address is not None

    def ready(self, status: str) -> None:
        """Start-up (or a reload) is complete; ``status`` is the line ``systemctl status`` shows."""
        self._status = status
        self._send("READY=1", _status_field(status))

    def status(self, text: str) -> None:
        """The line ``systemctl status`` shows. Sent only when it changes."""
        if text != self._status:
            self._status = text
            self._send(_status_field(text))

    def reloading(self, monotonic_seconds: float) -> None:
        """A reload has begun at that time of CLOCK_MONOTONIC; ``ready`` ends it (Type=notify-reload wants both)."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(monotonic_seconds * 1_000_000)}")

    def stopping(self, status: str) -> None:
        """The shutdown has begun."""
        self._status = status
        self._send("STOPPING=1", _status_field(status))

    def extend(self, seconds: float) -> None:
        """Ask for more time to start or stop, counted from now."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def watchdog(self) -> None:
        """The process is alive and getting somewhere."""
        self._send("WATCHDOG=1")

    def close(self) -> None:
        """Release the socket. Later calls do nothing."""
        self._address = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *fields: str) -> None:
        if self._address is None:
            return
        try:
            if self._socket is None:
                self._socket = _connect(self._address)
            self._socket.send("\n".join(fields).encode())
        except TimeoutError:
            # A busy manager costs one notification: the watchdog is asked again in half its time, status on change.
            _log.warning("the service manager does not read its notifications", message=fields[0])
        except OSError as error:
            # Prices are worth more than a status line: the daemon goes on without its manager.
            _log.warning("cannot notify the service manager, giving up on it", socket=self._address, error=str(error))
            self.close()


class Watchdog:
    """Pings the service manager while all threads make progress; silence makes it restart the process."""

    def __init__(self, notifier: Notifier, progress: Progress, timeout: float | None) -> None:
        """``timeout`` in seconds is the manager's own (``watchdog_timeout``); None switches the watchdog off."""
        self._notifier = notifier
        self._progress = progress
        # Half the manager's time, as sd_watchdog_enabled(3) advises.
        self._interval = None if timeout is None else timeout / 2
        self._next = 0.0
        self._stalled: list[str] = []

    @property
    def interval(self) -> float | None:
        """Seconds within which ``tick`` wants to be called again; None: never."""
        return self._interval

    def tick(self, now: float) -> None:
        """Ping if it is time to and nothing has stalled. ``now`` is in monotonic seconds; cheap when it is not time."""
        if self._interval is None or now < self._next:
            return
        stalled = self._progress.stalled(now)
        if stalled != self._stalled:
            self._stalled = stalled
            if stalled:
                _log.error("a thread has stalled, the watchdog is no longer fed", threads=",".join(stalled))
            else:
                _log.info("all threads move again, the watchdog is fed")
        if not stalled:
            self._notifier.watchdog()
            self._next = now + self._interval


def watchdog_timeout(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """Seconds the service manager waits between two pings; None where it watches nothing, or another process."""
    usec, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit()) or int(usec) == 0:
        return None
    if watched and watched != str(os.getpid() if pid is None else pid):
        return None
    return int(usec) / 1_000_000


def _status_field(text: str) -> str:
    # One field a line: a line break in the text would begin another field.
    return "STATUS=" + " ".join(text.split())


def _connect(address: str) -> socket.socket:
    if address[0] not in "/@":
        raise OSError("only a socket by absolute path or in the abstract namespace (@name) is supported")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(_SEND_TIMEOUT)
        connection.connect("\0" + address[1:] if address[0] == "@" else address)
    except BaseException:
        connection.close()
        raise
    return connection
