"""The control topic, followed: what was ordered reaches every instance of the group, and each says that it has.

Theory of operation
===================

All instances read one partition, so that orders have one order. An order is a record there; who gave it and what it
means is not read here, but by whoever it is handed to (``contribd.pausing``), in lists and in order.

The lease. An instance that is cut off from the topic cannot know what was ordered. So each writes a record of its own
every ``INTERVAL`` seconds, its presence, and may post for ``LEASE`` seconds from before it wrote one that it has read
back: then it has read everything that stood before it. Whoever orders something looks at whose presence stands before
the order, and waits for each of those to say that the order holds there, or for its lease to run out. What comes later
stands behind the order, and gives a lease only to who has read it.

What an instance says. With its presence goes the offset up to which everything holds in it. It is written at once where
an order has come to hold, and not at all while what was handed over has not been taken: an instance whose worker hangs
loses its lease.

At a start the topic is read from its beginning to the first presence of this process, and handed over in one list.
Before that there is no lease, and nothing is posted.
"""

from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Final, NamedTuple

from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.client.port import OrderLog, OrderRecord
from contribd.streams.client.retrying import FAILURES, pause_after
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Runtime

LEASE: Final = 10.0
"""Seconds for which an instance may post on the strength of one presence: as a static member's heartbeat lets it
(``NAME_LEASE``), so that a broker that is away costs no more with orders than without."""

MARGIN: Final = 0.1
"""The part of the lease by which this process stops earlier than others expect: clocks run at different speeds."""

INTERVAL: Final = 2.5
"""Seconds between two presences: three may fail before the lease runs out."""

POLL_SECONDS: Final = 0.1
"""The longest wait for records: orders are written this often."""

_log = get_logger("orders")


class Followed(NamedTuple):
    """Records of the topic, in order. ``until``: to when this process may post once it has taken them (monotonic
    seconds)."""

    records: tuple[OrderRecord, ...]
    until: float


class Presence(NamedTuple):
    """What writes the presence of this process: key and value, for what holds up to an offset; the value is another
    one each time. ``left``: the same at the end."""

    key: bytes
    value: Callable[[int], bytes]
    left: bytes


class OrderTopic:
    """Follows the topic in a thread of its own; other threads call ``write``, ``holds``, ``taken`` and ``stop``."""

    def __init__(
        self,
        settings: KafkaSettings,
        opened: Callable[[int], OrderLog],
        presence: Presence,
        *,
        runtime: Runtime,
        emit: Callable[[Followed], None],
        pulse: Pulse,
    ) -> None:
        """``opened``: the topic from an offset on. ``emit`` takes what is read."""
        self._settings, self._opened, self._presence = settings, opened, presence
        self._runtime, self._emit, self._pulse = runtime, emit, pulse
        self._stopping = runtime.event()
        self._ordered = runtime.queue()
        self._unwritten: deque[tuple[bytes, bytes]] = deque()
        self._next = 0
        """The offset to be read next."""
        self._begun: list[OrderRecord] | None = []
        """What was read before the first presence of this process; None once that was."""
        self._sent: dict[bytes, float] = {}
        """When each presence was written that has not been read back; monotonic."""
        self._until = 0.0
        self._handed = self._taken = self._holds = self._told = -1
        """Offsets: handed over last; taken by the worker; up to which all holds; and as the last presence told."""
        self._present_at = 0.0
        self.failure: str | None = None
        """Why the topic cannot be followed just now, in a sentence."""

    # For other threads

    def write(self, key: bytes, value: bytes) -> None:
        """Writes an order as soon as it can be; it comes back by ``Followed``."""
        self._ordered.put((key, value))

    def taken(self, offset: int) -> None:
        """The worker has taken what was handed over up to there."""
        self._taken = offset

    def holds(self, offset: int) -> None:
        """The orders up to there, of which this is the last, hold in this process, too."""
        self._holds = offset

    def reasons(self) -> list[str]:
        """Why nothing may be posted on account of orders; empty: it may."""
        if self._runtime.mono() < self._until:
            return []
        topic = self._settings.control
        return [f"orders: {self.failure or f'topic {topic} has not been read to its end yet'}"]

    def stop(self) -> None:
        """Ends the thread: nothing is posted any more."""
        self._stopping.set()

    # Its thread

    def run(self) -> None:
        """Follows until ``stop``, however often Kafka goes and comes."""
        failures = 0
        while not self._stopping.is_set():
            self._pulse.beat(self._runtime.mono())
            before = self._next
            try:
                log = self._opened(self._next)
                try:
                    self._follow(log)
                finally:
                    log.close()
            except FAILURES as error:
                failures = 1 if self._next != before else failures + 1
                self._failed(explain(error, self._settings))
                self._stopping.wait(pause_after(failures))

    def _failed(self, text: str) -> None:
        if text != self.failure:
            _log.warning(f"orders cannot be read or written, trying again: {text}", topic=self._settings.control)
        self.failure = text

    def _follow(self, log: OrderLog) -> None:
        while not self._stopping.is_set():
            self._pulse.beat(self._runtime.mono())
            self._read(log.poll(POLL_SECONDS))  # first: what could not be written for certain may be there all the same
            self._write(log)
            self._show(log)
        log.write(self._presence.key, self._presence.left)

    def _read(self, records: list[OrderRecord]) -> None:
        if not records:
            return
        self._next = records[-1].offset + 1
        found = False
        for record in records:
            if self._unwritten and (record.key, record.value) in self._unwritten:
                self._unwritten.remove((record.key, record.value or b""))
            sent = self._sent.pop(record.value or b"", None) if record.key == self._presence.key else None
            if sent is not None:
                self._until = sent + LEASE * (1 - MARGIN)
                found = True
        if self._begun is not None:
            self._begun += records
            if not found:
                return
            records, self._begun = self._begun, None
        if found and self.failure is not None:
            _log.info("orders are read and written again", topic=self._settings.control)
            self.failure = None
        self._handed = records[-1].offset
        self._emit(Followed(tuple(records), self._until))

    def _show(self, log: OrderLog) -> None:
        """Says that this process is there, where it is time to, and up to where orders hold in it."""
        now, holds = self._runtime.mono(), self._holds
        if self._taken < self._handed or (now < self._present_at + INTERVAL and holds == self._told):
            return
        value = self._presence.value(holds)
        self._sent = {each: at for each, at in self._sent.items() if at > now - LEASE}
        self._sent[value] = now
        log.write(self._presence.key, value)
        self._present_at, self._told = now, holds

    def _write(self, log: OrderLog) -> None:
        """Writes what was ordered; what could not be written is written again."""
        try:
            while True:
                self._unwritten.append(self._ordered.get_nowait())
        except Empty:
            pass
        while self._unwritten:
            log.write(*self._unwritten[0])
            self._unwritten.popleft()
