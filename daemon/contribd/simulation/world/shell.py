"""The connection's shell of a simulated daemon: what ``contribd.session.shell`` does, on simulated connections."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from contribd.engine.clock import Now
from contribd.engine.commands import Connect, Disconnect, Probe
from contribd.engine.endpoints import Failure
from contribd.engine.engine import Engine
from contribd.engine.events import Connected, Lost, Probed, Received
from contribd.engine.states import SessionState
from contribd.simulation.world.host import Life
from contribd.simulation.world.link import Link, LinkLost, connect


class Outcome(NamedTuple):
    """What came of connection ``attempt``."""

    attempt: int
    link: Link | None


class Shell:
    """One connection at a time. What comes of an attempt or a probe is handed to ``deliver``.

    ``wake``: told when something has come for ``serve``.
    """

    def __init__(
        self, life: Life, engine: Engine, deliver: Callable[[Outcome | Probed], None], wake: Callable[[], None]
    ) -> None:
        self._life = life
        self._world = life.world
        self._engine = engine
        self._deliver = deliver
        self._wake = wake
        self._link: Link | None = None
        self._attempt = 0
        self._session = ""

    def act(self, now: Now) -> None:
        """Sends what the engine wants sent, then does what it wants done."""
        if self._link is not None:
            self._engine.session.wrote(self._link.wire.taken, self._link.overdue, now)
        self._send(self._engine.take_frames(now), now)
        for command in self._engine.take_commands():
            match command:
                case Connect(attempt, endpoint):
                    self._connect(attempt, endpoint)
                case Disconnect(clean=clean):
                    self.drop(clean=clean)
                case Probe(endpoint):
                    self._probe(endpoint)

    def made(self, outcome: Outcome, now: Now) -> None:
        """An attempt to connect is over."""
        attempt, link = outcome
        if link is None:
            self._engine.handle(Lost(attempt, Failure.NETWORK, "refused"), now)
            return
        session = self._engine.session
        if attempt != session.attempt or session.state is not SessionState.CONNECTING:
            link.close()
            return
        self._link, self._attempt = link, attempt
        self._engine.handle(Connected(attempt), now)

    def serve(self, now: Now) -> None:
        """Takes what has come, where there is a connection."""
        link = self._link
        if link is None:
            return
        try:
            texts = link.receive()
        except LinkLost as lost:
            self._lost(lost, now)
            return
        if texts:
            self._received(self._attempt, link, texts, now)

    def drop(self, *, clean: bool = True) -> None:
        """Ends the connection, where there is one."""
        if self._link is not None:
            self._world.oracle.hung_up(self._link.wire)
            self._link.close(clean=clean)
            self._link = None

    def die(self) -> None:
        """The process was killed: the system closes its socket, and the daemon learns nothing of it."""
        if self._link is not None:
            self._link.close()

    def _connect(self, attempt: int, endpoint: str) -> None:
        venue = self._world.venues[endpoint]
        wait = self._world.schedule.rng.choice((0.001, 0.02, 0.3))
        made = partial(connect, self._life, venue, self._wake, self._lapsed)
        self._life.later(wait, lambda: self._deliver(Outcome(attempt, made())))

    def _lapsed(self) -> bool:
        return self._engine.lapsed(self._world.schedule.now)

    def _probe(self, endpoint: str) -> None:
        venue = self._world.venues[endpoint]
        self._life.later(0.01, lambda: self._deliver(Probed(endpoint, venue.reachable, "")))

    def _received(self, attempt: int, link: Link, texts: list[bytes], now: Now) -> None:
        self._world.oracle.delivered(self._life, link.wire, texts)
        self._engine.handle(Received(attempt, texts), now)
        if self._engine.session.session_id != self._session:
            self._session = self._engine.session.session_id
            self._world.oracle.session_named(self._life, link.wire, self._session)

    def _send(self, texts: list[bytes], now: Now) -> None:
        if self._link is None or not texts:
            return
        self._world.oracle.posting(self._life, self._link.wire, texts)
        try:
            self._link.send(texts)
        except LinkLost as lost:
            self._lost(lost, now)

    def _lost(self, lost: LinkLost, now: Now) -> None:
        attempt, link = self._attempt, self._link
        self.drop()
        if lost.texts and link is not None:
            self._received(attempt, link, lost.texts, now)
        self._engine.handle(Lost(attempt, lost.failure, str(lost)), now)
