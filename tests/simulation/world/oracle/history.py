"""The records of the prices topic as they were produced, the parts of each, and the order between them."""

from collections.abc import Sequence

from tests.simulation.world.environment.fed_records import Part, PartKey, Produced

Place = tuple[int, int]
"""A partition's number and an offset."""


class History:
    """Owns what was produced. ``keyed``: all records of an instrument are in one partition."""

    def __init__(self, logs: list[list[Produced]], *, keyed: bool) -> None:
        self._logs = logs
        self._keyed = keyed
        self.by_place: dict[Place, Produced] = {}
        self.by_version: dict[int, Produced] = {}
        self.parts = 0
        """Of all records, as the mapping makes them that makes the most."""
        self._by_instrument: dict[tuple[str | None, str | None], list[Part]] = {}

    def add(self, record: Produced) -> None:
        """A record was produced."""
        self.by_place[record.partition, record.offset] = self.by_version[record.version] = record
        self.parts += record.most_parts
        for part in record.all_parts:
            self._by_instrument.setdefault((part.service, part.ric), []).append(part)

    def log(self, partition: int) -> list[Produced]:
        """The records of a partition."""
        return self._logs[partition]

    def part(self, key: PartKey, mapping: int) -> Part | None:
        """A part as this mapping makes it; None where it makes no such part."""
        record = self.by_version.get(key[0])
        return None if record is None else record.made(mapping).get(key)

    def after(self, one: Part | Produced, other: Part | Produced) -> bool:
        """Whether a record came after another of its RIC, as far as there is an order between them."""
        if one.partition != other.partition and not self._keyed:
            return one.version != other.version
        return one.version > other.version

    def of(self, service: str | None, ric: str | None) -> Sequence[Part]:
        """All parts of a RIC and service, as any mapping makes them."""
        return self._by_instrument.get((service, ric), ())

    def siblings(self, part: Part) -> Sequence[Part]:
        """The parts of the same RIC and service, itself among them."""
        return self.of(part.service, part.ric)
