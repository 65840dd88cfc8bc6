"""Logins that the brokers refuse: what was refused, and when the next one may be tried.

Accounts are locked after a few refusals, and one process has half a dozen clients that would each try again several
times a second. So all of them ask here first. After a refusal nobody logs in anywhere until the wait is over, which
doubles with each; then one tries, for all. Other credentials than those that were refused may be tried at once. And as
long as no login has succeeded, one is tried at a time.

A login that succeeds ends the wait everywhere but at brokers that refused on their own.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from contribd.streams.runtime import lock

ATTEMPT_SECONDS: Final = 10.0
"""How long one attempt keeps the others waiting, at most: longer than a connection and a login take."""

GLANCE_SECONDS: Final = 0.1
"""How soon those that wait for another's attempt look again."""


class Refusal(NamedTuple):
    """``text``: a sentence. ``credentials``: those that were refused, so many ``times`` in a row."""

    text: str
    credentials: Mapping[str, Any]
    times: int
    until: float


class Logins:
    """Asked by the threads of every client. Times are monotonic seconds."""

    def __init__(self, wait: Callable[[int], float], clock: Callable[[], float]) -> None:
        """``wait``: seconds after so many refusals in a row."""
        self._wait = wait
        self._clock = clock
        self._lock = lock()
        self._everywhere: Refusal | None = None
        self._at: dict[str, Refusal] = {}
        self._told: set[str] = set()
        self._untold: str | None = None
        self._proven = False
        self._attempt_until = 0.0

    @property
    def refusal(self) -> str | None:
        """What was refused last, as long as no login has succeeded since."""
        return None if self._everywhere is None else self._everywhere.text

    def delay(self, address: str | None, credentials: Mapping[str, Any]) -> float:
        """Seconds until a login at ``address`` may be tried, None standing for any; 0: now."""
        now = self._clock()
        refusals = [self._everywhere, self._at.get(address) if address else None]
        waits = [each.until - now for each in refusals if each is not None and each.credentials == credentials]
        if self._everywhere is not None or not self._proven:
            waits.append(min(GLANCE_SECONDS, self._attempt_until - now))
        return max(0.0, *waits, 0.0)

    def attempt(self, address: str, credentials: Mapping[str, Any]) -> float:
        """0: go on, and tell ``succeeded``, ``refused`` or ``failed``; else the seconds until it may be tried."""
        with self._lock:
            delay = self.delay(address, credentials)
            if not delay:
                self._attempt_until = self._clock() + ATTEMPT_SECONDS
            return delay

    def succeeded(self, address: str) -> bool:
        """A login was taken; whether one was refused before."""
        with self._lock:
            was_refused = self._everywhere is not None
            self._everywhere = self._untold = None
            self._at.pop(address, None)
            self._told.clear()
            self._proven, self._attempt_until = True, 0.0
            return was_refused

    def refused(self, address: str, credentials: Mapping[str, Any], text: str) -> None:
        """A login was refused."""
        with self._lock:
            self._everywhere = self._refusal(self._everywhere, credentials, text)
            self._at[address] = self._refusal(self._at.get(address), credentials, text)
            self._attempt_until = 0.0
            if text not in self._told:
                self._untold = text

    @property
    def untold(self) -> str | None:
        """What was refused last and nobody has told of, as long as no login has succeeded since."""
        return self._untold

    def raised(self) -> None:
        """Whoever opens a client was told of the last refusal by what that raised, and tells of it."""
        with self._lock:
            self._untold = None

    def tell(self, text: str) -> bool:
        """Whether this refusal is to be told: each is, once, until a login succeeds."""
        with self._lock:
            is_news = text not in self._told
            self._told.add(text)
            self._untold = None
            return is_news

    def failed(self) -> None:
        """An attempt ended before it came to a login."""
        with self._lock:
            self._attempt_until = 0.0

    def _refusal(self, before: Refusal | None, credentials: Mapping[str, Any], text: str) -> Refusal:
        times = 1 if before is None or before.credentials != credentials else before.times + 1
        return Refusal(text, dict(credentials), times, self._clock() + self._wait(times))
