"""Daemons without a rule of the loop, of the driver or of the WebSocket."""

import selectors
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around

from contribd.ads.driver import Driver
from contribd.ads.frames import FrameDecoder
from contribd.ads.websocket import MAX_PAYLOAD, WebSocket, WebSocketLost
from contribd.engine.events import Connected
from contribd.loop import Loop

# The loop


def _first_membership_is_kept(original: Any, self: Loop, event: Any, now: Any) -> None:
    before = self._member
    original(self, event, now)
    self._member = before or self._member


def _leaves_at_once(original: Any, self: Loop, now: Any) -> bool:
    return bool(original(self, now)) or self.engine.stopping


def _pauses_are_not_handed_on(original: Any, self: Loop, now: Any) -> None:
    self._paused = self.engine.take_paused()
    original(self, now)


def _lease_is_not_told(original: Any, self: Loop, now: Any) -> None:
    self._leased_until = self._lease.until(self._member)
    original(self, now)


# The driver


def _takes_any_connection(_original: Any, self: Driver, outcome: Any, now: Any) -> None:
    attempt, result = outcome
    if not isinstance(result, Exception):
        self.drop()
        self._link, self._attempt = WebSocket(result), attempt
        self._selector.register(self._link, selectors.EVENT_READ)
        self._engine.handle(Connected(attempt), now)


def _last_words_are_lost(original: Any, self: Driver, lost: WebSocketLost, now: Any) -> None:
    original(self, WebSocketLost(lost.failure, str(lost), []), now)


def _hangs_up_cleanly(original: Any, self: Driver, *, clean: bool = True) -> None:
    del clean
    original(self, clean=True)


# The WebSocket


def _rest_goes_again(_original: Any, self: WebSocket) -> None:
    """What the socket took of a frame is sent once more with its rest."""
    while self._unsent and not self._held:
        try:
            sent = self._socket.send(self._unsent[0])
        except BlockingIOError:
            return
        except OSError:
            return
        self.taken += sent
        if sent == len(self._unsent[0]):
            self._unsent.popleft()


def _rest_is_dropped(_original: Any, self: WebSocket) -> None:
    while self._unsent and not self._held:
        try:
            self.taken += self._socket.send(self._unsent.popleft())
        except OSError:
            return


def _half_a_frame_is_dropped(original: Any, self: WebSocket, data: bytes, texts: list[bytes]) -> None:
    self._decoder = FrameDecoder(max_payload=MAX_PAYLOAD)
    original(self, data, texts)


def _unsent_is_not_told(_original: Any, _self: Driver, _link: WebSocket, _now: Any) -> None:
    pass


def _probe_becomes_the_connection(_original: Any, self: Driver, _endpoint: str, result: Any) -> None:
    self._connected(self._engine.connection.attempt, result)


MUTANTS = [
    Mutant("results are committed under the membership of now", [around(Loop, "_take", _first_membership_is_kept)]),
    Mutant("a stop waits for what is in flight", [around(Loop, "_finished", _leaves_at_once)], 500),
    Mutant("paused partitions are told to the source", [around(Loop, "_act", _pauses_are_not_handed_on)], 500),
    Mutant("the lease is told to the engine", [around(Loop, "_act", _lease_is_not_told)], 1_000),
    Mutant(
        "a connection that comes too late is closed", [around(Driver, "_connection_made", _takes_any_connection)], 500
    ),
    Mutant("what came before the end counts", [around(Driver, "_lost", _last_words_are_lost)], 500),
    Mutant("what lies unsent dies with its connection", [around(Driver, "drop", _hangs_up_cleanly)], 500),
    Mutant("a frame goes on where the socket stopped", [around(WebSocket, "flush", _rest_goes_again)]),
    Mutant("a frame that comes in pieces is put together", [around(WebSocket, "_decode", _half_a_frame_is_dropped)]),
    Mutant(
        "nothing is posted behind bytes that lie unsent", [around(Driver, "_tell_unsent", _unsent_is_not_told)], 500
    ),
    Mutant("a probe is no connection", [around(Driver, "_probed", _probe_becomes_the_connection)], 500),
    Mutant("a frame goes whole", [around(WebSocket, "flush", _rest_is_dropped)]),
]
