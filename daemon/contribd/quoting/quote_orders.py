"""Orders about quotes in the market, carried out: each instance does its part, and the one that was asked tells all.

Without a control topic this process is all there is. With one, an order goes through it: each instance that follows
the topic takes it from there, does its part for the partitions that it has (``engine/posts/ordered.py``), and writes
what it did. The instance that was asked waits for those whose presence stands before the order, as with a pause
(``pausing/spread.py``), and begins at once itself.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import QuotesOrdered, StandingRead
from contribd.engine.posts.ordered import Tally
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind
from contribd.ops.log import get_logger
from contribd.pausing.book import Caller
from contribd.pausing.known_names import why_unknown
from contribd.pausing.pause_orders import Check, Ordering, Outcome
from contribd.pausing.spread import Instances
from contribd.pausing.topic_records import Present, key_of_order
from contribd.pausing.topic_records import decode as decode_presence
from contribd.quoting.report import report
from contribd.quoting.topic_records import Done, Ordered, decode, encode_done, encode_ordered, key_of_done
from contribd.streams.order_topic import LEASE, Followed

DONE_SECONDS: Final = 12.0
"""How long an instance may take for its part before it says how far it is."""

ALL_SECONDS: Final = 17.0
"""How long all may take before the order is answered as far as it is; less than ``ANSWER_SECONDS``."""

ADOPT_SECONDS: Final = 5.0
"""Between two tries to read what a former owner of a partition left."""

_EVERYTHING: Final = Selector(PauseKind.ALL)
_log = get_logger("orders")


class QuoteOrder(NamedTuple):
    """Do this about the quotes of that."""

    kind: OrderKind
    what: Selector
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class StandingQuotes(Protocol):
    """What reads the results topic, as orders use it."""

    def read(self, number: int) -> None: ...
    def follow(self) -> None: ...


@dataclass(slots=True)
class _Given:
    """An order that was given here. ``others``: processes that are to say what they did, with their instance."""

    number: int
    until: float
    is_read: bool
    others: dict[str, str] = field(default_factory=dict)
    told: dict[str, Tally] = field(default_factory=dict)
    """By instance."""
    silent: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """What this process does of an order that was given to another."""

    number: int
    until: float


class QuoteOrders:
    """Those under way. Belongs to the worker's thread."""

    def __init__(self, engine: Engine, reader: StandingQuotes | None, ordering: Ordering) -> None:
        """``reader``: None where nothing may be asked of the results topic."""
        self._engine, self._reader = engine, reader
        _, self._topic, self._myself, _ = ordering
        self._instances = Instances(self._myself.process, LEASE)
        self._given: dict[str, _Given] = {}
        self._parts: dict[str, _Part] = {}
        self._seen: set[str] = set()
        """Numbers of all orders read: a record that was written twice counts once."""
        self._number = 0
        self._has_begun = False
        self._is_wanted = engine.withdrawals.wanted
        """Whether anything may be withdrawn without an order."""
        self._adopting: int | None = None
        self._adopt_at: float | None = None
        """When the quotes of new partitions are to be read (monotonic seconds); None: they are known."""

    # Orders

    def take(self, order: QuoteOrder, by: Caller, now: Now) -> Check:
        """Begins here at once."""
        mapper = self._engine.taker.mapper
        names = (mapping.name for mapping in mapper.mappings)
        if refusal := why_unknown(order.what, names, mapper.desks.values(), "nothing is done"):
            outcome = Outcome(False, refusal)
            return lambda _now: outcome
        self._record(order.kind, order.what, str(by), order.reason)
        until = now.mono + ALL_SECONDS
        given = _Given(self._begin(order.kind, order.what, now), until, is_read=self._topic is None)
        number = f"{self._myself.process}-quotes-{given.number}"
        self._given[number] = given
        if self._topic is not None:
            told = Ordered(order.kind, order.what, str(by), order.reason, now.wall, self._myself.instance, number)
            self._topic.write(key_of_order(number), encode_ordered(told))
        return lambda later: self._outcome(number, order, later)

    def _begin(self, kind: OrderKind, what: Selector, now: Now) -> int:
        self._number += 1
        self._engine.handle(QuotesOrdered(self._number, kind, what), now)
        if self._reader is None:
            self._engine.handle(StandingRead(self._number, {}, None, "nothing reads it here"), now)
        else:
            self._reader.read(self._number)
        return self._number

    def _outcome(self, number: str, order: QuoteOrder, now: Now) -> Outcome | None:
        """Once all have said what they did, or the time is up."""
        given = self._given[number]
        for process, instance in list(given.others.items()):
            if now.mono >= given.until or not self._instances.has(process, now.mono):
                del given.others[process]
                given.silent.append(instance)
        here = self._engine.ordered.tally(given.number) or Tally(over=True)
        over = here.over and given.is_read and not given.others
        if not over and now.mono < given.until:
            return None
        del self._given[number]
        unwritten = None if given.is_read else ("; ".join(self._reasons()) or "Kafka has not taken it yet")
        return Outcome(*report(order.kind, order.what, here, given.told, given.silent, unwritten))

    def _reasons(self) -> list[str]:
        return [] if self._topic is None else self._topic.reasons()

    def follow(self, now: Now) -> None:
        """Says what was done of others' orders, and reads what is to be known; called in each round."""
        if self._reader is not None:
            self._reader.follow()
            if self._engine.withdrawals.wanted is not self._is_wanted:  # by other rules
                self._is_wanted = not self._is_wanted
                self.assigned(now)
            self._adopt(now)
        for number, part in list(self._parts.items()):
            tally = self._engine.ordered.tally(part.number)
            if tally is None or tally.over or now.mono >= part.until:
                del self._parts[number]
                self._say(number, tally or Tally(over=True))

    def _say(self, number: str, tally: Tally) -> None:
        if self._topic is not None:
            told = Done(number, self._myself.instance, self._myself.process, tally)
            self._topic.write(key_of_done(self._myself.instance), encode_done(told))

    def wake_at(self) -> float:
        """The monotonic time at which there is something to say or to read; infinite where there is nothing."""
        adopt_at = self._adopt_at
        if adopt_at is None or self._adopting is not None:  # what is being read comes with an event
            adopt_at = float("inf")
        return min(
            (adopt_at, *(part.until for part in self._parts.values()), *(given.until for given in self._given.values()))
        )

    # The topic

    def followed(self, event: Followed, now: Now) -> None:
        """Records of the topic, in order. What was ordered before this process followed it was others' to do."""
        for record in event.records:
            if isinstance(present := decode_presence(record.value), Present):
                self._instances.heard(present, now.mono)
                for given in self._given.values():
                    _left(given, present)
            elif isinstance(told := decode(record.value), Ordered):
                self._read(told, record.offset, now)
            elif told is not None:
                self._heard(told)
        self._has_begun = True

    def _read(self, told: Ordered, offset: int, now: Now) -> None:
        if told.number in self._seen:
            return
        self._seen.add(told.number)
        if (given := self._given.get(told.number)) is not None:
            given.is_read = True
            waiting = self._instances.begin(offset, now.mono).waiting
            given.others = {process: instance for process, (instance, _) in waiting.items()}
        elif self._has_begun and told.instance != self._myself.instance:
            self._record(told.kind, told.what, told.by, told.reason, told.instance)
            self._parts[told.number] = _Part(self._begin(told.kind, told.what, now), now.mono + DONE_SECONDS)

    def _heard(self, told: Done) -> None:
        given = self._given.get(told.number)
        if given is not None and given.others.pop(told.process, None) is not None:
            given.told[told.instance] = told.tally

    # What a former owner left

    def assigned(self, now: Now) -> None:
        """Partitions are new here: what stands of them is to be known, where it may have to be withdrawn."""
        if self._is_wanted and self._reader is not None:
            self._adopt_at = now.mono

    def _adopt(self, now: Now) -> None:
        if self._adopting is not None:
            tally = self._engine.ordered.tally(self._adopting)
            if tally is not None and not tally.over:
                return
            self._adopting = None
            if tally is not None and tally.failure is not None:
                text = "what a former owner of these partitions has posted is not known yet"
                _log.warning(text, error=tally.failure)
                self._adopt_at = now.mono + ADOPT_SECONDS
        if self._adopt_at is not None and now.mono >= self._adopt_at:
            self._adopt_at = None
            self._adopting = self._begin(OrderKind.ADOPT, _EVERYTHING, now)

    # Words

    def _record(self, kind: OrderKind, what: Selector, by: str, reason: str, instance: str | None = None) -> None:
        """The one place where orders are told, with who and why. ``instance``: to which it was given, None: to this."""
        text = f"{kind} {what}"
        if instance is None:
            _log.warning(f"by order: {text}", by=by, reason=reason)
        else:
            _log.warning(f"by order to another instance: {text}", by=by, reason=reason, instance=instance)


def _left(given: _Given, present: Present) -> None:
    """An instance that ends has nothing more to say; what it did is in its results."""
    if present.left and (instance := given.others.pop(present.process, None)) is not None:
        given.silent.append(instance)
