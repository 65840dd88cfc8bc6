"""The oracle's law on order: nothing older leaves a daemon after anything newer, whichever daemon that was."""

from collections.abc import Callable

from tests.simulation.world.environment.record_feed import Produced
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, SeenPost
from tests.simulation.world.plan import Plan


class OrderRules:
    """Judges every post when its last byte leaves the daemon, and counts what is posted again after a kill."""

    def __init__(
        self, plan: Plan, records: dict[int, Produced], settled: Callable[[Produced], bool], complain: Complain
    ) -> None:
        """``settled``: whether a record's result is durable."""
        self._plan = plan
        self._records = records
        self._settled = settled
        self._complain = complain
        self._handed: dict[tuple[str, str, int | None], int] = {}
        self._fields: dict[tuple[str, str, int | None, str], int] = {}
        self._unsettled: set[int] = set()
        """Versions that a process had posted, and whose result was not durable, when it was killed."""
        self.reposts = 0
        """Posts that carry one of those again."""

    def handed(self, post: SeenPost) -> None:
        """A post can no longer be taken back: nothing newer may have gone before.

        Where instruments come through several partitions, there is no order between these. Each has its own: of a
        field, or where nothing is merged of a price.
        """
        if not post.values:
            return
        carried = set(post.values.values())
        post.process.shown |= carried
        if carried & self._unsettled:
            self.reposts += 1
            self._unsettled -= carried
        if self._plan.keyed or not self._plan.conflate:
            self._check_newest(post)
        for name, version in post.values.items():
            index = (post.service, post.ric, self._line_of(version), name)
            if version < self._fields.get(index, 0):
                text = f"{post}: {name} was {self._fields[index]} already"
                self._complain("2: an older value after a newer one", text, post.ric)
            self._fields[index] = version

    def killed(self, process: ProcessEvidence) -> None:
        """A process is gone: what it had posted and has no durable result may be posted once more."""
        self._unsettled |= {version for version in process.shown if not self._settled(self._records[version])}

    def _check_newest(self, post: SeenPost) -> None:
        index = (post.service, post.ric, self._line_of(post.newest))
        before = self._handed.get(index, 0)
        if post.newest < before:
            self._complain("2: an older price after a newer one", f"{post} after {before}", post.ric)
        self._handed[index] = post.newest

    def _line_of(self, version: int) -> int | None:
        """The partition whose order a record is in; None: the one its instrument has."""
        return None if self._plan.keyed else self._records[version].partition
