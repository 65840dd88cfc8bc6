"""Which ADS to try next, and when: each endpoint has its own count of failures and its own wait."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from contribd.engine.policy import Backoff


class Failure(StrEnum):
    """Why a session was not made or ended: the label of ``contribd_reconnects_total``."""

    NETWORK = "network"
    TLS = "tls"
    HANDSHAKE = "handshake"
    TOKEN_REFUSED = "token refused"  # noqa: S105 - a reason, not a token
    TOKEN_UNAVAILABLE = "token unavailable"  # noqa: S105 - likewise
    LOGIN_REFUSED = "login refused"
    LOGIN_TIMEOUT = "login timeout"
    LOGIN_CLOSED = "login closed"
    LOGIN_RECOVER = "login closed, recoverable"
    LOGIN_SUSPECT = "login suspect"
    NO_POSTING = "posting not supported"
    SERVICE_DOWN = "service down"
    CLOSED_AT_LOGIN = "closed at login"
    CLOSED_BY_SERVER = "closed by server"
    PING_TIMEOUT = "ping timeout"
    PROTOCOL = "protocol error"
    ABANDONED = "abandoned"
    PREFERRED = "preferred endpoint is back"


SLOW_FACTOR: Final = 10
"""For what will not be cured by trying again soon, and where trying soon does harm: quick logins with refused
credentials lock accounts out, and servers were seen to answer quick ones with "Already pending login" for twenty
minutes."""

BY_POSTS: Final = frozenset(
    {
        Failure.NETWORK,
        Failure.LOGIN_CLOSED,
        Failure.LOGIN_RECOVER,
        Failure.CLOSED_BY_SERVER,
        Failure.PING_TIMEOUT,
        Failure.PROTOCOL,
    }
)
"""How a post can end a session, as far as that shows."""

FACTORS: Final[dict[Failure, float]] = {
    Failure.NETWORK: 1,
    # Certificates and servers that are no ADS change when somebody changes them.
    Failure.TLS: 5,
    Failure.HANDSHAKE: 2,
    Failure.TOKEN_REFUSED: SLOW_FACTOR,
    Failure.TOKEN_UNAVAILABLE: 1,
    Failure.LOGIN_REFUSED: SLOW_FACTOR,
    # The login may have been taken and only its answer lost: another one soon would be pending beside it.
    Failure.LOGIN_TIMEOUT: 2,
    # Closed says do not come back, ClosedRecover says do.
    Failure.LOGIN_CLOSED: 5,
    Failure.LOGIN_RECOVER: 1,
    Failure.LOGIN_SUSPECT: 1,
    Failure.NO_POSTING: SLOW_FACTOR,
    Failure.SERVICE_DOWN: 1,
    # It may be how this server refuses a login.
    Failure.CLOSED_AT_LOGIN: 5,
    Failure.CLOSED_BY_SERVER: 1,
    Failure.PING_TIMEOUT: 1,
    # Or a post is what it cannot answer: of a server whose login is open, as any other end.
    Failure.PROTOCOL: 5,
    # Neither is the endpoint's fault.
    Failure.ABANDONED: 0,
    Failure.PREFERRED: 0,
}
"""How many times the configured wait an endpoint rests after each kind of failure."""


class EndpointStatus(NamedTuple):
    """One endpoint at one moment. ``failures``: in a row; ``failure``: the last one's kind, None where they are
    forgotten; ``wait``: seconds until it may be tried."""

    url: str
    failures: int
    failure: Failure | None
    wait: float


@dataclass(slots=True)
class _Endpoint:
    url: str
    failures: int = 0
    not_before: float = 0.0
    failure: Failure | None = None


class Endpoints:
    """Endpoints in order of preference. The first that need not wait is tried; if all must, the one due first."""

    def __init__(self, urls: tuple[str, ...], backoff: Backoff) -> None:
        self._endpoints = [_Endpoint(url) for url in urls]
        self._backoff = backoff

    def next(self) -> tuple[str, float]:
        """The endpoint to try, and the monotonic time from which it may be tried."""
        best = min(self._endpoints, key=lambda endpoint: endpoint.not_before)
        return best.url, best.not_before

    def next_now(self, mono: float) -> str | None:
        """The most preferred endpoint that may be tried at ``mono``, None where all must wait."""
        return next((endpoint.url for endpoint in self._endpoints if endpoint.not_before <= mono), None)

    def not_before(self, url: str) -> float:
        """The monotonic time from which this endpoint may be tried."""
        return self._find(url).not_before

    def may_try(self, url: str, mono: float) -> bool:
        """Whether this endpoint need not wait any more."""
        return self._find(url).not_before <= mono

    def next_other(self, url: str) -> float | None:
        """The monotonic time from which another endpoint than ``url`` may be tried, None where there is no other."""
        return min((each.not_before for each in self._endpoints if each.url != url), default=None)

    def failed(self, url: str, failure: Failure, mono: float, *, live: bool = False) -> float:
        """Notes a failure; the wait in seconds before this endpoint is tried again. ``live``: its login was open."""
        factor = 1 if live and failure is Failure.PROTOCOL else FACTORS[failure]
        if not factor:
            return 0.0
        endpoint = self._find(url)
        endpoint.failures += 1
        endpoint.failure = failure
        wait = self._backoff(endpoint.failures) * factor
        endpoint.not_before = mono + wait
        return wait

    def pause(self, url: str, since: float, mono: float) -> float:
        """It has not failed: the wait until two logins, the last one at ``since``, are as far apart as after one
        failure."""
        wait = max(0.0, since + self._backoff(1) - mono)
        self._find(url).not_before = mono + wait
        return wait

    def stable(self, url: str) -> None:
        """A session with this endpoint has lasted: its failures are forgotten."""
        endpoint = self._find(url)
        endpoint.failures, endpoint.failure = 0, None

    def status(self, mono: float) -> tuple[EndpointStatus, ...]:
        """All of them, in order of preference."""
        return tuple(
            EndpointStatus(each.url, each.failures, each.failure, max(0.0, each.not_before - mono))
            for each in self._endpoints
        )

    def _find(self, url: str) -> _Endpoint:
        return next(endpoint for endpoint in self._endpoints if endpoint.url == url)
