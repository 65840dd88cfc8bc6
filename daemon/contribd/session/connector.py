"""Makes connections: name resolution, TCP, TLS, proxy and WebSocket handshake, in a thread of its own each."""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websocket

from contribd.engine.endpoints import Failure

SUBPROTOCOL = "tr_json2"


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """``timeout`` in seconds for each step; files are PEM."""

    timeout: float
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


class ConnectError(Exception):
    """No connection: the class of failure, and a sentence."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


def connect(url: str, options: ConnectOptions) -> socket.socket:
    """A connected socket, past the WebSocket handshake, non-blocking.

    Raises:
        ConnectError: with the class of the failure.
    """
    connection: Any = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False, sslopt=_tls(options))
    try:
        connection.connect(
            url,
            timeout=options.timeout,
            subprotocols=[SUBPROTOCOL],
            sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            header=["User-Agent: contribd"],
            suppress_origin=True,
            redirect_limit=0,
        )
    except Exception as error:
        connection.shutdown()
        raise _explain(error, options) from error
    sock: socket.socket | None = connection.sock
    if sock is None:
        raise ConnectError(Failure.NETWORK, "the connection was closed during the handshake")
    if connection.subprotocol not in (None, SUBPROTOCOL):
        connection.shutdown()
        raise ConnectError(
            Failure.HANDSHAKE, f"the server chose subprotocol {connection.subprotocol}, not {SUBPROTOCOL}"
        )
    sock.setblocking(False)
    return sock


def connect_in_background(
    url: str, options: ConnectOptions, done: Callable[[socket.socket | ConnectError], None]
) -> threading.Thread:
    """``connect`` in a thread; ``done`` is called there with its outcome."""

    def work() -> None:
        try:
            outcome: socket.socket | ConnectError = connect(url, options)
        except ConnectError as error:
            outcome = error
        done(outcome)

    thread = threading.Thread(target=work, name="connector", daemon=True)
    thread.start()
    return thread


def _tls(options: ConnectOptions) -> dict[str, Any]:
    sslopt: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED, "check_hostname": True}
    for name, path in (("ca_certs", options.ca_file), ("certfile", options.cert_file), ("keyfile", options.key_file)):
        if path is not None:
            sslopt[name] = str(path)
    return sslopt


def _explain(error: Exception, options: ConnectOptions) -> ConnectError:
    match error:
        case ssl.SSLCertVerificationError():
            found = Failure.TLS, f"the server's certificate was not accepted: {error.verify_message}"
        case ssl.SSLError():
            found = Failure.TLS, f"TLS failed: {error.reason or error}"
        case websocket.WebSocketBadStatusException():
            found = Failure.HANDSHAKE, f"the server answered the handshake with HTTP {error.status_code}"
        case websocket.WebSocketTimeoutException() | TimeoutError():
            found = Failure.NETWORK, f"no connection within {options.timeout:g} s"
        case socket.gaierror() | websocket.WebSocketAddressException():
            found = Failure.NETWORK, f"the host's name could not be resolved: {error}"
        case OSError():
            found = Failure.NETWORK, error.strerror or str(error) or type(error).__name__
        case _:
            found = Failure.HANDSHAKE, f"{type(error).__name__}: {error}"
    return ConnectError(*found)
