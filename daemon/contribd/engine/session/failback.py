"""Failback to a preferred endpoint, without going back and forth.

While a session is with a less preferred endpoint, the more preferred ones are probed. One that answered every probe
for the hold time is gone back to. A return that did not last that long itself doubles the hold time for the next.
"""

from typing import Final

from contribd.engine.limits import MAX_HOLD, MAX_PROBE_INTERVAL, MIN_PROBE_INTERVAL

_PROBES_A_HOLD: Final = 4
"""An endpoint is probed this often within the hold time, as far as the shortest and longest interval allow."""


class Failback:
    """Follows the endpoints ahead of the one in use. ``hold``: seconds; None never goes back."""

    def __init__(self, urls: tuple[str, ...], hold: float | None) -> None:
        self._urls = urls
        self._hold = hold
        self._ahead: tuple[str, ...] = ()
        self._reachable_since: dict[str, float] = {}
        self._asked: set[str] = set()
        self._next_probe = 0.0
        self._returned: tuple[str, float] | None = None
        self._short_returns: dict[str, int] = {}

    def began(self, url: str, mono: float) -> None:
        """A session with ``url`` is open."""
        if self._hold is not None:
            self._ahead = self._urls[: self._urls.index(url)]
            self._next_probe = mono + self._interval(self._hold)
        self._forget_probes()

    def ended(self, url: str, mono: float) -> None:
        """The session with ``url`` is over."""
        self._ahead = ()
        if self._returned is not None and self._returned[0] == url:
            lasted = mono - self._returned[1]
            self._short_returns[url] = 0 if lasted >= self._hold_of(url) else self._short_returns.get(url, 0) + 1
            self._returned = None

    def returning(self, url: str, mono: float) -> None:
        """The session moves to ``url`` since it answers again."""
        self._returned = (url, mono)

    def take_probes(self, mono: float) -> list[str]:
        """The endpoints to probe now. One that has not answered since the last probe counts as unreachable."""
        if not self._ahead or self._hold is None or mono < self._next_probe:
            return []
        for url in self._asked:
            self._reachable_since.pop(url, None)
        self._asked = set(self._ahead)
        self._next_probe = mono + self._interval(self._hold)
        return list(self._ahead)

    def probed(self, url: str, reachable: bool, mono: float) -> None:
        """What came of a probe."""
        self._asked.discard(url)
        if not reachable:
            self._reachable_since.pop(url, None)
        elif url in self._ahead:
            self._reachable_since.setdefault(url, mono)

    def ready(self, mono: float) -> list[str]:
        """The endpoints to go back to, the most preferred first."""
        since = self._reachable_since
        return [url for url in self._ahead if url in since and mono - since[url] >= self._hold_of(url)]

    def wake_at(self) -> float | None:
        """The monotonic time of the next probe, None where nothing is ahead."""
        return self._next_probe if self._ahead else None

    def _hold_of(self, url: str) -> float:
        hold = self._hold or 0.0
        return min(hold * 2.0 ** min(16, self._short_returns.get(url, 0)), max(hold, MAX_HOLD))

    def _forget_probes(self) -> None:
        self._reachable_since.clear()
        self._asked.clear()

    @staticmethod
    def _interval(hold: float) -> float:
        return min(MAX_PROBE_INTERVAL, max(MIN_PROBE_INTERVAL, hold / _PROBES_A_HOLD))
