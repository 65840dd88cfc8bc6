"""At most so many of what comes, a second: what asks for attention first, the newest of it first. Pure.

What is not chosen within a second is left out, and counted. The bound holds for each second of the clock: a quarter of
it is given in each quarter, so that a flood does not show its first moment alone.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

QUARTERS: Final = 4
WAIT_SECONDS: Final = 1.0
"""How long something may wait for its turn: what is shown later than that is not live."""


class _Waiting(NamedTuple, Generic[T]):
    number: int
    since: float
    kind: str
    item: T


class Sampler(Generic[T]):
    """``rate``: how many a second. Of each urgency so many wait, at most."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.left_out: Counter[str] = Counter()
        """By kind, since the start."""
        self.seen: Counter[str] = Counter()
        """The same of all that came."""
        self._waiting: dict[int, deque[_Waiting[T]]] = {}
        self._number = 0
        self._second = -1
        self._given = 0

    def add(self, item: T, kind: str, urgency: int, now: float) -> None:
        """One more; the lowest ``urgency`` is chosen first. ``now`` in seconds."""
        self._number += 1
        self.seen[kind] += 1
        waiting = self._waiting.setdefault(urgency, deque())
        waiting.append(_Waiting(self._number, now, kind, item))
        if len(waiting) > self.rate:
            self._leave_out([waiting.popleft()])

    def take(self, now: float) -> list[T]:
        """What is chosen, in the order in which it came."""
        self._drop_late(now)
        chosen: list[_Waiting[T]] = []
        room = self._room(now)
        for urgency in sorted(self._waiting):
            waiting = self._waiting[urgency]
            while waiting and len(chosen) < room:
                chosen.append(waiting.pop())
        self._given += len(chosen)
        return [each.item for each in sorted(chosen, key=lambda each: each.number)]

    def _room(self, now: float) -> int:
        second, part = divmod(now, 1.0)
        if int(second) != self._second:
            self._second, self._given = int(second), 0
        return self.rate * (int(part * QUARTERS) + 1) // QUARTERS - self._given

    def _drop_late(self, now: float) -> None:
        for waiting in self._waiting.values():
            while waiting and now - waiting[0].since > WAIT_SECONDS:
                self._leave_out([waiting.popleft()])

    def _leave_out(self, dropped: Iterable[_Waiting[T]]) -> None:
        self.left_out.update(each.kind for each in dropped)
