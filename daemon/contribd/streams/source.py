"""The source: a consumer in a thread of its own, which turns what the group and the topics do into events."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import FencedInstanceIdError, KafkaError

from contribd.engine.events import Event, Records
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.client.retrying import TopicMissing, retrying
from contribd.streams.client.settings import KafkaSettings, first_line
from contribd.streams.client.workarounds import (
    finish_join,
    leave_though_static,
    lose_what_is_lost,
    opened,
    release_set_aside,
)
from contribd.streams.group.assignment import Assignment, Listener
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Joined, Lease
from contribd.streams.group.start_offsets import tell_out_of_range
from contribd.streams.group.static_member import StaticMember

POLL_SECONDS = 0.05
"""How long a poll waits for records, and so the longest a pause or a stop waits for the consumer."""

MAX_BACKLOG = 20_000
"""Records handed over and not yet looked at by the worker, above which nothing more is fetched: ten polls."""

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
        lease: Lease,
        fencing: Fencing,
    ) -> None:
        super().__init__(name="source", daemon=True)
        self._settings = settings
        self._emit = emit
        self._consumed = consumed
        self._pulse = pulse
        self._lease = lease
        self._fencing = fencing
        self._static_member = StaticMember(settings, fencing)
        self._commands: SimpleQueue[frozenset[Partition]] = SimpleQueue()
        self._stopping = threading.Event()
        self._leaving = threading.Event()
        self._assignment = Assignment(
            settings,
            emit=emit,
            lease=lease,
            static_member=self._static_member,
            fencing=fencing,
            leaving=self._leaving,
        )
        self._handed_over = 0
        self._paused: frozenset[Partition] = frozenset()
        self._lags: dict[Partition, tuple[int, int]] = {}
        self._complaint = ""
        """What failed last, told once as long as nothing else happens."""
        self.connected = False
        """Whether the consumer reached a broker and found its topics."""
        self.failure: str | None = None
        """Why it could not start yet, for the status line."""

    # For the worker

    @property
    def replaced(self) -> bool:
        """Another process is the group's member of our name: this one must end."""
        return self._fencing.replaced

    def pause(self, partitions: frozenset[Partition]) -> None:
        """From now on, fetch every assigned partition but these."""
        self._commands.put(partitions)

    def release(self) -> None:
        """The partitions being revoked are settled: the rebalance may go on."""
        self._assignment.release()

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
        self._assignment.release()

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
            except KafkaError as error:
                self._failed(error)
        self._pulse.rest()
        if self.replaced:
            self._leaving.set()
        elif not self._static_member.wait:
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
        try:
            if self._assignment.follow(consumer):
                self._resume(consumer)
        except KafkaError as error:  # what was polled is not given again
            self._failed(error)
        for tp in self._assignment.retake_astray(consumer):
            polled.pop(tp, None)
        if polled and not self._stopping.is_set():
            batches = [(Partition(*tp), [_record(r) for r in records]) for tp, records in polled.items()]
            self._handed_over += sum(len(records) for _, records in batches)
            self._emit(Records(batches))
            self._complaint = ""
        self._assignment.tell_caught_up(consumer)
        self._lags = self._assignment.positions.lags(consumer)
        if behind:
            self._resume(consumer)

    def _failed(self, error: KafkaError) -> None:
        self._pulse.rest()
        if isinstance(error, FencedInstanceIdError):
            self._fencing.refused()
        if (text := first_line(error)) != self._complaint:
            _log.warning("the consumer failed and goes on", error=text)
        self._complaint = text
        self._leaving.wait(POLL_SECONDS)

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
        assigned = self._assignment.announced(consumer)
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
            tell_out_of_range(consumer, self._assignment.positions.told_astray)
            self._static_member.look()
            self._static_member.watch(consumer, self._lease.synced)
            consumer.subscribe(self._settings.prices, listener=Listener(self._assignment, consumer))
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


def _record(record: Any) -> Record:
    return Record(record.offset, record.timestamp, record.key, record.value)
