"""A program in a terminal of its own, as a person leaves one open: it is drawn on, and nobody types."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Sequence

ROWS, COLUMNS = 45, 140
READ_SIZE = 65536


class Terminal:
    """Runs until it is stopped; what it draws is counted and thrown away but for its end."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.drawn = 0
        """Bytes, so far."""
        self.tail = b""
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the program and its terminal."""
        self._process.terminate()
        self._process.wait(20)
        with contextlib.suppress(OSError):
            os.close(self._master)
        self._reader.join(5)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is closed
            while data := os.read(self._master, READ_SIZE):
                self.drawn += len(data)
                self.tail = (self.tail + data)[-READ_SIZE:]
