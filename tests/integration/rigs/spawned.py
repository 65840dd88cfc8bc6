"""A server run as a child process of the tests: started, paused, killed, and never left behind."""

import atexit
import contextlib
import shutil
import signal
import socket
import subprocess
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO

STOP_LIMIT_SECONDS = 20.0  # a broker flushes its logs when it is told to stop

_running: "weakref.WeakSet[Child]" = weakref.WeakSet()


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Child:
    """One run of a program. Its output goes to the end of ``log``; ``stdin`` and ``stdout`` can be piped instead."""

    def __init__(self, command: Sequence[str], *, cwd: Path, log: Path, piped: bool = False) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_dying_with_us(), *command],
                cwd=cwd,
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=output,
                text=True if piped else None,
                bufsize=1 if piped else -1,
            )
        _running.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        assert self._process.stdin is not None, "started without pipes"
        return self._process.stdin

    @property
    def stdout(self) -> IO[str]:
        assert self._process.stdout is not None, "started without pipes"
        return self._process.stdout

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens where the process has ended."""
        if self.alive:
            self._process.send_signal(number)

    def stop(self) -> int:
        """End it in its own way (SIGTERM), by force after STOP_LIMIT_SECONDS. Returns the exit code."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()
        return self._ended()

    def wait(self) -> int:
        """Wait until it ends by itself. Returns the exit code."""
        self._process.wait()
        return self._ended()

    def kill(self) -> int:
        """End it as a crash would (SIGKILL). Returns the exit code."""
        self.send(signal.SIGKILL)
        self._process.wait()
        return self._ended()

    def tail(self, characters: int = 2000) -> str:
        """The end of the log, for error messages."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def _ended(self) -> int:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        _running.discard(self)
        return self._process.returncode


def _dying_with_us() -> list[str]:
    """The kernel ends the child when the thread that started it ends, so only the main thread may ask for that."""
    if threading.current_thread() is threading.main_thread() and shutil.which("setpriv"):
        return ["setpriv", "--pdeathsig", "KILL"]
    return []


@atexit.register
def _end_all() -> None:
    for child in list(_running):
        child.kill()
