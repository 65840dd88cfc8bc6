"""The source: a consumer in a thread of its own, which turns what the group and the topics do into events."""

from collections.abc import Callable, Iterator
from queue import Empty
from typing import Any, Final

from contribd.engine.events import Event, Records
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.client.errors import FencedInstanceIdError, KafkaError, TopicMissing
from contribd.streams.client.port import Kafka, MemberConsumer
from contribd.streams.client.retrying import retrying
from contribd.streams.client.sentences import explain, topics_missing
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.assignment import Assignment, Listener
from contribd.streams.group.blocked import Skip, Skipped
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.hooks import Hooks
from contribd.streams.group.lease import Joined, Lease
from contribd.streams.group.start_offsets import Refused
from contribd.streams.group.static_member import StaticMember
from contribd.streams.readiness import reasons_not_ready
from contribd.streams.runtime import Queue, Runtime

POLL_SECONDS = 0.05
"""How long a poll waits for records, and so the longest a pause or a stop waits for the consumer."""

MAX_BACKLOG = 20_000
"""Records handed over and not yet looked at by the worker, above which nothing more is fetched: ten polls."""

STUBBORN: Final = 3
"""Failures of the consumer within ``QUIET_SECONDS`` of each other that are a reason not to be ready."""

QUIET_SECONDS: Final = 5.0
"""Without a failure for so long, all is well again. A fetch that is refused comes back as fast as it is asked for."""

LONGEST_PAUSE: Final = 1.0
"""Seconds that the pause after a failure grows to. Heartbeats go on meanwhile."""

_log = get_logger("source")


