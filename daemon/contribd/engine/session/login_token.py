"""The login token: when to fetch one, when to renew it, and how long to wait after a failure.

A token of the password grant (version 1) is renewed at four fifths of its life, with its refresh token first and with
the password where that is refused, and the login is reissued with it. One of the client credentials (version 2)
matters only when a connection is made.
"""

from contribd.engine.commands import FetchToken
from contribd.engine.limits import MAX_RETRY_AFTER, MIN_TOKEN_LIFE, RENEW_AT
from contribd.engine.policy import Backoff, TokenKind
from contribd.engine.session.endpoints import FACTORS, Failure


class LoginToken:
    """The token of this process. Times are monotonic seconds; ``timeout``: of one request to the token service."""

    def __init__(self, kind: TokenKind, backoff: Backoff, timeout: float) -> None:
        self._kind = kind
        self._backoff = backoff
        self._timeout = timeout
        self._token: str | None = None
        self._refresh: str | None = None
        self._renew_at = 0.0
        self._expires = 0.0
        self._number = 0
        self._with_refresh = False
        self._whole_life = 0.0
        self._deadline: float | None = None
        self._failures = 0
        self._not_before = 0.0

    @property
    def current(self) -> str | None:
        """The token in use, good or not."""
        return self._token

    def usable(self, mono: float) -> str | None:
        """The token to log in with, None where one has to be fetched first.

        One past its time of renewal will do while the token service fails.
        """
        return self._token if mono < (self._expires if self._failures else self._renew_at) else None

    def request(self, mono: float) -> FetchToken | None:
        """A request to make now; None while one is not answered yet or it is too early."""
        if self._deadline is not None or mono < self._not_before:
            return None
        self._number += 1
        self._deadline = mono + self._timeout
        self._with_refresh = self._refresh is not None
        return FetchToken(self._number, self._refresh)

    def renew(self, mono: float) -> FetchToken | None:
        """A request to make now for the session that is open."""
        if self._kind is not TokenKind.PASSWORD or mono < self._renew_at:
            return None
        return self.request(mono)

    def overdue(self, mono: float) -> int | None:
        """The number of a request that was not answered in time."""
        return self._number if self._deadline is not None and mono >= self._deadline else None

    def token_got(self, number: int, token: str, refresh: str | None, life: float, mono: float) -> bool:
        """The token service gave a token for ``life`` seconds; False where nothing was asked of it any more."""
        if number != self._number or self._deadline is None:
            return False
        self._deadline, self._failures, self._not_before = None, 0, 0.0
        life = max(MIN_TOKEN_LIFE, life)  # in this order, which leaves nothing of a NaN
        if not self._with_refresh:
            self._whole_life = life
        # A shorter life than the first one's means that the refresh token itself is about to end.
        self._token, self._refresh = token, refresh if life >= self._whole_life else None
        self._renew_at, self._expires = mono + RENEW_AT * life, mono + life
        return True

    def token_failed(self, number: int, failure: Failure, retry_after: float | None, mono: float) -> float | None:
        """There was none; the wait in seconds before the next request, None where nothing was asked any more.

        A refresh token that is refused is forgotten: the password is asked with at once.
        """
        if number != self._number or self._deadline is None:
            return None
        self._deadline = None
        if failure is Failure.TOKEN_REFUSED and self._with_refresh:
            self._refresh, wait = None, 0.0
        else:
            self._failures += 1
            wait = self._backoff(self._failures) * FACTORS[failure]
        if retry_after is not None:
            wait = max(wait, min(retry_after, MAX_RETRY_AFTER))
        self._not_before = mono + wait
        return wait

    def discard(self) -> None:
        """A login with this token was refused: the next one is made with another."""
        self._token = None

    def wake_at(self, *, live: bool) -> float | None:
        """When there is something to do. ``live``: a session is open, and only a renewal matters."""
        if self._deadline is not None:
            return self._deadline
        if not live:
            return self._not_before
        return max(self._renew_at, self._not_before) if self._kind is TokenKind.PASSWORD else None
