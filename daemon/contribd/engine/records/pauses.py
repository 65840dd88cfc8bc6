"""The pauses in force: what operators have ordered not to be posted.

Theory of operation
===================

What is paused. A pause names RICs by a pattern, a mapping, a desk (the mappings with that label), or all. It is of
prices alone: blanks that withdraw a quote go on.

New prices. One that is paused is SUPPRESSED where it is taken, alone or as one post of several; it is never queued.

Prices that wait when the pause comes, held while their partition catches up, backing off, or put back after their
session was lost. One that was never posted is SUPPRESSED. One that was posted is not posted again and keeps its last
answer; so do older ones of its RIC that were posted with it, or they would follow it. One that came while its partition
caught up may have been posted by the owner before, merged with older ones that are not paused: these are SUPPRESSED
with it.

In flight. Its answer settles it. It is not posted again, whatever the answer.

Unsent. A post may lie in the connection where the socket does not take it. The pause holds once it does, or once the
connection is ended for it (``UNSENT_SECONDS``). A post that was given up without an answer may lie there, too.

Resumed. Prices that come from then on are posted.

Not conflated. A crash would bring back prices whose SUPPRESSED results are not durable yet, and once they are paused no
more, post them after newer ones. So an instrument posts nothing while such a result of its RIC is not durable: of a
price from then on, and of one that another mapping makes, too, which is not paused.

Other mappings (a reload). What is paused by the name of a mapping or of its desk must not be posted again for want of
the name: such a reload is refused (``would_end``).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import translate
from typing import NamedTuple

from contribd.engine.clock import iso
from contribd.engine.limits import MAX_PAUSES_KNOWN
from contribd.engine.records.price import Price, Withdrawal
from contribd.mapping.outcome import Mapped


class PauseKind(StrEnum):
    """What a pause goes by."""

    RIC = "ric"
    MAPPING = "mapping"
    DESK = "desk"
    ALL = "all"


class Selector(NamedTuple):
    """What is paused. ``value``: a pattern of RICs (``*``, ``?``, ``[seq]``; capitals matter), or a name."""

    kind: PauseKind
    value: str = ""

    @property
    def id(self) -> str:
        """What the pause is known by."""
        return f"{self.kind}:{self.value}" if self.value else str(self.kind)

    def __str__(self) -> str:
        return _WORDS[self.kind].format(self.value)


_WORDS = {
    PauseKind.RIC: "RICs {}",
    PauseKind.MAPPING: "mapping {}",
    PauseKind.DESK: "desk {}",
    PauseKind.ALL: "everything",
}


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause in force. ``by``: who ordered it, as the kernel knows them; ``since``: microseconds since 1970, UTC."""

    what: Selector
    by: str
    reason: str
    since: int
    text: str = field(init=False, compare=False)
    """What the results of paused prices say."""

    def __post_init__(self) -> None:
        text = f"{self.what} paused by {self.by} at {iso(self.since)}: {self.reason}"
        object.__setattr__(self, "text", text)


class Pauses:
    """Those in force. Owned by the engine."""

    def __init__(self, desks: Mapping[str, str]) -> None:
        """``desks``: the label of each mapping that has one, by its name."""
        self.in_force: tuple[Pause, ...] = ()
        """Oldest first."""
        self.any = False
        """Whether there is one."""
        self._desks = desks
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._known: dict[tuple[str, str], Pause | None] = {}
        """What each RIC of a mapping is paused by, as far as it was asked for."""

    @property
    def desks(self) -> Mapping[str, str]:
        """The label of each mapping that has one, by its name."""
        return self._desks

    def know_desks(self, desks: Mapping[str, str]) -> None:
        """Other mappings are in force."""
        self._desks = desks
        self._known.clear()

    def would_end(self, names: Collection[str], desks: Mapping[str, str]) -> list[str]:
        """What would be posted again, were other mappings in force, of these names and labels; each in a sentence."""
        found = []
        for what in (pause.what for pause in self.in_force):
            if what.kind is PauseKind.MAPPING and what.value not in names:
                found.append(f"{what} is paused, and there would be no mapping of this name")
            elif what.kind is PauseKind.DESK:
                left = sorted(name for name, desk in self._desks.items() if desk == what.value != desks.get(name))
                found += [f"{what} is paused, and mapping {name} would be of it no more" for name in left]
        return found

    def set(self, pauses: Iterable[Pause]) -> bool:
        """These are in force from now on, and no others; whether anything is paused that was not."""
        before = {pause.what for pause in self.in_force}
        self.in_force = tuple(sorted(pauses, key=lambda pause: pause.since))
        patterns = {pause.what.value for pause in self.in_force if pause.what.kind is PauseKind.RIC}
        self._patterns = {pattern: re.compile(translate(pattern)) for pattern in patterns}
        self._known.clear()
        self.any = bool(self.in_force)
        return any(pause.what not in before for pause in self.in_force)

    def of(self, mapped: Mapped) -> Pause | None:
        """What pauses a post; None where nothing does."""
        key = mapped.ric, mapped.mapping
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= MAX_PAUSES_KNOWN:
                self._known.clear()
            found = next((pause for pause in self.in_force if self._covers(pause.what, mapped)), None)
            self._known[key] = found
            return found

    def of_price(self, price: Price) -> Pause | None:
        """The same of a price; blanks are never paused."""
        return None if type(price) is Withdrawal else self.of(price.mapped)

    def posted_before(self, prices: list[Price]) -> int:
        """How many of an instrument's prices, from the oldest, are not to be posted again: up to the newest one that
        is paused and was posted, or may have been by the owner before."""
        found = 0
        for number, price in enumerate(prices, 1):
            if (price.attempts or price.was_held) and self.of_price(price) is not None:
                found = number
        return found

    def _covers(self, what: Selector, mapped: Mapped) -> bool:
        kind, value = what
        if kind is PauseKind.RIC:
            return self._patterns[value].match(mapped.ric) is not None
        if kind is PauseKind.MAPPING:
            return mapped.mapping == value
        return kind is PauseKind.ALL or self._desks.get(mapped.mapping) == value
