"""By which rules the records of a partition are mapped: what its commits name, and what its results do.

Theory of operation
===================

What a commit names its rules for. The next owner of the partition, while it catches up, has to take all that this one
may have posted (``offsets``). With the rules that the commit names, it may stop where these would have stopped this
owner: at the bits of a commit. So a commit names rules only where all that was taken above its offset, and all that
will be before the next commit is durable, was mapped by them, and within what they allow. Naming none is always right,
and costs the next owner work. Rules that make one post of a record at most are not named: they need no such bits.

Other rules while the partition is assigned (a reload): A give way to B. Where commits name A, in three steps:

1. ``unname``: commits name none from now on, and one is written at once, whether anything was settled or not. Records
   are still mapped by A. Without this step, the group's last commit could name A while records are taken by B, which
   may make less of each: more of them find room. A crash now, and an owner with A would stop too early, and post what
   is older than what was posted.
2. ``untold`` is False once such a commit is durable. A batch that was being written at (1) does not count.
3. ``change``: from the next record on, all is mapped by B. What was taken before and is not durable was mapped by A,
   and B may make more of it, which the next owner would find no room for. So commits name B once their offset is above
   all of that, and none until then. While the partition catches up, the bits of A bound it no more: that the former
   owner was bound by A says nothing of where B would have stopped it.

What results name. Each record is mapped by one set of rules, whole, and its results name that one, however late they
are written. Records are taken in order, so an offset says which it was: ``earlier`` has for each set that is in force
no more the offset below which it was, as long as anything below is not durable. A record that was put back after it was
mapped is mapped anew, and posted by the rules of then.
"""

from contribd.engine.records.rule_names import RuleNames


class PartitionRules:
    """Those of one assigned partition."""

    __slots__ = ("_allowed_more_to", "_name", "_telling", "earlier", "untold")

    def __init__(self, name: str | None) -> None:
        """``name``: what commits name the rules in force by, None for none."""
        self._name = name
        self._allowed_more_to = 0
        """Below this offset, records were taken beyond what these rules allow, or by others."""
        self.untold = False
        """The group's last commit may name rules that are about to give way to others."""
        self._telling = False
        """One that names none is being written."""
        self.earlier: list[tuple[int, RuleNames]] = []
        """Rules in force no more, each with the offset below which records were mapped by it, in order."""

    # Commits

    def of_commit(self, offset: int, *, bounded: bool) -> str | None:
        """What a commit of this offset names; ``bounded``: whether what is being taken lies within what they allow."""
        self._telling = self.untold
        return self._name if bounded and offset >= self._allowed_more_to else None

    def allowed_more(self, below: int) -> None:
        """More than these rules allow may have been taken below an offset."""
        self._allowed_more_to = max(self._allowed_more_to, below)

    def written(self, floor: int | None) -> None:
        """A commit is durable; ``floor``: the oldest record taken whose result is not, None where there is none."""
        if self._telling:
            self.untold = self._telling = False
        if self.earlier:
            self.earlier = [] if floor is None else [each for each in self.earlier if each[0] > floor]

    # Other rules

    def unname(self) -> None:
        """Others are about to be in force."""
        self._telling, self.untold = False, self._name is not None
        self._name = None

    def is_named(self) -> None:
        """The group's commit names rules, and others are about to be in force."""
        self.untold = True

    def keep(self, name: str | None) -> None:
        """No others will be in force after all."""
        self._name, self.untold, self._telling = name, False, False

    def change(self, before: RuleNames, name: str | None, following: int, *, nothing_waits: bool) -> None:
        """Others map records from offset ``following`` on; ``before``: those until now."""
        if not nothing_waits and (not self.earlier or self.earlier[-1][0] < following):
            self.earlier.append((following, before))
        self._name = name
        self.allowed_more(following)

    def of(self, offset: int) -> RuleNames | None:
        """The rules that a record was mapped by; None where these are those in force."""
        return next((names for below, names in self.earlier if offset < below), None)
