"""The endpoint on a real socket, with clients good and bad."""

import contextlib
import gzip
import http.client
import io
import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.integration.rigs.wait import eventually
from tests.ops.samples import snapshot

from contribd.ops.http import HttpServer, ListenError, split_address
from contribd.ops.log import configure
from contribd.ops.progress import Progress
from contribd.ops.snapshot import Snapshot


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    """One for all tests that leave it as it was."""
    server = HttpServer("127.0.0.1:0", snapshot, Progress())
    server.start()
    yield server
    server.close()


def ask(server: HttpServer, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection(server.address, timeout=10)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response, response.read()


def exchange(server: HttpServer, request: bytes) -> bytes:
    host, port = split_address(server.address)
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(request)
        # A server that has refused the request may have gone already.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "path", ["/metrics", "/livez", "/readyz", "/status", "/", "/page.css", "/page.js", "/page.json", "/history.json"]
)
def test_every_path_is_served_and_never_cached(server: HttpServer, path: str) -> None:
    response, body = ask(server, "GET", path)
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert int(response.headers["Content-Length"]) == len(body) > 0


def test_head_has_the_headers_and_no_body(server: HttpServer) -> None:
    response, body = ask(server, "HEAD", "/status")
    assert response.status == 200
    assert int(response.headers["Content-Length"]) > 0
    assert body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_refused_in_plain_text(server: HttpServer, method: str) -> None:
    response, body = ask(server, method, "/metrics")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.headers["Content-Type"].startswith("text/plain")
    assert body == b"only GET and HEAD are served\n"


def test_an_unknown_path_is_not_found(server: HttpServer) -> None:
    response, _ = ask(server, "GET", "/metrics/../../etc/passwd")
    assert response.status == 404


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b" 431 "),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", b" 431 "),
        (b"GET / HTTP/9.9\r\n\r\n", b" 505 "),
        (b"\x16\x03\x01 \x00 \x01\r\n\r\n", b" 400 "),
    ],
)
def test_a_request_that_is_none_is_refused(server: HttpServer, request_bytes: bytes, status: bytes) -> None:
    answer = exchange(server, request_bytes)
    assert status in answer.split(b"\r\n", 1)[0]
    assert b"text/plain" in answer


@pytest.mark.parametrize("request_bytes", [b"", b"GET", b"\r\n\r\n"])
def test_a_client_that_asks_nothing_gets_nothing_and_harms_nobody(
    server: HttpServer, request_bytes: bytes, written: io.StringIO
) -> None:
    configure("info", "journald", stream=written)
    exchange(server, request_bytes)
    assert ask(server, "GET", "/livez")[0].status == 200
    assert written.getvalue() == ""


def test_a_client_that_sends_nothing_is_let_go_after_its_time(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contribd.ops.http._TIMEOUT", 0.1)
    host, port = split_address(server.address)
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(b"GET / HT")
        assert connection.recv(1) == b""


def test_too_many_clients_are_turned_away_and_their_places_come_back(server: HttpServer) -> None:
    host, port = split_address(server.address)
    idle = [socket.create_connection((host, port), timeout=10) for _ in range(96)]
    with socket.create_connection((host, port), timeout=10) as one_too_many:
        assert one_too_many.recv(1) == b""
    for connection in idle:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        connection.close()
    assert ask(server, "GET", "/livez")[0].status == 200


def test_fifty_pages_that_ask_in_the_same_moment_are_all_answered(server: HttpServer) -> None:
    host, port = split_address(server.address)
    pages = [socket.create_connection((host, port), timeout=10) for _ in range(50)]
    for page in pages:
        page.sendall(b"GET /page.json HTTP/1.1\r\nHost: x\r\n\r\n")
    for page in pages:
        answer = b"".join(iter(lambda page=page: page.recv(65536), b""))  # type: ignore[misc]
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["instance"] == "pricing-host-1"
        page.close()


@pytest.mark.parametrize("path", ["/page.json", "/history.json"])
@pytest.mark.parametrize(
    ("accepts", "compressed"),
    [("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.5", True), ("deflate, gzip;q=0", False), ("identity", False)],
)
def test_what_pages_ask_is_compressed_for_those_who_take_it_so(
    server: HttpServer, path: str, accepts: str, compressed: bool
) -> None:
    head, _, body = exchange(
        server, f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accepts}\r\n\r\n".encode()
    ).partition(b"\r\n\r\n")
    assert (b"\r\nContent-Encoding: gzip" in head) == compressed
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head + b"\r\n"
    assert json.loads(gzip.decompress(body) if compressed else body)


def test_an_open_page_is_answered_while_every_place_is_taken(server: HttpServer) -> None:
    """It takes none, where its question is there when its connection is accepted, which is so as a rule."""
    host, port = split_address(server.address)
    idle = [socket.create_connection((host, port), timeout=10) for _ in range(96)]
    asked = [exchange(server, b"GET /page.json HTTP/1.1\r\n\r\n") for _ in range(20)]
    assert any(answer.startswith(b"HTTP/1.0 200 ") for answer in asked)
    for connection in idle:
        connection.close()
    eventually(lambda: exchange(server, b"GET /livez HTTP/1.1\r\n\r\n"), within=10, what="the places come back")


def test_a_defect_is_logged_as_one_line_and_the_next_request_is_served(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    states: list[Snapshot] = []
    server = HttpServer("127.0.0.1:0", lambda: states[0], Progress())
    server.start()
    try:
        assert exchange(server, b"GET /status HTTP/1.1\r\n\r\n") == b""
        states.append(snapshot())
        assert json.loads(ask(server, "GET", "/status")[1])["instance"] == "pricing-host-1"
    finally:
        server.close()
    assert written.getvalue().count("\n") == 1
    assert "cannot answer an HTTP request" in written.getvalue()


def test_an_address_in_use_is_a_clear_error(server: HttpServer) -> None:
    with pytest.raises(ListenError, match=r"http\.listen: cannot listen on .*already in use.*second contribd"):
        HttpServer(server.address, snapshot, Progress())


def test_an_address_that_is_not_this_hosts_is_a_clear_error() -> None:
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1:9820.*no such address"):
        HttpServer("192.0.2.1:9820", snapshot, Progress())


def test_a_closed_server_frees_its_address() -> None:
    first = HttpServer("127.0.0.1:0", snapshot, Progress())
    address = first.address
    first.start()
    first.close()
    second = HttpServer(address, snapshot, Progress())
    second.close()


@pytest.mark.parametrize(
    ("listen", "parts"),
    [("127.0.0.1:9820", ("127.0.0.1", 9820)), ("[::1]:80", ("::1", 80)), (":9820", ("", 9820)), ("h:0", ("h", 0))],
)
def test_addresses_are_split(listen: str, parts: tuple[str, int]) -> None:
    assert split_address(listen) == parts


@pytest.mark.parametrize("listen", ["9820", "host:", "host:http", "host:70000", "host:-1", "host:٣"])
def test_what_is_no_address_is_a_clear_error(listen: str) -> None:
    with pytest.raises(ListenError, match=r"expected host:port"):
        split_address(listen)
