"""The login stream: its requests, with a token where one is needed, and why the server closed it."""

from dataclasses import replace
from typing import NamedTuple

from contribd.engine.commands import FetchToken
from contribd.engine.limits import CONNECT_TIMEOUTS
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.login_token import LoginToken
from contribd.omm.answers import LoginAnswer
from contribd.omm.requests import login


class Refusal(NamedTuple):
    """Why there is no login stream, or none any more."""

    failure: Failure
    text: str


class LoginStream:
    """Who logs in. Without a token service no token is ever needed, and none comes. Times are monotonic seconds."""

    def __init__(self, policy: SessionPolicy) -> None:
        self._who = policy.login
        self._given = policy.login.position
        timeout = CONNECT_TIMEOUTS * policy.login_timeout
        self._tokens = LoginToken(policy.tokens, policy.backoff, timeout) if policy.tokens else None

    @property
    def position(self) -> str:
        """The position that logs in."""
        return self._who.position

    def connected_from(self, own: str) -> None:
        """This end's address: the position, where none is configured."""
        self._who = replace(self._who, position=self._given or own)

    # What is sent

    def request(self, mono: float) -> bytes | None:
        """The login for a new connection; None where its token has run out."""
        if self._tokens is None:
            return login(self._who)
        token = self._tokens.usable(mono)
        return None if token is None else login(replace(self._who, token=token))

    def reissue(self) -> bytes:
        """The login again, with the token that was just got."""
        token = None if self._tokens is None else self._tokens.current
        return login(replace(self._who, token=token), refresh=False)

    # The token

    def ready(self, mono: float) -> bool:
        """Whether ``request`` has a login to give."""
        return self._tokens is None or self._tokens.usable(mono) is not None

    def ready_at(self, at: float, mono: float) -> float:
        """When to see to a connection that may be made from ``at`` on; ``mono``: the time as last known."""
        if self._tokens is None or self.ready(max(at, mono)):
            return at
        return max(at, self._tokens.wake_at(live=False) or at)

    def fetch(self, mono: float) -> FetchToken | None:
        """The request to make now so that a connection can be made."""
        return None if self._tokens is None else self._tokens.request(mono)

    def renew(self, mono: float) -> FetchToken | None:
        """The request to make now so that the open session goes on."""
        return None if self._tokens is None else self._tokens.renew(mono)

    def renewal_at(self) -> float | None:
        """When ``renew`` or ``overdue`` may have something new to say of an open session."""
        return None if self._tokens is None else self._tokens.wake_at(live=True)

    def overdue(self, mono: float) -> int | None:
        """The number of a request to the token service that was not answered in time."""
        return None if self._tokens is None else self._tokens.overdue(mono)

    def token_got(self, number: int, token: str, refresh: str | None, life: float, mono: float) -> bool:
        """A token came, for ``life`` seconds; False where nothing was asked any more."""
        return self._tokens is not None and self._tokens.token_got(number, token, refresh, life, mono)

    def token_failed(self, number: int, failure: Failure, retry_after: float | None, mono: float) -> float | None:
        """None came; the wait in seconds before the next request, None where nothing was asked any more."""
        return None if self._tokens is None else self._tokens.token_failed(number, failure, retry_after, mono)

    # What is answered

    def refusal(self, answer: LoginAnswer, *, live: bool) -> Refusal | None:
        """Why the server closed the stream, None where it did not; ``live``: it had been open."""
        if answer.is_open or not answer.stream:
            return None
        text = self._without_token(_said(answer))
        if answer.stream == "ClosedRecover":
            return Refusal(Failure.LOGIN_RECOVER, text)
        if self._tokens is not None:
            self._tokens.discard()
        return Refusal(Failure.LOGIN_CLOSED if live else Failure.LOGIN_REFUSED, text)

    def answered_by_error(self, text: str) -> Refusal:
        """The login was answered by an Error: this server will not take it, however often it is sent."""
        return Refusal(Failure.LOGIN_REFUSED, self._without_token(text) or "the login was answered by an Error")

    def _without_token(self, text: str) -> str:
        """A server may repeat the token that it refuses."""
        token = None if self._tokens is None else self._tokens.current
        return text.replace(token, "***") if token else text


def _said(answer: LoginAnswer) -> str:
    return " ".join(part for part in (answer.code, answer.text) if part) or answer.stream
