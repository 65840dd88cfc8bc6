"""The source: a consumer in a thread of its own, which turns what the group and the topics do into events."""

import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import FencedInstanceIdError, KafkaError

from contribd.engine.events import Assigned, CaughtUp, Event, Records, Revoked, Revoking
from contribd.engine.ledger import Partition
from contribd.engine.price import Record
from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.extent import ASTRAY, Starts, tell_out_of_range
from contribd.streams.membership import Joined, Membership
from contribd.streams.patience import TopicMissing, retrying
from contribd.streams.repair import (
    finish_join,
    is_joining,
    leave_though_static,
    lose_what_is_lost,
    opened,
    release_set_aside,
)
from contribd.streams.settings import KafkaSettings, first_line
from contribd.streams.succession import Succession

POLL_SECONDS = 0.05
"""How long a poll waits for records, and so the longest a pause or a stop waits for the consumer."""

MAX_BACKLOG = 20_000
"""Records handed over and not yet looked at by the worker, above which nothing more is fetched: ten polls."""

REVOKE_SECONDS = 5.0
"""How long a rebalance waits for outstanding answers of partitions that go. The client sends no heartbeats meanwhile,
so it is far below the session timeout."""

LEAVE_MILLISECONDS = 2_000
"""How long leaving the group may take; without it the others wait for the session timeout."""


_log = get_logger("source")


