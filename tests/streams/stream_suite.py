"""What the streams promise on any broker: one suite, run on the embedded broker and on real Kafka."""

import gc
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from contribd.engine.events import Assigned, Committed, Event, NotCommitted, Records, Revoked, Revoking
from contribd.engine.records.commit_metadata import About, Commit, restate
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.ops.progress import Pulse
from contribd.streams.client import port
from contribd.streams.client.access import Access
from contribd.streams.client.admin import open_admin
from contribd.streams.client.cluster import connect
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.blocked import Skipped
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Joined, Lease
from contribd.streams.runtime import THREADS
from contribd.streams.sink import Sink
from contribd.streams.source import Source
from contribd.streams.transaction import Write

LIMIT = 60.0
"""Seconds anything here may take at most."""

LEAVES_SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""kafka-python leaves sockets of failed connections to the garbage collector."""

E = TypeVar("E")
_numbers = itertools.count(1)


class Cluster(Protocol):
    """A broker under test. ``has_static_members``: it knows a member that comes back by its name (KIP-345)."""

    @property
    def has_static_members(self) -> bool:
        """Whether it does."""

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients, of each broker, with commas between."""

    def create_topic(self, name: str, partitions: int = 1) -> str:
        """A new topic; its name."""


def unique(name: str) -> str:
    """A name nobody else uses."""
    return f"{name}-{os.getpid()}-{time.time_ns()}-{next(_numbers)}"


def eventually(read: Callable[[], E], what: str) -> E:
    """Polls until ``read`` gives something true."""
    deadline = time.monotonic() + LIMIT
    while not (value := read()):
        assert time.monotonic() < deadline, f"not within {LIMIT:g} s: {what}"
        time.sleep(0.02)
    return value


class Topics:
    """The topics and the group of one test."""

    def __init__(self, cluster: Cluster, partitions: int = 1) -> None:
        self.bootstrap = cluster.bootstrap
        self.prices = cluster.create_topic(unique("prices"), partitions)
        self.results = cluster.create_topic(unique("results"))
        self.rejects = cluster.create_topic(unique("rejects"))
        self.group = unique("group")
        self.client: dict[str, object] = {} if cluster.has_static_members else {"group_instance_id": None}

    def settings(
        self, instance: str = "one", *, start_from: str = "earliest", bootstrap: str = "", session_timeout: float = 6.0
    ) -> KafkaSettings:
        client = {"session_timeout_ms": round(session_timeout * 1000), "heartbeat_interval_ms": 200, **self.client}
        if bootstrap:  # a broker that is not there, and need not be waited for
            client["bootstrap_timeout_ms"] = 500
        servers = tuple((bootstrap or self.bootstrap).split(","))
        return KafkaSettings(
            servers, self.group, (self.prices,), self.results, self.rejects, start_from, instance, client
        )

    def partition(self, number: int = 0) -> Partition:
        return Partition(self.prices, number)

    def beside(self, metadata: str = "") -> str:
        """Commit metadata as contribd writes it: with what it says of the topic."""
        admin = open_admin(Access(self.settings()), self.settings())
        try:
            topic = admin.existing_topics([self.prices])[self.prices]
        finally:
            admin.close()
        return restate(metadata, About(topic.topic_id, topic.partitions))

    def produce(self, *values: bytes, partition: int = 0) -> None:
        producer = KafkaProducer(bootstrap_servers=self.bootstrap)
        for future in [producer.send(self.prices, value, partition=partition) for value in values]:
            future.get(timeout=LIMIT)
        producer.close()

    def committed(self, number: int = 0) -> tuple[int, str] | None:
        """What the group has committed for a partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=self.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        try:
            found = consumer.committed(TopicPartition(self.prices, number), metadata=True)
        finally:
            consumer.close(autocommit=False)
        return None if found is None or found.offset < 0 else (found.offset, found.metadata or "")

    def read(self, topic: str) -> list[bytes]:
        """What a read_committed reader sees of a topic, up to its end now."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        try:
            tp = TopicPartition(topic, 0)
            consumer.assign([tp])
            end = consumer.end_offsets([tp])[tp]
            values: list[bytes] = []

            def reached() -> bool:
                for records in consumer.poll(timeout_ms=100).values():
                    values.extend(record.value for record in records)
                return bool(consumer.position(tp) >= end)

            eventually(reached, f"the end of {topic}")
            return values
        finally:
            consumer.close()


