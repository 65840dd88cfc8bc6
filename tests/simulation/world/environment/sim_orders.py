"""The control topic of a run: what the brokers keep of it, and how a simulated process reads and writes it."""

from collections.abc import Callable

from tests.simulation.world.environment.brokers import ORDERS, Brokers
from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.schedule import Schedule

from contribd.streams.client.errors import KafkaTimeoutError
from contribd.streams.client.port import OrderRecord

WRITE_SECONDS = 5.0
"""How long a record may take to be durable, as the daemon's client has it; connecting may take as long."""

LATE = (0.0, 0.5, 3.0, 12.0)
"""Seconds by which a record comes later that the client has given up: its system still tries to send it."""

CLEANED_AFTER = 20.0
"""Seconds after which a record may be gone that a later one of its key has replaced."""

CLEANING = 0.05
"""Share of records after which the log is cleaned."""


class SimOrderTopic:
    """One compacted partition; ``on_append`` hears of each record as it becomes durable."""

    def __init__(self, schedule: Schedule, brokers: Brokers, on_append: Callable[[OrderRecord], None]) -> None:
        self._schedule = schedule
        self.brokers = brokers
        self._on_append = on_append
        self._records: list[tuple[float, OrderRecord]] = []
        self._end = 0
        self.last_order = -1
        """The offset of the last record that is an order."""

    def append(self, key: bytes, value: bytes) -> None:
        """A record is durable."""
        record = OrderRecord(self._end, key, value)
        self._end += 1
        self._records.append((self._schedule.mono, record))
        if key.startswith(b"order/"):
            self.last_order = record.offset
        self._on_append(record)
        if self._schedule.rng.random() < CLEANING:
            self._clean()

    def _clean(self) -> None:
        last = {record.key: record.offset for _, record in self._records}
        kept_from = self._schedule.mono - CLEANED_AFTER
        self._records = [
            (at, record) for at, record in self._records if at > kept_from or last[record.key] == record.offset
        ]

    def after(self, offset: int) -> list[OrderRecord]:
        """The records from ``offset`` on."""
        return [record for _, record in self._records if record.offset >= offset]


class SimOrderLog:
    """``streams.client.port.OrderLog`` over a simulated cluster."""

    def __init__(self, life: Life, topic: SimOrderTopic, start: int) -> None:
        self._life = life
        self._topic = topic
        self._next = start
        _take(life, life.rtt())

    def poll(self, seconds: float) -> list[OrderRecord]:
        """The next ones; it hears of those that come while it waits when the time is up."""
        found = self._fetch()
        if not found:
            current().sleep(seconds)
            found = self._fetch()
        return found

    def _fetch(self) -> list[OrderRecord]:
        life, topic = self._life, self._topic
        cut_until = max(life.offline_until, life.no_orders_until)
        if cut_until > life.world.schedule.mono or topic.brokers.wait(ORDERS):
            return []
        found = topic.after(self._next)
        if found:
            self._next = found[-1].offset + 1
            current().sleep(life.rtt())
        return found

    def write(self, key: bytes, value: bytes) -> None:
        """It is durable when this returns; what takes too long may be so later, or never."""
        life, schedule = self._life, self._life.world.schedule
        takes = life.rtt() + self._topic.brokers.wait(ORDERS) + max(0.0, life.no_orders_until - schedule.mono)
        late = takes > WRITE_SECONDS
        if not late or schedule.rng.random() < 0.5:
            more = schedule.rng.choice(LATE) if late else 0.0
            schedule.after(takes + more, lambda: self._topic.append(key, value))
        _take(life, takes + life.rtt())

    def close(self) -> None:
        """Nothing is left open."""


def _take(life: Life, seconds: float) -> None:
    """Waits for an answer. Raises KafkaTimeoutError where that takes too long."""
    current().sleep(min(seconds, WRITE_SECONDS))
    if seconds > WRITE_SECONDS:
        life.world.counts["control topic out of reach"] += 1
        raise KafkaTimeoutError(f"no answer within {WRITE_SECONDS:g} s")
