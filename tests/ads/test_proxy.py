"""An HTTP proxy that wants a user and password, between contribd and the ADS."""

import base64
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.ads.token_server import TokenServer

from contribd.ads.dialer import DialError, DialOptions, connect
from contribd.ads.http_proxy import NO_PROXY, Proxy
from contribd.ads.token_client import TokenAccount, TokenClient
from contribd.engine.commands import FetchToken
from contribd.engine.events import TokenFailed, TokenGot
from contribd.engine.policy import TokenKind
from contribd.engine.session.endpoints import Failure
from contribd.simulation.ads.server import AdsServer

USER, PASSWORD = "us er", "p@ss:word/"


class HttpProxyServer:
    """Takes CONNECT, and POST for http addresses, from who knows the password."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        """The first line of each, in order."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._serving: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in (self._thread, *self._serving):
            thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._serving.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            self._serving[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        self.requests.append(lines[0])
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        given = dict(line.split(": ", 1) for line in lines[1:])
        method, target, _ = lines[0].split(" ")
        if given.get("Proxy-Authorization", given.get("Proxy-authorization")) != wanted:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        place = target if method == "CONNECT" else target.split("/")[2]
        host, _, port = place.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(head)
            upwards = threading.Thread(target=_copy, args=(client, server), daemon=True)
            upwards.start()
            _copy(server, client)
            upwards.join(10)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # either side has gone
        pass


pytestmark = pytest.mark.usefixtures("no_proxy_of_this_machine")


@pytest.fixture
def proxy() -> Iterator[HttpProxyServer]:
    one = HttpProxyServer()
    yield one
    one.stop()


def through(proxy: HttpProxyServer, password: str = PASSWORD) -> DialOptions:
    return DialOptions(5.0, proxy=Proxy("127.0.0.1", proxy.port, USER, password))


def test_the_ads_is_reached_through_the_proxy(proxy: HttpProxyServer, ads: AdsServer) -> None:
    connect(ads.url, through(proxy)).sock.close()
    assert proxy.requests == [f"CONNECT 127.0.0.1:{ads.port} HTTP/1.1"]


def test_the_proxy_of_the_environment_is_used_with_its_password(
    proxy: HttpProxyServer, ads: AdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://us%20er:p%40ss%3Aword%2F@127.0.0.1:{proxy.port}")
    connect(ads.url, DialOptions(5.0)).sock.close()
    assert len(proxy.requests) == 1


def test_hosts_that_no_proxy_names_are_reached_without_it(
    proxy: HttpProxyServer, ads: AdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    connect(ads.url, through(proxy)).sock.close()
    assert proxy.requests == []


def test_a_proxy_that_refuses_is_named_and_its_password_is_not(proxy: HttpProxyServer, ads: AdsServer) -> None:
    with pytest.raises(DialError) as raised:
        connect(ads.url, through(proxy, "wrong-one"))
    assert raised.value.failure is Failure.NETWORK
    place = f"127.0.0.1:{ads.port}"
    assert str(raised.value) == (
        f"the HTTP proxy 127.0.0.1:{proxy.port} (ads.proxy) did not connect to {place}: HTTP 407 Proxy Authentication "
        "Required: set ads.proxy with user and password"
    )
    assert "wrong-one" not in str(raised.value)


def test_the_token_service_is_reached_through_the_proxy(proxy: HttpProxyServer, server: TokenServer) -> None:
    account = TokenAccount(TokenKind.CLIENT, server.url, "client", "scope", "secret")
    service = TokenClient(account, timeout=5.0, proxy=Proxy("127.0.0.1", proxy.port, USER, PASSWORD))
    assert isinstance(service.fetch(FetchToken(1)), TokenGot)
    assert proxy.requests == [f"POST {server.url} HTTP/1.1"]


def test_no_proxy_of_the_environment_is_used_where_the_way_is_to_be_direct(
    ads: AdsServer, server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    connect(ads.url, DialOptions(5.0, proxy=NO_PROXY)).sock.close()
    account = TokenAccount(TokenKind.CLIENT, server.url, "client", "scope", "secret")
    assert isinstance(TokenClient(account, timeout=5.0, proxy=NO_PROXY).fetch(FetchToken(1)), TokenGot)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_a_dead_proxy_of_the_environment_is_named_with_its_variable(
    ads: AdsServer, server: TokenServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://user:hidden@127.0.0.1:1")
    with pytest.raises(DialError) as raised:
        connect(ads.url, DialOptions(5.0))
    assert raised.value.failure is Failure.NETWORK
    assert str(raised.value).startswith(f"the HTTP proxy 127.0.0.1:1 (${name}): 127.0.0.1:1 refused the connection")
    account = TokenAccount(TokenKind.CLIENT, server.url, "client", "scope", "secret")
    failed = TokenClient(account, timeout=5.0).fetch(FetchToken(1))
    assert isinstance(failed, TokenFailed)
    assert failed.text.endswith(f"through the HTTP proxy 127.0.0.1:1 (${name})")
    assert "hidden" not in str(raised.value) + failed.text


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "http://", "http://p:port"])
def test_a_variable_that_names_no_http_proxy_is_named(
    ads: AdsServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("http_proxy", value)
    with pytest.raises(DialError, match=r"\$http_proxy names no HTTP proxy .* ads.proxy, to direct for none"):
        connect(ads.url, DialOptions(5.0))


@pytest.mark.parametrize("listed", ["127.0.0.0/8", "10.0.0.0/8, 127.0.0.0/8", "*"])
def test_networks_that_no_proxy_names_are_reached_without_it(
    ads: AdsServer, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", listed)
    connect(ads.url, DialOptions(5.0)).sock.close()


def test_a_proxy_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(Proxy("p", 1, USER, PASSWORD))