class EventListener:
    """Events, as the worker would take them."""

    def __init__(self) -> None:
        self.events: list[Event | Joined | Skipped] = []

    def put(self, event: Event | Joined | Skipped) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in list(self.events) if isinstance(event, kind)]


class GroupProcess(EventListener):
    """A source and the least a worker does for it: it remembers, counts and lets rebalances go on."""

    def __init__(self, settings: KafkaSettings, *, holds: bool = False) -> None:
        super().__init__()
        self.holds = holds
        self.lease = Lease(settings.session_timeout)
        self.source = Source(
            settings,
            connect(settings),
            runtime=THREADS,
            emit=self.put,
            consumed=lambda: len(self.records),
            pulse=Pulse("source", 60.0, time.monotonic()),
            lease=self.lease,
            fencing=Fencing(),
        )
        self._thread = threading.Thread(target=self.source.run, name="source", daemon=True)
        self._thread.start()

    def put(self, event: Event | Joined | Skipped) -> None:
        super().put(event)
        if isinstance(event, Revoking) and not self.holds:
            self.source.release()

    @property
    def records(self) -> list[tuple[Partition, int, bytes | None]]:
        """Those that have no result yet."""
        return [
            (partition, record.offset, record.value)
            for event in self.of(Records)
            for partition, records in event.batches
            for record in records
            if record.offset not in event.settled.get(partition, ())
        ]

    @property
    def values(self) -> list[bytes | None]:
        return [value for _, _, value in self.records]

    @property
    def group(self) -> port.Member | None:
        joined = self.of(Joined)
        return joined[-1].member if joined else None

    @property
    def owned(self) -> set[Partition]:
        """What was assigned and not taken away since."""
        owned: set[Partition] = set()
        for event in list(self.events):
            if isinstance(event, Assigned):
                owned |= set(event.partitions)
            elif isinstance(event, Revoked):
                owned -= event.partitions
        return owned

    def wait_for(self, *partitions: Partition) -> None:
        eventually(lambda: self.owned >= set(partitions), f"assignment of {partitions}")

    @property
    def is_consuming(self) -> bool:
        """Whether its thread has not ended."""
        return self._thread.is_alive()

    def ends(self) -> None:
        """Waits until its thread has ended."""
        self._thread.join(LIMIT)
        assert not self.is_consuming

    def leave(self) -> None:
        self.source.leave()
        self.ends()


class SinkProcess(EventListener):
    """A sink and the outcomes of its transactions."""

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__()
        pulse = Pulse("sink", 60.0, time.monotonic())
        self.sink = Sink(settings, connect(settings), runtime=THREADS, emit=self.put, pulse=pulse, fencing=Fencing())
        self._thread = threading.Thread(target=self.sink.run, name="sink", daemon=True)
        self._thread.start()

    def write(
        self,
        number: int,
        results: Sequence[bytes],
        commits: dict[Partition, Commit],
        member: port.Member,
        rejects: Sequence[bytes] = (),
    ) -> bool:
        """One transaction; whether it is said to be durable."""
        self.hand_over(number, results, commits, member, rejects)
        return self.durable(number)

    def hand_over(
        self,
        number: int,
        results: Sequence[bytes],
        commits: dict[Partition, Commit],
        member: port.Member,
        rejects: Sequence[bytes] = (),
    ) -> None:
        """One transaction; its outcome is not waited for."""
        encoded = [Encoded(b"k", value, [("status", b"ACK")]) for value in results]
        copied = [Encoded(None, value, []) for value in rejects]
        self.sink.write(Write(number, encoded, copied, commits, member))

    def outcome(self, number: int) -> Event | Joined | Skipped | None:
        """What has been said of a transaction, None so far."""
        return next((event for event in list(self.events) if getattr(event, "number", None) == number), None)

    def durable(self, number: int) -> bool:
        """Waits for the outcome of a transaction."""
        outcome = eventually(lambda: self.outcome(number), "an outcome")
        assert isinstance(outcome, Committed | NotCommitted)
        return isinstance(outcome, Committed)

    def stop(self) -> None:
        self.sink.stop()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()


