"""Values that stand, posted once more by order: those made and not settled."""

from contribd.engine.clock import Now
from contribd.engine.counters import EngineCounters
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Republication, Status, Told, republish
from contribd.mapping.outcome import Mapped


class Republications:
    """Makes them, and tells what came of each. They have no results: the counters tell of them."""

    def __init__(self, counters: EngineCounters) -> None:
        self.made: dict[Republication, None] = {}
        """Those not settled."""
        self._counters = counters

    def make(
        self, tracker: OffsetTracker, mapped: Mapped, too_old_at: int | None, now: Now, told: Told
    ) -> Republication:
        """One to be queued now. ``too_old_at``: microseconds since 1970, None: never."""
        made = republish(tracker, mapped, now.wall, too_old_at, told)
        self.made[made] = None
        return made

    def over(
        self,
        republication: Republication,
        status: Status | None = None,
        code: str | None = None,
        text: str | None = None,
    ) -> None:
        """The last word on one; no status where it was not posted, since it was overtaken or is not ours any more."""
        republication.give_up()
        self.made.pop(republication, None)
        if status is not None:
            self._counters.republished[status] += 1
        republication.told(status, code, text)

    def forget(self, trackers: set[OffsetTracker]) -> None:
        """Partitions are not ours any more."""
        for made in [made for made in self.made if made.tracker in trackers]:
            self.over(made)
