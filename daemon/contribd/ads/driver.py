"""Does on real sockets what the engine's session decides: the whole of the input and output between them.

It belongs to one thread, the engine's. Connections are made, endpoints probed and tokens fetched in threads of
their own; what came of it is handed to ``deliver`` there, and comes back to ``take`` in the engine's thread.
"""

import selectors
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from contribd.ads.dialer import DialedSocket, DialError, DialOptions, dial_in_background
from contribd.ads.token_client import TokenClient
from contribd.ads.websocket import WebSocket, WebSocketLost
from contribd.engine.clock import Now
from contribd.engine.commands import Connect, Disconnect, FetchToken, Probe
from contribd.engine.engine import Engine
from contribd.engine.events import Connected, Lost, Probed, Received, TokenFailed, TokenGot, Written
from contribd.engine.session.reached import Reached


class Dialed(NamedTuple):
    """What came of connection ``attempt``."""

    attempt: int
    result: DialedSocket | DialError


Finding: TypeAlias = Dialed | Probed | TokenGot | TokenFailed
"""What the threads find out."""

Dial: TypeAlias = Callable[[str, DialOptions, Callable[[DialedSocket | DialError], None]], object]
"""Makes a connection to a URL in the background, and hands over what came of it."""


class Driver:
    """One connection at a time, registered with the caller's selector. ``tokens``: None for logins by user name."""

    def __init__(
        self,
        engine: Engine,
        selector: selectors.BaseSelector,
        options: DialOptions,
        deliver: Callable[[Finding], None],
        tokens: TokenClient | None = None,
        dial: Dial = dial_in_background,
    ) -> None:
        self._engine = engine
        self._selector = selector
        self._options = options
        self._deliver = deliver
        self._tokens = tokens
        self._dial = dial
        self._link: WebSocket | None = None
        self._attempt = 0
        self._taken = self._unsent = 0
        self._held = False
        """As the engine was last told."""

    def owns(self, fileobj: object) -> bool:
        """Whether what a selector found ready is its own."""
        return fileobj is not None and fileobj is self._link

    def act(self, now: Now) -> None:
        """Sends what the engine wants sent, then does what it wants done."""
        if self._link is not None:
            if self._link.hold(self._engine.lapsed(now)):
                self._watch_writes()
            self._tell_unsent(self._link, now)
        self._send(self._engine.take_frames(now), now)
        for command in self._engine.take_commands():
            match command:
                case Connect(attempt, endpoint):
                    self._dial(endpoint, self._options, partial(self._connected, attempt))
                case Disconnect(clean=clean):
                    self.drop(clean=clean)
                case Probe(endpoint):
                    self._dial(endpoint, self._options, partial(self._probed, endpoint))
                case FetchToken() if self._tokens is not None:
                    self._tokens.fetch_in_background(command, self._deliver)

    def take(self, finding: Finding, now: Now) -> None:
        """What a thread found out."""
        if isinstance(finding, Dialed):
            self._connection_made(finding, now)
        else:
            self._engine.handle(finding, now)

    def serve(self, mask: int, now: Now) -> None:
        """The selector says that the connection is readable or writable."""
        link = self._link
        if link is None:
            return
        link.hold(self._engine.lapsed(now))  # this process may have been stopped since it asked
        before = link.received
        try:
            if mask & selectors.EVENT_WRITE:
                link.flush()
            texts = link.receive() if mask & selectors.EVENT_READ else []
        except WebSocketLost as lost:
            self._lost(lost, now)
            return
        if link.received != before:  # a Ping of WebSocket alone is a sign of life, too
            self._engine.handle(Received(self._attempt, texts), now)
        self._watch_writes()

    def drop(self, *, clean: bool = True) -> None:
        """Ends the connection, where there is one; ``clean``: what is unsent may still go."""
        if self._link is None:
            return
        self._selector.unregister(self._link)
        if clean:
            self._link.close()
        else:
            self._link.abort()
        self._link = None

    # In the threads

    def _connected(self, attempt: int, result: DialedSocket | DialError) -> None:
        self._deliver(Dialed(attempt, result))

    def _probed(self, endpoint: str, result: DialedSocket | DialError) -> None:
        if isinstance(result, DialError):
            self._deliver(Probed(endpoint, reachable=False, text=str(result)))
        else:
            WebSocket(result.sock).close()
            self._deliver(Probed(endpoint, reachable=True, text=""))

    # In the engine's thread

    def _connection_made(self, outcome: Dialed, now: Now) -> None:
        attempt, result = outcome
        if isinstance(result, DialError):
            self._engine.handle(Lost(attempt, result.failure, str(result)), now)
            return
        if not self._engine.expects(attempt):
            result.sock.close()
            return
        self._link, self._attempt = WebSocket(result.sock), attempt
        self._taken, self._unsent, self._held = 0, 0, False
        self._selector.register(self._link, selectors.EVENT_READ)
        self._engine.handle(Connected(attempt, Reached(result.address, result.failures, *result.own)), now)

    def _tell_unsent(self, link: WebSocket, now: Now) -> None:
        """Tells the engine of bytes that wait, where something about them changed: most of the time none do."""
        unsent, held = link.overdue, link.holds
        if unsent == self._unsent and held is self._held and (not unsent or link.taken == self._taken):
            return
        self._taken, self._unsent, self._held = link.taken, unsent, held
        self._engine.handle(Written(self._attempt, link.taken, unsent, held), now)

    def _send(self, texts: list[bytes], now: Now) -> None:
        if self._link is None or not texts:
            return
        try:
            self._link.send(texts)
        except WebSocketLost as lost:
            self._lost(lost, now)
            return
        self._tell_unsent(self._link, now)
        self._watch_writes()

    def _watch_writes(self) -> None:
        if self._link is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._link.wants_write else 0)
            if self._selector.get_key(self._link).events != wanted:
                self._selector.modify(self._link, wanted)

    def _lost(self, lost: WebSocketLost, now: Now) -> None:
        """What came before the end still counts; what lies unsent must not arrive after it was posted again."""
        attempt = self._attempt
        self.drop(clean=False)
        if lost.texts:
            self._engine.handle(Received(attempt, lost.texts), now)
        self._engine.handle(Lost(attempt, lost.failure, str(lost)), now)
