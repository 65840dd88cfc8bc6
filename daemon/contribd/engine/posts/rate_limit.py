"""A bound on posts a second."""

from typing import Final

from contribd.engine.limits import RATE_BURST

_ROUNDING: Final = 1e-9
"""A token whose time has come may lack this much by the rounding of floats."""


class RateLimit:
    """A token bucket: ``rate`` posts a second on average, at most a small burst at once; None means no bound."""

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._burst = max(1.0, rate * RATE_BURST) if rate is not None else 0.0
        self._tokens = self._burst
        self._last: float | None = None

    def allowed(self, wanted: int, mono: float) -> int:
        """How many of ``wanted`` posts may go at ``mono``."""
        if self._rate is None:
            return wanted
        if self._last is not None:
            self._tokens = min(self._burst, self._tokens + (mono - self._last) * self._rate)
        self._last = mono
        return min(wanted, int(self._tokens + _ROUNDING))

    def spend(self, posts: int) -> None:
        """``posts`` were sent."""
        if self._rate is not None:
            self._tokens -= posts

    def next_at(self, mono: float) -> float | None:
        """When the next post may go, None where one may go at ``mono`` or there is no bound."""
        if self._rate is None or self._last is None or self._tokens >= 1.0 - _ROUNDING:
            return None
        at = self._last + (1.0 - self._tokens) / self._rate
        return at if at > mono else None
