"""Connections to the ADS, one after the other: made, kept alive, left and ended, whatever is said over them.

Each belongs to one endpoint and passes through the states of ``states.py``.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from contribd.engine.clock import Now
from contribd.engine.commands import Command, Connect, Disconnect, Probe
from contribd.engine.limits import CONNECT_TIMEOUTS
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.endpoints import BY_POSTS, Failure
from contribd.engine.session.failover import Failover, Move
from contribd.engine.session.keepalive import Keepalive
from contribd.engine.session.session_log import SessionLog
from contribd.engine.states import SESSION_TRANSITIONS, SessionEvent, SessionState
from contribd.omm.requests import PING, close_login

_LIVE: Final = (SessionState.OPEN, SessionState.WAITING_FOR_SERVICE, SessionState.MOVING, SessionState.DRAINING)
"""The states in which the login stream is open."""

_SETTLED: Final = (SessionState.OPEN, SessionState.WAITING_FOR_SERVICE)
"""Neither on the way in nor on the way out."""

_TIMEOUTS: Final = {SessionState.CONNECTING: CONNECT_TIMEOUTS, SessionState.LOGGING_IN: 1}
"""Login timeouts that a state on the way in may last."""


class SessionStatus(NamedTuple):
    """The ADS session at one moment; wall times in microseconds since 1970, UTC.

    ``live``: whether the login stream is open; ``moving``: whether the session goes elsewhere once every answer is in.
    ``since``: when it came to be in this state, None before the first connection. ``last_failure``: why there was no
    session, or none any more, the last time; None while nothing has failed.
    """

    state: SessionState
    live: bool
    moving: bool
    endpoint: str
    endpoints: tuple[str, ...]
    since: int | None
    last_failure: str | None
    last_failure_at: int | None


class Connection:
    """The connection in use, or the next one; it knows nothing of the session that is made over it.

    The session says what it has come to with ``pass_to``, and tells ``failover`` how well this endpoint does.
    """

    def __init__(
        self, policy: SessionPolicy, log: SessionLog, on_end: Callable[[], None], by_post: Callable[[Now], bool]
    ) -> None:
        """``on_end`` is called whenever a connection has ended, or was not made; ``by_post`` says whether a post would
        be the cause."""
        self.policy = policy
        self.state = SessionState.DISCONNECTED
        self.since: Now | None = None
        """When it came to be in this state; None before the first connection."""
        self.endpoint = policy.endpoints[0]
        self.attempt = 0
        """Numbers the connections."""
        self.commands: list[Command] = []
        """What the driver is to do, in order; ``take_commands`` empties the list."""
        self.frames: list[bytes] = []
        """Texts of frames to send, in order; ``take_frames`` empties the list."""
        self.keepalive = Keepalive()
        self.failover = Failover(policy)
        self.last_failure: str | None = None
        """Why there was no session, or none any more, the last time: kind and text. None while nothing has failed."""
        self.last_failure_at: int | None = None
        """Wall time, microseconds since 1970."""
        self.log = log
        self.doubtful: str | None = None
        """Why the last connection ended, where a post may have been the cause."""
        self._on_end = on_end
        self._by_post = by_post
        self._move_reason: Move | None = None

    @property
    def live(self) -> bool:
        """Whether the login stream is open: answers can come."""
        return self.state in _LIVE

    @property
    def moving(self) -> bool:
        """Whether the session goes elsewhere once every answer is in: see ``move``."""
        return self.state is SessionState.MOVING

    def status(self) -> SessionStatus:
        """What it shows of itself."""
        return SessionStatus(
            state=self.state,
            live=self.live,
            moving=self.moving,
            endpoint=self.endpoint,
            endpoints=self.policy.endpoints,
            since=None if self.since is None else self.since.wall,
            last_failure=self.last_failure,
            last_failure_at=self.last_failure_at,
        )

    def pass_to(self, event: SessionEvent, now: Now) -> None:
        """Changes the state, as the table has it."""
        self.state = SESSION_TRANSITIONS[self.state, event]
        self.since = now

    # What the driver takes

    def take_commands(self) -> list[Command]:
        """What the driver is to do now, in order."""
        commands, self.commands = self.commands, []
        return commands

    def take_frames(self) -> list[bytes]:
        """Texts of frames to send now, in order."""
        frames, self.frames = self.frames, []
        return frames

    # What the driver tells

    def expects(self, attempt: int) -> bool:
        """Whether connection ``attempt`` is being made and still wanted."""
        return attempt == self.attempt and self.state is SessionState.CONNECTING

    def lost(self, attempt: int, failure: Failure, text: str, now: Now) -> bool:
        """The connection failed or ended; False where it was not the current one."""
        if attempt != self.attempt or self.state in (SessionState.DISCONNECTED, SessionState.CLOSED):
            return False
        if failure is Failure.CLOSED_BY_SERVER and self.state is SessionState.LOGGING_IN:
            failure = Failure.CLOSED_AT_LOGIN
        self.end(failure, text, now, connected=False)
        return True

    def heard(self, now: Now) -> None:
        """Bytes came: the connection is alive."""
        self.keepalive.heard(now.mono)

    def said(self, now: Now) -> None:
        """Posts went out: the server knows that we are alive."""
        self.keepalive.said(now.mono)

    def wrote(self, attempt: int, taken: int, unsent: int, now: Now, *, held: bool = False) -> None:
        """How many bytes the socket has taken since the connection was made, and how many wait for it;
        ``held``: some wait for us."""
        if attempt == self.attempt:
            self.keepalive.wrote(taken, unsent, now.mono, held=held)

    def probed(self, endpoint: str, reachable: bool, now: Now) -> None:
        """What came of a ``Probe``."""
        self.failover.probed(endpoint, reachable, now.mono)

    # Made and kept

    def connect(self, endpoint: str, now: Now) -> None:
        """Asks for a connection."""
        if self.attempt and endpoint != self.endpoint:
            self.log.other_endpoint(self.endpoint, endpoint, self.last_failure)
        self.attempt += 1
        self.endpoint = endpoint
        self.failover.trying(endpoint)
        self.pass_to(SessionEvent.CONNECT, now)
        self.commands.append(Connect(self.attempt, endpoint))

    def send(self, text: bytes, now: Now) -> None:
        """Sends a frame that is not a post."""
        self.frames.append(text)
        self.keepalive.said(now.mono)

    def end_if_overdue(self, now: Now) -> None:
        """Ends one that is not made in time, or whose login is not answered in time."""
        at = self.overdue_at()
        if at is None or now.mono < at:
            return
        if self.state is SessionState.CONNECTING:
            self.end(Failure.NETWORK, "the connection was not made in time", now)
        else:
            text = f"no answer to the login within {self.policy.login_timeout:g} s"
            self.end(Failure.LOGIN_TIMEOUT, text, now)

    def overdue_at(self) -> float | None:
        """The monotonic time at which ``end_if_overdue`` ends it."""
        timeouts = _TIMEOUTS.get(self.state)
        if self.since is None or timeouts is None:
            return None
        return self.since.mono + timeouts * self.policy.login_timeout

    def keep_alive(self, now: Now) -> bool:
        """Sends a Ping where the connection is quiet; False where it was dead, and is ended."""
        if fault := self.keepalive.fault(now.mono):
            self.end(Failure.PING_TIMEOUT, fault, now)
            return False
        if self.keepalive.take_ping(now.mono):
            self.send(PING, now)
        return True

    # Left for another endpoint

    def look_for_other_endpoint(self, now: Now) -> None:
        """Begins to move where the service stays down here and another endpoint is due, or a preferred one is back."""
        if self.state not in _SETTLED:
            return
        if self.state is SessionState.OPEN:
            self.failover.posting(self.endpoint, now.mono)
        self.commands += [Probe(url) for url in self.failover.take_probes(now.mono)]
        self._move_reason = self.failover.move(self.endpoint, now.mono)
        if self._move_reason is not None:
            self.pass_to(SessionEvent.MOVE, now)
            self.log.leaving(self.endpoint, self._move_reason.failure)

    def other_endpoint_at(self) -> float | None:
        """The monotonic time at which ``look_for_other_endpoint`` may find something."""
        return self.failover.wake_at(self.endpoint) if self.state in _SETTLED else None

    def move(self, now: Now, *, clean: bool = True) -> None:
        """No answer is waited for any more: leaves this endpoint for the one it wants; ``clean`` as in Disconnect."""
        if self.state is SessionState.MOVING and self._move_reason is not None:
            self.send(close_login(), now)
            self.end(*self._move_reason, now, politely=clean)

    # Ended

    def violated(self, text: str, now: Now) -> None:
        """The server broke the protocol: nothing it says can be trusted any more."""
        self.end(Failure.PROTOCOL, text, now)

    def abandon(self, text: str, now: Now) -> None:
        """Ends the session on purpose, since posts of it must not reach the ADS any more."""
        if self.live:
            self.end(Failure.ABANDONED, text, now)

    def drain(self, now: Now) -> None:
        """Posts nothing more; answers still come in."""
        if self.state in (SessionState.DRAINING, SessionState.CLOSED):
            return
        unfinished = self.state in (SessionState.CONNECTING, SessionState.LOGGING_IN)
        self.pass_to(SessionEvent.DRAIN, now)
        if unfinished:
            self.commands.append(Disconnect(self.attempt, clean=False))

    def close(self, now: Now, *, clean: bool = True) -> None:
        """Closes the login stream and the connection; ``clean`` as in Disconnect."""
        if self.state is SessionState.DRAINING:
            self.send(close_login(), now)
            self.commands.append(Disconnect(self.attempt, clean=clean))
            self.pass_to(SessionEvent.CLOSE, now)

    def keep_failure(self, failure: Failure, text: str, now: Now) -> None:
        """Keeps why there is no session."""
        self.last_failure, self.last_failure_at = f"{failure.value}: {text}", now.wall

    def end(self, failure: Failure, text: str, now: Now, *, connected: bool = True, politely: bool = False) -> None:
        """There is no session, or none any more: its endpoint rests, and the next connection is made when it may be.

        ``connected``: the driver still has the connection. ``politely``: what is to be sent is still sent.
        """
        doubtful = self.live and failure in BY_POSTS
        self.doubtful = failure.value if doubtful else None
        by_post = doubtful and self._by_post(now)
        if by_post:
            wait = self.failover.interrupted(self.endpoint, now.mono)
        else:
            wait = self.failover.failed(self.endpoint, failure, now.mono, live=self.live)
        self.keep_failure(failure, text, now)
        if self.live:
            self.log.ended(self.endpoint, failure, text, wait, by_post=by_post)
        else:
            self.log.not_made(self.endpoint, failure, text, wait, now.mono)
        if not politely:
            self.frames.clear()
        if connected:
            self.commands.append(Disconnect(self.attempt, clean=politely))
        self.pass_to(SessionEvent.LOST, now)
        self._on_end()
