"""Every way a connection can fail to be made has its class and a sentence an operator can act on."""

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.ads.conftest import Certificates

from contribd.ads.dialer import DialedSocket, DialError, DialOptions, connect, dial_in_background
from contribd.ads.websocket import WebSocket
from contribd.engine.session.endpoints import Failure
from contribd.simulation.ads import handshake
from contribd.simulation.ads.server import AdsServer
from contribd.tls import TlsFiles

QUICK = DialOptions(timeout=0.5)
PATIENT = DialOptions(timeout=10.0)

pytestmark = pytest.mark.usefixtures("no_proxy_of_this_machine")


Serve = Callable[[socket.socket], object]
Listen = Callable[[Serve], int]


class TcpListener:
    """Accepts connections and does to each what the test says, in a thread of its own."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            accepted, _ = self._socket.accept()
            with accepted:
                accepted.settimeout(10)
                if not self._stopping.is_set():
                    self._serve(accepted)

    def stop(self) -> None:
        self._stopping.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts a listener; its port."""
    listeners: list[TcpListener] = []

    def start(serve: Serve) -> int:
        listeners.append(TcpListener(serve))
        return listeners[-1].port

    yield start
    for listener in listeners:
        listener.stop()


def request(sock: socket.socket) -> bytes:
    """The head of an HTTP request."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = sock.recv(4096)
        if not part:
            break
        head += part
    return head


def answering(response: bytes) -> Callable[[socket.socket], None]:
    def serve(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(response)

    return serve


def failure(url: str, options: DialOptions = PATIENT) -> DialError:
    with pytest.raises(DialError) as caught:
        connect(url, options)
    return caught.value


@pytest.fixture
def new_tls_ads(certificates: Certificates) -> Iterator[Callable[..., AdsServer]]:
    """Starts a server with TLS; ``client_ca`` makes it ask for a client's certificate."""
    started: list[AdsServer] = []

    def start(*, host: str = "127.0.0.1", client_ca: Path | None = None) -> AdsServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificates.authority.issue_cert(host).configure_cert(context)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        server = AdsServer(ssl_context=context)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


# Made


def test_a_connection_is_ready_for_a_selector(ads: AdsServer) -> None:
    with connect(ads.url, PATIENT).sock as sock:
        assert not sock.getblocking()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_the_first_message_may_follow_the_handshake_at_once(
    listen: Listen,
) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(handshake.answer(request(sock)) + b"\x81\x02[]")
        sock.recv(10)

    with connect(f"ws://127.0.0.1:{listen(serve)}/WebSocket", PATIENT).sock as sock:
        link, texts, deadline = WebSocket(sock), list[bytes](), time.monotonic() + 10
        while not texts and time.monotonic() < deadline:
            texts = link.receive()
        link.close()
        assert texts == [b"[]"]


def test_in_the_background_the_outcome_is_handed_over(ads: AdsServer) -> None:
    outcomes: SimpleQueue[DialedSocket | DialError] = SimpleQueue()
    for url in (ads.url, "ws://127.0.0.1:1/WebSocket"):
        dial_in_background(url, PATIENT, outcomes.put).join(20)
    made, failed = outcomes.get(timeout=1), outcomes.get(timeout=1)
    assert isinstance(made, DialedSocket)
    made.sock.close()
    assert (made.address, made.failures) == (f"127.0.0.1:{ads.port}", ())
    assert isinstance(failed, DialError)
    with pytest.raises(queue.Empty):
        outcomes.get_nowait()


# Not made


def test_nobody_listens() -> None:
    error = failure("ws://127.0.0.1:1/WebSocket")
    text = "127.0.0.1:1 refused the connection: nothing listens there, or a firewall refuses"
    assert (error.failure, str(error)) == (Failure.NETWORK, text)


def test_nobody_answers(listen: Listen) -> None:
    released = threading.Event()
    port = listen(lambda _sock: released.wait(10))
    started = time.monotonic()
    error = failure(f"ws://127.0.0.1:{port}/WebSocket", QUICK)
    released.set()
    assert time.monotonic() - started < 5
    assert (error.failure, str(error)) == (Failure.NETWORK, "no answer to the handshake in time (ads.login_timeout)")


def test_a_name_that_does_not_exist() -> None:
    error = failure("ws://no-such-host.invalid:15000/WebSocket")
    assert error.failure is Failure.NETWORK
    assert "the name no-such-host.invalid could not be resolved" in str(error)


