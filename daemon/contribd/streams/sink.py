"""The sink: a transactional producer in a thread of its own. One batch, one transaction, one outcome."""

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import FencedInstanceIdError, KafkaError, ProducerFencedError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.engine.records.offsets import Commit, Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.client.batch_append import append
from contribd.streams.client.retrying import TopicMissing, retrying
from contribd.streams.client.settings import KafkaSettings, first_line
from contribd.streams.client.workarounds import commit, discard, opened, send_offsets
from contribd.streams.group.fencing import Fencing, confirm, speak_for
from contribd.streams.group.lease import Generation, generation_of

FENCES = 3
FENCE_WINDOW = 120.0
"""So many fencings within so many seconds are another process with our name. Those of a transaction that was open for
longer than its timeout do not count: the broker itself ended it, since this process was held up."""

STEP_SECONDS = 15.0
"""How long Kafka may take for each step of a transaction before it is given up for a new one. The broker itself ends
a transaction that has been open for ``transaction_timeout_ms``, 10 s."""

DISBELIEF_SECONDS = 30.0
"""How long offsets are asked for again that cannot be the group's."""

ANSWER_MILLISECONDS = 10_000
"""How long the group may take for each answer."""

RETRY_SECONDS = 0.5
"""Pause after a transaction that failed, so that a broker that refuses is not asked in a tight loop."""

_log = get_logger("sink")


class Write(NamedTuple):
    """One transaction: results, the untouched input of rejected records, and the offsets they settle."""

    number: int
    results: list[Encoded]
    rejects: list[Encoded]
    commits: dict[Partition, Commit]
    group: ConsumerGroupMetadata


