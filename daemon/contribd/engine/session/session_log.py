"""What an operator is told of the session: sentences, and the count of its failures."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from contribd.engine.counters import EngineCounters
from contribd.engine.session.endpoints import Failure
from contribd.omm.answers import LoginAnswer

EventLog: TypeAlias = Callable[..., None]
"""Takes a level (``info``, ``warning``), a sentence and key=value details: what an operator should know."""


def silent(_level: str, _event: str, **_details: object) -> None:
    """A ``EventLog`` that nobody reads."""


class SessionLog:
    """Says what happens to the session in words; waits are in seconds."""

    def __init__(self, counters: EngineCounters, log: EventLog) -> None:
        self._counters = counters
        self._log = log
        self._without_directory: set[str] = set()

    # Connecting and ending

    def other_endpoint(self, endpoint: str, to: str, reason: str | None) -> None:
        """The next connection goes to another endpoint than the last."""
        self._log("info", "changing the endpoint", of=endpoint, to=to, reason=reason)

    def ended(self, endpoint: str, failure: Failure, text: str, wait: float, *, live: bool) -> None:
        """The session ended (``live``), or none was made; this endpoint rests for ``wait``."""
        self._counters.reconnects[endpoint, failure.value] += 1
        self._log(
            "warning" if failure is not Failure.PREFERRED else "info",
            "session ended" if live else "no session",
            endpoint=endpoint,
            reason=failure.value,
            text=text,
            next_try_in=f"{wait:.1f} s",
        )

    def leaving(self, endpoint: str, failure: Failure) -> None:
        """Another endpoint is to be used."""
        self._log("info", "leaving the endpoint once its answers are in", endpoint=endpoint, reason=failure.value)

    # The token

    def token(self, life: float) -> None:
        """There is one, for ``life`` seconds."""
        self._log("info", "the token service gave a token", lasts=f"{life:g} s")

    def no_token(self, failure: Failure, text: str, wait: float) -> None:
        """There is none; the token service is asked again after ``wait``."""
        self._counters.reconnects["token service", failure.value] += 1
        self._log("warning", "no token", reason=failure.value, text=text, next_try_in=f"{wait:.1f} s")

    # The login

    def logged_in(
        self, endpoint: str, answer: LoginAnswer, *, session: str, max_message_size: int, ping_timeout: float
    ) -> None:
        """The server took the login; the limits are those in force, whether it named them or not."""
        self._log(
            "info",
            "logged in",
            endpoint=endpoint,
            session=session,
            max_message_size=max_message_size,
            ping_timeout=ping_timeout,
            text=answer.text,
        )

    def suspect(self, endpoint: str, answer: LoginAnswer) -> None:
        """The login's data has become suspect, or is so no longer."""
        if answer.data == "Ok":
            self._log("info", "the login is no longer suspect", endpoint=endpoint)
        else:
            self._log("warning", "the login stream is suspect", endpoint=endpoint, text=answer.text)

    def other(self, kind: str, text: str) -> None:
        """A ``Status`` or ``Error`` about no stream of ours."""
        self._log("warning", f"the ADS sent {'a Status' if kind == 'Status' else 'an Error'}", text=text)

    # The services

    def service_up(self, endpoint: str, services: Mapping[str, bool]) -> None:
        """Posts go again."""
        self._log("info", "service up", endpoint=endpoint, services=services)

    def service_down(self, endpoint: str, services: Mapping[str, bool]) -> None:
        """No service that is posted to is Up."""
        self._log("warning", "service down: posts wait", endpoint=endpoint, services=services)

    def no_directory(self, endpoint: str, reason: str) -> None:
        """The server has no source directory: said once for each, since every session with it finds the same."""
        if endpoint not in self._without_directory:
            self._without_directory.add(endpoint)
            text = "no source directory: posting without service states"
            self._log("warning", text, endpoint=endpoint, reason=reason)
