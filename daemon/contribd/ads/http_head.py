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
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        sock.settimeout(_left(deadline))
        byte = sock.recv(1)
        if not byte:
            raise BadHead("closed the connection during the handshake")
        head += byte
        if len(head) > MAX_HEAD or not b"HTTP/".startswith(head[:5]):
            raise BadHead("answered in no HTTP")
    return _parsed(head.decode("latin-1"))


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
