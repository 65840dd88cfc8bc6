"""A TCP connection to whichever of several addresses answers first (Happy Eyeballs, RFC 8305).

The next address is tried 250 ms after the last one, or at once where that failed; the first that connects is taken, the
others are closed. All of it in the caller's thread, over non-blocking sockets.
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from contribd.ads.resolver import Address

ATTEMPT_DELAY: Final = 0.25
"""Seconds between two attempts (RFC 8305, 5: recommended)."""

_OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
)
"""Posts are small and go at once; a connection to a host that is gone is noticed though nothing is sent."""

_NO_WAY: Final = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""This host has no such network at all (most often IPv6): nothing is wrong with the address."""

_ADVICE: Final = {
    errno.ECONNREFUSED: "nothing listens there, or a firewall refuses",
    errno.EHOSTUNREACH: "the host is down, or a firewall refuses",
    errno.EACCES: "this host does not allow it (firewall, or the unit's sandbox)",
    errno.EPERM: "this host does not allow it (firewall, or the unit's sandbox)",
    errno.EMFILE: "this process has too many files open (LimitNOFILE of the unit)",
    errno.EADDRNOTAVAIL: "this host has no address or no port left for it",
}


class AddressFailure(NamedTuple):
    """An address that was not connected to; ``told``: whether that is worth a line though another one was."""

    address: Address
    text: str
    told: bool = True

    def __str__(self) -> str:
        return f"{self.address} {self.text}"


class NotConnected(Exception):
    """No address answered; ``failures`` has all that were tried, in the order in which they failed."""

    def __init__(self, failures: list[AddressFailure]) -> None:
        super().__init__("; ".join(map(str, failures)))
        self.failures = failures


class Winner(NamedTuple):
    """A connected socket, non-blocking; ``failures``: addresses that failed, or had not answered yet."""

    sock: socket.socket
    address: Address
    failures: list[AddressFailure]


def first_connected(addresses: Sequence[Address], deadline: float) -> Winner:
    """Connects to the first of ``addresses`` that answers. ``deadline``: monotonic seconds.

    Raises:
        NotConnected: none did.
    """
    race = _Race(addresses, deadline)
    try:
        return race.run()
    finally:
        race.close()


class _Race:
    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._began = time.monotonic()
        self._deadline = deadline
        self._waiting = list(addresses)
        # Where there is little time for many, each still gets its turn in the first half of it.
        self._delay = min(ATTEMPT_DELAY, max(0.0, deadline - self._began) / 2 / max(1, len(addresses)))
        self._next_at = self._began
        self._selector = selectors.DefaultSelector()
        self._started: dict[socket.socket, tuple[Address, float]] = {}
        self._failures: list[AddressFailure] = []

    def close(self) -> None:
        """Ends every attempt but the one that was taken."""
        self._selector.close()
        for sock in self._started:
            sock.close()

    def run(self) -> Winner:
        while True:
            now = time.monotonic()
            if self._waiting and (now >= self._next_at or not self._started):
                self._start(self._waiting.pop(0), now)
            elif not self._started:
                raise NotConnected(self._failures)
            elif now >= self._deadline:
                raise NotConnected([*self._failures, *self._silent(now)])
            elif (sock := self._look(now)) is not None:
                address, _ = self._started.pop(sock)
                return Winner(sock, address, [*self._failures, *self._silent(time.monotonic())])

    def _start(self, address: Address, now: float) -> None:
        self._next_at = now + self._delay
        try:
            sock = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:
            self._fail(address, error.errno)
            return
        self._started[sock] = address, now
        sock.setblocking(False)
        for option in _OPTIONS:
            sock.setsockopt(*option)
        problem = sock.connect_ex(address.sockaddr)
        if problem in (0, errno.EINPROGRESS):
            self._selector.register(sock, selectors.EVENT_WRITE)
        else:
            self._drop(sock, problem)

    def _look(self, now: float) -> socket.socket | None:
        """The first that has connected, if any has by the time there is something else to do."""
        until = min(self._deadline, self._next_at) if self._waiting else self._deadline
        connected = None
        for key, _ in self._selector.select(max(0.0, until - now)):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]
            if problem := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._selector.unregister(sock)
                self._drop(sock, problem)
                self._next_at = 0.0
            elif connected is None:
                connected = sock
        return connected

    def _drop(self, sock: socket.socket, problem: int) -> None:
        address, _ = self._started.pop(sock)
        sock.close()
        self._fail(address, problem)

    def _fail(self, address: Address, problem: int | None) -> None:
        self._failures.append(AddressFailure(address, system_text(problem), problem not in _NO_WAY))

    def _silent(self, now: float) -> list[AddressFailure]:
        """Those that have neither connected nor failed."""
        return [
            AddressFailure(address, f"did not answer within {now - since:.2g} s")
            for address, since in self._started.values()
        ]


def system_text(number: int | None) -> str:
    """What the system says of an error, and what it mostly means."""
    if number == errno.ECONNREFUSED:
        return f"refused the connection: {_ADVICE[number]}"
    text = os.strerror(number) if number is not None else "failed"
    return f"could not be connected to: {text}" + (f": {_ADVICE[number]}" if number in _ADVICE else "")
