"""The ADS session without its socket: told what happened, it says what to send, and when to connect or give up.

Here is what is said over a connection (``connection.py``, which knows nothing of this): the login and its token
(``login.py``), and the services (``directory.py``).
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from contribd.engine.clock import Now
from contribd.engine.commands import FetchToken
from contribd.engine.counters import EngineCounters
from contribd.engine.event_log import EventLog, silent
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.connection import Connection
from contribd.engine.session.directory import Due, SourceDirectory
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.failover import NO_POSTS
from contribd.engine.session.login import LoginStream
from contribd.engine.session.login_limits import LoginLimits
from contribd.engine.session.reached import Reached
from contribd.engine.session.services import Services
from contribd.engine.session.session_log import SessionLog, offered
from contribd.engine.states import SessionEvent, SessionState
from contribd.omm.answers import Answer, LoginAnswer, Other, Ping, PostError
from contribd.omm.directory_message import Directory, DirectoryRefused
from contribd.omm.requests import PONG, source_directory


class Session:
    """One ADS session after the other. Posts may go while the connection's state is OPEN, to services that are Up."""

    def __init__(
        self,
        policy: SessionPolicy,
        rng: Random,
        counters: EngineCounters,
        log: EventLog = silent,
        by_post: Callable[[Now], bool] = lambda _now: False,
    ) -> None:
        """``by_post``: whether the session, where it ends now of itself, does so for a post."""
        self.policy = policy
        self.session_id = ""
        self.poster = policy.poster or ""
        """The address that posts name; empty while neither configuration nor connection has told one."""
        self.limits = LoginLimits()
        """Those of the session, or of the last one."""
        self._rng = rng
        self._login = LoginStream(policy)
        self._directory = SourceDirectory(policy.services)
        self._log = SessionLog(counters, log)
        self.connection = Connection(policy, self._log, self._ended, by_post)
        self._ticked = 0.0

    @property
    def up(self) -> bool:
        """Whether posts may go at all; none do behind bytes that the server has not read yet."""
        return self.connection.state is SessionState.OPEN and not self.connection.keepalive.unsent

    @property
    def services(self) -> Services:
        """Those of the server in use, as far as it has said."""
        return self._directory.services

    @property
    def position(self) -> str:
        """The login's, as it was sent last."""
        return self._login.position

    def is_up(self, service: str) -> bool:
        """Whether posts to this service may go."""
        return self.connection.state is SessionState.OPEN and self.services.is_up(service)

    def directory(self) -> tuple[bool, bool, tuple[tuple[str, str], ...]]:
        """What the server says of its services: whether it has, whether it was asked and has not yet, and of those
        posted to the ones that it has not, each with what it has instead."""
        services, live = self.services, self.connection.live
        missing = [name for name in self.policy.services if live and services.known and not services.has(name)]
        awaited = live and not self._directory.answered
        return services.known, awaited, tuple((name, offered(services, name)) for name in missing)

    def _ended(self) -> None:
        """What its server said of the services holds for no other."""
        self._directory.forget()
        self._log.services_forgotten()

    def connected(self, attempt: int, now: Now, reached: Reached = Reached()) -> None:  # noqa: B008 - it is a value
        """The connection is made: log in."""
        if attempt != self.connection.attempt or self.connection.state is not SessionState.CONNECTING:
            return
        self._log.addresses(self.connection.endpoint, reached)
        self._login.connected_from(reached.own)
        self.poster = self.policy.poster or reached.own_ipv4
        request = self._login.request(now.mono)
        if request is None:
            self.connection.end(Failure.TOKEN_UNAVAILABLE, "the token ran out while the connection was made", now)
            return
        self.connection.pass_to(SessionEvent.CONNECTED, now)
        self.connection.keepalive.start(now.mono)
        self.connection.send(request, now)

    # What the server says

    def received(self, answer: Answer, now: Now) -> None:
        """An answer that is not about a post, or an Error before anything was posted."""
        if not self.connection.live and self.connection.state is not SessionState.LOGGING_IN:
            return
        match answer:
            case PostError(text=text) | Other(type="Error", text=text):
                self._error(text, now)
            case Ping():
                self.connection.send(PONG, now)
            case LoginAnswer():
                self._login_answered(answer, now)
            case Directory():
                self._directory_said(answer, now)
            case DirectoryRefused(text=text):
                self._directory_refused(text, now)
            case Other(type="Status", text=text):
                self._log.other("a Status", text)

    def _error(self, text: str, now: Now) -> None:
        """Before the login is answered it can only be about that."""
        if self.connection.live:
            self._log.other("an Error", text)
        else:
            self.connection.end(*self._login.answered_by_error(text), now)

    def _login_answered(self, answer: LoginAnswer, now: Now) -> None:
        refusal = self._login.refusal(answer, live=self.connection.live)
        if refusal is not None:
            self.connection.end(*refusal, now)
            return
        if answer.data in ("Ok", "Suspect"):  # the third, NoChange, says what it says
            self._follow_login_data(answer, now)
        if self.connection.live:
            self._follow_limits(answer, now)
        elif answer.refresh:
            if answer.supports_post is False:
                self.connection.end(Failure.NO_POSTING, NO_POSTS, now)
                return
            self._logged_in(answer, now)

    def _follow_login_data(self, answer: LoginAnswer, now: Now) -> None:
        """Suspect data under an open stream: posts go on, since only the service's state is about posting."""
        if self.connection.failover.suspect(answer.data != "Ok", now.mono):
            self._log.suspect(self.connection.endpoint, answer)

    def _logged_in(self, answer: LoginAnswer, now: Now) -> None:
        self.session_id = f"{self._rng.getrandbits(64):016x}"
        self.limits.begin(answer)
        self.connection.keepalive.agree(self.limits.ping_timeout)
        self.connection.pass_to(SessionEvent.LOGIN_OPEN, now)
        self._log.logged_in(
            self.connection.endpoint,
            answer,
            session=self.session_id,
            position=self._login.position,
            poster=self.poster,
            limits=self.limits,
        )
        self.connection.failover.opened(self.connection.endpoint, now.mono)
        if self.policy.wait_for_service:
            self.connection.failover.service(up=False, mono=now.mono)
            self._ask_directory(now)
        else:
            self.connection.pass_to(SessionEvent.SERVICE_UP, now)

    def _follow_limits(self, answer: LoginAnswer, now: Now) -> None:
        """A later answer changes what it names, from now on: also whether anything may be posted."""
        changed = self.limits.follow(answer)
        if not changed:
            return
        self._log.limits(self.connection.endpoint, changed)
        self.connection.keepalive.agree(self.limits.ping_timeout)
        self.connection.failover.takes_posts(self.limits.takes_posts, now.mono)
        self._follow_services(now)

    # The services

    def _ask_directory(self, now: Now) -> None:
        self._directory.asked(now.mono)
        self.connection.send(source_directory(), now)

    def _do_without_directory(self, reason: str, now: Now) -> None:
        self._directory.forget()
        self._follow_services(now)
        self._log.no_directory(self.connection.endpoint, reason)

    def _directory_said(self, directory: Directory, now: Now) -> None:
        self._directory.update(directory)
        if directory.complete:
            self._log.services(self.connection.endpoint, self.services, self.policy.services)
            self._follow_services(now)
        if directory.ended is not None:
            self._directory.stream_closed(now.mono)

    def _directory_refused(self, text: str, now: Now) -> None:
        if self._directory.stream_closed(now.mono):
            self._do_without_directory(text or "the server closed the source directory", now)

    def _follow_services(self, now: Now) -> None:
        """Open while a service that is posted to is Up; each service by itself is asked of ``is_up``."""
        any_up = self._directory.any_up
        if self._directory.answered:
            self.connection.failover.service(any_up, now.mono)
        may_post = any_up and self._directory.answered and self.limits.takes_posts
        if may_post and self.connection.state is SessionState.WAITING_FOR_SERVICE:
            self.connection.pass_to(SessionEvent.SERVICE_UP, now)
        elif not may_post and self.connection.state is SessionState.OPEN:
            self.connection.pass_to(SessionEvent.SERVICE_DOWN, now)

    def post_to(self, services: tuple[str, ...], now: Now) -> None:
        """Other services are posted to from now on: the session is open while one of these is Up."""
        if services == self.policy.services:
            return
        self.policy = replace(self.policy, services=services)
        self._directory.want(services)
        if self.connection.live:
            if self.services.known:
                self._log.services(self.connection.endpoint, self.services, services)
            self._follow_services(now)

    # The token

    def token_got(self, number: int, token: str, refresh: str | None, life: float, now: Now) -> None:
        """The token service gave a token for ``life`` seconds."""
        if not self._login.token_got(number, token, refresh, life, now.mono):
            return
        self._log.token(life)
        if self.connection.live:
            self.connection.send(self._login.reissue(), now)

    def token_failed(self, number: int, failure: Failure, text: str, retry_after: float | None, now: Now) -> None:
        """The token service gave none; ``retry_after``: seconds it asked to be left alone.

        It keeps a session from being made, but does not end one.
        """
        wait = self._login.token_failed(number, failure, retry_after, now.mono)
        if wait is None:
            return
        if not self.connection.live:
            self.connection.keep_failure(failure, text, now)
        self._log.no_token(failure, text, wait)

    def _fetch(self, request: FetchToken | None) -> None:
        if request is not None:
            self.connection.commands.append(request)

    # Time

    def tick(self, now: Now) -> None:
        """Time has passed."""
        self._ticked = now.mono
        if (number := self._login.overdue(now.mono)) is not None:
            self.token_failed(number, Failure.TOKEN_UNAVAILABLE, "the token service did not answer in time", None, now)
        if self.connection.state is SessionState.DISCONNECTED:
            self._connect_if_due(now)
        elif self.connection.live:
            self._tend(now)
        else:
            self.connection.end_if_overdue(now)

    def wake_at(self) -> float | None:
        """The monotonic time at which ``tick`` has something to do."""
        if self.connection.state is SessionState.DISCONNECTED:
            return self._login.ready_at(self.connection.failover.next_at(), self._ticked)
        if not self.connection.live:
            return self.connection.overdue_at()
        times = (
            self.connection.keepalive.wake_at(),
            self._directory.wake_at(),
            self.connection.other_endpoint_at(),
            self._login.renewal_at(),
        )
        return min(at for at in times if at is not None)

    def _connect_if_due(self, now: Now) -> None:
        endpoint = self.connection.failover.next_now(now.mono)
        if endpoint is None:
            return
        if self._login.ready(now.mono):
            self.connection.connect(endpoint, now)
        else:
            self._fetch(self._login.fetch(now.mono))

    def _tend(self, now: Now) -> None:
        if not self.connection.keep_alive(now):
            return
        match self._directory.due(now.mono):
            case Due.REQUEST:
                self._ask_directory(now)
            case Due.ANSWER:
                self._do_without_directory("it did not answer", now)
        self._fetch(self._login.renew(now.mono))
        self.connection.look_for_other_endpoint(now)
