"""What the oracle knows of orders: who was told what when, what stands in the control topic, and what follows from it.

Each order to pause counts by itself, and is known by its number, which is in its reason. Two things are kept apart.
What a process *may* hold to be paused: from when it took an order, or the record of one, until it took what ends it.
And what is paused *for certain*: from an answer that said so until that order is ended, in the topic or in its process.
The first must not be said of less, the second not of more than there is.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from tests.simulation.world.environment.fed_records import Part
from tests.simulation.world.environment.schedule import MICROSECOND
from tests.simulation.world.environment.sim_mappings import DESKS

What: TypeAlias = tuple[str, str]
"""What is paused: ``ric``, ``mapping``, ``desk`` or ``all``, and a pattern or a name."""

_PAUSING = ("pause", "resume")
"""Records of the topic that are about pauses."""

EVERYONE = ""
"""In the place of a process: all there are, and all there will be."""


@dataclass(slots=True, eq=False)
class Given:
    """An order. ``calm``: nothing went wrong any more when it was given, and its process could read and write."""

    number: int
    what: What
    pauses: bool
    uid: int
    process: str
    calm: bool
    open: bool = True
    """It has no answer."""

    @property
    def reason(self) -> str:
        """Why it is given: another reason for each."""
        return f"order {self.number}"


def number_in(text: str) -> int:
    """The number of an order by its reason, which ends a text."""
    return int(text.rpartition("order ")[2])


def covers(what: What, part: Part) -> bool:
    """Whether that is a part of it."""
    kind, name = what
    if kind == "ric":
        return part.ric is not None and fnmatchcase(part.ric, name)
    if kind == "mapping":
        return part.mapping == name
    return kind == "all" or DESKS.get(part.mapping) == name


@dataclass(slots=True)
class Span:
    """A time, in simulated seconds."""

    start: float
    end: float = float("inf")


class Spans:
    """When an order to pause, known by its number, was in force for whom."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], Span] = {}

    def begin(self, who: str, number: int, mono: float) -> None:
        """From now on, where it has not begun before."""
        self._of.setdefault((who, number), Span(mono))

    def end(self, who: str, number: int, mono: float) -> None:
        """Not from now on."""
        if (span := self._of.get((who, number))) is not None:
            span.end = min(span.end, mono)

    def at(self, who: str, number: int, mono: float) -> Span | None:
        """That in which this time lies; its end, in whose moment other things happen, is no part of it."""
        span = self._of.get((who, number))
        return span if span is not None and span.start <= mono < span.end else None

    def within(self, who: str, number: int, mono: float) -> bool:
        """Whether it was so at any time in the microsecond from there on: times in results are cut to those."""
        span = self._of.get((who, number))
        return span is not None and span.start <= mono + MICROSECOND and mono <= span.end

    def began(self, who: str, number: int) -> float:
        """When it began to be so; infinite where it never was."""
        span = self._of.get((who, number))
        return float("inf") if span is None else span.start

    def numbers(self) -> set[int]:
        """All it was ever about."""
        return {number for _, number in self._of}

    def now(self, who: str) -> set[int]:
        """What is so just now."""
        return {number for (of, number), span in self._of.items() if of == who and span.end == float("inf")}

    def __bool__(self) -> bool:
        return bool(self._of)


class Standing:
    """Orders to pause that have not ended, and who has agreed to end them, of the topic or of one process."""

    def __init__(self) -> None:
        self.agreed: dict[int, set[int]] = {}
        """Users, by the number of the order to pause."""
        self.known: set[int] = set()
        """Orders of either kind that were heard."""

    def pause(self, number: int) -> bool:
        """One more; False where it was heard before."""
        if number in self.known:
            return False
        self.known.add(number)
        self.agreed[number] = set()
        return True

    def resume(self, number: int, ends: Iterable[int], uid: int, needs: int) -> list[int]:
        """A user orders that some end; those that do by it."""
        ended: list[int] = []
        if number in self.known:
            return ended
        self.known.add(number)
        for one in ends:
            agreed = self.agreed.get(one)
            if agreed is None:
                continue
            agreed.add(uid)
            if len(agreed) >= needs:
                del self.agreed[one]
                ended.append(one)
        return ended