class Sink(threading.Thread):
    """Owns the producer. Each ``Write`` ends in one ``Committed`` or ``NotCommitted``."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        emit: Callable[[Event], None],
        pulse: Pulse,
        fencing: Fencing,
    ) -> None:
        """``fencing``: this process's in its group."""
        super().__init__(name="sink", daemon=True)
        self._settings = settings
        self._emit = emit
        self._pulse = pulse
        self._fencing = fencing
        self._writes: SimpleQueue[Write | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._fenced: deque[float] = deque(maxlen=FENCES)
        self._producer: KafkaProducer | None = None
        self._generation: Generation | None = None
        self._durable: dict[Partition, Commit] = {}
        """What was committed last of each partition, since the group was last rebalanced."""
        self.connected = False
        """Whether the producer reached a broker and found its topics."""
        self.failure: str | None = None
        """What is wrong with writing results just now, for the status line."""
        self.replaced = False
        """Another process has our transactional.id: this one must end."""

    def write(self, write: Write) -> None:
        """Hands over a transaction; only one at a time."""
        self._writes.put(write)

    def stop(self) -> None:
        """End once what was handed over is written."""
        self._stopping.set()
        self._writes.put(None)

    def run(self) -> None:
        """Writes until stopped."""
        self._pulse.rest()
        if not self._renew():
            return
        while (write := self._next()) is not None:
            self._pulse.rest()
            committed = self._transact(write)
            self._emit(Committed(write.number) if committed else NotCommitted(write.number))
            if self.replaced or self._fencing.replaced:
                break
            if not committed:
                self._stopping.wait(RETRY_SECONDS)
        if self._producer is not None:
            discard(self._producer)

    def _next(self) -> Write | None:
        while True:
            self._pulse.beat(time.monotonic())
            try:
                return self._writes.get(timeout=1.0)
            except Empty:
                continue

    # One transaction

    def _transact(self, write: Write) -> bool:
        """Whether the transaction is durable. An outcome that cannot be known at once is read back."""
        producer = self._producer
        asked, began = False, _clocks()
        try:
            if producer is None:
                raise KafkaError("no producer")
            producer.begin_transaction()
            append(producer, self._settings.results, write.results)
            if self._settings.rejects is not None and write.rejects:
                append(producer, self._settings.rejects, write.rejects)
            send_offsets(producer, _offsets(write.commits), write.group, STEP_SECONDS)
            asked = True
            commit(producer, STEP_SECONDS)
        except (KafkaError, ValueError, OSError) as error:
            self.failure = first_line(error)
            _log.warning("results were not written, trying again", results=len(write.results), error=self.failure)
            if isinstance(error, FencedInstanceIdError) and not self._ask(lambda _consumer: True):
                return False  # another producer of our name would fence that of the process which has the name now
            if isinstance(error, ProducerFencedError):
                self._note_fence(_since(began))
            return self._recover(write, asked=asked)
        self.failure = None
        self._remember(write)
        return True

    def _recover(self, write: Write, *, asked: bool) -> bool:
        """Ends a failed transaction; True where it turns out to be durable after all.

        The producer is never used again: kafka-python (3.0.12) keeps the offsets of a transaction that failed, and
        commits them with the next one, though their partitions may long be another member's.
        """
        if not self._renew():
            return False
        return asked and self._read_back(write)

    def _remember(self, write: Write) -> None:
        """Its offsets are the group's, until another has the partition."""
        generation = generation_of(write.group)
        if generation != self._generation:
            self._generation = generation
            self._durable.clear()
        self._durable.update(write.commits)

    def _read_back(self, write: Write) -> bool:
        """Whether the group's offsets are those of the transaction: it is durable then.

        The new producer's ``init_transactions`` has ended it one way or the other; the consumer waits until its offsets
        say so too, which the admin client does not. Every batch settles a record or counts a withdrawal, so its offset
        or its metadata differs from the batch before. Where we are stopped first nobody will ask, and the next run
        finds the offsets.
        """
        commits, believed_from = write.commits, time.monotonic() + DISBELIEF_SECONDS

        def read(consumer: KafkaConsumer) -> bool:
            found = {each: _commit(consumer, each) for each in commits}
            durable = any(found[each] == commit for each, commit in commits.items())
            if not durable and self._is_stale(found) and time.monotonic() < believed_from:
                raise KafkaError("the group tells of offsets before those that it had committed")
            return durable

        durable = self._ask(read) or False
        if durable:
            self._remember(write)
        return durable

    def _is_stale(self, found: dict[Partition, Commit | None]) -> bool:
        """Whether it was another state that the last durable transaction left. Nobody else commits our partitions."""
        return any(each in self._durable and commit != self._durable[each] for each, commit in found.items())

    def _ask(self, read: Callable[[KafkaConsumer], bool]) -> bool | None:
        """What the group says between two confirmations that it knows us: see ``fencing``. None where this process was
        stopped or replaced before the group did."""
        for attempt in retrying(self._stopping):
            with attempt:
                if self._fencing.replaced:
                    return None
                consumer = opened(KafkaConsumer, **self._settings.consumer())
                try:
                    return self._ask_once(consumer, read)
                finally:
                    consumer.close(autocommit=False, timeout_ms=1000)
        return None

    def _ask_once(self, consumer: KafkaConsumer, read: Callable[[KafkaConsumer], bool]) -> bool:
        if self._fencing.member is None:
            return read(consumer)  # the group has no members
        speak_for(consumer, self._fencing.member, ANSWER_MILLISECONDS)
        confirm(consumer)
        found = read(consumer)
        confirm(consumer)
        return found

    def _note_fence(self, held: float) -> None:
        """``held``: seconds since the transaction began."""
        if held >= self._settings.transaction_timeout:
            _log.warning(
                "the broker ended a transaction at its timeout: this process was held up", seconds=round(held, 1)
            )
            return
        now = time.monotonic()
        self._fenced.append(now)
        if len(self._fenced) == FENCES and now - self._fenced[0] < FENCE_WINDOW:
            self.replaced = True

    # The producer

    def _renew(self) -> bool:
        """A new producer; ends whatever transaction its predecessor left open. False where we were stopped first."""
        if self._producer is not None:
            discard(self._producer)
            self._producer = None
        for attempt in retrying(self._stopping, self._explain):
            with attempt:
                self._producer = self._open()
        self.connected = self._producer is not None
        return self.connected

    def _open(self) -> KafkaProducer:
        self._require_topics()
        producer = opened(KafkaProducer, **self._settings.producer())
        try:
            producer.init_transactions()
        except BaseException:
            discard(producer)
            raise
        self.failure = None
        return producer

    def _require_topics(self) -> None:
        """Asks outright: the producer would wait a minute for a topic to appear."""
        admin = opened(KafkaAdminClient, **self._settings.admin())
        try:
            topics = [topic for topic in (self._settings.results, self._settings.rejects) if topic is not None]
            missing = [found["name"] for found in admin.describe_topics(topics) if not found["partitions"]]
        finally:
            admin.close()
        if missing:
            raise TopicMissing(f"no such topic, or no permission to write it: {', '.join(missing)}")

    def _explain(self, failure: str, wait: float) -> None:
        self.failure = failure
        brokers, topic = ",".join(self._settings.bootstrap_servers), self._settings.results
        _log.warning(
            "cannot write results yet", brokers=brokers, topic=topic, error=failure, next_try_in=f"{wait:.0f} s"
        )


_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the host is suspended; Linux alone has it."""


def _clocks() -> tuple[float, ...]:
    """The time by every clock there is: which of them go on while a host is suspended or moved depends on the host."""
    return time.monotonic(), time.clock_gettime(_BOOT_CLOCK), time.time()


def _since(clocks: tuple[float, ...]) -> float:
    """Seconds since ``_clocks`` gave this, by the clock that counted most."""
    return max(now - then for now, then in zip(_clocks(), clocks, strict=True))


def _commit(consumer: KafkaConsumer, partition: Partition) -> Commit | None:
    """What the group has committed for it."""
    state = consumer.committed(TopicPartition(*partition), metadata=True, timeout_ms=ANSWER_MILLISECONDS)
    return None if state is None else Commit(state.offset, state.metadata or "")


def _offsets(commits: dict[Partition, Commit]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {
        TopicPartition(*partition): OffsetAndMetadata(commit.offset, commit.metadata, -1)
        for partition, commit in commits.items()
    }
