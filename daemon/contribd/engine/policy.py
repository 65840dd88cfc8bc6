"""The settings the engine works by, in its own units: seconds, microseconds, counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from contribd.engine.limits import OFFENDER_FIRST, OFFENDER_LONGEST
from contribd.omm.requests import Login

Backoff: TypeAlias = Callable[[int], float]
"""The wait in seconds before try ``n + 1``, after ``n`` failures (``n`` from 1)."""


def offender_backoff(offences: int) -> float:
    """Without chance: which of several offenders goes first does not matter."""
    return min(OFFENDER_LONGEST, OFFENDER_FIRST * 2.0 ** min(16, offences - 1))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a refused or unanswered post is posted again.

    ``attempts`` is the most posts a price gets; ``codes`` are the NakCodes worth another; ``backoff`` is the wait, and
    ``offender`` that of an instrument whose post has ended so many sessions.
    """

    attempts: int
    codes: frozenset[str]
    backoff: Backoff
    offender: Backoff = offender_backoff


@dataclass(frozen=True, slots=True)
class WithdrawPolicy:
    """When quotes are blanked: ``silent_after`` in seconds, None: never; ``fields`` by the name of the mapping.

    ``heartbeat``: seconds between two words of the consumer group, while Kafka is there.
    """

    on_stop: bool = False
    silent_after: float | None = None
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    heartbeat: float = 3.0

    @property
    def wanted(self) -> bool:
        """Whether anything can ever be withdrawn."""
        return bool(self.fields) and (self.on_stop or self.silent_after is not None)


@dataclass(frozen=True, slots=True)
class ContributionPolicy:
    """How prices become posts. ``max_age`` in microseconds, ``ack_timeout`` in seconds, ``max_rate`` posts a second.

    ``first_post_id``: the PostID a process begins with; a simulation begins near the largest, to pass it.
    """

    conflate: bool
    max_age: int | None
    retry: RetryPolicy
    create_missing: bool
    ack_timeout: float
    max_outstanding: int
    pack: int
    max_rate: float | None
    withdraw: WithdrawPolicy = WithdrawPolicy()
    first_post_id: int = 1


class TokenKind(Enum):
    """How a login token is got: with a user's password (version 1), or with a client's secret (version 2)."""

    PASSWORD = "password-grant"  # noqa: S105 - the name of a grant
    CLIENT = "client-credentials"


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How the session is made and kept. ``endpoints`` in order of preference; times in seconds.

    ``services``: what is posted to; empty: any that the ADS has. ``wait_for_service``: whether the source directory is
    asked for. ``service_down_limit``: how long none of them may be Up before another endpoint is tried.
    ``poster``: the address that posts name, an IPv4 one; None, and ``login.position`` empty: this end's address.
    ``return_after``: how long a preferred endpoint must be reachable before it is gone back to. None: never.
    """

    endpoints: tuple[str, ...]
    service: str
    login: Login
    login_timeout: float
    backoff: Backoff
    services: tuple[str, ...] = ()
    wait_for_service: bool = True
    service_down_limit: float | None = 30.0
    return_after: float | None = 300.0
    tokens: TokenKind | None = None
    poster: str | None = None