def test_a_server_that_hangs_up(listen: Listen) -> None:
    error = failure(f"ws://127.0.0.1:{listen(request)}/WebSocket")
    assert error.failure in (Failure.NETWORK, Failure.HANDSHAKE)
    assert "closed" in str(error)


def test_a_server_of_another_kind(listen: Listen) -> None:
    port = listen(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    error = failure(f"ws://127.0.0.1:{port}/WebSocket")
    assert (error.failure, str(error)) == (
        Failure.HANDSHAKE,
        "the server answered the handshake with HTTP 404 Not Found",
    )


def test_a_redirect_is_not_followed(listen: Listen) -> None:
    response = b"HTTP/1.1 302 Found\r\nLocation: ws://u:p@127.0.0.1:1/WebSocket\r\nContent-Length: 0\r\n\r\n"
    error = failure(f"ws://127.0.0.1:{listen(answering(response))}/WebSocket")
    assert error.failure is Failure.HANDSHAKE
    assert str(error) == (
        "the server answered the handshake with HTTP 302 Found to 'ws://127.0.0.1:1/WebSocket': "
        "no redirect is followed; name the right endpoint in ads.endpoints"
    )


def test_a_server_that_speaks_no_http(listen: Listen) -> None:
    error = failure(f"ws://127.0.0.1:{listen(answering(b'SSH-2.0-x' + bytes(2) + b'x' * 100))}/WebSocket")
    assert error.failure is Failure.HANDSHAKE


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Sec-WebSocket-Protocol: rssl.json.v2", "chose the subprotocol 'rssl.json.v2', and tr_json2 was asked for"),
        ("X: y", "chose no subprotocol, and tr_json2 was asked for"),
    ],
)
def test_another_subprotocol_or_none(listen: Listen, line: str, text: str) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(handshake.answer(request(sock)).replace(b"Sec-WebSocket-Protocol: tr_json2", line.encode()))

    error = failure(f"ws://127.0.0.1:{listen(serve)}/WebSocket")
    assert error.failure is Failure.HANDSHAKE
    assert text in str(error)


