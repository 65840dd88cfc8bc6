"""A network or a server that stops taking bytes, on a real socket: the loop never waits for it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from tests.conformance.conformance_client import ConformanceClient, answers
from tests.conformance.servers import ConformingServer, Start
from tests.integration.rigs.tcp_proxy import Direction, TcpProxy

from contribd.engine.session.endpoints import Failure

NewProxy = Callable[[ConformingServer], tuple[TcpProxy, str]]
BULKY = {"DSPLY_NAME": "x" * 20_000}
LONGEST_ROUND = 2.0
"""Seconds, on a busy machine; a loop that waits for the socket takes the ping timeout or for ever."""


@pytest.fixture
def through() -> Iterator[NewProxy]:
    proxies: list[TcpProxy] = []

    def start(server: ConformingServer) -> tuple[TcpProxy, str]:
        proxy = TcpProxy("127.0.0.1", urlsplit(server.url).port or 0)
        proxies.append(proxy)
        proxy.start()
        return proxy, f"ws://127.0.0.1:{proxy.port}/WebSocket"

    yield start
    for proxy in proxies:
        proxy.stop()


def flood(driver: ConformanceClient, count: int = 600) -> None:
    for number in range(count):
        driver.put(f"R{number}=", BULKY)


def test_a_server_that_stops_reading_is_noticed_although_it_goes_on_talking(start: Start, through: NewProxy) -> None:
    server = start(ping_timeout=3.0)
    proxy, url = through(server)
    with ConformanceClient(url, max_outstanding=600).open() as driver:
        proxy.stall(Direction.UP)
        flood(driver)
        driver.until(lambda: driver.engine.connection.keepalive.unsent, what="bytes that wait")
        posted = len(driver.frames)
        driver.run(0.5)
        assert len(driver.frames) == posted, "posts went behind bytes that nobody reads"
        driver.until(driver.reasons, what="noticed")
        assert driver.reasons() == {Failure.PING_TIMEOUT: 1}
        assert driver.slowest_round < LONGEST_ROUND
        proxy.cut()
        proxy.heal()
        results = driver.settled(within=40)
        assert {result["status"] for result in results} == {"ACK"}


def test_a_server_that_reads_again_in_time_loses_nothing(start: Start, through: NewProxy) -> None:
    server = start()
    proxy, url = through(server)
    with ConformanceClient(url, max_outstanding=600, ack_timeout=30.0).open() as driver:
        proxy.stall(Direction.UP)
        flood(driver)
        driver.until(lambda: driver.engine.connection.keepalive.unsent)
        proxy.heal()
        assert {tuple(answers(result)) for result in driver.settled(within=40)} == {("ACK",)}
        assert driver.slowest_round < LONGEST_ROUND


def test_a_connection_that_is_open_at_our_end_only_is_noticed(start: Start, through: NewProxy) -> None:
    server = start(ping_timeout=3.0)
    proxy, url = through(server)
    with ConformanceClient(url).open() as driver:
        proxy.stall()
        driver.put("EUR=")
        driver.until(driver.reasons, what="noticed")
        assert driver.reasons() == {Failure.PING_TIMEOUT: 1}
        proxy.cut()
        proxy.heal()
        [result] = driver.settled()
        assert (result["status"], answers(result)) == ("ACK", ["LOST", "ACK"])
