"""Which ADS to try next, and when: each endpoint has its own count of failures and its own wait."""

from dataclasses import dataclass
from enum import StrEnum

from contribd.engine.policy import Backoff


class Failure(StrEnum):
    """Why a session was not made or ended: the label of ``contribd_reconnects_total``."""

    NETWORK = "network"
    TLS = "tls"
    HANDSHAKE = "handshake"
    LOGIN_REFUSED = "login refused"
    LOGIN_TIMEOUT = "login timeout"
    LOGIN_CLOSED = "login closed"
    CLOSED_BY_SERVER = "closed by server"
    PING_TIMEOUT = "ping timeout"
    PROTOCOL = "protocol error"
    ABANDONED = "abandoned"


SLOW_FAILURES = frozenset({Failure.LOGIN_REFUSED})
"""Tried again slowly from the first failure on: quick logins with refused credentials lock accounts out, and servers
were seen to answer quick ones with "Already pending login" for twenty minutes."""

SLOW_FACTOR = 10
"""How many times longer the wait after such a failure is."""


@dataclass(slots=True)
class _Endpoint:
    url: str
    failures: int = 0
    not_before: float = 0.0


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

    def failed(self, url: str, failure: Failure, mono: float) -> float:
        """Notes a failure; the wait in seconds before this endpoint is tried again."""
        endpoint = self._find(url)
        endpoint.failures += 1
        wait = self._backoff(endpoint.failures)
        if failure in SLOW_FAILURES:
            wait *= SLOW_FACTOR
        endpoint.not_before = mono + wait
        return wait

    def stable(self, url: str) -> None:
        """A session with this endpoint has lasted: its failures are forgotten."""
        self._find(url).failures = 0

    def _find(self, url: str) -> _Endpoint:
        return next(endpoint for endpoint in self._endpoints if endpoint.url == url)
