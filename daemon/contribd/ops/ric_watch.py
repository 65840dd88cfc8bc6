"""Looks after single RICs for whoever watches: told of results, asked once a second what is wrong."""

from collections.abc import Callable, Sequence
from typing import Final

from contribd.engine.clock import Now
from contribd.engine.records.result_encoder import Encoded
from contribd.engine.view import PartitionStatus
from contribd.ops.last_results import LastResults
from contribd.ops.snapshot import IsolatedView
from contribd.ops.wrong_now import KINDS, Silence, WrongNow, wrong_now

LOOK_SECONDS: Final = 1.0
"""Between two looks: with thousands of RICs that are wrong, each takes some milliseconds."""


class RicWatch:
    """Belongs to the worker's thread, but for ``last.find``."""

    def __init__(self, stale_after: float | None, busy: Callable[[str, str], bool]) -> None:
        """``stale_after`` in seconds; ``busy``: whether prices of a service's RIC wait."""
        self.last = LastResults()
        self._stale_after = stale_after
        self._busy = busy
        self._heard_since: int | None = None
        self._next = 0.0
        self._found = WrongNow((), tuple((kind, 0) for kind in KINDS))

    def change(self, stale_after: float | None) -> None:
        """Another one, from the next look on."""
        self._stale_after = stale_after

    def add(self, results: Sequence[Encoded], now: Now) -> None:
        """These results are durable."""
        self.last.add(results, now.wall)

    def look(
        self, partitions: Sequence[PartitionStatus], isolated: Sequence[IsolatedView], now: Now, *, heard: bool
    ) -> WrongNow:
        """What is wrong, as it was found last. ``heard``: whether records that there are would be consumed."""
        if now.mono >= self._next:
            self._next = now.mono + LOOK_SECONDS
            self._listen(partitions, now, heard=heard)
            self.last.keep(each.partition for each in partitions)
            silence = Silence(self._stale_after, self._heard_since, self._busy)
            self._found = wrong_now(self.last, isolated, silence, now.wall)
        return self._found

    def _listen(self, partitions: Sequence[PartitionStatus], now: Now, *, heard: bool) -> None:
        """That no record comes says nothing of a RIC while none could."""
        if not heard or not partitions or any(each.paused for each in partitions):
            self._heard_since = None
        elif self._heard_since is None:
            self._heard_since = now.wall
