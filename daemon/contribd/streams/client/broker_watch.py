"""Which brokers are away: one line when one is lost, and one when it is back.

A connection that breaks and is made again at once is nothing to tell of. A broker is lost where one that was reached
before cannot be reached again.
"""

from collections.abc import Callable
from typing import NamedTuple

from contribd.ops.log import get_logger
from contribd.streams.runtime import lock

_log = get_logger("kafka")


class _Loss(NamedTuple):
    text: str
    since: float


class BrokerWatch:
    """Told by the threads of every client. A broker is named by its address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` in monotonic seconds."""
        self._clock = clock
        self._lock = lock()
        self._reached: set[str] = set()
        self._lost: dict[str, _Loss] = {}
        self._connections = 0

    def problem(self) -> str | None:
        """Why nothing can be asked of any broker, None where one is connected or none was lost."""
        with self._lock:
            if self._connections or not self._lost:
                return None
            return "; ".join(dict.fromkeys(loss.text for loss in self._lost.values()))

    def connected(self, broker: str) -> None:
        """A client has a connection to it."""
        with self._lock:
            self._connections += 1
            self._reached.add(broker)
            loss = self._lost.pop(broker, None)
        if loss is not None:
            _log.info("a broker is back", broker=broker, away=f"{self._clock() - loss.since:.1f} s")

    def disconnected(self) -> None:
        """A connection has ended, for whatever reason."""
        with self._lock:
            self._connections -= 1

    def unreachable(self, broker: str, text: str) -> None:
        """A client could not connect to it: ``text`` says why."""
        with self._lock:
            news = broker in self._reached and broker not in self._lost
            if news:
                self._lost[broker] = _Loss(text, self._clock())
        if news:
            _log.warning("a broker is lost, trying again until it is back", broker=broker, reason=text)

    def moved(self, brokers: set[str]) -> set[str]:
        """These are all there are now: which of those that were lost are not among them, and waited for no longer."""
        with self._lock:
            gone = self._lost.keys() - brokers
            self._reached -= gone
            for broker in gone:
                del self._lost[broker]
        return gone
