"""What the group assigns to this member and revokes: partitions, and from where each is consumed."""

from collections.abc import Callable, Collection, Iterable

from contribd.engine import events
from contribd.engine.events import Assigned, CaughtUp, Revoked, Revoking
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.ops.log import get_logger
from contribd.streams.client.port import Kafka, MemberConsumer
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.blocked import BlockedPartitions, Skipped
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.hanging_transactions import HangingTransactions
from contribd.streams.group.lags import Lags
from contribd.streams.group.last_posts import LastPosts
from contribd.streams.group.lease import Joined, Lease
from contribd.streams.group.positions import Positions
from contribd.streams.group.results_lookup import ResultsLookup
from contribd.streams.group.settled_offsets import SettledOffsets
from contribd.streams.group.start_offsets import OUT_OF_RANGE, StartOffsets
from contribd.streams.group.static_member import StaticMember
from contribd.streams.group.strangers import Strangers
from contribd.streams.group.topic_watch import TopicWatch
from contribd.streams.runtime import Event, Runtime

REVOKE_SECONDS = 5.0
"""How long a rebalance waits for outstanding answers of revoked partitions. The client sends no heartbeats meanwhile,
so it is far below the session timeout."""

FIND_SECONDS = 0.5
"""Between two looks for the start of partitions that could not begin yet."""

_log = get_logger("source")


