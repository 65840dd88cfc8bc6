"""The three brokers of a run: who leads what, and what a clean stop or a kill of one of them takes away for a while."""

from random import Random
from typing import Final

from tests.simulation.world.environment.schedule import Schedule

GROUP: Final = "group coordinator"
TRANSACTIONS: Final = "transaction coordinator"
RESULTS: Final = "leader of the results"
ORDERS: Final = "leader of the orders"

BROKERS: Final = 3

_FAILOVER: Final = {True: (0.02, 0.3, 1.2), False: (0.5, 3.0, 9.0)}
"""Seconds until another broker has taken over what one of them did, after a clean stop and after a kill."""

_AWAY: Final = (2.0, 8.0, 20.0)
"""Seconds until a broker is back."""

LIES_AFTER: Final = (0.0, 0.3, 2.0)
"""Seconds for which it has served by then: it loads its log a second time."""

LIE_SECONDS: Final = (0.5, 1.0, 3.0)
"""How long a group coordinator may answer from an old state after an unclean start (seen with Kafka 4.1.0)."""


def leader_of(partition: int) -> str:
    """The role of leading a partition of the prices topic."""
    return f"leader of prices {partition}"


class Brokers:
    """Each role is one broker's. ``lies_from`` and ``lies_until``: when the group coordinator's word is of old."""

    def __init__(self, schedule: Schedule, rng: Random, partitions: int, *, orders: bool = False) -> None:
        """``orders``: whether there is a control topic."""
        self._schedule = schedule
        self._rng = rng
        roles = (GROUP, TRANSACTIONS, RESULTS, *(leader_of(number) for number in range(partitions)))
        roles += (ORDERS,) if orders else ()
        self._broker_of = {role: rng.randrange(BROKERS) for role in roles}
        self._back_at = dict.fromkeys(roles, 0.0)
        self._away: int | None = None
        self._round = 0
        self.lies_from = self.lies_until = -1.0

    def wait(self, role: str) -> float:
        """Seconds until whoever has this role answers; 0 where it does already."""
        return max(0.0, self._back_at[role] - self._schedule.mono)

    @property
    def lies(self) -> bool:
        """Whether the group coordinator answers from an old state just now."""
        return self.lies_from <= self._schedule.mono < self.lies_until

    def move(self, role: str) -> None:
        """A leader or coordinator moves, all brokers being there."""
        self._hand_over(role, clean=True)

    def lack(self, role: str, seconds: float) -> None:
        """Nobody has this role for so long."""
        self._back_at[role] = max(self._back_at[role], self._schedule.mono + seconds)

    def lose_one(self, *, clean: bool, lie: bool) -> bool:
        """One broker goes, and comes back later; False where one is away already.

        ``lie``: it was the group's coordinator and did not go cleanly, and the next one answers from an old state for
        a while.
        """
        if self._away is not None:
            return False
        lost = self._away = self._broker_of[GROUP] if lie else self._rng.randrange(BROKERS)
        for role, broker in self._broker_of.items():
            if broker == lost:
                self._hand_over(role, clean=clean)
                if role == GROUP and lie and not clean:
                    self.lies_from = self._back_at[GROUP] + self._rng.choice(LIES_AFTER)
                    self.lies_until = self.lies_from + self._rng.choice(LIE_SECONDS)
        self._schedule.after(self._rng.choice(_AWAY), self._returned)
        return True

    def _hand_over(self, role: str, *, clean: bool) -> None:
        others = [number for number in range(BROKERS) if number not in (self._broker_of[role], self._away)]
        self._broker_of[role] = self._rng.choice(others)
        takes = self._rng.choice(_FAILOVER[clean])
        self._back_at[role] = max(self._back_at[role], self._schedule.mono + takes)

    def _returned(self) -> None:
        self._away = None

    def calm_down(self) -> None:
        """Everything has its broker from now on."""
        self._back_at = dict.fromkeys(self._back_at, 0.0)
        self.lies_until = min(self.lies_until, self._schedule.mono)
