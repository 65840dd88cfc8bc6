"""What the oracle knows of orders: who was told what when, what stands in the control topic, and what follows from it.

Two things are kept apart. What a process *may* hold to be paused: from when it took an order, or the record of one,
until it took what ends it. And what is paused *for certain*: from an answer that said so until somebody may have ended
it. The first must not be said of less, the second not of more than there is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from tests.simulation.world.environment.fed_records import Part
from tests.simulation.world.environment.sim_mappings import DESKS

What: TypeAlias = tuple[str, str]
"""What is paused: ``ric``, ``mapping``, ``desk`` or ``all``, and a pattern or a name."""

EVERYONE = ""
"""In the place of a process: all there are, and all there will be."""


@dataclass(slots=True, eq=False)
class Given:
    """An order. ``calm``: nothing went wrong any more when it was given."""

    number: int
    what: What
    pauses: bool
    uid: int
    process: str
    calm: bool
    resumed_before: int = 0
    """How often the same had been resumed by then, as far as the topic says."""
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
    """When what was so for whom."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, What], list[Span]] = {}

    def begin(self, who: str, what: What, mono: float) -> None:
        """From now on, where it is not so yet."""
        spans = self._of.setdefault((who, what), [])
        if not spans or spans[-1].end <= mono:
            spans.append(Span(mono))

    def end(self, who: str, what: What, mono: float) -> None:
        """Not from now on."""
        for span in self._of.get((who, what), [])[-1:]:
            span.end = min(span.end, mono)

    def end_all(self, what: What, mono: float) -> None:
        """The same of everybody."""
        for who, of in self._of:
            if of == what:
                self.end(who, what, mono)

    def at(self, who: str, what: What, mono: float) -> Span | None:
        """That in which this time lies, both ends being part of it."""
        return next((span for span in self._of.get((who, what), ()) if span.start <= mono <= span.end), None)

    def things(self) -> set[What]:
        """All it was ever about."""
        return {what for _, what in self._of}

    def now(self, who: str) -> set[What]:
        """What is so just now."""
        return {what for (of, what), spans in self._of.items() if of == who and spans[-1].end == float("inf")}

    def __bool__(self) -> bool:
        return bool(self._of)


class PauseEvidence:
    """Who has heard which orders. ``topic``: whether there is a control topic; ``approvals``: how many users have to
    order that something is resumed."""

    def __init__(self, *, topic: bool, approvals: int) -> None:
        self._topic = topic
        self._approvals = approvals
        self._orders: dict[int, Given] = {}
        self.may, self.certain = Spans(), Spans()
        self.stands: set[What] = set()
        """Paused as the topic says."""
        self._resumed: dict[What, int] = {}
        self._unread: dict[tuple[str, What], set[int]] = {}
        """Pauses ordered at a process that it has not read in the topic."""
        self._agreed: dict[tuple[str, What], set[int]] = {}

    def given(self, given: Given) -> None:
        """An order is on its way."""
        given.resumed_before = self._resumed.get(given.what, 0)
        self._orders[given.number] = given

    def order(self, number: int) -> Given:
        """That of this number."""
        return self._orders[number]

    def unanswered(self) -> Iterator[Given]:
        """Those without an answer."""
        return (given for given in self._orders.values() if given.open)

    def taken(self, process: str, number: int, mono: float) -> None:
        """A process hears an order."""
        given = self._orders[number]
        if given.pauses:
            self.may.begin(process, given.what, mono)
            if self._topic:
                self._unread.setdefault((process, given.what), set()).add(number)
        elif not self._topic:
            self._resume_here(process, given, mono)

    def _resume_here(self, process: str, given: Given, mono: float) -> None:
        what = given.what
        if self.may.at(process, what, mono) is None:
            return
        self.certain.end(process, what, mono)
        self._resumed[what] = self._resumed.get(what, 0) + 1
        agreed = self._agreed.setdefault((process, what), set())
        agreed.add(given.uid)
        if len(agreed) >= self._approvals:
            agreed.clear()
            self.may.end(process, what, mono)

    def appended(self, value: bytes | None, mono: float) -> None:
        """A record stands in the topic."""
        document = _document(value)
        if document["kind"] == "pause":
            self.stands.add(_what(document))
        elif document["kind"] == "resume":
            what = _what(document)
            self.stands.discard(what)
            self._resumed[what] = self._resumed.get(what, 0) + 1
            self.certain.end_all(what, mono)

    def followed(self, process: str, value: bytes | None, mono: float) -> None:
        """A process hears of a record of the topic."""
        document = _document(value)
        if document["kind"] == "instance":
            return
        what = _what(document)
        unread = self._unread.get((process, what), set())
        if document["kind"] == "pause":
            unread.discard(number_in(document["why"]))
            self.may.begin(process, what, mono)
        elif not unread:
            self.may.end(process, what, mono)

    def holds(self, given: Given, mono: float, *, everywhere: bool) -> None:
        """A pause was answered: it holds, in its process at least."""
        if self._resumed.get(given.what, 0) != given.resumed_before:
            return  # somebody has resumed it meanwhile
        self.certain.begin(EVERYONE if everywhere and self._topic else given.process, given.what, mono)

    def certainly(self, process: str, part: Part, mono: float) -> What | None:
        """By what it is paused for certain, for this process."""
        for what in self.certain.things():
            if covers(what, part) and any(self.certain.at(who, what, mono) for who in (EVERYONE, process)):
                return what
        return None

    def possibly(self, process: str, part: Part, mono: float) -> bool:
        """Whether the process may hold it to be paused."""
        return any(covers(what, part) and self.may.at(process, what, mono) for what in self.may.things())

    def known_since(self, process: str, part: Part, mono: float) -> float | None:
        """From when on without a break it has been paused for certain, and the process has known of it."""
        since = []
        for what in self.certain.things():
            known = self.may.at(process, what, mono)
            if known is not None and covers(what, part):
                certain = (self.certain.at(who, what, mono) for who in (EVERYONE, process))
                since += [max(span.start, known.start) for span in certain if span is not None]
        return min(since, default=None)


def _document(value: bytes | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(value or b"{}")
    return document


def _what(document: dict[str, Any]) -> What:
    [(kind, name)] = document["what"].items()
    return kind, "" if name is True else name
