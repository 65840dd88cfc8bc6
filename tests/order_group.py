"""Instances of a group that share a control topic, on one clock and without threads."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from tests.engine.rig import P0, Rig

from contribd.engine.clock import Now
from contribd.engine.events import Leased, StandingRead
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind, StandingQuote
from contribd.ops.progress import Pulse
from contribd.orders import Answer, Asked, Order, Orders
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import Myself, Ordering, PauseOrder, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder
from contribd.streams.client.errors import KafkaError
from contribd.streams.client.port import OrderRecord
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.order_topic import Followed, OrderTopic
from contribd.streams.runtime import THREADS

EVE, BOB = Caller("eve (uid 7)", 7), Caller("bob (uid 8)", 8)
EUR = Selector(PauseKind.RIC, "EUR*")


class Enough(Exception):
    """Nothing more is to be done in a round."""


class Topic:
    """What all share. ``away``: instances that cannot reach it."""

    def __init__(self) -> None:
        self.records: list[OrderRecord] = []
        self.away = set[str]()
        self.mono = 1000.0
        self.standing = dict[Key, StandingQuote]()
        """What the results topic tells."""
        self.unreadable: str | None = None

    def compact(self) -> None:
        """Keeps the last record of each key."""
        last = {record.key: record for record in self.records}
        self.records = sorted(last.values())


class Log:
    """One instance's view of it: an ``OrderLog``."""

    def __init__(self, topic: Topic, name: str, start: int) -> None:
        self._topic, self._name, self._next, self._polls = topic, name, start, 0

    def poll(self, _seconds: float) -> list[OrderRecord]:
        self._reach()
        found = [record for record in self._topic.records if record.offset >= self._next]
        if not found and self._polls:
            raise Enough
        self._polls += 1
        self._next = found[-1].offset + 1 if found else self._next
        return found

    def write(self, key: bytes, value: bytes) -> None:
        self._reach()
        records = self._topic.records
        records.append(OrderRecord(records[-1].offset + 1 if records else 0, key, value))

    def close(self) -> None:
        pass

    def _reach(self) -> None:
        if self._name in self._topic.away:
            raise KafkaError("no broker")


class Results:
    """The results topic, as an instance reads it: at once."""

    def __init__(self, topic: Topic, emit: Callable[[StandingRead], None]) -> None:
        self._topic, self._emit = topic, emit

    def read(self, number: int) -> None:
        failure = self._topic.unreadable
        self._emit(StandingRead(number, {} if failure else dict(self._topic.standing), None, failure))

    def follow(self) -> None:
        pass


class Instance:
    """One daemon: its engine, its orders and what follows the topic."""

    def __init__(
        self, topic: Topic, name: str, *, approvals: int = 1, process: str = "", partition: Partition = P0, **more: Any
    ) -> None:
        self.topic, self.name = topic, name
        self.rig = Rig(**more).open().assign(partition)
        myself = Myself(name, process or name)
        settings = KafkaSettings(("k:9092",), "g", ("prices",), "results", None, "latest", name, control="orders")
        self._mail: list[Followed | StandingRead] = []
        runtime: Any = SimpleNamespace(mono=lambda: topic.mono, event=THREADS.event, queue=THREADS.queue)
        self.follower = OrderTopic(
            settings,
            lambda start: Log(topic, name, start),
            myself.presence(),
            runtime=runtime,
            emit=self._mail.append,
            pulse=Pulse("orders", 60.0, 0.0),
        )
        self.follower._stopping.wait = lambda _seconds=None: self._enough()  # type: ignore[assignment, method-assign]
        source: Any = None
        self.orders = Orders(
            self.rig.engine, source, Ordering(approvals, self.follower, myself), Results(topic, self._mail.append)
        )
        self.answers: list[Answer] = []
        self.work()

    @staticmethod
    def _enough() -> bool:
        raise Enough

    @property
    def now(self) -> Now:
        return Now(self.topic.mono, self.rig.wall)

    def follow(self) -> None:
        """What its thread does until nothing is left to do."""
        with suppress(Enough):
            self.follower.run()

    def work(self) -> None:
        """A round of its worker."""
        mail, self._mail[:] = list(self._mail), []
        for event in mail:
            if isinstance(event, StandingRead):
                self.rig.handle(event)
            else:
                self.orders.followed(event, self.now)
        self.rig.mono = self.topic.mono
        self.rig.handle(Leased(self.orders.pauses.may_post_until))
        self.orders.follow(self.now)

    def give(self, order: Order, by: Caller = EVE) -> None:
        self.orders.take(Asked(order, by, self.answers.append), self.now)
        self.orders.follow(self.now)

    def pause(self, what: Selector = EUR, by: Caller = EVE) -> None:
        self.give(PauseOrder(what, "feed broken"), by)

    def resume(self, what: Selector = EUR, by: Caller = EVE) -> None:
        self.give(ResumeOrder(what, "it is back"), by)

    def about_quotes(self, kind: OrderKind, what: Selector = EUR, by: Caller = EVE) -> None:
        self.give(QuoteOrder(kind, what, "wrong price"), by)

    @property
    def answer(self) -> Answer | None:
        """The last one; None while there is none. It is taken."""
        return self.answers.pop() if self.answers else None

    def posts(self, bid: int) -> bool:
        """Whether a price is posted, and not SUPPRESSED or made to wait."""
        self.rig.frames.clear()
        self.rig.put({"BID": bid})
        posted = self.rig.fields == [{"BID": bid}]
        self.rig.ack(*self.rig.ids)
        self.rig.commit()
        return posted


def together(instances: Iterable[Instance], rounds: int = 4) -> None:
    """All go on, in turn."""
    instances = list(instances)
    for _ in range(rounds):
        for one in instances:
            one.follow()
            one.work()
