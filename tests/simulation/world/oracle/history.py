"""The records of the prices topic as they were produced, and the order between them."""

from collections.abc import Iterable
from itertools import chain

from tests.simulation.world.environment.record_feed import Produced

Place = tuple[int, int]
"""A partition's number and an offset."""


class History:
    """Owns what was produced. ``keyed``: all records of an instrument are in one partition."""

    def __init__(self, logs: list[list[Produced]], *, keyed: bool) -> None:
        self._logs = logs
        self._keyed = keyed
        self.by_place: dict[Place, Produced] = {}
        self.by_version: dict[int, Produced] = {}

    def add(self, record: Produced) -> None:
        """A record was produced."""
        self.by_place[record.partition, record.offset] = self.by_version[record.version] = record

    def log(self, partition: int) -> list[Produced]:
        """The records of a partition."""
        return self._logs[partition]

    def after(self, one: Produced, other: Produced) -> bool:
        """Whether a record came after another of its RIC, as far as there is an order between them."""
        if one.partition != other.partition and not self._keyed:
            return one is not other
        return one.version > other.version

    def siblings(self, record: Produced) -> Iterable[Produced]:
        """The records of the same RIC and service, itself among them."""
        beside = self._logs[record.partition] if self._keyed else chain.from_iterable(self._logs)
        return (other for other in beside if (other.ric, other.service) == (record.ric, record.service))
