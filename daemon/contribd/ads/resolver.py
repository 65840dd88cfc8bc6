"""Host names to addresses, in bounded time: the system's own call for it has no timeout."""

import ipaddress
import socket
import threading
import time
from itertools import chain, zip_longest
from typing import Any, Final, NamedTuple

MAX_ADDRESSES: Final = 16
"""Addresses tried for one connection: more than any sensible name has, and a bound of the sockets open at a time."""


class Address(NamedTuple):
    """An address and port that a socket of ``family`` connects to."""

    family: int
    sockaddr: tuple[Any, ...]

    def __str__(self) -> str:
        return place_text(self.sockaddr[0], self.sockaddr[1])


class NotResolved(Exception):
    """The name has no address, or none came in time; the text says which name, and what to do."""


def place_text(host: str, port: int) -> str:
    """``host:port``, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Resolver:
    """Looks names up, each in a thread; one that hangs is joined by whoever asks next, not asked a second time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], _Lookup] = {}

    def resolve(self, host: str, port: int, deadline: float) -> list[Address]:
        """The addresses in the order to try them. ``deadline``: monotonic seconds.

        Raises:
            NotResolved: it has none, or not in time.
        """
        if is_literal(host):
            return _look_up(host, port)
        lookup = self._lookup(host, port)
        if not lookup.done.wait(max(0.0, deadline - time.monotonic())):
            raise NotResolved(f"the name {host} was not resolved in time: no name server answers (see DNS)")
        if lookup.problem is not None:
            raise NotResolved(lookup.problem)
        return lookup.addresses

    def _lookup(self, host: str, port: int) -> "_Lookup":
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is None or lookup.done.is_set():
                lookup = self._running[host, port] = _Lookup()
                threading.Thread(target=lookup.run, args=(host, port), name="resolver", daemon=True).start()
            return lookup


class _Lookup:
    """One call of the system's resolver."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[Address] = []
        self.problem: str | None = None

    def run(self, host: str, port: int) -> None:
        try:
            self.addresses = _look_up(host, port)
        except NotResolved as error:
            self.problem = str(error)
        finally:
            self.done.set()


def is_literal(host: str) -> bool:
    """Whether it is an address already."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NotResolved(_explain(host, error)) from None
    except (UnicodeError, ValueError):
        raise NotResolved(f"{host} is no host name") from None
    except OSError as error:
        raise NotResolved(f"the name {host} could not be resolved: {error.strerror or error}") from None
    return interleaved(list(dict.fromkeys(Address(family, sockaddr) for family, _, _, _, sockaddr in found)))


def interleaved(addresses: list[Address]) -> list[Address]:
    """Families in turn, beginning with the resolver's first (RFC 8305, 4): a broken one costs one step, not all."""
    if not addresses:
        return []
    first = [each for each in addresses if each.family == addresses[0].family]
    others = [each for each in addresses if each.family != addresses[0].family]
    return [each for each in chain.from_iterable(zip_longest(first, others)) if each is not None]


def _explain(host: str, error: socket.gaierror) -> str:
    reason = error.strerror or str(error)
    if error.errno == socket.EAI_AGAIN:
        return f"the name {host} could not be resolved: {reason}: no name server answers (see DNS)"
    return f"the name {host} could not be resolved: {reason}: check how it is written, and DNS"


resolve: Final = Resolver().resolve
"""As ``Resolver.resolve``, for the whole process."""
