"""The ADS session without its socket: told what happened, it says what to send, and when to connect or give up."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TypeAlias

from contribd.engine.clock import Now
from contribd.engine.commands import Command, Connect, Disconnect, FetchToken, Probe
from contribd.engine.endpoints import Failure
from contribd.engine.limits import CONNECT_TIMEOUTS, DEFAULT_MAX_MESSAGE_SIZE, DEFAULT_PING_TIMEOUT, STABLE_AFTER
from contribd.engine.line import Line
from contribd.engine.placement import Move, Placement
from contribd.engine.policy import SessionPolicy
from contribd.engine.services import Asking, Services
from contribd.engine.states import SessionEvent, SessionState, next_session
from contribd.engine.tally import Tally
from contribd.engine.tokens import Tokens
from contribd.omm.answers import Answer, Directory, DirectoryRefused, LoginAnswer, Other, Ping
from contribd.omm.requests import PING, PONG, close_login, login, source_directory

__all__ = ["Command", "Connect", "Disconnect", "FetchToken", "Note", "Probe", "Session"]

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
        self.services = Services()
        self.last_failure: str | None = None
        self.last_failure_at: int | None = None
        """Wall time, microseconds since 1970."""
        self.commands: list[Command] = []
        """What the shell is to do, in order; it empties the list."""
        self.frames: list[bytes] = []
        """Texts of frames to send, in order; the shell empties the list."""
        self.line = Line()
        self._rng = rng
        self._tally = tally
        self._note = note
        self._placement = Placement(policy)
        timeout = CONNECT_TIMEOUTS * policy.login_timeout
        self._tokens = Tokens(policy.tokens, policy.backoff, timeout) if policy.tokens else None
        self._asking = Asking()
        self._login_open = False
        self._stable = False
        self._started = 0.0
        self._ticked = 0.0
        self._move_reason: Move | None = None

    @property
    def up(self) -> bool:
        """Whether posts may go at all; none do behind bytes that the server has not read yet."""
        return self.state is SessionState.OPEN and not self.line.unsent

    @property
    def live(self) -> bool:
        """Whether the login stream is open: answers can come."""
        return self._login_open

    @property
    def moving(self) -> bool:
        """Whether the session goes elsewhere once every answer is in: see ``move``."""
        return self.state is SessionState.MOVING

    @property
    def _settled_here(self) -> bool:
        """Neither on the way in nor on the way out."""
        return self.state in (SessionState.OPEN, SessionState.WAITING_FOR_SERVICE)

    @property
    def ping_timeout(self) -> float:
        """Seconds, as the server named it."""
        return self.line.ping_timeout

    def is_up(self, service: str) -> bool:
        """Whether posts to this service may go."""
        return self.state is SessionState.OPEN and self.services.is_up(service)

    # What happened

    def connected(self, attempt: int, now: Now) -> None:
        """The connection is made: log in."""
        if attempt != self.attempt or self.state is not SessionState.CONNECTING:
            return
        who = self.policy.login
        if self._tokens is not None:
            token = self._tokens.usable(now.mono)
            if token is None:
                self._end(Failure.TOKEN_UNAVAILABLE, "the token ran out while the connection was made", now)
                return
            who = replace(who, token=token)
        self._move(SessionEvent.CONNECTED, now)
        self._started = now.mono
        self.line.start(now.mono)
        self._send(login(who), now)

    def lost(self, attempt: int, failure: Failure, text: str, now: Now) -> bool:
        """The connection failed or ended; False where it was not the current one."""
        if attempt != self.attempt or self.state in (SessionState.DISCONNECTED, SessionState.CLOSED):
            return False
        if failure is Failure.CLOSED_BY_SERVER and self.state is SessionState.LOGGING_IN:
            failure = Failure.CLOSED_AT_LOGIN
        self._end(failure, text, now, connected=False)
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
                self._asking.answered()
                self._follow_service(now)
            case DirectoryRefused(text=text):
                self._directory_refused(text or "the server closed the source directory", now)
            case Other(type="Status" | "Error" as kind, text=text):
                self._note("warning", f"the ADS sent {'a Status' if kind == 'Status' else 'an Error'}", text=text)

    def heard(self, now: Now) -> None:
        """Bytes came: the line is alive."""
        self.line.heard(now.mono)

    def said(self, now: Now) -> None:
        """Posts went out: the server knows that we are alive."""
        self.line.said(now.mono)

    def wrote(self, taken: int, unsent: int, now: Now) -> None:
        """How many bytes the socket has taken since the connection was made, and how many wait for it."""
        self.line.wrote(taken, unsent, now.mono)

    def violated(self, text: str, now: Now) -> None:
        """The server broke the protocol: nothing it says can be trusted any more."""
        self._end(Failure.PROTOCOL, text, now)

    def abandon(self, text: str, now: Now) -> None:
        """Ends the session on purpose, since posts of it must not reach the ADS any more."""
        if self._login_open:
            self._end(Failure.ABANDONED, text, now)

    def probed(self, endpoint: str, reachable: bool, now: Now) -> None:
        """What came of a ``Probe``."""
        self._placement.probed(endpoint, reachable, now.mono)

    def token_got(self, number: int, token: str, refresh: str | None, life: float, now: Now) -> None:
        """The token service gave a token for ``life`` seconds."""
        if self._tokens is None or not self._tokens.got(number, token, refresh, life, now.mono):
            return
        self._note("info", "the token service gave a token", lasts=f"{life:g} s")
        if self._login_open and self.state is not SessionState.CLOSED:
            self._send(login(replace(self.policy.login, token=token), refresh=False), now)

    def token_failed(self, number: int, failure: Failure, text: str, retry_after: float | None, now: Now) -> None:
        """The token service gave none; ``retry_after``: seconds it asked to be left alone."""
        wait = None if self._tokens is None else self._tokens.failed(number, failure, retry_after, now.mono)
        if wait is None:
            return
        self._tally.reconnects["token service", failure.value] += 1
        if not self._login_open:
            self.last_failure, self.last_failure_at = f"{failure.value}: {text}", now.wall
        self._note("warning", "no token", reason=failure.value, text=text, next_try_in=f"{wait:.1f} s")

    def tick(self, now: Now) -> None:
        """Time has passed."""
        self._ticked = now.mono
        if self._tokens is not None and (number := self._tokens.overdue(now.mono)) is not None:
            self.token_failed(number, Failure.TOKEN_UNAVAILABLE, "the token service did not answer in time", None, now)
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
            self._tend(now)

    def wake_at(self) -> float | None:
        """The monotonic time at which ``tick`` has something to do."""
        if self.state is SessionState.DISCONNECTED:
            at = self._placement.next_at()
            if self._tokens is not None and self._tokens.usable(max(at, self._ticked)) is None:
                return max(at, self._tokens.wake_at(live=False) or at)
            return at
        if self.state is SessionState.CONNECTING:
            return self._started + CONNECT_TIMEOUTS * self.policy.login_timeout
        if self.state is SessionState.LOGGING_IN:
            return self._started + self.policy.login_timeout
        if not self._login_open:
            return None
        tokens = self._tokens.wake_at(live=True) if self._tokens is not None else None
        elsewhere = self._placement.wake_at(self.endpoint) if self._settled_here else None
        times = (self.line.wake_at(), self._asking.due, elsewhere, tokens)
        return min(at for at in times if at is not None)

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

    def move(self, now: Now) -> None:
        """Every answer is in: leaves this endpoint for the one it wants."""
        if self.state is SessionState.MOVING and self._move_reason is not None:
            failure, text = self._move_reason
            self._send(close_login(), now)
            self._end(failure, text, now, politely=True)

    # Connecting

    def _connect_if_due(self, now: Now) -> None:
        endpoint = self._placement.next_now(now.mono)
        if endpoint is None:
            return
        if self._tokens is not None and self._tokens.usable(now.mono) is None:
            self._fetch(self._tokens.request(now.mono))
            return
        if self.attempt and endpoint != self.endpoint:
            self._note("info", "changing the endpoint", of=self.endpoint, to=endpoint, reason=self.last_failure)
        self.attempt += 1
        self.endpoint = endpoint
        self._placement.trying(endpoint)
        self._started = now.mono
        self._move(SessionEvent.CONNECT, now)
        self.commands.append(Connect(self.attempt, endpoint))

    def _fetch(self, request: FetchToken | None) -> None:
        if request is not None:
            self.commands.append(request)

    def _login_answered(self, answer: LoginAnswer, now: Now) -> None:
        if not answer.is_open and answer.stream:
            text = self._without_token(_said(answer))
            self._end(self._login_failure(answer), text, now)
            return
        if answer.data in ("Ok", "Suspect"):  # the third, NoChange, says what it says
            self._follow_login_data(answer, now)
        if answer.refresh and self.state is SessionState.LOGGING_IN:
            if answer.supports_post is False:
                self._end(Failure.NO_POSTING, "the ADS says that it takes no posts (SupportOMMPost 0)", now)
                return
            self._logged_in(answer, now)

    def _without_token(self, text: str) -> str:
        """A server may repeat the token that it refuses."""
        token = None if self._tokens is None else self._tokens.current
        return text.replace(token, "***") if token else text

    def _login_failure(self, answer: LoginAnswer) -> Failure:
        if answer.stream == "ClosedRecover":
            return Failure.LOGIN_RECOVER
        if self._tokens is not None:
            self._tokens.discard()
        return Failure.LOGIN_CLOSED if self._login_open else Failure.LOGIN_REFUSED

    def _follow_login_data(self, answer: LoginAnswer, now: Now) -> None:
        """Suspect data under an open stream: posts go on, since only the service's state is about posting."""
        if not self._placement.suspect(answer.data != "Ok", now.mono):
            return
        if answer.data == "Ok":
            self._note("info", "the login is no longer suspect", endpoint=self.endpoint)
        else:
            self._note("warning", "the login stream is suspect", endpoint=self.endpoint, text=answer.text)

    def _logged_in(self, answer: LoginAnswer, now: Now) -> None:
        self._login_open = True
        self._stable = False
        self.session_id = f"{self._rng.getrandbits(64):016x}"
        self.max_message_size = answer.max_message_size or DEFAULT_MAX_MESSAGE_SIZE
        self.line.ping_timeout = answer.ping_timeout or DEFAULT_PING_TIMEOUT
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
        self._placement.opened(self.endpoint, now.mono)
        if self.policy.wait_for_service:
            self._placement.service(up=False, mono=now.mono)
            self._asking.asked(now.mono)
            self._send(source_directory(), now)
        else:
            self._move(SessionEvent.SERVICE_UP, now)

    # While the session is open

    def _tend(self, now: Now) -> None:
        if fault := self.line.fault(now.mono):
            self._end(Failure.PING_TIMEOUT, fault, now)
            return
        if self.line.ping_due(now.mono):
            self._send(PING, now)
        if self._asking.due is not None and now.mono >= self._asking.due:
            self._directory_overdue(now)
        if self._tokens is not None:
            self._fetch(self._tokens.renewal(now.mono))
        if self._settled_here:
            self._settle_in(now)
            self._look_elsewhere(now)

    def _follow_service(self, now: Now) -> None:
        """Open while a service that is posted to is Up; each service by itself is asked of ``is_up``."""
        any_up = self.services.any_up(self.policy.services)
        self._placement.service(any_up, now.mono)
        if any_up and self.state is SessionState.WAITING_FOR_SERVICE:
            self._move(SessionEvent.SERVICE_UP, now)
            self._note("info", "service up", endpoint=self.endpoint, services=self.services.states())
        elif not any_up and self.state is SessionState.OPEN:
            self._move(SessionEvent.SERVICE_DOWN, now)
            self._note("warning", "service down: posts wait", endpoint=self.endpoint, services=self.services.states())

    def _directory_refused(self, text: str, now: Now) -> None:
        if self.services.known:
            # What it said last holds until it says more.
            self._asking.again(now.mono)
        else:
            self._without_directory(text, now)

    def _directory_overdue(self, now: Now) -> None:
        if self._asking.waiting:
            self._without_directory("it did not answer", now)
        else:
            self._asking.asked(now.mono)
            self._send(source_directory(), now)

    def _without_directory(self, text: str, now: Now) -> None:
        first_time = self._asking.given_up(self.endpoint)
        self.services.clear()
        self._follow_nothing(now)
        if first_time:
            self._note(
                "warning", "no source directory: posting without service states", endpoint=self.endpoint, reason=text
            )

    def _follow_nothing(self, now: Now) -> None:
        self._placement.service(up=True, mono=now.mono)
        if self.state is SessionState.WAITING_FOR_SERVICE:
            self._move(SessionEvent.SERVICE_UP, now)

    def _settle_in(self, now: Now) -> None:
        if self.state is SessionState.OPEN and not self._stable and now.mono - self._started >= STABLE_AFTER:
            self._stable = True
            self._placement.lasted(self.endpoint)

    def _look_elsewhere(self, now: Now) -> None:
        """Begins to move where the service stays down here and another endpoint is due, or a preferred one is back."""
        self.commands += [Probe(url) for url in self._placement.probes(now.mono)]
        move = self._placement.move(self.endpoint, now.mono)
        if move is not None:
            self._move_reason = move
            self._move(SessionEvent.MOVE, now)
            text = "leaving the endpoint once its answers are in"
            self._note("info", text, endpoint=self.endpoint, reason=move.failure.value)

    # Ends

    def _end(self, failure: Failure, text: str, now: Now, *, connected: bool = True, politely: bool = False) -> None:
        wait = self._placement.failed(self.endpoint, failure, now.mono)
        self._tally.reconnects[self.endpoint, failure.value] += 1
        self.last_failure, self.last_failure_at = f"{failure.value}: {text}", now.wall
        self._note(
            "warning" if failure is not Failure.PREFERRED else "info",
            "session ended" if self._login_open else "no session",
            endpoint=self.endpoint,
            reason=failure.value,
            text=text,
            next_try_in=f"{wait:.1f} s",
        )
        self._login_open = False
        self._move_reason = None
        self._asking.answered()
        self.services.clear()
        if not politely:
            self.frames.clear()
        if connected:
            self.commands.append(Disconnect(self.attempt, clean=politely))
        self._move(SessionEvent.LOST, now)

    def _send(self, text: bytes, now: Now) -> None:
        self.frames.append(text)
        self.line.said(now.mono)

    def _move(self, event: SessionEvent, now: Now) -> None:
        self.state = next_session(self.state, event)
        self.since = now


def _said(answer: LoginAnswer) -> str:
    return " ".join(part for part in (answer.code, answer.text) if part) or answer.stream
