"""The ADS session without its socket: told what happened, it says what to send, and when to connect or give up.

Here is what is said over a connection (``connection.py``, which knows nothing of this): the login and its token
(``login.py``), and the services (``directory.py``).
"""

from random import Random

from contribd.engine.clock import Now
from contribd.engine.commands import FetchToken
from contribd.engine.counters import EngineCounters
from contribd.engine.limits import DEFAULT_MAX_MESSAGE_SIZE, DEFAULT_PING_TIMEOUT
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.connection import Connection
from contribd.engine.session.directory import Due, SourceDirectory
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.login import LoginStream
from contribd.engine.session.services import Services
from contribd.engine.session.session_log import EventLog, SessionLog, silent
from contribd.engine.states import SessionEvent, SessionState
from contribd.omm.answers import Answer, Directory, DirectoryRefused, LoginAnswer, Other, Ping
from contribd.omm.requests import PONG, source_directory


class Session:
    """One ADS session after the other. Posts may go while the connection's state is OPEN, to services that are Up."""

    def __init__(self, policy: SessionPolicy, rng: Random, counters: EngineCounters, log: EventLog = silent) -> None:
        self.policy = policy
        self.session_id = ""
        self.max_message_size = DEFAULT_MAX_MESSAGE_SIZE
        self._rng = rng
        self._login = LoginStream(policy)
        self._directory = SourceDirectory(policy.services)
        self._log = SessionLog(counters, log)
        # What its server said of the services holds for no other.
        self.connection = Connection(policy, self._log, self._directory.forget)
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
    def ping_timeout(self) -> float:
        """Seconds, as the server named it."""
        return self.connection.keepalive.ping_timeout

    def is_up(self, service: str) -> bool:
        """Whether posts to this service may go."""
        return self.connection.state is SessionState.OPEN and self.services.is_up(service)

    def connected(self, attempt: int, now: Now) -> None:
        """The connection is made: log in."""
        if attempt != self.connection.attempt or self.connection.state is not SessionState.CONNECTING:
            return
        request = self._login.request(now.mono)
        if request is None:
            self.connection.end(Failure.TOKEN_UNAVAILABLE, "the token ran out while the connection was made", now)
            return
        self.connection.pass_to(SessionEvent.CONNECTED, now)
        self.connection.keepalive.start(now.mono)
        self.connection.send(request, now)

    # What the server says

    def received(self, answer: Answer, now: Now) -> None:
        """An answer that is not about a post."""
        if not self.connection.live and self.connection.state is not SessionState.LOGGING_IN:
            return
        match answer:
            case Ping():
                self.connection.send(PONG, now)
            case LoginAnswer():
                self._login_answered(answer, now)
            case Directory():
                self._directory.update(answer)
                self._follow_services(now)
            case DirectoryRefused(text=text):
                if self._directory.stream_closed(now.mono):
                    self._do_without_directory(text or "the server closed the source directory", now)
            case Other(type="Status" | "Error" as kind, text=text):
                self._log.other(kind, text)

    def _login_answered(self, answer: LoginAnswer, now: Now) -> None:
        refusal = self._login.refusal(answer, live=self.connection.live)
        if refusal is not None:
            self.connection.end(*refusal, now)
            return
        if answer.data in ("Ok", "Suspect"):  # the third, NoChange, says what it says
            self._follow_login_data(answer, now)
        if answer.refresh and self.connection.state is SessionState.LOGGING_IN:
            if answer.supports_post is False:
                self.connection.end(Failure.NO_POSTING, "the ADS says that it takes no posts (SupportOMMPost 0)", now)
                return
            self._logged_in(answer, now)

    def _follow_login_data(self, answer: LoginAnswer, now: Now) -> None:
        """Suspect data under an open stream: posts go on, since only the service's state is about posting."""
        if self.connection.failover.suspect(answer.data != "Ok", now.mono):
            self._log.suspect(self.connection.endpoint, answer)

    def _logged_in(self, answer: LoginAnswer, now: Now) -> None:
        self.session_id = f"{self._rng.getrandbits(64):016x}"
        self.max_message_size = answer.max_message_size or DEFAULT_MAX_MESSAGE_SIZE
        self.connection.keepalive.agree(answer.ping_timeout or DEFAULT_PING_TIMEOUT)
        self.connection.pass_to(SessionEvent.LOGIN_OPEN, now)
        self._log.logged_in(
            self.connection.endpoint,
            answer,
            session=self.session_id,
            max_message_size=self.max_message_size,
            ping_timeout=self.ping_timeout,
        )
        self.connection.failover.opened(self.connection.endpoint, now.mono)
        if self.policy.wait_for_service:
            self.connection.failover.service(up=False, mono=now.mono)
            self._ask_directory(now)
        else:
            self.connection.pass_to(SessionEvent.SERVICE_UP, now)

    # The services

    def _ask_directory(self, now: Now) -> None:
        self._directory.asked(now.mono)
        self.connection.send(source_directory(), now)

    def _do_without_directory(self, reason: str, now: Now) -> None:
        self._directory.forget()
        self._follow_services(now)
        self._log.no_directory(self.connection.endpoint, reason)

    def _follow_services(self, now: Now) -> None:
        """Open while a service that is posted to is Up; each service by itself is asked of ``is_up``."""
        any_up = self._directory.any_up
        self.connection.failover.service(any_up, now.mono)
        if any_up and self.connection.state is SessionState.WAITING_FOR_SERVICE:
            self.connection.pass_to(SessionEvent.SERVICE_UP, now)
            if self.services.known:
                self._log.service_up(self.connection.endpoint, self.services.states())
        elif not any_up and self.connection.state is SessionState.OPEN:
            self.connection.pass_to(SessionEvent.SERVICE_DOWN, now)
            self._log.service_down(self.connection.endpoint, self.services.states())

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