def no_member() -> port.Member:
    """Commits under it are those of a group without members: taken."""
    return port.Member(-1, "")


class _Suite:
    @pytest.fixture(autouse=True)
    def _collect_sockets(self) -> Iterator[None]:
        """What failed connections left behind goes with the test that made them."""
        yield
        gc.collect()


@LEAVES_SOCKETS
class SourceSuite(_Suite):
    """What the source promises. ``keeps_metadata`` says whether the broker keeps commit metadata."""

    keeps_metadata = True

    def test_a_new_group_starts_where_it_is_told_and_commits_that_at_once(self, cluster: Cluster) -> None:
        """A crash before the first result must not pass over what was consumed already."""
        topics = Topics(cluster)
        topics.produce(b"1", b"2")
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition())
        assert member.of(Assigned)[0].partitions == {topics.partition(): Commit(0, topics.beside())}
        assert topics.committed() == (0, topics.beside() if self.keeps_metadata else "")
        member.leave()

    def test_records_come_in_order_with_what_kafka_knows_of_them(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        before = time.time_ns() // 1_000_000
        topics.produce(*(b"%d" % n for n in range(5000)))
        member = GroupProcess(topics.settings())
        eventually(lambda: len(member.records) >= 5000, "all records")
        assert member.records == [(topics.partition(), n, b"%d" % n) for n in range(5000)]
        first = member.of(Records)[0].batches[0][1][0]
        assert first.key is None
        assert before <= first.timestamp <= time.time_ns() // 1_000_000
        member.leave()

    def test_a_group_goes_on_from_what_it_committed(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.produce(b"0", b"1", b"2", b"3")
        writer = SinkProcess(topics.settings())
        assert writer.write(1, [b"r"], {topics.partition(): Commit(2, "contribd1:Ag==")}, no_member())
        writer.stop()
        member = GroupProcess(topics.settings())
        eventually(lambda: len(member.records) >= 2, "the rest")
        metadata = "contribd1:Ag==" if self.keeps_metadata else ""
        assert member.of(Assigned)[0].partitions == {topics.partition(): Commit(2, topics.beside(metadata))}
        assert member.values == [b"2", b"3"]
        member.leave()

    def test_a_generation_is_told_before_its_partitions_and_they_before_their_records(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.produce(b"0")
        member = GroupProcess(topics.settings())
        eventually(lambda: member.records, "a record")
        kinds = [type(event) for event in member.events]
        assert kinds.index(Joined) < kinds.index(Assigned) < kinds.index(Records)
        topics.produce(b"1")
        eventually(lambda: len(member.records) > 1, "another record")
        assert len(member.of(Joined)) == 1, "it does not join again when the client hears of its topics"
        member.leave()

    def test_a_paused_partition_gives_nothing_until_it_is_resumed_and_then_everything(self, cluster: Cluster) -> None:
        topics = Topics(cluster, 2)
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition(0), topics.partition(1))
        member.source.pause(frozenset({topics.partition(0)}))
        eventually(lambda: member.source._paused, "the pause")
        topics.produce(*(b"a%d" % n for n in range(3000)), partition=0)
        topics.produce(*(b"b%d" % n for n in range(3000)), partition=1)
        eventually(lambda: len(member.records) >= 3000, "the other partition's records")
        assert {partition.number for partition, _, _ in member.records} == {1}
        member.source.pause(frozenset())
        eventually(lambda: len(member.records) >= 6000, "the paused partition's records")
        assert [value for partition, _, value in member.records if partition.number == 0] == [
            b"a%d" % n for n in range(3000)
        ]
        member.leave()

    def test_a_worker_that_falls_behind_is_not_flooded(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.produce(*(b"%d" % n for n in range(30_000)))
        member = GroupProcess(topics.settings())
        looked_at = 0
        member.source._consumed = lambda: looked_at
        eventually(lambda: len(member.records) >= 20_000, "a backlog")
        time.sleep(0.3)  # not a wait for something: nothing may come in it
        assert len(member.records) <= 22_000 + 2_000
        looked_at = 30_000
        eventually(lambda: len(member.records) >= 30_000, "the rest")
        assert [offset for _, offset, _ in member.records] == list(range(30_000))
        member.leave()

    def test_the_lag_is_what_was_not_fetched_yet(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.produce(b"0", b"1", b"2")
        member = GroupProcess(topics.settings())
        eventually(lambda: member.source.lags().get(topics.partition()) == (3, 0), "a position at the end")
        member.leave()

    def test_after_a_stop_nothing_more_is_consumed_and_the_membership_stays(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition())
        member.source.stop()
        topics.produce(b"late")
        until = member.lease.until(member.group)
        eventually(lambda: member.lease.until(member.group) > until, "a heartbeat")
        assert member.records == []
        assert member.is_consuming
        member.leave()

    def test_who_leaves_frees_its_partitions_at_once(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        started = time.monotonic()
        first = GroupProcess(topics.settings("one", session_timeout=18.0))
        first.wait_for(topics.partition())
        joining = time.monotonic() - started  # next to nothing, but on the embedded broker
        first.leave()
        started = time.monotonic()
        second = GroupProcess(topics.settings("two"))
        second.wait_for(topics.partition())
        assert time.monotonic() - started < joining + 12.0, "the session timeout was waited for"
        second.leave()

    def test_a_partition_goes_only_once_it_is_released(self, cluster: Cluster) -> None:
        topics = Topics(cluster, 2)
        first = GroupProcess(topics.settings("one"), holds=True)
        first.wait_for(topics.partition(0), topics.partition(1))
        second = GroupProcess(topics.settings("two"))
        [going] = eventually(lambda: first.of(Revoking), "a revocation")
        assert len(going.partitions) == 1
        assert second.owned == set()
        assert first.of(Revoked) == []
        first.source.release()
        second.wait_for(*going.partitions)
        assert first.of(Revoked) == [Revoked(going.partitions)]
        assert first.owned | second.owned == {topics.partition(0), topics.partition(1)}
        first.leave()
        second.leave()

    def test_a_partition_that_is_never_released_goes_after_a_bounded_time(self, cluster: Cluster) -> None:
        topics = Topics(cluster, 2)
        first = GroupProcess(topics.settings("one"), holds=True)
        first.wait_for(topics.partition(0), topics.partition(1))
        second = GroupProcess(topics.settings("two"))
        eventually(lambda: first.of(Revoking), "a revocation")
        started = time.monotonic()
        eventually(lambda: first.of(Revoked), "its end")
        assert time.monotonic() - started > 4.0
        eventually(lambda: len(second.owned) == 1, "a partition")
        assert first.owned.isdisjoint(second.owned)
        first.leave()
        second.leave()

    def test_two_members_share_without_losing_a_record(self, cluster: Cluster) -> None:
        topics = Topics(cluster, 4)
        first = GroupProcess(topics.settings("one"))
        first.wait_for(*(topics.partition(n) for n in range(4)))
        kept_from = len(first.events)
        stop = threading.Event()
        produced: list[bytes] = []

        def produce() -> None:
            for n in itertools.count():
                if stop.is_set():
                    return
                topics_value = b"%d" % n
                producer.send(topics.prices, topics_value, partition=n % 4).get(timeout=LIMIT)
                produced.append(topics_value)

        producer = KafkaProducer(bootstrap_servers=topics.bootstrap)
        thread = threading.Thread(target=produce)
        thread.start()
        second = GroupProcess(topics.settings("two"))
        eventually(lambda: len(second.owned) == 2 and len(first.owned) == 2, "a fair share")
        stop.set()
        thread.join(LIMIT)
        producer.close()
        stayed = first.owned
        eventually(lambda: {*first.values, *second.values} >= set(produced), "every record")
        for partition in stayed:
            offsets = [offset for each, offset, _ in first.records if each == partition]
            assert offsets == list(range(len(offsets))), "a partition that stays is neither repeated nor interrupted"
        assert not any(stayed & event.partitions for event in first.events[kept_from:] if isinstance(event, Revoking))
        first.leave()
        second.leave()

    def test_a_broker_that_cannot_be_reached_is_told_and_tried_again(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        member = GroupProcess(topics.settings(bootstrap="127.0.0.1:1"))
        failure = str(eventually(lambda: member.source.failure, "a reason"))
        assert "\n" not in failure
        assert not member.source.connected
        member.leave()
        assert member.events == []

    def test_a_topic_that_does_not_exist_is_named_until_it_does(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.prices = unique("later")
        member = GroupProcess(topics.settings())
        failure = eventually(lambda: member.source.failure or "", "a reason")
        assert failure.startswith(
            f"no topic {topics.prices}, or user ANONYMOUS may not see it: create it, or allow Read"
        )
        cluster.create_topic(topics.prices)
        member.wait_for(topics.partition())
        assert member.source.failure is None
        member.leave()


@LEAVES_SOCKETS
class SinkSuite(_Suite):
    """What the sink promises on any broker."""

    keeps_metadata = True

    def test_results_rejects_and_offsets_are_written_together(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition())
        eventually(lambda: member.lease.until(member.group) > time.monotonic() + 4, "a settled membership")
        assert member.group is not None
        writer = SinkProcess(topics.settings())
        assert writer.write(
            1, [b"r1", b"r2"], {topics.partition(): Commit(2, "contribd1:Ag==")}, member.group, [b"bad"]
        )
        assert topics.read(topics.results) == [b"r1", b"r2"]
        assert topics.read(topics.rejects) == [b"bad"]
        assert topics.committed() == (2, "contribd1:Ag==" if self.keeps_metadata else "")
        writer.stop()
        member.leave()

    def test_transactions_follow_each_other(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings())
        for number in range(1, 21):
            assert writer.write(number, [b"%d" % number], {topics.partition(): Commit(number, "")}, no_member())
        assert topics.read(topics.results) == [b"%d" % number for number in range(1, 21)]
        assert topics.committed() == (20, "")
        writer.stop()

    def test_a_transaction_may_have_offsets_alone(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings())
        for number, results in enumerate(([b"r1"], [], [b"r3"]), 1):
            assert writer.write(number, results, {topics.partition(): Commit(number, "")}, no_member())
        assert topics.read(topics.results) == [b"r1", b"r3"]
        assert topics.committed() == (3, "")
        writer.stop()

    def test_a_stop_writes_what_was_handed_over_first(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings())
        eventually(lambda: writer.sink.connected, "a producer")
        commits = {topics.partition(): Commit(1, "")}
        writer.sink.write(Write(1, [Encoded(b"k", b"r", [])], [], commits, no_member()))
        writer.stop()
        assert writer.events == [Committed(1)]
        assert topics.read(topics.results) == [b"r"]

    def test_a_broker_that_cannot_be_reached_is_told_and_a_stop_ends_the_wait(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings(bootstrap="127.0.0.1:1"))
        failure = str(eventually(lambda: writer.sink.failure, "a reason"))
        assert "\n" not in failure
        assert not writer.sink.connected
        writer.stop()
        assert writer.events == []

    def test_a_topic_that_does_not_exist_is_named_until_it_does(self, cluster: Cluster) -> None:
        topics = Topics(cluster)
        topics.results = unique("later")
        writer = SinkProcess(topics.settings())
        failure = eventually(lambda: writer.sink.failure or "", "a reason")
        assert failure.startswith(
            f"no topic {topics.results}, or user ANONYMOUS may not see it: create it, or allow Write"
        )
        cluster.create_topic(topics.results)
        assert writer.write(1, [b"r"], {topics.partition(): Commit(1, "")}, no_member())
        assert writer.sink.failure is None
        writer.stop()
