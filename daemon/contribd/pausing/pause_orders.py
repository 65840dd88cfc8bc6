"""Orders to pause and to resume, carried out: a pause holds here at once, and is answered once it holds everywhere.

Without a control topic this process is all there is. With one, what is in force is what stands in the topic, and the
pauses ordered here that are not there yet (``streams/order_topic.py`` says how each instance comes to know it).
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol, TypeAlias

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import PausesSet
from contribd.engine.records.pauses import Pause, Selector
from contribd.ops.log import get_logger
from contribd.pausing.book import Approval, Book, Caller
from contribd.pausing.known_names import why_unknown, without_match
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

    def __str__(self) -> str:
        return f"pause {self.what}"


class ResumeOrder(NamedTuple):
    """Post it again."""

    what: Selector
    reason: str

    def __str__(self) -> str:
        return f"resume {self.what}"


class Outcome(NamedTuple):
    """What came of an order. ``done``: it holds. ``text``: in a sentence; then, a line each, what is in force now.
    ``changes``: whether it may have changed anything."""

    done: bool
    text: str
    changes: bool = True


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
    control topic, in which this process is ``myself``; ``rics``: those that are known here,
    None where nobody follows them."""

    approvals: int = 1
    topic: TopicControl | None = None
    myself: Myself = NOBODY
    rics: Callable[[], Iterable[str]] | None = None


ALONE_HERE: Final = Ordering()