class Source:
    """Owns the consumer. Everything it learns goes to ``emit``; ``consumed`` says how many records were looked at."""

    def __init__(
        self,
        settings: KafkaSettings,
        kafka: Kafka,
        *,
        runtime: Runtime,
        emit: Callable[[Event | Joined | Skipped], None],
        consumed: Callable[[], int],
        pulse: Pulse,
        lease: Lease,
        fencing: Fencing,
        max_backlog: int = MAX_BACKLOG,
    ) -> None:
        """``runtime``: the time that ``run`` sees, and all that it waits on but Kafka."""
        self._max_backlog = max_backlog
        self._settings = settings
        self._kafka = kafka
        self._mono = runtime.mono
        self._emit = emit
        self._consumed = consumed
        self._pulse = pulse
        self._fencing = fencing
        self._static_member = StaticMember(settings, kafka, runtime.mono)
        self._commands = runtime.queue()
        """Sets of partitions, each the ones to pause from then on."""
        self._skips = runtime.queue()
        """Orders to go on behind what cannot be read."""
        self._stopping = runtime.event()
        self._leaving = runtime.event()
        self._assignment = Assignment(
            settings,
            kafka,
            runtime=runtime,
            emit=emit,
            lease=lease,
            static_member=self._static_member,
            fencing=fencing,
            leaving=self._leaving,
        )
        self._blocked, self._topics = self._assignment.blocked, self._assignment.topics
        self._hooks = Hooks(fencing, lease, self._assignment.positions, self._blocked)
        self._handed_over = 0
        self._paused: frozenset[Partition] = frozenset()
        self._lags: dict[Partition, tuple[int, int | None]] = {}
        self._complaint = ""
        """What failed last, told once as long as nothing else happens."""
        self._failures = 0
        """So many, each soon after the one before."""
        self._failed_at = float("-inf")
        self.connected = False
        """Whether the consumer reached a broker and found its topics."""
        self.failure: str | None = None
        """Why it could not start yet, for the status line."""
        self.refusal: str | None = None
        """Why it must not start at all: this process must end."""

    # For the worker

    @property
    def replaced(self) -> bool:
        """Another process is the group's member of our name: this one must end."""
        return self._fencing.replaced

    def pause(self, partitions: frozenset[Partition]) -> None:
        """From now on, fetch every assigned partition but these."""
        self._commands.put(partitions)

    def skip(self, skip: Skip) -> None:
        """Goes on behind what cannot be read, or says why not: by a ``Skipped``, unless it is too late for one."""
        self._skips.put(skip)

    def release(self) -> None:
        """The partitions being revoked are settled: the rebalance may go on."""
        self._assignment.release()

    def follow_rules(self, rules: str | None) -> bool:
        """Commits are to name these from now on. True once nothing that was found by others is still to be announced:
        all that was is in the mailbox."""
        return self._assignment.follow_rules(rules)

    def remember(self, mappings: frozenset[str]) -> None:
        """These mappings ask what was last posted, from now on."""
        self._assignment.remember(mappings)

    def lags(self) -> dict[Partition, tuple[int, int | None]]:
        """Next offset to fetch and records behind the log's end, by announced partition; None: not known just now."""
        return self._lags

    def silence(self) -> str | None:
        """Why the brokers do not answer, as far as they were asked; None: they do."""
        error = self._assignment.lags.silence
        return None if error is None else explain(error, self._settings)

    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the group, though we go on; each a sentence."""
        return self._assignment.strangers.warnings()

    def reasons(self) -> list[str]:
        """Why nothing, or not everything, is consumed just now, each in plain words; empty: all is well."""
        failure = self.failure
        if failure is None and self.connected:
            failure = self._kafka.problem() or (self._complaint if self._failures >= STUBBORN else None)
        nothing = reasons_not_ready("consuming", failure, connected=self.connected)
        return nothing + self._topics.reasons() + self.unreadable()

    def unreadable(self) -> list[str]:
        """Those of the reasons that are about single partitions: of all others something is read."""
        return self._blocked.reasons()

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
        """Consumes until this member leaves its group, or is replaced in it."""
        consumer = self._start()
        if consumer is None:
            return
        self.connected = True
        while not self._leaving.is_set() and not self.replaced:
            self._pulse.beat(self._mono())
            try:
                self._step(consumer)
            except KafkaError as error:
                self._failed(error)
        self._pulse.rest()
        if self.replaced:
            self._leaving.set()
        consumer.close(leave=not self.replaced and not self._static_member.wait)

    def _step(self, consumer: MemberConsumer) -> None:
        self._apply_pauses(consumer)
        behind = self._handed_over - self._consumed() > self._max_backlog
        if behind or self._stopping.is_set():
            consumer.pause(consumer.assignment())
        polled = consumer.poll(POLL_SECONDS)
        self._follow(consumer, polled)
        if polled and not self._stopping.is_set():
            self._hand_over(polled)
        if not behind and not self._stopping.is_set():
            self._skip(consumer)
        if self._failures and self._mono() - self._failed_at > QUIET_SECONDS:
            self._recovered()
        self._assignment.tell_caught_up(consumer)
        self._assignment.tell_last_posted(consumer)
        self._lags = self._assignment.lags.follow(consumer)
        self._assignment.strangers.follow()
        if behind:
            self._resume(consumer)

    def _follow(self, consumer: MemberConsumer, polled: dict[Partition, list[Record]]) -> None:
        """What the poll has changed: partitions that are new, begin anew, or cannot be read."""
        try:
            if self._assignment.follow(consumer):
                self._resume(consumer)
        except Refused as refused:
            self.refusal = str(refused)
            self._stopping.set()
        except KafkaError as error:  # what was polled is not given again
            self._failed(error)
        for partition in self._assignment.retake_changed(consumer):
            polled.pop(partition, None)
        if self._blocked.follow(consumer):
            self._resume(consumer)

    def _hand_over(self, records: dict[Partition, list[Record]]) -> None:
        self._handed_over += sum(map(len, records.values()))
        self._emit(Records(list(records.items()), self._assignment.settled_of(records)))

    def _failed(self, error: KafkaError) -> None:
        self._pulse.rest()
        self._failures += 1
        if isinstance(error, FencedInstanceIdError):
            self._fencing.refused()
        if (text := explain(error, self._settings)) != self._complaint:
            _log.warning("the consumer failed and goes on", error=text)
        self._complaint = text
        self._leaving.wait(min(POLL_SECONDS * self._failures, LONGEST_PAUSE))
        self._failed_at = self._mono()

    def _recovered(self) -> None:
        if self._failures >= STUBBORN:
            _log.info("the consumer fails no more")
        self._failures, self._complaint = 0, ""

    def _skip(self, consumer: MemberConsumer) -> None:
        """Begins what operators have decided, and hands over what is skipped."""
        for skip in _taken(self._skips):
            self._blocked.skip(skip, self._assignment.announced(consumer))
        if skipped := self._blocked.take_skipped(consumer, self._paused):
            self._hand_over(skipped)
            self._blocked.leave_behind(consumer)
            self._resume(consumer)

    def _apply_pauses(self, consumer: MemberConsumer) -> None:
        for paused in _taken(self._commands):
            self._paused = paused
            self._resume(consumer)

    def _resume(self, consumer: MemberConsumer) -> None:
        assigned = self._assignment.announced(consumer)
        paused = (self._paused | self._blocked.paused) & assigned
        consumer.pause(paused)
        consumer.resume(assigned - paused)

    # Start

    def _start(self) -> MemberConsumer | None:
        """The consumer, subscribed; None where the daemon was stopped before Kafka could be reached."""
        for attempt in retrying(self._stopping, self._settings, self._explain):
            with attempt:
                self._pulse.rest()
                return self._subscribe()
        return None

    def _subscribe(self) -> MemberConsumer:
        consumer = self._kafka.consumer(self._hooks)
        try:
            if missing := consumer.missing_topics(self._settings.prices):
                raise TopicMissing(topics_missing(missing, "Read", self._settings))
            self._static_member.look()
            consumer.subscribe(self._settings.prices, Listener(self._assignment, consumer))
        except BaseException:
            consumer.close(leave=False)
            raise
        self.failure = None
        _log.info("consuming", topics=",".join(self._settings.prices), group=self._settings.group_id)
        return consumer

    def _explain(self, failure: str, news: bool) -> None:
        self.failure = failure
        if news:
            _log.warning(f"cannot consume yet, trying again: {failure}")


def _taken(queue: Queue) -> Iterator[Any]:
    """What waits in it."""
    while True:
        try:
            item = queue.get_nowait()
        except Empty:
            return
        yield item
