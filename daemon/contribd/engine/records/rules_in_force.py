"""The rules in force, by their names, and how others take their place in steps: see ``partition_rules``."""

from contribd.engine.records.intake import Intake
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.rule_names import RuleNames


class RulesInForce:
    """What records are mapped by now, for all partitions."""

    def __init__(self, names: RuleNames, intake: Intake, outbox: Outbox) -> None:
        self.names = names
        self._intake = intake
        self._outbox = outbox
        self._others_come = False
        """Others are about to be in force: commits name none."""

    @property
    def commits(self) -> str | None:
        """What the commits of a partition that is assigned now name them by."""
        return None if self._others_come else self.names.commits

    def assigned(self, tracker: OffsetTracker, said: str | None) -> None:
        """A partition is new, and its commit names ``said`` rules."""
        if self._others_come and said is not None:
            tracker.rules.is_named()
            self._tell(tracker)

    # Others

    def prepare(self) -> None:
        """Others are about to be in force: no commit may name these any more before that."""
        self._others_come = True
        for tracker in self._intake.trackers.values():
            tracker.rules.unname()
            if tracker.rules.untold:
                self._tell(tracker)

    def _tell(self, tracker: OffsetTracker) -> None:
        """A commit that names none is written."""
        tracker.tell_anew()
        self._outbox.add_due(tracker)

    @property
    def untold(self) -> bool:
        """Whether a commit of a partition of ours may be the group's last, and name rules."""
        return any(tracker.rules.untold for tracker in self._intake.trackers.values())

    def keep(self) -> None:
        """No others will be in force after all."""
        self._others_come = False
        for tracker in self._intake.trackers.values():
            tracker.rules.keep(self.names.commits)

    def change(self, names: RuleNames) -> None:
        """What is taken from now on is mapped by others. Not while ``untold``, where commits named these."""
        before, self.names, self._others_come = self.names, names, False
        for tracker in self._intake.trackers.values():
            tracker.change_rules(before, names.commits)
