"""Daemons without a rule of the loop, of the driver or of the WebSocket."""

import selectors
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around

from contribd.ads.driver import Driver
from contribd.ads.websocket import WebSocket, WebSocketLost
from contribd.engine.events import Connected, Revoking
from contribd.loop import Loop

# The loop


def _first_membership_is_kept(original: Any, self: Loop, event: Any, now: Any) -> None:
    before = self._member
    original(self, event, now)
    self._member = before or self._member


def _lets_go_at_once(original: Any, self: Loop, event: Any, now: Any) -> None:
    original(self, event, now)
    if isinstance(event, Revoking):
        self._source.release()


def _never_lets_go(original: Any, self: Loop, event: Any, now: Any) -> None:
    if not isinstance(event, Revoking):
        original(self, event, now)


def _leaves_at_once(original: Any, self: Loop, now: Any) -> bool:
    return bool(original(self, now)) or self.engine.stopping


def _waits_for_ever(_original: Any, self: Loop, _now: Any) -> bool:
    return self.engine.drained


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


def _forgets_to_watch_writes(original: Any, self: Driver) -> None:
    del original, self


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


def _nothing_is_read_after_a_failed_write(_original: Any, _self: WebSocket) -> list[bytes]:
    return []


MUTANTS = [
    Mutant("results are committed under the membership of now", [around(Loop, "_take", _first_membership_is_kept)]),
    Mutant("a rebalance waits for what is in flight", [around(Loop, "_take", _lets_go_at_once)], 500),
    Mutant("a stop waits for what is in flight", [around(Loop, "_finished", _leaves_at_once)], 500),
    Mutant("a stop ends at its deadline", [around(Loop, "_finished", _waits_for_ever)], 500),
    Mutant(
        "a connection that comes too late is closed", [around(Driver, "_connection_made", _takes_any_connection)], 500
    ),
    Mutant("what came before the end counts", [around(Driver, "_lost", _last_words_are_lost)], 500),
    Mutant("what lies unsent dies with its connection", [around(Driver, "drop", _hangs_up_cleanly)], 500),
    Mutant("what the socket did not take goes later", [around(Driver, "_watch_writes", _forgets_to_watch_writes)]),
    Mutant("a frame goes on where the socket stopped", [around(WebSocket, "flush", _rest_goes_again)]),
    Mutant("a frame goes whole", [around(WebSocket, "flush", _rest_is_dropped)]),
    Mutant(
        "answers are read though a write failed",
        [around(WebSocket, "_last_words", _nothing_is_read_after_a_failed_write)],
        500,
    ),
]
