"""What the worker does in each round: the same code between threads and sockets as in a simulation."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from selectors import SelectorKey
from typing import Any, Final, Protocol, TypeAlias

from contribd.ads.driver import Dialed, Driver
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import (
    Assigned,
    BrokerLimits,
    Committed,
    Event,
    Leased,
    Probed,
    Records,
    Revoked,
    Revoking,
    Stop,
    Tick,
    TokenFailed,
    TokenGot,
)
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded, ResultEncoder
from contribd.orders import Asked, Orders
from contribd.pausing.pause_orders import ALONE_HERE, Ordering
from contribd.quoting.quote_orders import StandingQuotes
from contribd.reloads import Read, ReloadAsked, Reloads
from contribd.streams.client.port import Member
from contribd.streams.group.blocked import Skip, Skipped
from contribd.streams.group.lease import Joined, Lease
from contribd.streams.order_topic import Followed
from contribd.streams.transaction import Write

_Heard: TypeAlias = Joined | Asked | Skipped | Followed | ReloadAsked | Read
"""What is none of the engine's, nor of the driver's."""

Mail: TypeAlias = Event | Dialed | _Heard
"""What comes through the worker's mailbox."""

DRAIN_MARGIN: Final = 10.0
"""Seconds beyond ``ads.ack_timeout`` that a stop may take: the last commit, and leaving the group."""


class SourceControl(Protocol):
    """The source, as the worker uses it."""

    def pause(self, partitions: frozenset[Partition]) -> None: ...
    def release(self) -> None: ...
    def skip(self, skip: Skip) -> None: ...
    def follow_rules(self, rules: str | None) -> bool: ...
    def remember(self, mappings: frozenset[str]) -> None: ...
    def stop(self) -> None: ...


class SinkControl(Protocol):
    """The sink, as the worker uses it."""

    def write(self, write: Write) -> None: ...


class Loop:
    """Between the engine and what carries it. Belongs to one thread."""

    def __init__(
        self,
        engine: Engine,
        driver: Driver,
        source: SourceControl,
        sink: SinkControl,
        lease: Lease,
        results: ResultEncoder,
        *,
        rejects: bool,
        ack_timeout: float,
        clock: Callable[[], Now],
        durable: Callable[[Sequence[Encoded], Now], None] | None = None,
        ordering: Ordering = ALONE_HERE,
        standing: StandingQuotes | None = None,
    ) -> None:
        """``rejects``: whether the untouched input of rejected records is written too; ``ack_timeout`` in seconds.
        ``durable`` is told of results once they are; ``standing`` reads what stands in the market."""
        self._clock = clock
        self.engine, self.driver = engine, driver
        self._source, self._sink = source, sink
        self._lease, self._results, self._rejects = lease, results, rejects
        self._stop_seconds = 0.0
        self._follow_timeout(ack_timeout)
        self._orders = Orders(engine, source, ordering, standing)
        self.reloads = Reloads(engine, source, results, self._follow_timeout)
        self._durable = durable
        self._being_written: list[Encoded] = []
        self._member: Member | None = None
        self._leased_until = float("inf")
        self.consumed = 0
        self._paused: frozenset[Partition] = frozenset()
        self._revoking: deque[frozenset[Partition]] = deque()
        self.deadline = float("inf")

    def _follow_timeout(self, ack_timeout: float) -> None:
        self._stop_seconds = ack_timeout + DRAIN_MARGIN

    def round(self, ready: Iterable[tuple[SelectorKey, int]], events: Iterable[Mail]) -> bool:
        """What a selector found ready and what was in the mailbox, then what the engine wants done; True at the end."""
        for key, mask in ready:
            if self.driver.owns(key.fileobj):
                self.driver.serve(mask, self._clock())
        for event in events:
            self._take(event, self._clock())
        now = self._clock()
        self.engine.handle(Tick(), now)
        self._act(now)
        self._orders.follow(now)
        self.reloads.follow(now)
        return self._finished(now)

    def wait(self) -> float:
        """Seconds until there is something to do by itself; infinite where there is nothing."""
        now = self._clock()
        return max(0.0, min(self.engine.wake_at(now), self._orders.wake_at(), self.reloads.wake_at(now)) - now.mono)

    def _take(self, event: Mail, now: Now) -> None:
        """One event from the mailbox."""
        if isinstance(event, Dialed | Probed | TokenGot | TokenFailed):
            self.driver.take(event, now)
            return
        if isinstance(event, _Heard):
            self._heard(event, now)
            return
        self._follow(event, now)
        self.engine.handle(event, now)
        if isinstance(event, Assigned):
            self._orders.quotes.assigned(now)
        if isinstance(event, Records):
            self.consumed += sum(len(records) for _, records in event.batches)
            self._act(now)

    def _follow(self, event: Event, now: Now) -> None:
        """What an event of the engine's means for the loop itself."""
        if isinstance(event, Committed):
            self._tell_durable(now)
        elif isinstance(event, Stop):
            self.deadline = now.mono + self._stop_seconds
            self._source.stop()
        elif isinstance(event, BrokerLimits):
            self._results.limit(event.result, event.reject, keyed=event.keyed)
        elif isinstance(event, Revoking):
            self._revoking.append(event.partitions)
        elif isinstance(event, Revoked) and self._revoking and self._revoking[0] == event.partitions:
            self._revoking.popleft()

    def _heard(self, event: _Heard, now: Now) -> None:
        """What orders and reloads go by."""
        if isinstance(event, Joined):
            self._member = event.member
        elif isinstance(event, Asked):
            self._orders.take(event, now)
        elif isinstance(event, Followed):
            self._orders.followed(event, now)
        elif isinstance(event, ReloadAsked):
            self.reloads.take(event, now)
        elif isinstance(event, Read):
            self.reloads.read(event, now)
        else:
            self._orders.skipped(event)

    def _act(self, now: Now) -> None:
        """Does what the engine wants done."""
        until = min(self._lease.until(self._member), self._orders.pauses.may_post_until)
        if until != self._leased_until:
            self._leased_until = until
            self.engine.handle(Leased(until), now)
        self.driver.act(now)
        self._write(now)
        if (paused := self.engine.take_paused()) != self._paused:
            self._paused = paused
            self._source.pause(paused)
        if self._revoking and self.engine.settled(self._revoking[0]):
            self._revoking.popleft()  # said once: said again, it could let the next ones go before they are settled
            self._source.release()

    def _write(self, now: Now) -> None:
        """Hands the next transaction to the sink, once there is a membership to commit it under."""
        member = self._member
        if member is None or (batch := self.engine.take_batch(now)) is None:
            return
        encode = self._results.encode
        rejects: list[Any] = []
        if self._rejects:
            rejects = [self._results.encode_reject(s) for s in batch.settlements if s.untouched is not None]
        encoded = [encode(s) for s in batch.settlements]
        self._being_written = encoded if self._durable is not None else []
        self._sink.write(Write(batch.number, encoded, rejects, batch.commits, member))

    def _tell_durable(self, now: Now) -> None:
        """One transaction is written at a time: this is what was in it."""
        if self._durable is not None:
            self._durable(self._being_written, now)
        self._being_written = []

    def _finished(self, now: Now) -> bool:
        """Whether a stop is over: everything settled, or the time up."""
        return self.engine.drained or now.mono >= self.deadline

    def leave(self) -> None:
        """Closes the login stream and the connection."""
        now = self._clock()
        self._orders.leave()
        self.reloads.leave(now)
        self.engine.leave(now)
        self.driver.act(now)
        self.driver.drop()
