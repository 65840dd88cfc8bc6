"""Which brokers are away: one line when one is lost, and one when it is back.

A connection that breaks and is made again at once is nothing to tell of. A broker is lost where one that was reached
before cannot be reached again.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from contribd.ops.log import get_logger
from contribd.streams.runtime import lock

_log = get_logger("kafka")


NOTHING: Final = "nothing of ours"


class _Loss(NamedTuple):
    text: str
    since: float
    holds_up: str


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
            away = f"{self._clock() - loss.since:.1f} s"
            _log.info("a broker is back", broker=broker, away=away, held_up=loss.holds_up)

    def disconnected(self) -> None:
        """A connection has ended, for whatever reason."""
        with self._lock:
            self._connections -= 1

    def unreachable(self, broker: str, text: str, holds_up: Callable[[], str] = lambda: NOTHING) -> None:
        """A client could not connect to it: ``text`` says why, ``holds_up`` what waits for it."""
        loss: _Loss | None = None
        with self._lock:
            if broker in self._reached and broker not in self._lost:
                self._lost[broker] = loss = _Loss(text, self._clock(), holds_up() or NOTHING)
        if loss is not None:
            sentence = "a broker is lost, trying again until it is back"
            _log.warning(sentence, broker=broker, reason=text, holds_up=loss.holds_up)

    def moved(self, brokers: set[str]) -> set[str]:
        """These are all there are now: which of those that were lost are not among them, and waited for no longer."""
        with self._lock:
            gone = self._lost.keys() - brokers
            self._reached -= gone
            for broker in gone:
                del self._lost[broker]
        return gone