class PauseEvidence:
    """Who has heard which orders. ``topic``: whether there is a control topic; ``approvals``: how many users have to
    order that something is resumed."""

    def __init__(self, *, topic: bool, approvals: int) -> None:
        self._topic = topic
        self._approvals = approvals
        self._orders: dict[int, Given] = {}
        self.may, self.certain = Spans(), Spans()
        self.stands = Standing()
        """As the topic says."""
        self._heard: dict[str, Standing] = {}
        """As each process has read it there; without a topic, as it was ordered."""
        self._numbers: dict[str, int] = {}
        """Of orders, by what the topic knows them by."""

    def given(self, given: Given) -> None:
        """An order is on its way."""
        self._orders[given.number] = given

    def order(self, number: int) -> Given:
        """That of this number."""
        return self._orders[number]

    def unanswered(self) -> Iterator[Given]:
        """Those without an answer."""
        return (given for given in self._orders.values() if given.open)

    def whats(self, numbers: Iterable[int]) -> set[What]:
        """What these orders are about."""
        return {self._orders[number].what for number in numbers}

    def taken(self, process: str, number: int, mono: float) -> None:
        """A process hears an order."""
        given = self._orders[number]
        if given.pauses:
            self.may.begin(process, number, mono)
        if self._topic:
            return
        heard = self._heard.setdefault(process, Standing())
        if given.pauses:
            heard.pause(number)
            return
        ends = [one for one in heard.agreed if self._orders[one].what == given.what]
        for ended in heard.resume(number, ends, given.uid, self._approvals):
            self.may.end(process, ended, mono)
            self.certain.end(process, ended, mono)

    def appended(self, value: bytes | None, mono: float) -> list[int]:
        """A record stands in the topic; the orders to pause that it ends, where it is news."""
        ended = self._apply(self.stands, _document(value))
        for number in ended:
            for who in (EVERYONE, self._orders[number].process):
                self.certain.end(who, number, mono)
        return ended

    def _apply(self, to: Standing, document: dict[str, Any]) -> list[int]:
        if document["kind"] not in _PAUSING:
            return []
        number = self._numbers[document["number"]] = number_in(document["why"])
        if document["kind"] == "pause":
            to.pause(number)
            return []
        ends = [self._numbers[one] for one in document["ends"] if one in self._numbers]
        return to.resume(number, ends, document["uid"], document["needs"])

    def followed(self, process: str, value: bytes | None, mono: float) -> None:
        """A process hears of a record of the topic."""
        document = _document(value)
        if document["kind"] == "pause":
            self.may.begin(process, number_in(document["why"]), mono)
        for ended in self._apply(self._heard.setdefault(process, Standing()), document):
            self.may.end(process, ended, mono)

    def holds(self, given: Given, mono: float, *, everywhere: bool) -> None:
        """A pause was answered: it holds, in its process at least."""
        if not self.has_ended(given):
            self.certain.begin(EVERYONE if everywhere and self._topic else given.process, given.number, mono)

    def is_written(self, given: Given) -> bool:
        """Whether an order stands in the topic."""
        return given.number in self.stands.known

    def unwritten(self, process: str) -> bool:
        """Whether a process has been given a pause that is not written."""
        here = (self._orders[number] for number in self.may.now(process))
        return any(given.process == process and not self.is_written(given) for given in here)

    def has_ended(self, given: Given) -> bool:
        """Whether somebody has ordered that a pause ends, and enough people have."""
        standing = self.stands if self._topic else self._heard.get(given.process, Standing())
        return given.number in standing.known and given.number not in standing.agreed

    def was_paused(self, process: str, part: Part, until: float) -> bool:
        """Whether the process may have held it to be paused at any time before."""
        return any(
            self.may.began(process, number) <= until and covers(self._orders[number].what, part)
            for number in self.may.numbers()
        )

    def paused_here(self, process: str) -> set[What]:
        """What a process holds to be paused just now, be it in the topic or not."""
        return self.whats(self.may.now(process))

    def certainly(self, process: str, part: Part, mono: float) -> What | None:
        """By what it is paused for certain, for this process."""
        for number in self.certain.numbers():
            what = self._orders[number].what
            if covers(what, part) and any(self.certain.at(who, number, mono) for who in (EVERYONE, process)):
                return what
        return None

    def possibly(self, process: str, part: Part, mono: float) -> bool:
        """Whether the process may have held it to be paused in the microsecond from then on."""
        return any(
            self.may.within(process, number, mono) and covers(self._orders[number].what, part)
            for number in self.may.numbers()
        )

    def known_since(self, process: str, part: Part, mono: float) -> float | None:
        """From when on without a break it has been paused for certain, and the process has known of it."""
        since = []
        for number in self.certain.numbers():
            known = self.may.at(process, number, mono)
            if known is not None and covers(self._orders[number].what, part):
                certain = (self.certain.at(who, number, mono) for who in (EVERYONE, process))
                since += [max(span.start, known.start) for span in certain if span is not None]
        return min(since, default=None)


def _document(value: bytes | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(value or b"{}")
    return document
