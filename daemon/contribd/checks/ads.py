"""Looks at one ADS endpoint the way the daemon would use it, posting nothing: for ``contribd check --connect``."""

import select
import socket
import ssl
import time
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from contribd.ads.dialer import DialError, DialOptions, connect
from contribd.ads.token_client import TokenClient
from contribd.ads.websocket import WebSocket, WebSocketLost
from contribd.engine.clock import Now
from contribd.engine.commands import FetchToken
from contribd.engine.counters import EngineCounters
from contribd.engine.events import TokenFailed
from contribd.engine.limits import DIRECTORY_TIMEOUT
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.reached import Reached
from contribd.engine.session.services import Services
from contribd.engine.session.session import Session
from contribd.engine.session.session_log import offered
from contribd.engine.states import SessionState
from contribd.omm.answers import Ack, BadFrame, LoginAnswer, Pong, decode
from contribd.omm.requests import PING, Login

PONG_TIMEOUT: Final = 5.0
"""Seconds; an ADS answers a Ping in milliseconds."""


@dataclass(slots=True)
class EndpointReport:
    """What was found, as far as it went. Times in seconds, sizes in bytes."""

    endpoint: str
    problem: str | None = None
    """Why nothing could be posted there just now."""
    address: str | None = None
    """The peer's address and port; the proxy's where there is one."""
    failed_addresses: list[str] = field(default_factory=list)
    """Other addresses of its name that were tried first, each with what came of it."""
    tls: str | None = None
    connected_in: float | None = None
    position: str | None = None
    """The login's; by default this end's address."""
    poster: str | None = None
    """The address that posts would name."""
    logged_in: bool = False
    posting: bool | None = None
    """SupportOMMPost; None where the server does not say."""
    max_message_size: int | None = None
    ping_timeout: float | None = None
    services: dict[str, bool | None] = field(default_factory=dict)
    """Each service posted to: Up or not, None where the server does not say."""
    directory: bool = False
    """Whether the server has a source directory."""
    round_trip: float | None = None
    """From a Ping to its Pong."""


class _Visit:
    """One session with one endpoint, from the login to its close."""

    def __init__(self, link: WebSocket, policy: SessionPolicy, report: EndpointReport, reached: Reached) -> None:
        self._link = link
        self._reached = reached
        self._report = report
        self._session = Session(policy, Random(), EngineCounters())
        self._connection = self._session.connection
        self._pong: float | None = None

    def log_in(self) -> None:
        """Up to the state of the services, or to the reason why there is none."""
        session, connection, policy = self._session, self._connection, self._session.policy
        session.tick(_now())
        session.connected(connection.attempt, _now(), self._reached)
        self._report.position, self._report.poster = session.position, session.poster
        deadline = time.monotonic() + policy.login_timeout + 2 * DIRECTORY_TIMEOUT
        while connection.last_failure is None and time.monotonic() < deadline:
            self._round()
            if session.services.known or connection.state is SessionState.OPEN:
                break
        report = self._report
        report.logged_in = connection.live
        if not connection.live:
            report.problem = connection.last_failure or "nothing was heard in time"
            return
        report.max_message_size, report.ping_timeout = session.limits.max_message_size, session.limits.ping_timeout
        report.directory = session.services.known
        report.services = {
            name: session.services.is_up(name) if session.services.known else None for name in policy.services
        }
        if down := [name for name, up in report.services.items() if up is False]:
            report.problem = "; ".join(_not_up(session.services, name) for name in down)

    def ping(self) -> None:
        """Measures the round trip."""
        started = time.monotonic()
        self._link.send([PING])
        while self._pong is None and time.monotonic() < started + PONG_TIMEOUT and self._connection.live:
            self._round()
        if self._pong is not None:
            self._report.round_trip = self._pong - started

    def leave(self) -> None:
        """Closes the login stream."""
        self._connection.drain(_now())
        self._connection.close(_now())
        self._link.send(self._connection.take_frames())

    def _round(self) -> None:
        connection, link = self._connection, self._link
        self._session.tick(_now())
        connection.take_commands()
        if frames := connection.take_frames():
            link.send(frames)
        writing = [link] if link.wants_write else []
        select.select([link], writing, [], 0.05)
        before = link.received
        try:
            link.flush()
            texts = link.receive()
            if link.received != before:
                connection.heard(_now())
            self._read(texts)
        except WebSocketLost as lost:
            # What came before the end may say why it came.
            self._read(lost.texts)
            connection.lost(connection.attempt, lost.failure, str(lost), _now())

    def _read(self, texts: list[bytes]) -> None:
        for text in texts:
            for answer in decode(text):
                self._take(answer)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Pong):
            self._pong = time.monotonic()
        elif not isinstance(answer, Ack):
            if isinstance(answer, LoginAnswer) and answer.refresh:
                self._report.posting = answer.supports_post
            self._session.received(answer, _now())


def inspect_endpoint(
    endpoint: str, policy: SessionPolicy, options: DialOptions, tokens: TokenClient | None
) -> EndpointReport:
    """Connects, logs in, asks for the services and closes. Never raises for what the network or the server does."""
    report = EndpointReport(endpoint)
    login = policy.login
    if tokens is not None:
        fetched = tokens.fetch(FetchToken(1))
        if isinstance(fetched, TokenFailed):
            report.problem = f"{fetched.failure.value}: {fetched.text}"
            return report
        login = replace(login, token=fetched.token)
    started = time.monotonic()
    try:
        dialed = connect(endpoint, options)
    except DialError as error:
        report.problem = f"{error.failure.value}: {error}"
        return report
    report.connected_in = time.monotonic() - started
    reached = Reached(dialed.address, dialed.failures, *dialed.own)
    report.failed_addresses = [text for _, text in dialed.failures]
    _describe(dialed.sock, report)
    _visit(WebSocket(dialed.sock), _alone(policy, endpoint, login), report, reached)
    return report


def _not_up(services: Services, name: str) -> str:
    if services.has(name):
        return f"service {name} is down"
    return f"the ADS has no service {name}; it has {offered(services, name)}"


def _visit(link: WebSocket, policy: SessionPolicy, report: EndpointReport, reached: Reached) -> None:
    visit = _Visit(link, policy, report, reached)
    try:
        visit.log_in()
        if report.logged_in:
            visit.ping()
            visit.leave()
    except WebSocketLost as lost:
        report.problem = report.problem or f"{lost.failure.value}: {lost}"
    except BadFrame as error:
        report.problem = f"protocol error: {error}"
    finally:
        link.close()


def _alone(policy: SessionPolicy, endpoint: str, login: Login) -> SessionPolicy:
    return replace(policy, endpoints=(endpoint,), login=login, tokens=None, return_after=None)


def _describe(sock: socket.socket, report: EndpointReport) -> None:
    try:
        host, port, *_ = sock.getpeername()
        report.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    except OSError:  # it is gone already, and the login will say so
        pass
    if isinstance(sock, ssl.SSLSocket):
        cipher = sock.cipher()
        report.tls = f"{sock.version()} {cipher[0]}" if cipher else sock.version()


def _now() -> Now:
    return Now(time.monotonic(), time.time_ns() // 1000)
