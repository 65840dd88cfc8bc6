"""The sink: a transactional producer in a thread of its own. One batch, one transaction, one outcome.

It does what ``transaction`` decides.
"""

from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any, Final

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams import transaction as steps
from contribd.streams.broker_limits import USUAL, LearnedLimits
from contribd.streams.client.errors import NEW_GENERATION, KafkaError, TopicMissing
from contribd.streams.client.port import Admin, AskingConsumer, ClusterLimits, Kafka, Member, TransactionalProducer
from contribd.streams.client.retrying import FAILURES, retrying
from contribd.streams.client.sentences import explain, topics_missing
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.readiness import reasons_not_ready
from contribd.streams.runtime import Queue, Runtime
from contribd.streams.transaction import Found, Memory, Step, Times, Write, transact

STEP_SECONDS = 15.0
"""How long Kafka may take for each step of a transaction before it is given up for a new one. The broker itself ends
a transaction that has been open for ``transaction_timeout_ms``, 10 s."""

ANSWER_SECONDS: Final = 10.0
"""How long the group may take for each answer."""

LOOK_SECONDS: Final = 60.0
"""Between two looks at what the topics and the brokers take, which may be set otherwise at any time."""

IDLE_SECONDS: Final = 1.0
"""Between two beats of a sink that has nothing to write."""

IDLE_BEATS: Final = 5
"""After so many of them nothing is left of what could not be written: its partitions have gone to others."""

_log = get_logger("sink")


