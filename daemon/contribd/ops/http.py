"""The HTTP endpoint: metrics, health, status. It reads snapshots and touches nothing of the worker's."""

import errno
import io
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from contribd.ops.history import History
from contribd.ops.http_answer import HttpAnswer, plain
from contribd.ops.log import get_logger
from contribd.ops.page import CONTENT_POLICY
from contribd.ops.progress import Progress
from contribd.ops.ric_search import RicSearch
from contribd.ops.site import Site
from contribd.ops.snapshot import Snapshot

_MAX_HEAD = 16 * 1024
"""Bytes of request line and headers; a browser's fit in 8 KiB."""

_MAX_CLIENTS = 96
"""Requests served at once; further ones are closed unanswered. Fifty pages that ask in the same moment, scrapers and
probes need fewer."""

_QUICK_BYTES = 128 * 1024
"""An answer of this size at most fits into the send buffer of a new connection, which is asked to be as large."""

_TIMEOUT = 5.0
"""Seconds a client has for its whole request, and again for taking each piece of the answer."""

_log = get_logger("http")


class ListenError(Exception):
    """The endpoint could not be opened; the text names the setting and what to do."""


class HttpServer:
    """Serves a site on its own daemon threads."""

    def __init__(
        self,
        listen: str,
        snapshot: Callable[[], Snapshot],
        progress: Progress,
        *,
        history: History | None = None,
        search: RicSearch | None = None,
    ) -> None:
        """Open ``listen`` (``host:port``, ``[::1]:port``; port 0: any). ``history``, ``search``: as in ``Site``.

        Raises ``ListenError``.
        """
        host, port = split_address(listen)
        try:
            self._server = _Server(host, port, Site(snapshot, progress, history=history, search=search))
        except OSError as error:
            raise ListenError(_reason(listen, error)) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="http", daemon=True)

    @property
    def address(self) -> str:
        """``host:port`` it listens on, with the real port."""
        host, port = self._server.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the address. Answers in flight are not waited for."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def split_address(listen: str) -> tuple[str, int]:
    """``host:port`` or ``[ipv6]:port`` in its parts. Raises ``ListenError``."""
    host, separator, port = listen.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ListenError(f"http.listen: {listen!r}: expected host:port, such as 127.0.0.1:9820 or [::1]:9820")
    return host.removeprefix("[").removesuffix("]"), int(port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, site: Site) -> None:
        self.site = site
        self._free = threading.BoundedSemaphore(_MAX_CLIENTS)
        self._shared: tuple[HttpAnswer | None, bytes] = None, b""
        """What was answered last to an open page, and the same with its head: it is the next one's, too."""
        family, *_, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        self.address_family = family
        super().__init__((str(address[0]), port), _Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _QUICK_BYTES)
        # Not HTTPServer's: it asks DNS for the host's full name, which can take seconds, and nobody needs it.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._answered_at_once(request):
            self.shutdown_request(request)
            return
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def _answered_at_once(self, connection: socket.socket) -> bool:
        """Answers what open pages ask, where the question has come and the answer does not have to wait for anything: a
        thread of its own would cost more than the answer. Belongs to the thread that accepts connections."""
        try:
            head = connection.recv(_MAX_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            answer = self.site.quick(head) if _is_whole(head) else None
            if answer is None or len(answer.body) > _QUICK_BYTES:
                return False
            connection.recv(len(head))  # or closing would tell the client that it was not heard
            if self._shared[0] is not answer:
                self._shared = answer, _head_of(answer) + answer.body
            connection.send(self._shared[1], socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:  # the client has gone
            pass
        return True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        # A client that goes away or dawdles is its own affair; anything else is a defect of ours.
        _log.exception("cannot answer an HTTP request", client=str(client_address[0]))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    default_request_version = "HTTP/1.0"  # a refusal is to have a status line even where the request had no version

    def setup(self) -> None:
        # The head is read whole before it is parsed, under one deadline, so that no client can hold a thread by
        # sending a byte now and then.
        self._head = _read_head(self.request)
        self.rfile = io.BytesIO(self._head)
        self.wfile = self.request.makefile("wb")

    def handle(self) -> None:
        try:
            if len(self._head) > _MAX_HEAD:
                self.requestline, self.command, self.request_version = "", "", self.default_request_version
                self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif (answer := self.server.site.quick(self._head)) is not None:
                self.wfile.write(_head_of(answer) + answer.body)
            else:
                self.handle_one_request()
        except (ConnectionError, TimeoutError):
            return

    def finish(self) -> None:
        try:
            self.wfile.close()
        except (OSError, ValueError):  # the client has gone
            return

    def do_GET(self) -> None:
        self._answer(self.server.site.get(self.path, self.headers.get("Accept", "")), body=True)

    def do_HEAD(self) -> None:
        self._answer(self.server.site.get(self.path, self.headers.get("Accept", "")), body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refusals, in plain text; the base class calls this for a method without a ``do_`` of its own as well."""
        del explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(plain(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are served"), body=True)
            return
        status = HTTPStatus(code)
        self._answer(plain(status, message or status.phrase), body=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Requests are not logged: a scrape every few seconds would drown what matters."""

    def _answer(self, answer: HttpAnswer, *, body: bool) -> None:
        self.wfile.write(_head_of(answer) + (answer.body if body else b""))


def _head_of(answer: HttpAnswer) -> bytes:
    """Status line and headers; the connection is closed after each answer."""
    allow = "Allow: GET, HEAD\r\n" if answer.status == HTTPStatus.METHOD_NOT_ALLOWED else ""
    encoding = "Content-Encoding: gzip\r\n" if answer.compressed else ""
    return (
        f"HTTP/1.0 {answer.status.value} {answer.status.phrase}\r\n"
        f"Server: contribd\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: {answer.type}\r\nContent-Length: {len(answer.body)}\r\n{encoding}"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        f"Content-Security-Policy: {CONTENT_POLICY}\r\n{allow}\r\n"
    ).encode()


def _is_whole(head: bytes) -> bool:
    return b"\r\n\r\n" in head or b"\n\n" in head


def _read_head(connection: socket.socket) -> bytes:
    deadline = time.monotonic() + _TIMEOUT
    head = b""
    while not _is_whole(head) and len(head) <= _MAX_HEAD:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            piece = connection.recv(4096)
        except (TimeoutError, ConnectionError):
            return b""
        if not piece:
            break
        head += piece
    connection.settimeout(_TIMEOUT)
    return head


def _reason(listen: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        advice = "another process listens there (a second contribd on this host?): end it, or choose another address"
    elif error.errno == errno.EADDRNOTAVAIL:
        advice = "this host has no such address: use one of its own, or 127.0.0.1"
    else:
        advice = "use an address of this host and a port above 1023, or null for no endpoint"
    return f"http.listen: cannot listen on {listen}: {error.strerror or error}; {advice}"
