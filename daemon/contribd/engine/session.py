"""The ADS session without its socket: told what happened, it says what to send, and when to connect or give up."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeAlias

from contribd.engine.clock import Now
from contribd.engine.endpoints import Endpoints, Failure
from contribd.engine.limits import (
    CONNECT_TIMEOUTS,
    DEFAULT_MAX_MESSAGE_SIZE,
    DEFAULT_PING_TIMEOUT,
    DIRECTORY_TIMEOUT,
    MIN_QUIET,
    STABLE_AFTER,
)
from contribd.engine.policy import SessionPolicy
from contribd.engine.services import Services
from contribd.engine.states import SessionEvent, SessionState, next_session
from contribd.engine.tally import Tally
from contribd.omm.answers import Answer, Directory, DirectoryRefused, LoginAnswer, Other, Ping
from contribd.omm.requests import PING, PONG, close_login, login, source_directory


class Connect(NamedTuple):
    """Make a connection; ``attempt`` numbers it, and comes back with everything that is said of it."""

    attempt: int
    endpoint: str


class Disconnect(NamedTuple):
    """End the connection ``attempt``.

    ``clean``: after what is still to be sent. Otherwise nothing more of it may reach the ADS: a post that lies unsent
    would arrive after it was posted again elsewhere, and after newer ones.
    """

    attempt: int
    clean: bool


Command: TypeAlias = Connect | Disconnect
Note: TypeAlias = Callable[..., None]
"""Takes a level (``info``, ``warning``), a sentence and key=value details: what an operator should know."""


def _silent(_level: str, _event: str, **_details: object) -> None:
    pass


class Session:
    """One ADS session after the other. Posts may go while ``state`` is OPEN, to services that are Up."""

    def __init__(self, policy: SessionPolicy, rng: Random, tally: Tally, note: Note = _silent) -> None:
        self.policy = policy
        self.state = SessionState.DISCONNECTED
        self.since: Now | None = None
        self.endpoint = policy.endpoints[0]
        self.session_id = ""
        self.attempt = 0
        self.max_message_size = DEFAULT_MAX_MESSAGE_SIZE
        self.ping_timeout = DEFAULT_PING_TIMEOUT
        self.services = Services()
        self.last_failure: str | None = None
        self.last_failure_at: int | None = None
        """Wall time, microseconds since 1970."""
        self.commands: list[Command] = []
        """What the shell is to do, in order; it empties the list."""
        self.frames: list[bytes] = []
        """Texts of frames to send, in order; the shell empties the list."""
        self._rng = rng
        self._tally = tally
        self._note = note
        self._endpoints = Endpoints(policy.endpoints, policy.backoff)
        self._login_open = False
        self._stable = False
        self._started = 0.0
        self._last_sent = 0.0
        self._last_received = 0.0
        self._pinged = 0.0

    @property
    def up(self) -> bool:
        """Whether posts may go at all."""
        return self.state is SessionState.OPEN

    @property
    def live(self) -> bool:
        """Whether the login stream is open: answers can come."""
        return self._login_open

    def is_up(self, service: str) -> bool:
        """Whether posts to this service may go."""
        return self.state is SessionState.OPEN and self.services.is_up(service)

    # What happened

    def connected(self, attempt: int, now: Now) -> None:
        """The connection is made: log in."""
        if attempt != self.attempt or self.state is not SessionState.CONNECTING:
            return
        self._move(SessionEvent.CONNECTED, now)
        self._started = self._last_received = self._last_sent = now.mono
        self._send(login(self.policy.login), now)

    def lost(self, attempt: int, failure: Failure, text: str, now: Now) -> bool:
        """The connection failed or ended; False where it was not the current one."""
        if attempt != self.attempt or self.state in (SessionState.DISCONNECTED, SessionState.CLOSED):
            return False
        self._end(failure, text, now, disconnect=False)
        return True

    def received(self, answer: Answer, now: Now) -> None:
        """An answer that is not about a post."""
        if not self._login_open and self.state is not SessionState.LOGGING_IN:
            return
        match answer:
            case Ping():
                self._send(PONG, now)
            case LoginAnswer():
                self._login_answered(answer, now)
            case Directory():
                self.services.update(answer)
                self._follow_service(now)
            case DirectoryRefused(text=text):
                self._without_directory(text or "the server closed the source directory", now)
            case Other(type="Status", text=text):
                self._note("warning", "the ADS sent a status", text=text)

    def heard(self, now: Now) -> None:
        """Bytes came: the line is alive."""
        self._last_received = now.mono

    def said(self, now: Now) -> None:
        """Posts went out: the server knows that we are alive."""
        self._last_sent = now.mono

    def violated(self, text: str, now: Now) -> None:
        """The server broke the protocol: nothing it says can be trusted any more."""
        self._end(Failure.PROTOCOL, text, now)

    def abandon(self, text: str, now: Now) -> None:
        """Ends the session on purpose, since posts of it must not reach the ADS any more."""
        if self._login_open:
            self._end(Failure.ABANDONED, text, now)

    def tick(self, now: Now) -> None:
        """Time has passed."""
        if self.state is SessionState.DISCONNECTED:
            self._connect_if_due(now)
        elif self.state is SessionState.CONNECTING:
            if now.mono - self._started >= CONNECT_TIMEOUTS * self.policy.login_timeout:
                self._end(Failure.NETWORK, "the connection was not made in time", now)
        elif self.state is SessionState.LOGGING_IN:
            if now.mono - self._started >= self.policy.login_timeout:
                text = f"no answer to the login within {self.policy.login_timeout:g} s"
                self._end(Failure.LOGIN_TIMEOUT, text, now)
        elif self._login_open:
            self._keep_alive(now)
            self._settle_in(now)

    def wake_at(self) -> float | None:
        """The monotonic time at which ``tick`` has something to do."""
        if self.state is SessionState.DISCONNECTED:
            return self._endpoints.next()[1]
        if self.state is SessionState.CONNECTING:
            return self._started + CONNECT_TIMEOUTS * self.policy.login_timeout
        if self.state is SessionState.LOGGING_IN:
            return self._started + self.policy.login_timeout
        if not self._login_open:
            return None
        quiet = self._quiet()
        ping_due = max(min(self._last_sent, self._last_received), self._pinged) + quiet
        due = min(ping_due, self._last_received + self._patience())
        if not self.services.known and self.state is SessionState.WAITING_FOR_SERVICE:
            due = min(due, self._started + DIRECTORY_TIMEOUT)
        return due

    def drain(self, now: Now) -> None:
        """Posts nothing more; answers still come in."""
        if self.state in (SessionState.DRAINING, SessionState.CLOSED):
            return
        unfinished = self.state in (SessionState.CONNECTING, SessionState.LOGGING_IN)
        self._move(SessionEvent.DRAIN, now)
        if unfinished:
            self.commands.append(Disconnect(self.attempt, clean=False))

    def close(self, now: Now) -> None:
        """Closes the login stream and the connection."""
        if self.state is SessionState.DRAINING:
            self._send(close_login(), now)
            self.commands.append(Disconnect(self.attempt, clean=True))
            self._login_open = False
            self._move(SessionEvent.CLOSE, now)

    # Steps

    def _connect_if_due(self, now: Now) -> None:
        endpoint = self._endpoints.next_now(now.mono)
        if endpoint is None:
            return
        self.attempt += 1
        self.endpoint = endpoint
        self._started = now.mono
        self._move(SessionEvent.CONNECT, now)
        self.commands.append(Connect(self.attempt, endpoint))

    def _login_answered(self, answer: LoginAnswer, now: Now) -> None:
        if not answer.is_open and answer.stream:
            failure = Failure.LOGIN_CLOSED if self._login_open else Failure.LOGIN_REFUSED
            self._end(failure, " ".join(part for part in (answer.code, answer.text) if part) or answer.stream, now)
        elif answer.refresh and self.state is SessionState.LOGGING_IN:
            self._logged_in(answer, now)
        elif answer.data == "Suspect":
            self._note("warning", "the login stream is suspect", endpoint=self.endpoint, text=answer.text)

    def _logged_in(self, answer: LoginAnswer, now: Now) -> None:
        self._login_open = True
        self._stable = False
        self.session_id = f"{self._rng.getrandbits(64):016x}"
        self.max_message_size = answer.max_message_size or DEFAULT_MAX_MESSAGE_SIZE
        self.ping_timeout = answer.ping_timeout or DEFAULT_PING_TIMEOUT
        self._started = now.mono
        self._move(SessionEvent.LOGIN_OPEN, now)
        self._note(
            "info",
            "logged in",
            endpoint=self.endpoint,
            session=self.session_id,
            max_message_size=self.max_message_size,
            ping_timeout=self.ping_timeout,
            text=answer.text,
        )
        if answer.supports_post is False:
            self._note("warning", "the ADS says that it does not support posting", endpoint=self.endpoint)
        self._send(source_directory(), now)

    def _follow_service(self, now: Now) -> None:
        """Open while any service is Up; each service by itself is asked of ``is_up``."""
        any_up = any(self.services.states().values())
        if any_up and self.state is SessionState.WAITING_FOR_SERVICE:
            self._move(SessionEvent.SERVICE_UP, now)
            self._note("info", "service up", endpoint=self.endpoint, services=self.services.states())
        elif not any_up and self.state is SessionState.OPEN:
            self._move(SessionEvent.SERVICE_DOWN, now)
            self._note("warning", "service down: posts wait", endpoint=self.endpoint, services=self.services.states())

    def _without_directory(self, text: str, now: Now) -> None:
        self.services.clear()
        if self.state is SessionState.WAITING_FOR_SERVICE:
            self._move(SessionEvent.SERVICE_UP, now)
            self._note("warning", "no source directory: posting without service states", reason=text)

    def _keep_alive(self, now: Now) -> None:
        """Pings when the line is quiet either way; gives up on a server silent for its own PingTimeout."""
        patience = self._patience()
        if now.mono - self._last_received >= patience:
            self._end(Failure.PING_TIMEOUT, f"nothing received for {patience:g} s", now)
            return
        quiet = self._quiet()
        silent = now.mono - self._last_received >= quiet or now.mono - self._last_sent >= quiet
        if silent and now.mono - self._pinged >= quiet:
            self._pinged = now.mono
            self._send(PING, now)

    def _quiet(self) -> float:
        return max(MIN_QUIET, self.ping_timeout / 3)

    def _patience(self) -> float:
        """Its PingTimeout, but never so short that an answer to our Ping could not come in between."""
        return max(self.ping_timeout, 3 * MIN_QUIET)

    def _settle_in(self, now: Now) -> None:
        lasted = now.mono - self._started
        if not self._stable and lasted >= STABLE_AFTER:
            self._stable = True
            self._endpoints.stable(self.endpoint)
        waiting = self.state is SessionState.WAITING_FOR_SERVICE and not self.services.known
        if waiting and lasted >= DIRECTORY_TIMEOUT:
            self._without_directory(f"no answer within {DIRECTORY_TIMEOUT:g} s", now)

    def _end(self, failure: Failure, text: str, now: Now, *, disconnect: bool = True) -> None:
        wait = self._endpoints.failed(self.endpoint, failure, now.mono)
        self._tally.reconnects[self.endpoint, failure.value] += 1
        self.last_failure = f"{failure.value}: {text}"
        self.last_failure_at = now.wall
        self._note(
            "warning",
            "session ended" if self._login_open else "no session",
            endpoint=self.endpoint,
            reason=failure.value,
            text=text,
            next_try_in=f"{wait:.1f} s",
        )
        self._login_open = False
        self.services.clear()
        self.frames.clear()
        if disconnect:
            self.commands.append(Disconnect(self.attempt, clean=False))
        self._move(SessionEvent.LOST, now)

    def _send(self, text: bytes, now: Now) -> None:
        self.frames.append(text)
        self._last_sent = now.mono

    def _move(self, event: SessionEvent, now: Now) -> None:
        self.state = next_session(self.state, event)
        self.since = now