class Sink:
    """Owns the producer. Each ``Write`` ends in one ``Committed`` or ``NotCommitted``."""

    def __init__(
        self,
        settings: KafkaSettings,
        kafka: Kafka,
        *,
        runtime: Runtime,
        emit: Callable[[Event], None],
        pulse: Pulse,
        fencing: Fencing,
    ) -> None:
        """``fencing``: this process's in its group."""
        self._settings = settings
        self._kafka = kafka
        self._runtime = runtime
        self._emit = emit
        self._pulse = pulse
        self._fencing = fencing
        self._writes: Queue = runtime.queue()
        self._stopping = runtime.event()
        compressed = settings.client.get("compression_type") is not None
        self._limits = LearnedLimits(settings.results, settings.rejects, compressed=compressed)
        self._told_limits = USUAL
        self._next_look = float("-inf")
        self._memory = Memory(settings.transaction_timeout, self._limits)
        self._producer: TransactionalProducer | None = None
        self._question = _Question(kafka, fencing)
        self._does = self._table()
        self.connected = False
        """Whether the producer reached a broker and found its topics."""
        self._unopened: str | None = None
        """Why there is no producer just now."""
        self._refusal: str | None = None
        """Why the last transaction failed, where that is neither in the normal course of things nor cured."""
        self._complaints: set[str] = set()
        """What was said in the log of transactions that failed, since the last that did not."""
        self._fitted: set[str] = set()
        """What was said of those that are made to fit: the limit is found in several steps, with others between."""

    @property
    def replaced(self) -> bool:
        """Whether another process has our transactional.id: this one must end."""
        return self._memory.replaced

    @property
    def failure(self) -> str | None:
        """What is wrong with writing results just now."""
        return self._unopened or self._refusal

    def reasons(self) -> list[str]:
        """Why no result is written just now, in plain words; empty: all is well."""
        return reasons_not_ready("writing results", self.failure, connected=self.connected)

    def write(self, write: Write) -> None:
        """Hands over a transaction; only one at a time."""
        self._writes.put(write)

    def stop(self) -> None:
        """End once what was handed over is written."""
        self._stopping.set()
        self._writes.put(None)

    def run(self) -> None:
        """Writes until stopped; the body of the sink's thread."""
        self._pulse.rest()
        if not self._renew(steps.Renew()):
            return
        while (write := self._next()) is not None:
            self._pulse.rest()
            committed = self._transact(write)
            self._tell_limits()
            self._emit(Committed(write.number) if committed else NotCommitted(write.number))
            if self.replaced or self._fencing.replaced:
                break
            if not committed:
                self._stopping.wait(self._memory.pause)
        if self._producer is not None:
            self._producer.discard()

    def _next(self) -> Write | None:
        idle = 0
        while True:
            self._pulse.beat(self._runtime.mono())
            self._look_again()
            try:
                item: Write | ClusterLimits | None = self._writes.get(timeout=IDLE_SECONDS)
            except Empty:
                idle += 1
                if idle == IDLE_BEATS:
                    self._recovered()
                continue
            if not isinstance(item, ClusterLimits):
                return item
            self._limits.told(item)
            self._tell_limits()

    # What the topics and the brokers take

    def _look_again(self) -> None:
        """In the background, which may wait for brokers that are away."""
        if self._runtime.mono() >= self._next_look:
            self._next_look = self._runtime.mono() + LOOK_SECONDS
            self._runtime.background("limits", self._look)

    def _look(self) -> None:
        with suppress(*FAILURES):  # where the brokers do not say, a refusal will
            admin = self._kafka.admin()
            try:
                self._writes.put(admin.limits(self._settings.written))
            finally:
                admin.close()

    def _look_at_once(self, admin: Admin) -> None:
        self._next_look = self._runtime.mono() + LOOK_SECONDS
        with suppress(*FAILURES):
            self._limits.told(admin.limits(self._settings.written))

    def _tell_limits(self) -> None:
        if self._limits.now != self._told_limits:
            self._told_limits = self._limits.now
            self._emit(self._told_limits)

    # One transaction

    def _transact(self, write: Write) -> bool:
        """Does what the transaction wants done until its outcome is known: whether it is durable."""
        transaction = transact(write, self._memory)
        try:
            step = next(transaction)
            while True:
                try:
                    came_of_it = self._does[type(step)](step)
                except FAILURES as error:
                    step = transaction.throw(error)
                else:
                    step = transaction.send(came_of_it)
        except StopIteration as outcome:
            if outcome.value:
                self._recovered()
            return bool(outcome.value)

    def _table(self) -> dict[type[Step], Callable[[Any], Any]]:
        """What is done at each step."""
        question = self._question
        return {
            steps.Begin: self._begin,
            steps.Append: self._append,
            steps.SendOffsets: self._send_offsets,
            steps.CommitTransaction: self._commit,
            steps.Renew: self._renew,
            steps.OpenConsumer: question.open,
            steps.Confirm: question.confirm,
            steps.ReadBack: question.committed,
            steps.HangUp: question.close,
            steps.IsReplaced: self._is_replaced,
            steps.Time: self._time,
            steps.Wait: self._wait,
            steps.Failed: self._failed,
            steps.HeldUp: self._held_up,
        }

    def _time(self, _step: steps.Time) -> Times:
        return Times(self._runtime.mono(), self._runtime.clocks())

    def _wait(self, step: steps.Wait) -> bool:
        if self._stopping.is_set():
            return False
        self._stopping.wait(step.seconds)
        return True

    def _is_replaced(self, _step: steps.IsReplaced) -> bool:
        return self._fencing.replaced

    def _failed(self, step: steps.Failed) -> None:
        """Says each reason once, until results are written again; of one that is cured, once."""
        reason = explain(step.error, self._settings)
        is_new_generation = isinstance(step.error, NEW_GENERATION)
        self._refusal = None if step.learned or is_new_generation else reason
        said = self._fitted if step.learned else self._complaints
        if reason in said:
            return
        said.add(reason)
        text = "results were not written, trying again"
        if step.learned:
            self._next_look = self._runtime.mono()
            text = "results were not written: making them fit what the brokers take"
        say = _log.info if is_new_generation else _log.warning
        say(text, results=step.results, error=reason)

    def _recovered(self) -> None:
        """Nothing is refused any more, or nothing is left of what was."""
        if self._refusal is not None:
            _log.info("results are written again")
        self._memory.forget_failures()
        self._complaints.clear()
        self._refusal = None

    def _held_up(self, step: steps.HeldUp) -> None:
        _log.warning(
            "the broker ended a transaction at its timeout: this process was held up", seconds=round(step.seconds, 1)
        )

    # The producer

    def _begin(self, _step: steps.Begin) -> None:
        self._ours().begin()

    def _append(self, step: steps.Append) -> None:
        producer, rejects = self._ours(), self._settings.rejects
        producer.append(self._settings.results, step.results)
        if rejects is not None and step.rejects:
            producer.append(rejects, step.rejects)

    def _send_offsets(self, step: steps.SendOffsets) -> None:
        self._ours().send_offsets(step.commits, step.member, STEP_SECONDS)

    def _commit(self, _step: steps.CommitTransaction) -> None:
        self._ours().commit(STEP_SECONDS)

    def _ours(self) -> TransactionalProducer:
        if self._producer is None:
            raise KafkaError("no producer")
        return self._producer

    def _renew(self, _step: steps.Renew) -> bool:
        """A new producer; ends whatever transaction its predecessor left open. False where we were stopped first."""
        if self._producer is not None:
            self._producer.discard()
            self._producer = None
        for attempt in retrying(self._stopping, self._settings, self._explain):
            with attempt:
                self._producer = self._open()
        self.connected = self._producer is not None
        self._tell_limits()
        return self.connected

    def _open(self) -> TransactionalProducer:
        self._require_topics()
        producer = self._kafka.producer(self._limits.batch_bytes)
        self._unopened = None
        return producer

    def _require_topics(self) -> None:
        """Asks outright: the producer would wait a minute for a topic to appear."""
        admin = self._kafka.admin()
        try:
            missing = admin.missing_topics(self._settings.written)
            if not missing and self._next_look < 0:  # later ones do not keep it from writing
                self._look_at_once(admin)
        finally:
            admin.close()
        if missing:
            raise TopicMissing(topics_missing(missing, "Write", self._settings))

    def _explain(self, failure: str, news: bool) -> None:
        self._unopened = failure
        if news:
            _log.warning(f"cannot write results yet, trying again: {failure}")


class _Question:
    """Put to the group in the name of this process's member, by a consumer of its own."""

    def __init__(self, kafka: Kafka, fencing: Fencing) -> None:
        self._kafka = kafka
        self._fencing = fencing
        self._consumer: AskingConsumer | None = None
        self._member: Member | None = None

    def open(self, _step: steps.OpenConsumer) -> None:
        """Lets the group find out who asks."""
        self._consumer, self._member = self._kafka.asking(), self._fencing.member
        if self._member is not None:
            self._consumer.speak_for(self._member, ANSWER_SECONDS)

    def confirm(self, _step: steps.Confirm) -> None:
        """A group of which we are no member has none to know."""
        if self._member is not None:
            self._ours().confirm()

    def committed(self, step: steps.ReadBack) -> Found:
        """What the group has committed of each partition."""
        consumer = self._ours()
        return {each: consumer.committed(each, ANSWER_SECONDS) for each in step.partitions}

    def close(self, _step: steps.HangUp) -> None:
        """Whatever state it is in; what it said counts all the same."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(*FAILURES):
                consumer.close()

    def _ours(self) -> AskingConsumer:
        if self._consumer is None:
            raise KafkaError("no consumer")
        return self._consumer
