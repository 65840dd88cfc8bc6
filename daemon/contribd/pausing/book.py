"""What is paused, and who has agreed to let it go again. Pure: the time is an argument."""

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


class Approval(NamedTuple):
    """An order to resume that waits for that of somebody else. ``at``: microseconds since 1970, UTC."""

    by: str
    uid: int
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A pause in force, with the orders to resume so far."""

    pause: Pause
    approvals: tuple[Approval, ...] = ()

    def approved(self, approval: Approval) -> "Entry":
        """One more; of somebody who has given it already, nothing changes."""
        if any(given.uid == approval.uid for given in self.approvals):
            return self
        return replace(self, approvals=(*self.approvals, approval))

    def __str__(self) -> str:
        agreed = "".join(f"; {given.by} agrees to resume: {given.reason}" for given in self.approvals)
        return f"{self.pause.text}{agreed}"


class Book:
    """The pauses in force, by what they are of."""

    def __init__(self) -> None:
        self.entries: dict[Selector, Entry] = {}

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """All of them, oldest first."""
        return tuple(sorted((entry.pause for entry in self.entries.values()), key=lambda pause: pause.since))

    def pause(self, pause: Pause) -> bool:
        """In force from now on; False where the same is paused already: then nothing changes."""
        if pause.what in self.entries:
            return False
        self.entries[pause.what] = Entry(pause)
        return True

    def put(self, entry: Entry) -> None:
        """It is so from now on; agreements there are of the same pause stay."""
        before = self.entries.get(entry.pause.what)
        if before is not None and before.pause == entry.pause:
            for approval in before.approvals:
                entry = entry.approved(approval)
        self.entries[entry.pause.what] = entry

    def remove(self, what: Selector) -> None:
        """Not paused any more."""
        self.entries.pop(what, None)

    def lines(self) -> list[str]:
        """What is in force, a sentence each."""
        ordered = sorted(self.entries.values(), key=lambda entry: entry.pause.since)
        return [f"in force: {entry}" for entry in ordered] or ["nothing is paused"]
