"""What the driver does with a connection while its process may be no member of the group any more."""

import selectors
import socket
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.ads.test_websocket import Peer, tcp_pair

from contribd.ads.dialer import DialOptions
from contribd.ads.driver import Driver
from contribd.ads.frames import PING
from contribd.ads.websocket import WebSocket
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import Event, Received, Written

NOW = Now(0.0, 0)


class DriverRig:
    """A driver with a connection whose server reads when the test does, and an engine that posts what it is given."""

    def __init__(self, near: socket.socket, peer: Peer) -> None:
        self.peer = peer
        self.frames: list[bytes] = []
        self.lapsed = False
        self.waiting: list[int] = []
        """Bytes that waited for the server, each time the engine was told."""
        self.heard: list[Sequence[bytes]] = []
        """The texts of each time the engine was told that bytes came."""
        self.selector = selectors.DefaultSelector()
        engine = SimpleNamespace(
            lapsed=lambda _now: self.lapsed,
            handle=lambda event, _now: self.take(event),
            take_frames=lambda _now: self.frames,
            take_commands=list,
        )
        self.driver = Driver(cast("Engine", engine), self.selector, cast("DialOptions", None), lambda _finding: None)
        self.link = self.driver._link = WebSocket(near)
        self.selector.register(self.link, selectors.EVENT_READ)

    def take(self, event: Event) -> None:
        if isinstance(event, Written):
            self.waiting.append(event.unsent)
        elif isinstance(event, Received):
            self.heard.append(event.texts)

    def post(self, *frames: bytes) -> None:
        self.frames = list(frames)
        self.driver.act(NOW)
        self.frames = []

    def ready(self) -> int:
        """What the selector says of the connection."""
        return next((mask for _, mask in self.selector.select(0)), 0)

    def read_until_writable(self) -> None:
        while not self.ready():
            self.peer.socket.recv(1_000_000)


@pytest.fixture
def rig() -> Iterator[DriverRig]:
    near, far = tcp_pair()
    near.setblocking(False)
    far.settimeout(20)
    yield DriverRig(near, Peer(far))
    near.close()
    far.close()


def fill(rig: DriverRig) -> int:
    """Posts until some lie unsent; how many bytes the socket has taken."""
    rig.post(*[b"x" * 4_000_000] * 5)
    assert rig.link.wants_write
    return rig.link.taken


def test_a_process_that_was_stopped_writes_nothing_once_it_goes_on(rig: DriverRig) -> None:
    """The selector answers what it was asked before."""
    taken = fill(rig)
    rig.read_until_writable()
    rig.lapsed = True
    rig.driver.serve(selectors.EVENT_WRITE, NOW)
    assert rig.link.taken == taken
    assert not rig.ready(), "the worker would be woken over and over"


def test_nothing_is_written_while_the_membership_has_lapsed_and_the_rest_once_it_is_confirmed(rig: DriverRig) -> None:
    taken = fill(rig)
    rig.lapsed = True
    rig.driver.act(NOW)
    rig.post(b"ping")
    received = 0
    while received < taken:
        received += len(rig.peer.socket.recv(1_000_000))
    assert not rig.ready()
    assert rig.link.taken == taken
    rig.lapsed = False
    rig.driver.act(NOW)
    mask: Any = rig.ready()
    assert mask == selectors.EVENT_WRITE
    rig.driver.serve(mask, NOW)
    assert rig.link.taken > taken


def test_a_server_is_not_blamed_for_what_is_held_back(rig: DriverRig) -> None:
    fill(rig)
    rig.driver.act(NOW)
    assert rig.waiting[-1] > 0
    rig.lapsed = True
    rig.driver.act(NOW)
    assert rig.waiting[-1] == 0


def test_pings_go_though_the_membership_has_lapsed(rig: DriverRig) -> None:
    rig.lapsed = True
    rig.post(b"ping")
    assert b"".join(frame.payload for frame in rig.peer.frames(rig.peer.socket.recv(1000))) == b"ping"


def test_a_ping_of_websocket_is_a_sign_of_life(rig: DriverRig) -> None:
    rig.peer.say(b"", opcode=PING)
    rig.driver.serve(rig.ready(), NOW)
    assert rig.heard == [[]]
    rig.driver.serve(selectors.EVENT_READ, NOW)
    assert rig.heard == [[]], "nothing came"
