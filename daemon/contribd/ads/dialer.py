"""Makes connections: name resolution, TCP, TLS, proxy and WebSocket handshake, in a thread of its own each."""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websocket

from contribd.ads.http_proxy import Proxy
from contribd.engine.session.endpoints import Failure

SUBPROTOCOL = "tr_json2"


@dataclass(frozen=True, slots=True)
class DialOptions:
    """``timeout`` in seconds for each step; files are PEM; without ``proxy`` the environment's is used."""

    timeout: float
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy: Proxy | None = None


class DialError(Exception):
    """No connection: the class of failure, and a sentence."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


def connect(url: str, options: DialOptions) -> socket.socket:
    """A connected socket, past the WebSocket handshake, non-blocking.

    Raises:
        DialError: with the class of the failure.
    """
    sslopt = {"context": _tls(options)} if url.startswith("wss:") else {}
    connection: Any = websocket.WebSocket(
        sslopt=sslopt, sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)], enable_multithread=False
    )
    try:
        connection.connect(
            url,
            timeout=options.timeout,
            subprotocols=[SUBPROTOCOL],
            header=["User-Agent: contribd"],
            suppress_origin=True,
            redirect_limit=0,
            **_through(options.proxy),
        )
    except Exception as error:
        connection.shutdown()
        raise _explain(error, options) from error
    sock: socket.socket = connection.sock
    sock.setblocking(False)
    return sock


def dial_in_background(
    url: str, options: DialOptions, done: Callable[[socket.socket | DialError], None]
) -> threading.Thread:
    """``connect`` in a thread; ``done`` is called there with its outcome."""

    def work() -> None:
        try:
            outcome: socket.socket | DialError = connect(url, options)
        except DialError as error:
            outcome = error
        done(outcome)

    thread = threading.Thread(target=work, name="connector", daemon=True)
    thread.start()
    return thread


def _through(proxy: Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    auth = (proxy.user, proxy.password) if proxy.user else None
    return {"http_proxy_host": proxy.host, "http_proxy_port": proxy.port, "http_proxy_auth": auth, "proxy_type": "http"}


def _tls(options: DialOptions) -> ssl.SSLContext:
    """Checks the server's certificate and its host name, always; the machine's authorities where no file is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if options.ca_file is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(options.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise _unreadable("ca_file", options.ca_file, error) from error
    if options.cert_file is not None:
        try:
            context.load_cert_chain(options.cert_file, options.key_file)
        except OSError as error:
            raise _unreadable("cert_file or key_file", options.cert_file, error) from error
    return context


def _unreadable(setting: str, path: Path | None, error: OSError) -> DialError:
    reason = getattr(error, "reason", None) or error.strerror or error
    return DialError(Failure.TLS, f"ads.tls.{setting}: {path} cannot be used: {reason}")


def _explain(error: Exception, options: DialOptions) -> DialError:
    match error:
        case ssl.SSLCertVerificationError():
            found = Failure.TLS, f"the server's certificate was not accepted: {error.verify_message}"
        case ssl.SSLError():
            found = Failure.TLS, f"TLS failed: {error.reason or error}"
        case websocket.WebSocketProxyException():
            whose = "of the environment" if options.proxy is None else "(ads.proxy)"
            found = Failure.NETWORK, f"the HTTP proxy {whose} did not connect: {error}"
        case websocket.WebSocketTimeoutException() | TimeoutError():
            found = Failure.NETWORK, f"no connection within {options.timeout:g} s"
        case socket.gaierror() | websocket.WebSocketAddressException():
            found = Failure.NETWORK, f"the host's name could not be resolved: {error}"
        case OSError():
            found = Failure.NETWORK, error.strerror or str(error) or type(error).__name__
        case _:
            found = Failure.HANDSHAKE, _handshake_text(error, options)
    return DialError(*found)


def _handshake_text(error: Exception, options: DialOptions) -> str:
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"the server answered the handshake with HTTP {error.status_code}"
    if isinstance(error, websocket.WebSocketConnectionClosedException):
        hint = "" if options.cert_file else " (over TLS, it may want a client's certificate: ads.tls.cert_file)"
        return f"the server closed the connection during the handshake{hint}"
    return f"no WebSocket with subprotocol {SUBPROTOCOL} answered: {type(error).__name__}: {error}"
