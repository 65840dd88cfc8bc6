"""How long each process has been listening to each of its partitions, and heard nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulation.world.oracle.evidence import ProcessEvidence

from contribd.engine.records.offsets import Partition

_EPSILON = 1e-6


@dataclass(slots=True)
class Ear:
    """How long a process has been listening to a partition."""

    since: float
    """The last record, or when it began to listen."""
    paused_at: float | None = None
    was_silent: bool = False
    """Whether the partition had been silent for long enough when it was paused."""

    def silent(self, mono: float, limit: float) -> bool:
        """Whether it has been silent for ``limit`` seconds at a stretch, since its last record."""
        return self.was_silent or (self.paused_at is None and mono - self.since >= limit - _EPSILON)


class Silence:
    """Owns the ears. ``limit``: seconds after which a partition counts as silent; None: it never does."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._ears: dict[str, dict[Partition, Ear]] = {}

    def _of(self, process: ProcessEvidence) -> dict[Partition, Ear]:
        return self._ears.setdefault(process.name, {})

    def ears(self, process: ProcessEvidence, partitions: Iterable[Partition]) -> list[Ear]:
        """Those of the partitions that it listens to."""
        ears = self._of(process)
        return [ears[partition] for partition in sorted(partitions) if partition in ears]

    def assigned(self, process: ProcessEvidence, partition: Partition, mono: float) -> None:
        """It listens from now on."""
        self._of(process)[partition] = Ear(mono)

    def heard(self, process: ProcessEvidence, partition: Partition, mono: float) -> None:
        """A record was handed to it."""
        if (ear := self._of(process).get(partition)) is not None:
            ear.since, ear.was_silent = mono, False

    def paused(self, process: ProcessEvidence, partitions: frozenset[Partition], mono: float) -> None:
        """It fetches nothing of these, and everything of the others."""
        for partition, ear in self._of(process).items():
            if partition not in partitions:
                if ear.paused_at is not None and ear.paused_at < mono:
                    ear.since = mono
                ear.paused_at = None
            elif ear.paused_at is None:
                ear.was_silent = self._limit is not None and ear.silent(mono, self._limit)
                ear.paused_at = mono

    def revoked(self, process: ProcessEvidence, partitions: frozenset[Partition]) -> None:
        """It listens to these no more."""
        for partition in partitions:
            self._of(process).pop(partition, None)