def test_a_server_that_did_not_read_the_key(listen: Listen) -> None:
    def serve(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(
            handshake.answer(
                b"GET /WebSocket HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
                b"Sec-WebSocket-Protocol: tr_json2\r\n\r\n"
            )
        )

    error = failure(f"ws://127.0.0.1:{listen(serve)}/WebSocket")
    assert (error.failure, str(error)) == (Failure.HANDSHAKE, "the server's handshake is none of WebSocket")


@pytest.mark.parametrize("head", [b"HTTP/1.1 101 Switching Protocols\r\nX: ", b""])
def test_a_handshake_that_drips_is_given_up_in_time(listen: Listen, head: bytes) -> None:
    """Each byte comes soon enough, the whole never does: the thread must not hang on it."""

    def serve(sock: socket.socket) -> None:
        request(sock)
        with contextlib.suppress(OSError):
            sock.sendall(head)
            while head:
                sock.sendall(b"x")
                time.sleep(0.05)
            sock.recv(1)

    started = time.monotonic()
    error = failure(f"ws://127.0.0.1:{listen(serve)}/WebSocket", QUICK)
    assert time.monotonic() - started < 2
    assert (error.failure, str(error)) == (Failure.NETWORK, "no answer to the handshake in time (ads.login_timeout)")


def test_tls_that_drips_is_given_up_in_time(listen: Listen, certificates: Certificates) -> None:
    def serve(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.sendall(b"\x16\x03\x03\x40\x00")
            while True:
                sock.sendall(b"x")
                time.sleep(0.05)

    started = time.monotonic()
    options = DialOptions(timeout=0.5, tls=TlsFiles(certificates.ca_file))
    assert failure(f"wss://127.0.0.1:{listen(serve)}/WebSocket", options).failure is Failure.NETWORK
    assert time.monotonic() - started < 2


# TLS


def with_ca(certificates: Certificates, **more: Any) -> DialOptions:
    return DialOptions(timeout=10.0, tls=TlsFiles(certificates.ca_file, **more))


def test_a_server_of_an_authority_we_were_told_of(
    new_tls_ads: Callable[..., AdsServer], certificates: Certificates
) -> None:
    with connect(new_tls_ads().url, with_ca(certificates)).sock as sock:
        assert isinstance(sock, ssl.SSLSocket)


def test_a_server_of_an_authority_nobody_knows(new_tls_ads: Callable[..., AdsServer]) -> None:
    error = failure(new_tls_ads().url)
    assert error.failure is Failure.TLS
    assert str(error).startswith("the server's certificate was not accepted: ")


def test_a_certificate_for_another_host(new_tls_ads: Callable[..., AdsServer], certificates: Certificates) -> None:
    error = failure(new_tls_ads(host="other.example").url, with_ca(certificates))
    assert error.failure is Failure.TLS
    assert "127.0.0.1" in str(error)


def test_a_client_s_certificate(new_tls_ads: Callable[..., AdsServer], certificates: Certificates) -> None:
    server = new_tls_ads(client_ca=certificates.ca_file)
    options = with_ca(certificates, cert_file=certificates.cert_file, key_file=certificates.key_file)
    connect(server.url, options).sock.close()


def test_a_client_s_key_with_a_pass_phrase_asks_nobody(
    new_tls_ads: Callable[..., AdsServer], certificates: Certificates, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(certificates.key_file.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "locked.pem").write_bytes(key.private_bytes(*form, locked))
    server = new_tls_ads(client_ca=certificates.ca_file)
    files = {"cert_file": certificates.cert_file, "key_file": tmp_path / "locked.pem"}
    error = failure(server.url, with_ca(certificates, **files))
    assert (error.failure, str(error)) == (Failure.TLS, "ads.tls.key_password missing: the key has a pass phrase")
    connect(server.url, with_ca(certificates, **files, key_password="secret")).sock.close()  # noqa: S106 - made above


def test_a_client_s_certificate_that_is_missing(
    new_tls_ads: Callable[..., AdsServer], certificates: Certificates
) -> None:
    error = failure(new_tls_ads(client_ca=certificates.ca_file).url, with_ca(certificates))
    assert error.failure in (Failure.TLS, Failure.HANDSHAKE, Failure.NETWORK)
    assert "certificate" in str(error).lower() or "reset" in str(error)


def test_a_server_without_tls_where_tls_is_expected(listen: Listen, certificates: Certificates) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    error = failure(f"wss://127.0.0.1:{listen(serve)}/WebSocket", with_ca(certificates))
    assert error.failure is Failure.TLS


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(ads: AdsServer, tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    error = failure(ads.url.replace("ws:", "wss:"), DialOptions(timeout=10.0, tls=TlsFiles(ca_file)))
    assert error.failure is Failure.TLS
    assert str(ca_file) in str(error)


def test_a_client_s_certificate_that_cannot_be_read_is_named(
    new_tls_ads: Callable[..., AdsServer], certificates: Certificates, tmp_path: Path
) -> None:
    options = with_ca(certificates, cert_file=tmp_path / "cert.pem", key_file=certificates.key_file)
    error = failure(new_tls_ads().url, options)
    assert error.failure is Failure.TLS
    assert "cert.pem" in str(error)


def test_the_authorities_of_this_machine_are_asked_where_no_file_is_named(
    new_tls_ads: Callable[..., AdsServer], certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    connect(new_tls_ads().url, PATIENT).sock.close()


# Proxies


class DialedProxy:
    """A minimal HTTP proxy: remembers where it was asked to go, and goes there."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.targets: list[str] = []
        self._answer = answer

    def __call__(self, sock: socket.socket) -> None:
        target = request(sock).split(b" ")[1].decode()
        self.targets.append(target)
        sock.sendall(self._answer)
        if b" 200 " not in self._answer:
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as onward:
            onward.settimeout(10)
            onward.sendall(request(sock))
            sock.sendall(request(onward))


def test_the_proxy_of_the_environment_is_used(ads: AdsServer, listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = DialedProxy()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listen(proxy)}")
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    connect(ads.url, PATIENT).sock.close()
    assert proxy.targets == [f"127.0.0.1:{ads.port}"]


def test_hosts_the_environment_excludes_are_reached_directly(ads: AdsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    connect(ads.url, PATIENT).sock.close()


def test_a_proxy_that_refuses(ads: AdsServer, listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = DialedProxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listen(proxy)}")
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    error = failure(ads.url)
    assert error.failure in (Failure.NETWORK, Failure.HANDSHAKE)
    assert "proxy" in str(error).lower()
    assert "403" in str(error)


# Nothing is left behind


def test_a_connection_that_fails_leaves_no_descriptor_open(
    listen: Listen,
) -> None:
    port = listen(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    url = f"ws://127.0.0.1:{port}/WebSocket"
    failure(url)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(20):
        failure(url)
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after <= before + 2
