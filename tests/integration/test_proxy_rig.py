"""The proxy makes each fault it promises, and nothing but that."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.integration.rigs.tcp_proxy import Direction, TcpProxy


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except ConnectionError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(new_proxy: Callable[[int], TcpProxy], echo: int) -> TcpProxy:
    return new_proxy(echo)


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def answer(client: socket.socket, data: bytes = b"hello") -> bytes:
    client.sendall(data)
    return received(client, len(data))


def received(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += client.recv(65536)
    return data


def test_swaps_bytes_of_the_server(proxy: TcpProxy) -> None:
    proxy.swap(b"ell", b"ipp")
    with connect(proxy) as client:
        assert answer(client) == b"hippo"
        proxy.heal()
        assert answer(client) == b"hello"


def nothing_comes(client: socket.socket) -> bool:
    client.settimeout(0.2)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(5)
    return False


def test_everything_passes_both_ways(proxy: TcpProxy) -> None:
    data = bytes(range(256)) * 8000
    with connect(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert received(client, len(data)) == data
        sender.join()
    assert proxy.accepted == 1


def test_the_end_of_one_side_is_passed_on_after_its_data(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert received(client, 10) == b"last words"
        assert client.recv(1) == b""


def test_cut_resets_what_is_open_and_takes_new_connections(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        answer(client)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with connect(proxy) as client:
        assert answer(client) == b"hello"


def test_cut_can_end_in_order(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        answer(client)
        proxy.cut(reset=False)
        assert client.recv(1) == b""


def test_refuse_keeps_what_is_open_and_the_port(proxy: TcpProxy) -> None:
    port = proxy.port
    with connect(proxy) as client:
        answer(client)
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        assert answer(client) == b"hello"
    proxy.heal()
    assert proxy.port == port
    with connect(proxy) as client:
        assert answer(client) == b"hello"


def test_a_server_that_is_not_there_is_a_reset_for_the_client(new_proxy: Callable[[int], TcpProxy]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        proxy = new_proxy(nobody.getsockname()[1])
        with pytest.raises(ConnectionResetError), connect(proxy) as client:
            client.recv(1)


@pytest.mark.parametrize("directions", [(), (Direction.UP,), (Direction.DOWN,)])
def test_stall_holds_back_what_heal_delivers(proxy: TcpProxy, directions: tuple[Direction, ...]) -> None:
    with connect(proxy) as client:
        answer(client)
        proxy.stall(*directions)
        client.sendall(b"held")
        assert nothing_comes(client)
        assert proxy.connections == 1
        proxy.heal()
        assert received(client, 4) == b"held"


def test_trickle_keeps_to_its_rate(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        answer(client)
        proxy.trickle(2000)
        began = time.monotonic()
        assert answer(client, b"x" * 1000) == b"x" * 1000
        assert 0.4 <= time.monotonic() - began <= 3


def test_stop_ends_connections_and_frees_the_port(new_proxy: Callable[[int], TcpProxy], echo: int) -> None:
    proxy = new_proxy(echo)
    with connect(proxy) as client:
        answer(client)
        proxy.stop()
        assert client.recv(1) == b""
    socket.create_server(("127.0.0.1", proxy.port)).close()
