"""Orders to pause and to resume, carried out: a pause holds here at once, and is answered once it holds everywhere.

Without a control topic this process is all there is. With one, what is in force is what stands in the topic, and the
pauses ordered here that are not there yet (``streams/order_topic.py`` says how each instance comes to know it).
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final, NamedTuple, Protocol, TypeAlias

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import PausesSet
from contribd.engine.records.pauses import Pause, PauseKind, Selector
from contribd.ops.log import get_logger
from contribd.pausing.book import Approval, Book, Caller, Entry
from contribd.pausing.spread import Instances, Spread
from contribd.pausing.topic_records import (
    Paused,
    Present,
    Resumed,
    decode,
    encode_paused,
    encode_present,
    encode_resumed,
    key_of_instance,
    key_of_order,
)
from contribd.streams.client.port import OrderRecord
from contribd.streams.order_topic import LEASE, Followed, Presence

TOPIC_SECONDS: Final = 8.0
"""How long an order may take to be in the topic before it is answered that it is not; with a lease, less than
``ANSWER_SECONDS``."""

ALONE: Final = "in this process alone, until it ends (control.topic is not set)"

_log = get_logger("orders")


class PauseOrder(NamedTuple):
    """Post nothing of this from now on."""

    what: Selector
    reason: str


class ResumeOrder(NamedTuple):
    """Post it again."""

    what: Selector
    reason: str


class Outcome(NamedTuple):
    """What came of an order. ``done``: it holds. ``text``: in a sentence; then, a line each, what is in force now."""

    done: bool
    text: str


Check: TypeAlias = Callable[[Now], Outcome | None]
"""Asked again and again; None as long as an order does not hold yet."""


class TopicControl(Protocol):
    """The control topic, as orders use it."""

    def write(self, key: bytes, value: bytes) -> None: ...
    def taken(self, offset: int) -> None: ...
    def holds(self, offset: int) -> None: ...
    def reasons(self) -> list[str]: ...


class Myself(NamedTuple):
    """This process among those that follow the topic. ``process``: another one at each start."""

    instance: str
    process: str

    def presence(self) -> Presence:
        """What it says of itself."""
        number = 0

        def value(holds: int) -> bytes:
            nonlocal number
            number += 1
            return encode_present(Present(self.instance, self.process, number, holds))

        left = encode_present(Present(self.instance, self.process, -1, -1, left=True))
        return Presence(key_of_instance(self.instance), value, left)


NOBODY: Final = Myself("", "")


class Ordering(NamedTuple):
    """What orders to pause go by. ``approvals``: how many users have to order that something is resumed; ``topic``: the
    control topic, in which this process is ``myself``."""

    approvals: int = 1
    topic: TopicControl | None = None
    myself: Myself = NOBODY


ALONE_HERE: Final = Ordering()


class PauseOrders:
    """What is paused. Belongs to the worker's thread."""

    def __init__(self, engine: Engine, ordering: Ordering = ALONE_HERE) -> None:
        self._engine = engine
        self._approvals, self._topic, self._myself = ordering
        self.may_post_until = float("inf") if self._topic is None else 0.0
        """To when what is in force is known (monotonic seconds)."""
        self._book = Book()
        self._instances = Instances(self._myself.process, LEASE)
        self._spreads: dict[Selector, Spread] = {}
        """Of each pause that stands in the topic."""
        self._unread: dict[Selector, str] = {}
        """Pauses ordered here that do not stand there yet, by their order's number."""
        self._awaited: set[str] = set()
        """Numbers of all orders written and not read back."""
        self._number = 0
        self._last_order = self._told_to_hold = -1
        """Offsets in the topic: of the last order read, and up to where it was told that orders hold."""
        self._has_begun = False

    # Orders

    def pause(self, order: PauseOrder, by: Caller, now: Now) -> Check:
        """Holds here at once: prices are suppressed from this call on."""
        if refusal := self._unknown(order.what):
            return _at_once(False, refusal)
        text = f"{order.what} paused"
        pause = Pause(order.what, str(by), order.reason, now.wall)
        if self._book.pause(pause):
            self._set(now)
            self._record(text, by, order.reason)
            if self._topic is not None:
                number = self._unread[order.what] = self._next_number()
                told = Paused(Entry(pause), self._myself.instance, number)
                self._topic.write(key_of_order(order.what), encode_paused(told))
        else:
            text = f"nothing changes: {order.what} paused before"
        until = now.mono + TOPIC_SECONDS
        return lambda later: self._spread_of(order.what, text, later, until)

    def _spread_of(self, what: Selector, text: str, now: Now, until: float) -> Outcome | None:
        """Says how far it holds, once nothing of it can be posted where it does."""
        if not self._engine.pauses_hold:
            return None
        if self._topic is None:
            return self._outcome(True, f"{text}, {ALONE}")
        if what not in self._book.entries:
            return self._outcome(False, f"{what} resumed by another order meanwhile")
        spread = self._spreads.get(what)
        if spread is not None and what not in self._unread:
            return self._outcome(True, f"{text}, {spread.text}") if spread.is_everywhere(now.mono) else None
        if now.mono < until:
            return None
        why = "; ".join(self._topic.reasons()) or "Kafka has not taken it yet"
        return self._outcome(False, f"{text} in this instance; the others take the order once it is written ({why})")

    def resume(self, order: ResumeOrder, by: Caller, now: Now) -> Check:
        """Ends the pause of just that, once enough people have ordered it."""
        entry = self._book.entries.get(order.what)
        if entry is None:
            return self._said(True, f"nothing changes: {order.what} not paused")
        agreed = entry.approved(Approval(str(by), by.uid, order.reason, now.wall))
        if len(agreed.approvals) < self._approvals:
            return self._agree(entry, agreed, order, by, now)
        text = f"{order.what} resumed"
        if self._topic is None:
            self._book.remove(order.what)
            self._set(now)
            self._record(text, by, order.reason)
            return self._said(True, text)
        number = self._next_number()
        told = Resumed(order.what, str(by), order.reason, now.wall, self._myself.instance, number)
        self._topic.write(key_of_order(order.what), encode_resumed(told))
        return self._once_read(number, text, f"{order.what} stays paused until the order can be written", now)

    def _agree(self, before: Entry, agreed: Entry, order: ResumeOrder, by: Caller, now: Now) -> Check:
        """Somebody has agreed, and it takes somebody else."""
        if agreed is before:
            return self._said(
                True,
                f"nothing changes: {order.what} stays paused until another user than {by} orders to resume it, too",
            )
        text = (
            f"{order.what} stays paused: to resume it takes {self._approvals} different users, and {by} is number "
            f"{len(agreed.approvals)}"
        )
        self._record(text, by, order.reason)
        if self._topic is None:
            self._book.put(agreed)
            return self._said(True, text)
        number = self._next_number()
        told = Paused(agreed, self._myself.instance, number)
        self._topic.write(key_of_order(order.what), encode_paused(told))
        return self._once_read(number, text, f"{text}; that is not written yet", now)

    def _once_read(self, number: str, text: str, failed: str, now: Now) -> Check:
        """Answered once the order has come back from the topic."""
        until = now.mono + TOPIC_SECONDS

        def check(later: Now) -> Outcome | None:
            if number not in self._awaited:
                return self._outcome(True, text)
            if later.mono < until:
                return None
            return self._outcome(False, f"{failed} ({'; '.join(self._reasons()) or 'Kafka has not taken it yet'})")

        return check

    # The topic

    def followed(self, event: Followed, now: Now) -> None:
        """Records of the topic, in order; from then on it is known until when this process may post."""
        changed = [self._read(record, now) for record in event.records]
        if any(changed):
            self._set(now)
        if not self._has_begun:
            self._has_begun = True
            for entry in self._book.entries.values():
                _log.warning(f"in force since before this start: {entry.pause.what} paused", by=entry.pause.by)
        self.may_post_until = event.until
        if self._topic is not None:
            self._topic.taken(event.records[-1].offset)

    def follow(self) -> None:
        """Tells the others that what was ordered holds here; called in each round."""
        if self._topic is not None and self._last_order > self._told_to_hold and self._engine.pauses_hold:
            self._told_to_hold = self._last_order
            self._topic.holds(self._last_order)

    def _read(self, record: OrderRecord, now: Now) -> bool:
        """One of them; whether it changes what is in force."""
        told = decode(record.value)
        if isinstance(told, Present):
            self._instances.heard(told, now.mono)
            for spread in self._spreads.values():
                spread.heard(told)
            return False
        if told is None:
            return False
        self._last_order = record.offset
        ours = told.number in self._awaited
        self._awaited.discard(told.number)
        if isinstance(told, Paused):
            return self._paused(told, record.offset, now, ours=ours)
        return self._resumed(told)

    def _paused(self, told: Paused, offset: int, now: Now, *, ours: bool) -> bool:
        what, before = told.entry.pause.what, self._book.entries.get(told.entry.pause.what)
        if self._unread.get(what) == told.number:
            del self._unread[what]
        self._book.put(told.entry)
        is_new = before is None or before.pause != told.entry.pause
        if is_new or what not in self._spreads:
            self._spreads[what] = self._instances.begin(offset, now.mono)
        if is_new and self._has_begun:
            self._record(f"{what} paused", told.entry.pause.by, told.entry.pause.reason, told.instance)
        agreed = self._book.entries[what].approvals
        if ours and self._topic is not None and self._approvals > 1 and len(agreed) >= self._approvals:
            last = agreed[-1]  # two have agreed at once, each to an instance that did not know of the other
            number = self._next_number()
            resumed = Resumed(what, last.by, last.reason, last.at, self._myself.instance, number)
            self._topic.write(key_of_order(what), encode_resumed(resumed))
        return is_new

    def _resumed(self, told: Resumed) -> bool:
        if told.what not in self._book.entries or told.what in self._unread:  # it was of an earlier pause
            return False
        self._book.remove(told.what)
        self._spreads.pop(told.what, None)
        if self._has_begun:
            self._record(f"{told.what} resumed", told.by, told.reason, told.instance)
        return True

    # Words

    def _reasons(self) -> list[str]:
        return [] if self._topic is None else self._topic.reasons()

    def _next_number(self) -> str:
        self._number += 1
        number = f"{self._myself.process}-{self._number}"
        self._awaited.add(number)
        return number

    def _said(self, done: bool, text: str) -> Check:
        outcome = self._outcome(done, text)
        return lambda _now: outcome

    def _outcome(self, done: bool, text: str) -> Outcome:
        return Outcome(done, "\n".join([text, *self._book.lines()]))

    def _record(self, text: str, by: str, reason: str, instance: str | None = None) -> None:
        """The one place where what was ordered is told, with who and why: an audit of orders hears of it here.

        ``instance``: to which it was ordered, None: to this one.
        """
        if instance in (None, self._myself.instance):
            _log.warning(f"by order: {text}", by=str(by), reason=reason)
        else:
            _log.warning(f"by order to another instance: {text}", by=str(by), reason=reason, instance=instance)

    def _set(self, now: Now) -> None:
        self._engine.handle(PausesSet(self._book.pauses), now)

    def _unknown(self, what: Selector) -> str | None:
        """Why there is nothing to pause; None where there is."""
        mapper = self._engine.taker.mapper
        known: Iterable[str]
        if what.kind is PauseKind.MAPPING:
            known = [mapping.name for mapping in mapper.mappings]
        elif what.kind is PauseKind.DESK:
            known = sorted(set(mapper.desks.values()))
        else:
            return None
        if what.value in known:
            return None
        near = get_close_matches(what.value, known, n=1)
        there = f"is {near[0]} meant?" if near else f"there are: {', '.join(known) or 'none'}"
        return f"nothing is paused: no mapping in force {_HAS[what.kind]} {what.value}; {there}"


_HAS: Final = {PauseKind.MAPPING: "is called", PauseKind.DESK: "has desk"}


def _at_once(done: bool, text: str) -> Check:
    outcome = Outcome(done, text)
    return lambda _now: outcome
