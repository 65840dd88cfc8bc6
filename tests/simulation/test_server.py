"""The simulated ADS on a real socket, seen by an ordinary WebSocket client."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websocket

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer

LOGIN = {"ID": 1, "Domain": "Login", "Key": {"Name": "user"}}
TIMEOUT = 10


def post(post_id: int, ric: str = "EUR=TRCC", **fields: Any) -> dict[str, Any]:
    key = {"Name": ric, "Service": "TRCC"}
    payload = {"ID": 0, "Type": "Update", "Key": key, "Fields": fields or {"BID": 1.1}}
    return {"ID": 1, "Type": "Post", "Ack": True, "PostID": post_id, "Key": key, "Message": payload}


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[AdsServer]:
    started = AdsServer(getattr(request, "param", None))
    started.start()
    yield started
    started.stop()


@contextmanager
def connect(server: AdsServer) -> Iterator[websocket.WebSocket]:
    client = websocket.WebSocket()
    client.connect(server.url, subprotocols=["tr_json2"], timeout=TIMEOUT)  # type: ignore[no-untyped-call]
    try:
        yield client
    finally:
        client.shutdown()  # type: ignore[no-untyped-call]


@contextmanager
def login(server: AdsServer) -> Iterator[websocket.WebSocket]:
    with connect(server) as client:
        client.send(json.dumps(LOGIN))
        assert receive(client)["Type"] == "Refresh"
        yield client


def receive(client: websocket.WebSocket) -> dict[str, Any]:
    [message] = json.loads(client.recv())
    assert isinstance(message, dict)
    return message


def test_posts_packed_in_one_frame_are_acked_one_by_one(server: AdsServer) -> None:
    with login(server) as client:
        client.send(json.dumps([post(number) for number in range(50)]))
        assert [receive(client)["AckID"] for _ in range(50)] == list(range(50))
        assert [each.post_id for each in server.posts()] == list(range(50))


def test_a_lever_pulled_from_another_thread_reaches_the_client_at_once(server: AdsServer) -> None:
    with login(server) as client:
        server.control("login closerecover")
        assert receive(client)["State"]["Stream"] == "ClosedRecover"


@pytest.mark.parametrize("server", [AdsOptions(ping_timeout=0.3)], indirect=True)
def test_pings_come_by_themselves_and_a_quiet_client_is_closed_with_1000(server: AdsServer) -> None:
    with login(server) as client:
        pings = 0
        while True:
            opcode, payload = client.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            pings += json.loads(payload) == [{"Type": "Ping"}]
        assert pings >= 3
        assert payload[:2] == (1000).to_bytes(2, "big")


@pytest.mark.parametrize("server", [AdsOptions(delay=0.05)], indirect=True)
def test_a_delayed_answer_comes_without_any_further_input(server: AdsServer) -> None:
    with login(server) as client:
        client.send(json.dumps(post(1)))
        assert receive(client)["AckID"] == 1


def test_a_websocket_ping_is_answered_with_an_empty_payload(server: AdsServer) -> None:
    with connect(server) as client:
        client.ping("hello")
        assert client.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"")


def test_a_cut_ends_the_connection_without_a_close_frame(server: AdsServer) -> None:
    with login(server) as client:
        server.control("disconnect")
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionResetError)):
            client.recv()


def test_a_refused_login_ends_in_close_1000(server: AdsServer) -> None:
    with connect(server) as client:
        client.send(json.dumps({**LOGIN, "Key": {"Name": "refused"}}))
        assert receive(client)["State"]["Code"] == "NotEntitled"
        assert client.recv_data() == (websocket.ABNF.OPCODE_CLOSE, (1000).to_bytes(2, "big"))


def test_stop_and_start_again_take_the_same_port(server: AdsServer) -> None:
    url = server.url
    with login(server):
        server.stop()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((server.host, server.port), timeout=TIMEOUT)
        server.start()
        assert server.url == url
        with login(server) as again:
            assert again.connected


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /other HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "404"),
        ("GET /WebSocket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "400"),
        ("GET /WebSocket HTTP/1.1\r\n\r\n", "400"),
        ("nonsense\r\n\r\n", "400"),
    ],
)
def test_what_is_no_handshake_gets_an_http_error(server: AdsServer, request_text: str, status: str) -> None:
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as client:
        client.sendall(request_text.encode())
        assert client.recv(1000).decode().split()[1] == status


def test_a_broken_frame_is_answered_with_a_protocol_error(server: AdsServer) -> None:
    with connect(server) as client:
        assert client.sock is not None
        client.sock.sendall(b"\xff\xff")
        opcode, payload = client.recv_data()
        assert (opcode, payload[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1002).to_bytes(2, "big"))


def test_a_port_in_use_is_an_error_to_the_caller(server: AdsServer) -> None:
    with pytest.raises(OSError, match="in use"):
        AdsServer(port=server.port).start()
