"""Makes connections: names, TCP, proxy, TLS and WebSocket handshake, in a thread of its own and in one deadline."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from contribd.ads.happy_eyeballs import AddressFailure, NotConnected, Winner, first_connected, system_text
from contribd.ads.http_head import BadHead
from contribd.ads.http_proxy import Proxy, Route, TunnelRefused, UnusableProxy, route_to, tunnel
from contribd.ads.own_address import OwnAddress, own_address
from contribd.ads.resolver import MAX_ADDRESSES, Address, NotResolved, place_text, resolve
from contribd.ads.upgrade import upgrade
from contribd.engine.session.endpoints import Failure
from contribd.tls import TlsFiles, TlsProblem, client_context


@dataclass(frozen=True, slots=True)
class DialOptions:
    """``timeout`` in seconds for all of it; without ``proxy`` the environment's is used."""

    timeout: float
    tls: TlsFiles = field(default=TlsFiles(), repr=False)
    proxy: Proxy | None = None


class DialError(Exception):
    """No connection: the class of failure, and a sentence."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


class DialedSocket(NamedTuple):
    """A connected socket, past the WebSocket handshake, non-blocking."""

    sock: socket.socket
    address: str
    """Where it goes: the server's address and port, or the proxy's."""
    failures: tuple[tuple[str, str], ...] = ()
    """Other addresses of the same name that were tried first, each with what came of it."""
    own: OwnAddress = OwnAddress("", "")
    """This end's; empty where it is not known."""


def connect(url: str, options: DialOptions) -> DialedSocket:
    """A connection to ``url``: all addresses of its name are tried, within ``options.timeout``.

    Raises:
        DialError: with the class of the failure.
    """
    try:
        return _Call(url, options).connect()
    except OSError as error:  # this host's own: no file can be opened any more
        raise DialError(Failure.NETWORK, f"this host {system_text(error.errno)}") from error


def dial_in_background(
    url: str, options: DialOptions, done: Callable[[DialedSocket | DialError], None]
) -> threading.Thread:
    """``connect`` in a thread; ``done`` is called there with its outcome."""

    def work() -> None:
        try:
            outcome: DialedSocket | DialError = connect(url, options)
        except DialError as error:
            outcome = error
        done(outcome)

    thread = threading.Thread(target=work, name="connector", daemon=True)
    thread.start()
    return thread


class _Call:
    """One try to connect."""

    def __init__(self, url: str, options: DialOptions) -> None:
        self._url: SplitResult = urlsplit(url)
        self._options = options
        self._deadline = time.monotonic() + options.timeout
        self._place = place_text(self._url.hostname or "", self._url.port or 0)
        self._route: Route | None = None
        self._failed: dict[Address, _Failed] = {}
        self._error: DialError | None = None
        """The last of an address that was connected to."""

    def connect(self) -> DialedSocket:
        context = _tls(self._options) if self._url.scheme == "wss" else None
        addresses = self._addresses()
        while addresses:
            try:
                winner = first_connected(addresses, self._deadline)
            except NotConnected as error:
                self._note(error.failures)
                break
            self._note(winner.failures)
            addresses = [each for each in addresses if each != winner.address]
            try:
                sock = self._open(winner, context, self._share(1 + len(addresses)))
            except DialError as error:
                self._error = error
                self._failed[winner.address] = _Failed(f"{winner.address}: {error}", told=True)
            else:
                own = own_address(sock, through_proxy=self._route is not None)
                return DialedSocket(sock, str(winner.address), self._told(), own)
        raise self._no_connection()

    def _note(self, failures: list[AddressFailure]) -> None:
        for each in failures:
            self._failed[each.address] = _Failed(str(each), each.told)

    def _told(self) -> tuple[tuple[str, str], ...]:
        return tuple((str(address), failed.text) for address, failed in self._failed.items() if failed.told)

    def _addresses(self) -> list[Address]:
        """Where to connect to: the proxy's, where there is one."""
        try:
            self._route = route_to(self._url, self._options.proxy)
            if self._route is None:
                host, port = self._url.hostname or "", self._url.port or 0
            else:
                host, port = self._route.proxy.host, self._route.proxy.port
            return resolve(host, port, self._deadline)[:MAX_ADDRESSES]
        except (NotResolved, UnusableProxy) as error:
            raise DialError(Failure.NETWORK, f"{self._through()}{error}") from None

    def _share(self, parts: int) -> float:
        """The end of this step: where other addresses are left, each may yet have its turn."""
        now = time.monotonic()
        return now + max(0.0, self._deadline - now) / parts

    def _open(self, winner: Winner, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
        sock = winner.sock
        try:
            if self._route is not None:
                tunnel(sock, self._place, self._route.proxy, deadline)
            if context is not None:
                sock.settimeout(max(0.001, deadline - time.monotonic()))
                sock = context.wrap_socket(sock, server_hostname=self._url.hostname)
            upgrade(sock, self._url.geturl(), deadline)
        except Exception as error:
            sock.close()
            raise self._explain(error) from error
        sock.setblocking(False)
        return sock

    def _through(self) -> str:
        return "" if self._route is None else f"{self._route}: "

    def _explain(self, error: Exception) -> DialError:
        failure = Failure.HANDSHAKE
        match error:
            case ssl.SSLCertVerificationError():
                failure, text = Failure.TLS, f"the server's certificate was not accepted: {error.verify_message}"
            case ssl.SSLError():
                failure, text = Failure.TLS, f"TLS failed: {error.reason or error}"
            case TunnelRefused():
                failure, text = Failure.NETWORK, f"{self._route} {error}"
            case BadHead():
                text = f"the server {error}{self._certificate_hint()}"
            case TimeoutError():
                failure, text = (
                    Failure.NETWORK,
                    f"{self._through()}no answer to the handshake in time (ads.login_timeout)",
                )
            case OSError():
                failure, text = Failure.NETWORK, f"{self._through()}{system_text(error.errno)}"
            case _:
                text = str(error)
        return DialError(failure, text)

    def _certificate_hint(self) -> str:
        wanting = self._url.scheme == "wss" and self._options.tls.cert_file is None
        return " (it may want a client's certificate: ads.tls.cert_file)" if wanting else ""

    def _no_connection(self) -> DialError:
        """What is said of the whole try: each address with its own failure, and the class of one that answered."""
        if self._error is not None and len(self._failed) == 1:
            return self._error
        failure = Failure.NETWORK if self._error is None else self._error.failure
        return DialError(failure, self._through() + "; ".join(failed.text for failed in self._failed.values()))


class _Failed(NamedTuple):
    """What came of an address; ``told``: it is worth a line though another one was connected to."""

    text: str
    told: bool


def _tls(options: DialOptions) -> ssl.SSLContext:
    """Loaded anew for each connection: certificates are renewed while a daemon runs."""
    try:
        return client_context(options.tls)
    except TlsProblem as problem:
        file = getattr(options.tls, problem.setting) if problem.setting != "key_password" else None
        what = f"ads.tls.{problem.setting}" + (f": {file}" if file else "")
        raise DialError(Failure.TLS, f"{what} {problem}") from None
