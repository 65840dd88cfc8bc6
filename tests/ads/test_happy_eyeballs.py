"""A host name with several addresses: all are tried in time, and what failed is named."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tests.ads.many_addresses import Place, name_for, silent_place
from tests.ads.two_ends import A, TwoEnds

from contribd.ads.dialer import DialError, DialOptions, connect
from contribd.ads.happy_eyeballs import NotConnected, first_connected
from contribd.ads.resolver import Address, NotResolved, Resolver, interleaved
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.reached import Reached
from contribd.simulation.ads.server import AdsServer

pytestmark = pytest.mark.usefixtures("no_proxy_of_this_machine")

REFUSES: Place = ("127.0.0.1", 1)
URL = "ws://ads.test:15000/WebSocket"


@pytest.fixture
def silent() -> Iterator[Place]:
    with silent_place() as place:
        yield place


@pytest.fixture
def answering() -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


@pytest.fixture
def serving(ads: AdsServer) -> Place:
    return "127.0.0.1", ads.port


def address(place: Place) -> Address:
    return Address(socket.AF_INET, place)


def test_one_that_does_not_answer_costs_a_quarter_of_a_second_and_is_named(silent: Place, answering: Place) -> None:
    started = time.monotonic()
    winner = first_connected([address(silent), address(answering)], started + 10)
    winner.sock.close()
    assert 0.24 < time.monotonic() - started < 2
    assert winner.address == address(answering)
    assert [str(each).partition(" within")[0] for each in winner.failures] == [f"127.0.0.2:{silent[1]} did not answer"]


def test_one_that_refuses_costs_nothing(answering: Place) -> None:
    started = time.monotonic()
    winner = first_connected([address(REFUSES)] * 3 + [address(answering)], started + 10)
    winner.sock.close()
    assert time.monotonic() - started < 0.7
    assert len(winner.failures) == 3


def test_where_none_answers_each_is_named_in_time(silent: Place) -> None:
    started = time.monotonic()
    with pytest.raises(NotConnected) as raised:
        first_connected([address(silent), address(REFUSES)], started + 0.6)
    assert time.monotonic() - started < 2
    refused, unanswered = raised.value.failures
    assert str(refused).startswith("127.0.0.1:1 refused the connection")
    assert str(unanswered).startswith(f"127.0.0.2:{silent[1]} did not answer within 0.")


def test_many_addresses_all_have_their_turn_in_a_short_time(silent: Place, answering: Place) -> None:
    winner = first_connected([address(silent)] * 15 + [address(answering)], time.monotonic() + 1)
    winner.sock.close()
    assert winner.address == address(answering)


def test_nothing_is_left_open(silent: Place, answering: Place) -> None:
    from pathlib import Path

    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        first_connected([address(silent), address(answering)], time.monotonic() + 10).sock.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_families_take_turns() -> None:
    six = [Address(socket.AF_INET6, ("::1", 1, 0, n)) for n in range(2)]
    four = [Address(socket.AF_INET, ("127.0.0.1", n)) for n in range(3)]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], four[2]]


# The dialer


def test_the_dialer_goes_on_to_the_next_address(monkeypatch: pytest.MonkeyPatch, silent: Place, serving: Place) -> None:
    name_for(monkeypatch, "ads.test", silent, REFUSES, serving)
    dialed = connect(URL, DialOptions(5.0))
    dialed.sock.close()
    assert dialed.address == f"127.0.0.1:{serving[1]}"
    assert [place for place, _ in dialed.failures] == ["127.0.0.1:1", f"127.0.0.2:{silent[1]}"]


def test_the_dialer_goes_on_from_one_that_takes_connections_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, serving: Place
) -> None:
    with socket.create_server(("127.0.0.3", 0)) as dead:
        name_for(monkeypatch, "ads.test", dead.getsockname(), serving)
        dialed = connect(URL, DialOptions(1.0))
        dialed.sock.close()
        [(place, text)] = dialed.failures
    assert place == f"127.0.0.3:{dead_port(text)}"
    assert text.endswith("no answer to the handshake in time (ads.login_timeout)")


def dead_port(text: str) -> str:
    return text.removeprefix("127.0.0.3:").partition(":")[0]


def test_where_all_fail_each_is_named(monkeypatch: pytest.MonkeyPatch, silent: Place) -> None:
    name_for(monkeypatch, "ads.test", silent, REFUSES)
    started = time.monotonic()
    with pytest.raises(DialError) as raised:
        connect(URL, DialOptions(0.6))
    assert time.monotonic() - started < 2
    assert raised.value.failure is Failure.NETWORK
    assert "127.0.0.1:1 refused the connection" in str(raised.value)
    assert f"127.0.0.2:{silent[1]} did not answer within 0." in str(raised.value)


# Names


def test_a_resolver_that_hangs_is_waited_for_in_time_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    released, calls = threading.Event(), list[object]()

    def hang(*asked: object, **_more: object) -> list[object]:
        calls.append(asked)
        released.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolver = Resolver()
    for _ in range(3):
        with pytest.raises(NotResolved, match=r"the name ads\.test was not resolved in time"):
            resolver.resolve("ads.test", 1, time.monotonic() + 0.1)
    assert len(calls) == 1
    released.set()
    assert resolver.resolve("ads.test", 1, time.monotonic() + 10) == [address(REFUSES)]


# The log

FAILED = "an address of the endpoint failed: another one is used"


def test_an_address_that_failed_is_said_once_and_so_is_its_end() -> None:
    driver = TwoEnds(A)

    def session(reached: Reached) -> None:
        driver.tick(10)
        driver.session.connected(driver.connection.attempt, driver.now, reached)
        driver.lose()

    for seconds in ("0.25", "0.31"):
        session(Reached("b:1", [("a:1", f"a:1 did not answer within {seconds} s")]))
    assert driver.said(FAILED) == [{"endpoint": A, "failed": "a:1 did not answer within 0.25 s", "used": "b:1"}]
    session(Reached("a:1"))
    assert driver.said("an address of the endpoint answers again") == [{"endpoint": A, "address": "a:1"}]
    session(Reached("a:1"))
    assert len(driver.said("an address of the endpoint answers again")) == 1