class PauseOrders:
    """What is paused. Belongs to the worker's thread."""

    def __init__(self, engine: Engine, ordering: Ordering = ALONE_HERE) -> None:
        self._engine = engine
        self._approvals, self._topic, self._myself, self._rics = ordering
        self.may_post_until = float("inf") if self._topic is None else 0.0
        """To when what is in force is known (monotonic seconds)."""
        self._book = Book()
        self._instances = Instances(self._myself.process, LEASE)
        self._spreads: dict[str, Spread] = {}
        """Of the pauses ordered here that stand in the topic and are not answered, by number."""
        self._awaited: set[str] = set()
        """Numbers of the orders given here that were written and not read back."""
        self._read_numbers: set[str] = set()
        """Of all orders read: a record that was written twice counts once."""
        self._came_of: dict[str, tuple[bool, str]] = {}
        """What orders to resume that were given here came to, as far as nobody has been told."""
        self._number = 0
        self._last_order = self._told_to_hold = -1
        """Offsets in the topic: of the last order read, and up to where it was told that orders hold."""
        self._has_begun = False

    # Orders

    def pause(self, order: PauseOrder, by: Caller, now: Now) -> Check:
        """Holds here at once: prices are suppressed from this call on."""
        mapper = self._engine.taker.mapper
        if refusal := why_unknown(order.what, (one.name for one in mapper.mappings), mapper.desks.values()):
            return _at_once(False, refusal)
        number = self._next_number()
        pause = Pause(order.what, str(by), order.reason, now.wall)
        unmatched = "" if self._rics is None else without_match(order.what, self._rics())
        text = f"{self._begin(number, pause)}{unmatched}"
        self._set(now)
        if self._topic is not None:
            self._awaited.add(number)
            self._topic.write(key_of_order(number), encode_paused(Paused(pause, self._myself.instance, number)))
        until = now.mono + TOPIC_SECONDS
        return lambda later: self._spread_of(order.what, number, text, later, until)

    def _begin(self, number: str, pause: Pause, instance: str | None = None) -> str:
        """A pause, from now on; what it comes to, in words."""
        is_new = self._book.pause(number, pause)
        text = f"{pause.what} paused" if is_new else f"nothing changes: {pause.what} paused before"
        self._record(text, pause.by, pause.reason, instance)
        return text

    def _spread_of(self, what: Selector, number: str, text: str, now: Now, until: float) -> Outcome | None:
        """Says how far it holds, once nothing of it can be posted where it does."""
        if not self._engine.pauses_hold:
            return None
        if self._topic is None:
            return self._outcome(True, f"{text}, {ALONE}")
        if number not in self._book.of(what):
            return self._outcome(False, f"{what} resumed by another order meanwhile")
        if number in self._spreads:
            return self._once_everywhere(number, text, now)
        if now.mono < until:
            return None
        why = "; ".join(self._topic.reasons()) or "Kafka has not taken it yet"
        return self._outcome(False, f"{text} in this instance; the others take the order once it is written ({why})")

    def _once_everywhere(self, number: str, text: str, now: Now) -> Outcome | None:
        spread = self._spreads[number]
        if not spread.is_everywhere(now.mono):
            return None
        del self._spreads[number]
        return self._outcome(True, f"{text}, {spread.text}")

    def resume(self, order: ResumeOrder, by: Caller, now: Now) -> Check:
        """Ends the pauses there are of just that, once enough people have ordered it."""
        what, entries = order.what, self._book.of(order.what)
        if not entries:
            other = "; a pause is ended by its own name" if self._book.pauses else ""
            nothing = self._outcome(True, f"nothing changes: {what} not paused{other}")
            return lambda _now: nothing._replace(changes=False)
        if self._approvals > 1 and all(entry.has_approved(by.uid) for entry in entries.values()):
            text = f"nothing changes: {what} stays paused until another user than {by} orders to resume it, too"
            return self._said(True, text)
        number, instance = self._next_number(), self._myself.instance
        told = Resumed(what, str(by), by.uid, order.reason, now.wall, tuple(entries), self._approvals, instance, number)
        if self._topic is None:
            came_of_it = self._resume(told)
            self._set(now)
            return self._said(*came_of_it)
        self._awaited.add(number)
        self._topic.write(key_of_order(number), encode_resumed(told))
        return self._once_read(what, number, now)

    def _resume(self, told: Resumed) -> tuple[bool, str]:
        """Somebody orders that pauses end; whether it is done, and what it comes to."""
        what = told.what
        self._book.approve(what, told.ends, Approval(told.by, told.uid, told.reason, told.at, told.needs))
        left = self._book.of(what)
        agreed = max((len(left[number].approvals) for number in told.ends if number in left), default=0)
        if not left:
            done, text = True, f"{what} resumed"
        elif agreed:
            text = f"to resume it takes {told.needs} different users, and {told.by} is number {agreed}"
            done, text = True, f"{what} stays paused: {text}"
        else:
            done, text = False, f"{what} stays paused: it was paused once more before this order came to hold"
        self._record(text, told.by, told.reason, told.instance)
        return done, text

    def _once_read(self, what: Selector, number: str, now: Now) -> Check:
        """Answered once the order has come back from the topic; by what is in force then, which others may have
        ordered right after it."""
        until = now.mono + TOPIC_SECONDS
        failed = f"{what} stays paused until the order can be written"

        def check(later: Now) -> Outcome | None:
            if (came_of_it := self._came_of.pop(number, None)) is not None:
                return self._outcome(*(came_of_it if what in self._book else (True, f"{what} resumed")))
            if later.mono < until:
                return None
            self._awaited.discard(number)
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
            for pause in self._book.pauses:
                _log.warning(f"in force since before this start: {pause.what} paused", by=pause.by)
        self.may_post_until = event.until
        if self._topic is not None:
            self._topic.taken(event.records[-1].offset)

    def follow(self) -> None:
        """Tells the others that what was ordered holds here; called in each round."""
        if self._topic is not None and self._last_order > self._told_to_hold and self._engine.pauses_hold:
            self._told_to_hold = self._last_order
            self._topic.holds(self._last_order)

    def _read(self, record: OrderRecord, now: Now) -> bool:
        """One of them; whether it may change what is in force."""
        told = decode(record.value)
        if isinstance(told, Present):
            self._instances.heard(told, now.mono)
            for spread in self._spreads.values():
                spread.heard(told)
            return False
        if told is None:
            return False
        self._last_order = record.offset
        if told.number in self._read_numbers:
            return False
        self._read_numbers.add(told.number)
        ours = told.number in self._awaited
        self._awaited.discard(told.number)
        if isinstance(told, Resumed):
            self._read_resumed(told, ours=ours)
        elif ours:
            self._spreads[told.number] = self._instances.begin(record.offset, now.mono)
        elif not self._book.has_ended(told.number, told.pause):
            self._begin(told.number, told.pause, told.instance)
        return True

    def _read_resumed(self, told: Resumed, *, ours: bool) -> None:
        came_of_it = self._resume(told)
        for number in told.ends:
            if number not in self._book.of(told.what):
                self._spreads.pop(number, None)
        if ours:
            self._came_of[told.number] = came_of_it

    # Words

    def _reasons(self) -> list[str]:
        return [] if self._topic is None else self._topic.reasons()

    def _next_number(self) -> str:
        self._number += 1
        return f"{self._myself.process}-{self._number}"

    def _said(self, done: bool, text: str) -> Check:
        outcome = self._outcome(done, text)
        return lambda _now: outcome

    def _outcome(self, done: bool, text: str) -> Outcome:
        return Outcome(done, "\n".join([text, *self._book.lines()]))

    def _record(self, text: str, by: str, reason: str, instance: str | None = None) -> None:
        """The one place where what was ordered is told, with who and why: an audit of orders hears of it here.

        ``instance``: to which it was ordered, None: to this one. What is in force at a start is told by itself.
        """
        if instance is not None and self._topic is not None and not self._has_begun:
            return
        if instance in (None, self._myself.instance):
            _log.warning(f"by order: {text}", by=str(by), reason=reason)
        else:
            _log.warning(f"by order to another instance: {text}", by=str(by), reason=reason, instance=instance)

    def _set(self, now: Now) -> None:
        self._engine.handle(PausesSet(self._book.pauses), now)


def _at_once(done: bool, text: str) -> Check:
    outcome = Outcome(done, text)
    return lambda _now: outcome
