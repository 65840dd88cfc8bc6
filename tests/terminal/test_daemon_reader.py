"""Asking a daemon over HTTP: the real endpoint answers, or something else does, or nobody."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.integration.rigs.wait import eventually
from tests.ops.samples import snapshot

from contribd.ops.http import HttpServer
from contribd.ops.progress import Progress
from contribd.terminal.daemon_reader import DaemonReader
from contribd.terminal.totals import Answer


@pytest.fixture
def url() -> Iterator[str]:
    """Of a daemon's own endpoint."""
    server = HttpServer("127.0.0.1:0", snapshot, Progress([]))
    server.start()
    yield f"http://{server.address}"
    server.close()


def failure(answer: Answer) -> str:
    assert answer.status is None
    assert answer.failure is not None
    return answer.failure


def test_a_daemon_answers_with_its_status_and_now_and_then_with_what_it_uses(url: str) -> None:
    reader = DaemonReader(url + "/", 1.0)
    answers = [reader.ask() for _ in range(6)]
    assert [answer.status is not None and answer.status["instance"] for answer in answers] == ["pricing-host-1"] * 6
    assert [answer.process is not None for answer in answers] == [True, False, False, False, False, True]
    first = answers[0].process
    assert first is not None
    assert (first.memory_bytes or 0) > 1e6
    assert (first.cpu_seconds or 0) > 0


def test_where_nobody_listens_it_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(DaemonReader(f"http://127.0.0.1:{port}", 1.0).ask()) == "connection refused: nothing listens there"


class Stranger(BaseHTTPRequestHandler):
    """Answers with what its server is told to."""

    def do_GET(self) -> None:
        self.wfile.write(self.server.text)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nhello", "what is no JSON"),
        (b'HTTP/1.0 200 OK\r\n\r\n{"a": 1}', "what is no status of a contribd"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "404 Not Found: is this a contribd?"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "what is no HTTP"),
    ],
)
def test_something_else_that_listens_there_is_said_so(text: bytes, expected: str) -> None:
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    server.text = text  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        assert expected in failure(DaemonReader(f"http://127.0.0.1:{server.server_port}", 1.0).ask())
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_it_is_asked_again_and_again_until_it_is_stopped(url: str) -> None:
    reader, found = DaemonReader(url, 0.01), list[Answer]()
    reader.start()

    def answered() -> bool:
        found.extend(reader.take())
        return len(found) > 3

    eventually(answered)
    reader.stop()
    eventually(lambda: not reader._thread.is_alive())
