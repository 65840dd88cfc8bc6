"""This end's address: the login's position and the poster, where the configuration names none."""

import socket

import pytest
from tests.ads.test_websocket import tcp_pair
from tests.ads.two_ends import A, TwoEnds
from tests.engine.rig import Rig

from contribd.ads.own_address import OwnAddress, own_address, usual_address
from contribd.engine.events import Connected
from contribd.engine.session.reached import Reached
from contribd.omm.requests import Login

OWN = Reached("a:1", (), "10.9.9.9", "10.9.9.9")


def test_of_a_connection_within_this_host_it_is_loopback() -> None:
    near, far = tcp_pair()
    with near, far:
        assert own_address(near, through_proxy=False) == OwnAddress("127.0.0.1", "127.0.0.1")


def test_it_is_this_end_s_and_not_what_the_host_s_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyname", lambda _name: "127.0.1.1")
    with socket.create_server(("127.0.0.7", 0)) as listener, socket.socket() as near:
        near.bind(("127.0.0.8", 0))
        near.connect(listener.getsockname())
        assert own_address(near, through_proxy=False).text == "127.0.0.8"
    assert usual_address() != "127.0.1.1"


def test_a_proxy_on_this_host_says_nothing_of_where_the_ads_is() -> None:
    near, far = tcp_pair()
    with near, far:
        assert own_address(near, through_proxy=True).text == usual_address()


class Named:
    """A socket of which nothing is asked but its own address."""

    def __init__(self, host: str) -> None:
        self._host = host

    def getsockname(self) -> tuple[str, int, int, int]:
        return self._host, 40000, 0, 0


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("::ffff:10.1.2.3", OwnAddress("10.1.2.3", "10.1.2.3")),
        ("::1", OwnAddress("::1", "127.0.0.1")),
    ],
)
def test_a_poster_is_an_ipv4_address_always(host: str, own: OwnAddress) -> None:
    assert own_address(Named(host), through_proxy=False) == own  # type: ignore[arg-type]


def test_of_ipv6_the_poster_is_where_ipv4_goes_out() -> None:
    own = own_address(Named("fe80::1%eth0"), through_proxy=False)  # type: ignore[arg-type]
    assert own.text == "fe80::1"
    assert own.ipv4 in (usual_address(), "0.0.0.0")  # noqa: S104 - not listened on


def test_a_position_that_is_not_configured_is_this_end_s_address_and_is_shown() -> None:
    driver = TwoEnds(A, login=Login("u", "256", ""))
    driver.tick()
    driver.session.connected(driver.connection.attempt, driver.now, OWN)
    driver.answer_login()
    assert driver.frames[0]["Key"]["Elements"]["Position"] == "10.9.9.9"
    [details] = driver.said("logged in")
    assert (details["position"], details["poster"]) == ("10.9.9.9", "10.9.9.9")


def test_what_is_configured_holds() -> None:
    driver = TwoEnds(A, login=Login("u", "256", "10.0.0.1/net"), poster="10.0.0.1")
    driver.tick()
    driver.session.connected(driver.connection.attempt, driver.now, OWN)
    driver.answer_login()
    assert driver.frames[0]["Key"]["Elements"]["Position"] == "10.0.0.1/net"
    [details] = driver.said("logged in")
    assert (details["position"], details["poster"]) == ("10.0.0.1/net", "10.0.0.1")


def test_posts_name_the_address_of_the_connection_they_go_over() -> None:
    rig = Rig().assign()
    for address in ("10.9.9.9", "10.8.8.8"):
        rig.tick(10)
        rig.handle(Connected(rig.engine.connection.attempt, Reached("a:1", (), address, address)))
        rig.answer_login()
        rig.put({"BID": 1}, ric=address)
        rig.lose()
    assert [post["PostUserInfo"]["Address"] for post in rig.posts if post["Key"]["Name"] == "10.9.9.9"] == [
        "10.9.9.9",
        "10.8.8.8",
    ]
