"""The bounds on what the engine holds, together: a simulation makes them small, so that short runs reach them."""

from dataclasses import dataclass

from contribd.engine.limits import (
    MAX_BATCH_BYTES,
    MAX_BATCH_RESULTS,
    MAX_RUN_AHEAD,
    MAX_WAITING_BYTES,
    MAX_WAITING_RECORDS,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Each is what ``contribd.engine.limits`` says of it."""

    run_ahead: int = MAX_RUN_AHEAD
    waiting_records: int = MAX_WAITING_RECORDS
    waiting_bytes: int = MAX_WAITING_BYTES
    batch_results: int = MAX_BATCH_RESULTS
    batch_bytes: int = MAX_BATCH_BYTES

    @property
    def resume_records(self) -> int:
        """Paused partitions are resumed at this: half, so that pause and resume do not chase each other."""
        return self.waiting_records // 2

    @property
    def resume_bytes(self) -> int:
        """The same for bytes."""
        return self.waiting_bytes // 2


DEFAULT = Bounds()
