"""What is paused, and who has agreed to let it go again. Pure: the time is an argument.

Each order to pause counts by itself, also where the same is paused already: an order to resume ends those that it
names, and an agreement to resume is of those that it names. So whoever pauses once more is sure that what others have
ordered before does not end it.

What is in force follows from which orders there are, and not from which of them is heard of first: one that was written
twice may stand at its later place alone, behind an order that ended it, once the topic is compacted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from contribd.engine.records.pauses import Pause, Selector


class Caller(str):
    """Who gives an order, as the kernel knows them: in words, and by number."""

    __slots__ = ("uid",)
    uid: int

    def __new__(cls, text: str, uid: int) -> Self:
        """``text``: ``alice (uid 1000)``."""
        made = super().__new__(cls, text)
        made.uid = uid
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, int]]:
        """For a copy: the status copies what it shows."""
        return type(self), (str(self), self.uid)


class Approval(NamedTuple):
    """An order to resume, which may wait for that of somebody else. ``at``: microseconds since 1970, UTC; ``needs``:
    how many users have to order it."""

    by: str
    uid: int
    reason: str
    at: int
    needs: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A pause in force, with the orders to resume so far."""

    pause: Pause
    approvals: tuple[Approval, ...] = ()

    def approved(self, approval: Approval) -> "Entry":
        """One more; of somebody who has given it already, nothing changes."""
        if self.has_approved(approval.uid):
            return self
        return replace(self, approvals=(*self.approvals, approval))

    def has_approved(self, uid: int) -> bool:
        """Whether this user has ordered to resume it."""
        return any(given.uid == uid for given in self.approvals)

    @property
    def is_over(self) -> bool:
        """Whether enough users have."""
        return len(self.approvals) >= min((given.needs for given in self.approvals), default=1)

    def __str__(self) -> str:
        agreed = "".join(f"; {given.by} agrees to resume: {given.reason}" for given in self.approvals)
        return f"{self.pause.text}{agreed}"


class Book:
    """The pauses in force, by what they are of and by the number of their order."""

    def __init__(self) -> None:
        self._entries: dict[Selector, dict[str, Entry]] = {}
        self._approvals: dict[str, list[Approval]] = {}
        """Of pauses that were not in force when somebody ordered to end them, by number."""

    def __contains__(self, what: Selector) -> bool:
        return what in self._entries

    def of(self, what: Selector) -> dict[str, Entry]:
        """Those of just that, by number."""
        return self._entries.get(what, {})

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Of each thing that is paused the oldest one; the oldest of all first."""
        return tuple(entry.pause for entry in self._oldest())

    def pause(self, number: str, pause: Pause) -> bool:
        """In force from now on; False where the same was paused before."""
        before = pause.what in self._entries
        self._entries.setdefault(pause.what, {})[number] = self._with_approvals(number, pause)
        return not before

    def has_ended(self, number: str, pause: Pause) -> bool:
        """Whether enough users have ordered that it ends, though it was not heard of."""
        return self._with_approvals(number, pause).is_over

    def _with_approvals(self, number: str, pause: Pause) -> Entry:
        entry = Entry(pause)
        for approval in self._approvals.get(number, ()):
            entry = entry.approved(approval)
        return entry

    def approve(self, what: Selector, numbers: Iterable[str], approval: Approval) -> None:
        """Somebody orders that these end: each does once enough users have."""
        entries = self._entries.get(what, {})
        for number in numbers:
            if (entry := entries.get(number)) is None:
                self._approvals.setdefault(number, []).append(approval)
                continue
            entries[number] = entry.approved(approval)
            if entries[number].is_over:
                del entries[number]
        if not entries:
            self._entries.pop(what, None)

    def lines(self) -> list[str]:
        """What is in force, a sentence each."""
        return [f"in force: {entry}" for entry in self._oldest()] or ["nothing is paused"]

    def _oldest(self) -> list[Entry]:
        """The oldest pause of each thing, with the agreements that are of all its pauses."""
        found = []
        for entries in self._entries.values():
            pause = min(entries.items(), key=lambda one: (one[1].pause.since, one[0]))[1].pause
            agreed = [approval for entry in entries.values() for approval in entry.approvals]
            common = {a.uid: a for a in agreed if all(entry.has_approved(a.uid) for entry in entries.values())}
            found.append(Entry(pause, tuple(common.values())))
        return sorted(found, key=lambda entry: entry.pause.since)