class Source(threading.Thread):
    """Owns the consumer. Everything it learns goes to ``emit``; ``consumed`` says how many records were looked at."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        emit: Callable[[Event | Joined], None],
        consumed: Callable[[], int],
        pulse: Pulse,
        membership: Membership,
    ) -> None:
        super().__init__(name="source", daemon=True)
        self._settings = settings
        self._emit = emit
        self._consumed = consumed
        self._pulse = pulse
        self._membership = membership
        self._succession = Succession(settings)
        self._commands: SimpleQueue[frozenset[Partition]] = SimpleQueue()
        self._stopping = threading.Event()
        self._leaving = threading.Event()
        self._revoked = threading.Event()
        self._handed_over = 0
        self._new: set[TopicPartition] = set()
        self._behind: dict[TopicPartition, int] = {}
        """Where each log ended when its partition was assigned, until the consumer is there."""
        self._astray: set[TopicPartition] = set()
        """Partitions whose position is not where their log is, as the client found out."""
        self._reached: dict[TopicPartition, int] = {}
        """The last position of each partition that was announced."""
        self._starts = Starts(latest=settings.start_from == "latest")
        self._ends: dict[TopicPartition, int] = {}
        """Where each log ended when its partition was last assigned."""
        self._paused: frozenset[Partition] = frozenset()
        self._lags: dict[Partition, tuple[int, int]] = {}
        self.connected = False
        """Whether the consumer reached a broker and found its topics."""
        self.failure: str | None = None
        """Why it could not start yet, for the status line."""

    # For the worker

    @property
    def replaced(self) -> bool:
        """Another process is the group's member of our name: this one must end."""
        return self._succession.replaced

    def pause(self, partitions: frozenset[Partition]) -> None:
        """From now on, fetch every assigned partition but these."""
        self._commands.put(partitions)

    def release(self) -> None:
        """The partitions being revoked are settled: the rebalance may go on."""
        self._revoked.set()

    def lags(self) -> dict[Partition, tuple[int, int]]:
        """Next offset to fetch and records behind the log's end, by assigned partition."""
        return self._lags

    def stop(self) -> None:
        """Fetch nothing more; the consumer stays in its group, since results are still committed in its name."""
        self._stopping.set()

    def leave(self) -> None:
        """Leave the group and end the thread: nothing more is committed in the group's name."""
        self._stopping.set()
        self._leaving.set()
        self._revoked.set()

    # The thread

    def run(self) -> None:
        """Consumes until stopped."""
        consumer = self._start()
        if consumer is None:
            return
        self.connected = True
        while not self._leaving.is_set() and not self.replaced:
            self._pulse.beat(time.monotonic())
            try:
                self._step(consumer)
            except FencedInstanceIdError:
                self._succession.replaced = True
            except KafkaError as error:
                self._pulse.rest()
                _log.warning("the consumer failed and goes on", error=first_line(error))
                self._leaving.wait(POLL_SECONDS)
        self._pulse.rest()
        if self.replaced:
            self._leaving.set()
        elif not self._succession.wait:
            leave_though_static(consumer)
        consumer.close(autocommit=False, timeout_ms=LEAVE_MILLISECONDS)

    def _step(self, consumer: KafkaConsumer) -> None:
        self._apply_pauses(consumer)
        behind = self._handed_over - self._consumed() > MAX_BACKLOG
        if behind or self._stopping.is_set():
            consumer.pause(*consumer.assignment())
        release_set_aside(consumer)
        finish_join(consumer)
        polled = consumer.poll(timeout_ms=int(POLL_SECONDS * 1000))
        self._observe(consumer)
        if self._new and not self._succession.wait and not is_joining(consumer):
            self._announce(consumer)
        for tp in self._retake_astray(consumer):
            polled.pop(tp, None)
        if polled and not self._stopping.is_set():
            batches = [(Partition(*tp), [_record(r) for r in records]) for tp, records in polled.items()]
            self._handed_over += sum(len(records) for _, records in batches)
            self._emit(Records(batches))
        self._tell_caught_up(consumer)
        self._measure(consumer)
        if behind:
            self._resume(consumer)

    def _apply_pauses(self, consumer: KafkaConsumer) -> None:
        changed = False
        while True:
            try:
                self._paused = self._commands.get_nowait()
            except Empty:
                break
            changed = True
        if changed:
            self._resume(consumer)

    def _resume(self, consumer: KafkaConsumer) -> None:
        assigned = consumer.assignment() - self._new
        paused = {TopicPartition(*partition) for partition in self._paused} & assigned
        consumer.pause(*paused)
        consumer.resume(*(assigned - paused))

    # Start

    def _start(self) -> KafkaConsumer | None:
        """The consumer, subscribed; None where the daemon was stopped before Kafka could be reached."""
        for attempt in retrying(self._stopping, self._explain):
            with attempt:
                self._pulse.rest()
                return self._subscribe()
        return None

    def _subscribe(self) -> KafkaConsumer:
        settings = self._settings.member()
        consumer = opened(KafkaConsumer, **settings, partition_assignment_strategy=[CooperativeStickyAssignor])
        try:
            missing = [topic for topic in self._settings.prices if not consumer.partitions_for_topic(topic)]
            if missing:
                raise TopicMissing(f"no such topic, or no permission to read it: {', '.join(missing)}")
            lose_what_is_lost(consumer)
            tell_out_of_range(consumer, self._astray.add)
            self._succession.look()
            self._succession.watch(consumer, self._membership.synced)
            consumer.subscribe(self._settings.prices, listener=_Listener(self, consumer))
        except BaseException:
            consumer.close(autocommit=False, timeout_ms=1000)
            raise
        self.failure = None
        _log.info("consuming", topics=",".join(self._settings.prices), group=self._settings.group_id)
        return consumer

    def _explain(self, failure: str, wait: float) -> None:
        self.failure = failure
        brokers = ",".join(self._settings.bootstrap_servers)
        _log.warning("cannot consume yet", brokers=brokers, error=failure, next_try_in=f"{wait:.0f} s")

    # Assignment

    def _observe(self, consumer: KafkaConsumer) -> None:
        if joined := self._membership.observe(consumer):
            if (wait := self._succession.joined(joined.metadata)) > 0:
                name = self._settings.static_id
                _log.info(
                    "waiting until an earlier process of this name is sure to post no more", name=name, seconds=wait
                )
            self._emit(joined)

    def assigned(self, consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client while it polls: nothing of these is fetched before their offsets are known."""
        self._new.update(partitions)
        consumer.pause(*self._new & consumer.assignment())

    def revoked(self, consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client while it polls: waits, for a bounded time, until what is under way is settled.

        The group is in its new generation already, and takes commits under no other.
        """
        self._observe(consumer)
        if self._new.intersection(partitions):
            # Whoever gets these next does not know that an earlier process of our name may still post.
            self._leaving.wait(self._succession.wait)
        going = frozenset(Partition(*tp) for tp in partitions) - {Partition(*tp) for tp in self._new}
        self._new.difference_update(partitions)
        self._leave_behind(partitions)
        if not going or self._leaving.is_set():
            return
        self._revoked.clear()
        self._emit(Revoking(going))
        if not self._revoked.wait(REVOKE_SECONDS):
            _log.warning("partitions went before every answer was in", partitions=_names(going))
        self._emit(Revoked(going))

    def _leave_behind(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in partitions:
            self._behind.pop(tp, None)
            self._reached.pop(tp, None)

    def lost(self, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client while it polls: the group has given these to others already."""
        gone = frozenset(Partition(*tp) for tp in partitions)
        self._new.difference_update(partitions)
        self._leave_behind(partitions)
        _log.warning("partitions were lost: this member was out of its group", partitions=_names(gone))
        self._emit(Revoked(gone))

    def _announce(self, consumer: KafkaConsumer) -> None:
        """Says what is assigned, and from where: the committed offset with its metadata.

        Where Kafka cannot be asked just now, the partitions stay new and are announced after a later poll.
        """
        self._new &= consumer.assignment()
        starts = self._starts.find(consumer, self._new)
        self._new -= starts.keys()
        if not starts:
            return
        self._ends.update({tp: start.end for tp, start in starts.items()})
        self._reached.update({tp: start.position for tp, start in starts.items()})
        commits = {Partition(*tp): start.commit for tp, start in starts.items()}
        _log.info("partitions assigned", partitions=_names(commits))
        late = {tp: start.end for tp, start in starts.items() if start.end > start.commit.offset}
        self._behind.update(late)
        self._emit(Assigned(commits, frozenset(Partition(*tp) for tp in late)))
        self._resume(consumer)

    def _retake_astray(self, consumer: KafkaConsumer) -> set[TopicPartition]:
        """Partitions whose log was cut back, or deleted as far as the consumer is or further: they are let go in order
        and begin anew. Their offsets mean other records now, and what was fetched of them just now is not used."""
        for tp, before in self._reached.items():
            position = _position(consumer, tp)
            if position is not None and position < before:
                self._astray.add(tp)
            elif position is not None:
                self._reached[tp] = position
        astray = self._astray & self._reached.keys()
        self._astray.clear()
        if astray:
            _log.error(ASTRAY, partitions=_names(Partition(*tp) for tp in astray))
            self._starts.astray |= astray
            consumer.pause(*astray)
            self.revoked(consumer, astray)
            self.assigned(consumer, astray)
        return astray

    def _tell_caught_up(self, consumer: KafkaConsumer) -> None:
        there = [tp for tp, end in self._behind.items() if (_position(consumer, tp) or 0) >= end]
        for tp in there:
            del self._behind[tp]
        if there:
            self._emit(CaughtUp(frozenset(Partition(*tp) for tp in there)))

    def _measure(self, consumer: KafkaConsumer) -> None:
        lags = {}
        for tp in consumer.assignment():
            position = _position(consumer, tp)
            # A partition that comes back within one fetch session, with nothing new, has no high water mark.
            end = max(consumer.highwater(tp) or 0, self._ends.get(tp, 0))
            if position is not None:
                lags[Partition(*tp)] = (position, max(0, end - position))
        self._lags = lags


def _position(consumer: KafkaConsumer, tp: TopicPartition) -> int | None:
    """The next offset to be polled, None where it is not known."""
    state = consumer._subscription.assignment.get(tp)  # noqa: SLF001 - position() may block on the network
    return state.position.offset if state is not None and state.position is not None else None


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    """Hands the group's decisions to the source, in the client's own thread."""

    def __init__(self, source: Source, consumer: KafkaConsumer) -> None:
        self._source = source
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._source.revoked(self._consumer, revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._source.assigned(self._consumer, assigned)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._source.lost(lost)


def _record(record: Any) -> Record:
    return Record(record.offset, record.timestamp, record.key, record.value)


def _names(partitions: Iterable[Partition]) -> str:
    return " ".join(str(partition) for partition in sorted(partitions))
