"""The head of an HTTP answer, read from a socket before a deadline: of a server's handshake, of a proxy's CONNECT."""

import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

MAX_HEAD: Final = 16 * 1024
"""Bytes; a longer head is none."""


class BadHead(Exception):
    """No head came; the text begins with a verb, for whoever knows who was asked: ``sent no HTTP``."""


class Head(NamedTuple):
    """Its status, and its headers by lower-case name; of one sent twice the last."""

    status: int
    headers: Mapping[str, str]

    @property
    def status_text(self) -> str:
        """As people know it: ``HTTP 404 Not Found``."""
        try:
            return f"HTTP {self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:  # a number of its own
            return f"HTTP {self.status}"


def send(sock: socket.socket, data: bytes, deadline: float) -> None:
    """Sends all of ``data``. ``deadline``: monotonic seconds. Raises OSError, a TimeoutError where it has passed."""
    sock.settimeout(_left(deadline))
    sock.sendall(data)


def read_head(sock: socket.socket, deadline: float) -> Head:
    """Reads up to the empty line and no byte further: what follows is not HTTP. ``deadline``: monotonic seconds.

    Raises:
        BadHead: the connection ended, or what came is no HTTP.
        OSError: a TimeoutError where the deadline has passed, however much came before it.
    """
    answer = HeadSocket(sock, deadline)
    while not answer.is_whole:
        if not answer.recv(1):
            raise BadHead("closed the connection during the handshake")
    return answer.head()


class HeadSocket:
    """A socket that gives the head of an answer, byte by byte, and keeps it. As much of one as a library asks for."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        """``deadline``: monotonic seconds."""
        self._sock = sock
        self._deadline = deadline
        self._read = bytearray()

    @property
    def is_whole(self) -> bool:
        """Whether the head has ended."""
        return self._read.endswith(b"\r\n\r\n")

    def head(self) -> Head:
        """What was read. Raises ``BadHead`` where that is no HTTP."""
        return _parsed(self._read.decode("latin-1"))

    def recv(self, _size: int) -> bytes:
        """The next byte; nothing where the connection has ended, or the head.

        Raises:
            BadHead: what comes is no HTTP.
            OSError: a TimeoutError where the deadline has passed.
        """
        if self.is_whole:
            return b""
        self._sock.settimeout(_left(self._deadline))
        byte = self._sock.recv(1)
        self._read += byte
        if len(self._read) > MAX_HEAD or not b"HTTP/".startswith(self._read[:5]):
            raise BadHead("answered in no HTTP")
        return byte

    def send(self, data: bytes) -> int:
        """Sends all of ``data``. Raises OSError, a TimeoutError where the deadline has passed."""
        send(self._sock, data, self._deadline)
        return len(data)

    def gettimeout(self) -> float:
        """Seconds that are left."""
        return _left(self._deadline)

    def close(self) -> None:
        """Closes it."""
        self._sock.close()


def _parsed(text: str) -> Head:
    first, *lines = text.split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/") or len(status) != 3 or not (status.isascii() and status.isdecimal()):
        raise BadHead("answered in no HTTP")
    pairs = (line.partition(":") for line in lines if line)
    return Head(int(status), {name.strip().lower(): value.strip() for name, _, value in pairs})


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
