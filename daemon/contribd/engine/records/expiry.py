"""Which waiting prices have become too old to be posted.

A price that is stamped in the future is as old as its arrival, so it is younger again for whoever consumes it after a
crash. Where prices are conflated, it is then merged with what was posted after it. Where they are not, its result must
be durable before a newer price is posted: such a price waits for its turn, and its instrument for the result.
"""

import heapq
from collections.abc import Iterable
from itertools import count

from contribd.engine.clock import Now
from contribd.engine.limits import MIN_SWEEP
from contribd.engine.records.price import Price
from contribd.engine.states import PriceState


class Expiry:
    """The deadlines of prices that may expire. ``max_age`` in microseconds; None: none ever does.

    ``conflate``: whether prices are merged while they wait.
    """

    def __init__(self, max_age: int | None, *, conflate: bool = True) -> None:
        self.max_age = max_age
        self._conflate = conflate
        self._deadlines: list[tuple[int, int, Price]] = []
        self._order = count()
        self._sweep_at = MIN_SWEEP

    def __len__(self) -> int:
        return len(self._deadlines)

    def watch(self, price: Price) -> None:
        """A price waits from now on."""
        if self.max_age is not None and price.timestamp >= 0 and (self._conflate or not price.stamped_ahead):
            deadline = price.timestamp * 1000 + self.max_age
            heapq.heappush(self._deadlines, (deadline, next(self._order), price))
            if len(self._deadlines) >= self._sweep_at:
                self._sweep()

    def change(self, max_age: int | None, waiting: Iterable[Price]) -> None:
        """Another age from now on, for all that is ``waiting`` too."""
        if max_age == self.max_age:
            return
        self.max_age = max_age
        self._deadlines.clear()
        for price in waiting:
            self.watch(price)

    def _sweep(self) -> None:
        """Lets go of prices that were settled in time: most are, long before they would have expired."""
        self._deadlines = [entry for entry in self._deadlines if entry[2].state is not PriceState.SETTLED]
        heapq.heapify(self._deadlines)
        self._sweep_at = max(MIN_SWEEP, 2 * len(self._deadlines))

    def too_old(self, price: Price, now: Now) -> bool:
        """Whether a price may not be posted any more, by its timestamp."""
        max_age = self.max_age
        return max_age is not None and price.timestamp >= 0 and price.timestamp * 1000 + max_age < now.wall

    def take_expired(self, now: Now) -> list[Price]:
        """The prices that wait and have become too old since the last call."""
        expired = []
        while self._deadlines and self._deadlines[0][0] < now.wall:
            price = heapq.heappop(self._deadlines)[2]
            if price.state is PriceState.WAITING:
                expired.append(price)
        return expired

    def wake_at(self, now: Now) -> float | None:
        """The monotonic time at which the next price may have become too old."""
        return now.mono + max(0, self._deadlines[0][0] - now.wall) / 1e6 if self._deadlines else None

    def explanation(self, price: Price, now: Now) -> str:
        """Why a price was not posted any more."""
        limit = f"max_age is {(self.max_age or 0) / 1e6:g} s"
        if self.too_old(price, now):
            since = "after its arrival (stamped in the future)" if price.stamped_ahead else "old"
            return f"{now.wall / 1e6 - price.timestamp / 1e3:.3f} s {since}, and {limit}"
        return f"older in the topic than a price of its RIC that is too old, and {limit}"
