"""Orders to the running daemon: what each comes to, and when it holds.

An order comes from the control socket through the worker's mailbox and is carried out in the worker's thread, by what
the table has for its kind. It is answered once it holds: what an order does to results, once these are durable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.records.offsets import Partition
from contribd.ops.log import get_logger
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import ALONE_HERE, Check, Ordering, PauseOrder, PauseOrders, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder, QuoteOrders, StandingQuotes
from contribd.streams.group.blocked import Skip, Skipped
from contribd.streams.order_topic import Followed

ANSWER_SECONDS: Final = 20.0
"""How long an order may take. What nobody has begun by then is not done any more."""

_log = get_logger("orders")


class SkipOrder(NamedTuple):
    """Go on behind what cannot be read of a partition at an offset."""

    partition: Partition
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"skip {self.partition}:{self.offset}"


Order: TypeAlias = SkipOrder | PauseOrder | ResumeOrder | QuoteOrder
"""All kinds of them."""


class Answer(NamedTuple):
    """What came of an order. ``done``: it holds. ``details``: what else there is to say of it, by name, for JSON."""

    done: bool
    text: str
    details: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """An order, and who waits for its answer. ``by``: the caller, as the kernel knows it."""

    order: Order
    by: Caller
    answer: Callable[[Answer], None]


class SkipControl(Protocol):
    """The source, as orders use it."""

    def skip(self, skip: Skip) -> None: ...


@dataclass(slots=True)
class _Pending:
    """An order that does not hold yet. ``last``: the offset that must be durable, None while it is not known."""

    asked: Asked
    until: float
    last: int | None = None
    text: str = ""
    check: Check | None = None
    """What else tells whether it holds."""


class Orders:
    """Those under way. Belongs to the worker's thread."""

    def __init__(
        self,
        engine: Engine,
        source: SkipControl,
        ordering: Ordering = ALONE_HERE,
        standing: StandingQuotes | None = None,
    ) -> None:
        """``standing``: reads what stands in the market; None where nothing does."""
        self._engine = engine
        self.pauses = PauseOrders(engine, ordering)
        self.quotes = QuoteOrders(engine, standing, ordering)
        self._source = source
        self._number = 0
        self._pending: dict[int, _Pending] = {}
        self._table: dict[type[Order], Callable[[int, Asked, Any, Now], None]] = {
            SkipOrder: self._skip,
            PauseOrder: self._pause,
            ResumeOrder: self._resume,
            QuoteOrder: self._about_quotes,
        }

    def take(self, asked: Asked, now: Now) -> None:
        """An order has come."""
        self._number += 1
        self._pending[self._number] = _Pending(asked, now.mono + ANSWER_SECONDS)
        self._table[type(asked.order)](self._number, asked, asked.order, now)

    def _skip(self, number: int, asked: Asked, order: SkipOrder, now: Now) -> None:
        text = f"skipped by {asked.by}: {order.reason}"
        self._source.skip(Skip(number, order.partition, order.offset, text, now.mono + ANSWER_SECONDS))

    def _pause(self, number: int, asked: Asked, order: PauseOrder, now: Now) -> None:
        self._pending[number].check = self.pauses.pause(order, asked.by, now)

    def _resume(self, number: int, asked: Asked, order: ResumeOrder, now: Now) -> None:
        self._pending[number].check = self.pauses.resume(order, asked.by, now)

    def _about_quotes(self, number: int, asked: Asked, order: QuoteOrder, now: Now) -> None:
        self._pending[number].check = self.quotes.take(order, asked.by, now)

    def followed(self, event: Followed, now: Now) -> None:
        """Records of the control topic."""
        self.pauses.followed(event, now)
        self.quotes.followed(event, now)

    def skipped(self, came_of_it: Skipped) -> None:
        """What the source says of a skip."""
        pending = self._pending.get(came_of_it.number)
        if pending is None:
            return
        if came_of_it.last is None:
            self._end(came_of_it.number, done=False, text=came_of_it.text)
            return
        pending.last, pending.text = came_of_it.last, came_of_it.text
        if not came_of_it.before:
            self._record(pending.asked, came_of_it.text)

    @staticmethod
    def _record(asked: Asked, text: str) -> None:
        """The one place where what was ordered is told, with who and why: an audit of orders hears of it here."""
        _log.warning(f"by order: {text}", by=asked.by, reason=asked.order.reason)

    def follow(self, now: Now) -> None:
        """Answers what holds by now, and what nobody waits for any longer; called in each round."""
        self.pauses.follow()
        self.quotes.follow(now)
        for number, pending in list(self._pending.items()):
            if pending.check is not None and (outcome := pending.check(now)) is not None:
                self._end(number, done=outcome.done, text=outcome.text, changes=outcome.changes)
                continue
            order = pending.asked.order
            if pending.last is not None and isinstance(order, SkipOrder):
                durable = self._engine.are_durable(order.partition, range(order.offset, pending.last + 1))
                if durable:
                    self._end(number, done=True, text=pending.text)
                    continue
                if durable is None:
                    lost = "the partition was revoked before its results were durable: see where it waits now"
                    self._end(number, done=False, text=f"{pending.text}, but {lost}")
                    continue
            if now.mono >= pending.until:
                self._end(number, done=False, text=_too_late(pending))

    def wake_at(self) -> float:
        """The monotonic time at which one is too late; infinite where there is none."""
        return min((self.quotes.wake_at(), *(pending.until for pending in self._pending.values())))

    def _end(self, number: int, *, done: bool, text: str, changes: bool = True) -> None:
        answer = Answer(done, text) if changes else Answer(done, text, {"changes": False})
        self._pending.pop(number).asked.answer(answer)

    def leave(self) -> None:
        """The daemon ends."""
        for number in list(self._pending):
            self._end(number, done=False, text="the daemon has stopped before it held")


def _too_late(pending: _Pending) -> str:
    if pending.check is not None:
        return f"it does not hold everywhere after {ANSWER_SECONDS:.0f} s; /status and the log say what is in force"
    if pending.last is None:
        return (
            f"nothing was done within {ANSWER_SECONDS:.0f} s: Kafka is away, or the group is in a rebalance; ask again"
        )
    return f"{pending.text}; its results are not durable yet, and will be once Kafka takes them"