class Assignment:
    """Follows the group in the consumer's thread, and tells ``emit`` of it. Only ``release`` is for other threads."""

    def __init__(
        self,
        settings: KafkaSettings,
        kafka: Kafka,
        *,
        runtime: Runtime,
        emit: Callable[[events.Event | Joined | Skipped], None],
        lease: Lease,
        static_member: StaticMember,
        fencing: Fencing,
        leaving: Event,
    ) -> None:
        """``leaving``: set by others when this member leaves its group; nothing is waited for any more."""
        self._static_id = settings.static_id
        self._emit = emit
        self._lease = lease
        self._static_member = static_member
        self._fencing = fencing
        self._leaving = leaving
        self._released = runtime.event()
        self._new: set[Partition] = set()
        """Given by the group, and not announced: nothing is fetched of them before their offsets are known."""
        self._starts = StartOffsets(
            HangingTransactions(kafka, settings, runtime),
            ResultsLookup(kafka, settings, runtime),
            start_from=settings.start_from,
            start_time=settings.start_time,
            rules=settings.rules,
        )
        self._last_posts = LastPosts(kafka, settings, runtime, emit)
        self._announcing = False
        """Where partitions begin is being found, or told."""
        self._mono = runtime.mono
        self._find_at = float("-inf")
        self._settled: dict[Partition, SettledOffsets] = {}
        """What has its result though the group's offsets do not say so, by partition: it is not handed over."""
        self.positions = Positions()
        self.topics = TopicWatch(settings, runtime.mono)
        self.lags = Lags(runtime.mono)
        self.strangers = Strangers(settings, kafka, runtime)
        self.blocked = BlockedPartitions(runtime.mono, emit)

    def follow_rules(self, rules: str | None) -> bool:
        """For the worker's thread: see ``Source.follow_rules``.

        No lock is needed. Here the rules are set before it is asked whether something is being announced; there
        (``_announce``) it is said before they are looked at.
        """
        self._starts.follow_rules(rules)
        return not self._announcing

    def remember(self, mappings: frozenset[str]) -> None:
        """For the worker's thread: these mappings ask what was last posted."""
        self._last_posts.remember(mappings)

    def release(self) -> None:
        """The partitions being revoked are settled: the rebalance may go on."""
        self._released.set()

    def announced(self, consumer: MemberConsumer) -> set[Partition]:
        """What is assigned and was announced."""
        return consumer.assignment() - self._new

    # After each poll

    def follow(self, consumer: MemberConsumer) -> bool:
        """Tells of a new generation, then of new partitions; whether some were announced. Raises KafkaError."""
        self._observe(consumer)
        if consumer.is_joining():  # a join that ends takes a wish to join again with it
            return False
        if self._static_member.must_rejoin():
            self._tell_of_rejoin()
            consumer.rejoin()
        if self._new and not self._static_member.wait and self._mono() >= self._find_at:
            self._announcing = True
            try:
                return self._announce(consumer)
            finally:
                self._announcing = False
        return False

    def _tell_of_rejoin(self) -> None:
        if wait := self._static_member.wait:
            waiting = "waiting until an earlier process of this name is sure to post no more"
            _log.info(waiting, name=self._static_id, seconds=wait)
        else:
            _log.info(
                "joining the group once more: it names members now that it did not name at first", name=self._static_id
            )

    def _observe(self, consumer: MemberConsumer) -> None:
        if joined := self._lease.observe(consumer.member(), consumer.heartbeats()):
            self._fencing.member = joined.member
            self._static_member.joined(joined.member)
            self._emit(joined)
            self.strangers.new_generation()

    def _announce(self, consumer: MemberConsumer) -> bool:
        """Says what is assigned, and from where: the committed offset with its metadata.

        Where Kafka cannot be asked just now, the partitions stay new and are announced after a later poll. So do those
        whose topic is not there, and those whose results are being looked up.
        """
        self._new &= consumer.assignment()
        starts = self._starts.find(consumer, self._new)
        self._new -= starts.keys()
        if self._new:
            self._find_at = self._mono() + FIND_SECONDS
        if not starts:
            return False
        for partition, start in starts.items():
            if start.settled is not None and start.settled.highest >= start.position:
                self._settled[partition] = start.settled
        commits = {partition: start.commit for partition, start in starts.items()}
        _log.info("partitions assigned", partitions=_names(commits))
        self.topics.begin(starts)
        self.lags.begin(starts)
        parts = {each: start.settled.in_part for each, start in starts.items() if start.settled is not None}
        self._emit(Assigned(commits, self.positions.begin(starts), parts))
        self._last_posts.begin(starts)
        return True

    def retake_changed(self, consumer: MemberConsumer) -> set[Partition]:
        """Partitions whose log was cut back, or deleted as far as the consumer is or further, or whose topic was made
        anew: they are revoked in order and begin anew. Their offsets mean other records now, and what was fetched of
        them just now is not used."""
        other = self.topics.look(consumer)
        out_of_range = self.positions.out_of_range(consumer) - other
        if out_of_range:
            _log.error(OUT_OF_RANGE, partitions=_names(out_of_range))
            self._starts.out_of_range |= out_of_range
        if changed := other | out_of_range:
            consumer.pause(changed)
            self.revoked(consumer, changed)
            self.assigned(consumer, changed)
        return changed

    def settled_of(self, polled: dict[Partition, list[Record]]) -> dict[Partition, list[int]]:
        """Of what was polled, the offsets that have their result, where the group's offsets do not say so."""
        found = {}
        for partition in self._settled.keys() & polled.keys():
            settled, records = self._settled[partition], polled[partition]
            found[partition] = [record.offset for record in records if record.offset in settled]
            if records[-1].offset >= settled.highest:
                del self._settled[partition]
        return found

    def tell_caught_up(self, consumer: MemberConsumer) -> None:
        """Tells of partitions that are where their log ended when they were assigned."""
        if there := self.positions.caught_up(consumer):
            self._emit(CaughtUp(there))

    def tell_last_posted(self, consumer: MemberConsumer) -> None:
        """Tells what was last posted through partitions that are new, once it was read."""
        self._last_posts.follow(lambda: self.announced(consumer))

    # Within a poll

    def assigned(self, consumer: MemberConsumer, partitions: Collection[Partition]) -> None:
        """Called by the consumer while it polls: nothing of these is fetched before their offsets are known."""
        self._new.update(partitions)
        self._find_at = float("-inf")
        consumer.pause(self._new & consumer.assignment())

    def revoked(self, consumer: MemberConsumer, partitions: Collection[Partition]) -> None:
        """Called by the consumer while it polls: waits, for a bounded time, until what is in flight is settled.

        The group is in its new generation already, and takes commits under no other.
        """
        self._observe(consumer)
        if self._new.intersection(partitions):
            # Whoever gets these next does not know that an earlier process of our name may still post.
            self._leaving.wait(self._static_member.wait)
        revoked = frozenset(partitions) - self._new
        self._forget(partitions)
        if not revoked or self._leaving.is_set():
            return
        self._released.clear()
        self._emit(Revoking(revoked))
        if not self._released.wait(REVOKE_SECONDS):
            _log.warning("partitions were revoked before every answer was in", partitions=_names(revoked))
        self._emit(Revoked(revoked))

    def lost(self, partitions: Collection[Partition]) -> None:
        """Called by the consumer while it polls: the group has given these to others already."""
        lost = frozenset(partitions)
        self._forget(partitions)
        _log.warning("partitions were lost: this member was out of its group", partitions=_names(lost))
        self._emit(Revoked(lost))

    def _forget(self, partitions: Collection[Partition]) -> None:
        self._new.difference_update(partitions)
        self.positions.forget(partitions)
        self.topics.forget(partitions)
        self.lags.forget(partitions)
        self._last_posts.forget(partitions)
        self._starts.forget(partitions)
        for partition in partitions:
            self._settled.pop(partition, None)
        self.blocked.forget(partitions)


class Listener:
    """Hears of the group's decisions from within ``poll``."""

    def __init__(self, assignment: Assignment, consumer: MemberConsumer) -> None:
        self._assignment = assignment
        self._consumer = consumer

    def revoked(self, partitions: Collection[Partition]) -> None:
        """These are revoked in order."""
        self._assignment.revoked(self._consumer, partitions)

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These are new."""
        self._assignment.assigned(self._consumer, partitions)

    def lost(self, partitions: Collection[Partition]) -> None:
        """These are lost."""
        self._assignment.lost(partitions)


def _names(partitions: Iterable[Partition]) -> str:
    return " ".join(str(partition) for partition in sorted(partitions))
