"""The streams on real Kafka: the suite, and what only a real broker and its failures can prove."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.streams.stream_suite import GroupProcess, SinkProcess, SinkSuite, SourceSuite, Topics, eventually, no_member

from contribd.engine.events import Assigned, Records, Revoked, Revoking
from contribd.engine.records.commit_metadata import Commit
from contribd.streams.client import port
from contribd.streams.client.producer import Producer

COMMIT = Producer.commit


def delete(topics: Topics, before: int) -> None:
    """As retention does: the log begins at ``before``."""
    admin = KafkaAdminClient(bootstrap_servers=topics.bootstrap)
    admin.delete_records({TopicPartition(topics.prices, 0): before})
    admin.close()


@pytest.fixture
def cluster(kafka: KafkaBroker) -> KafkaBroker:
    return kafka


class TestSource(SourceSuite):
    def test_a_new_group_may_start_at_the_end_and_commits_that_at_once(self, cluster: KafkaBroker) -> None:
        topics = Topics(cluster)
        topics.produce(b"1", b"2")
        member = GroupProcess(topics.settings(start_from="latest"))
        member.wait_for(topics.partition())
        assert member.of(Assigned)[0].partitions == {topics.partition(): Commit(2, topics.beside())}
        assert topics.committed() == (2, topics.beside())
        member.leave()

    @pytest.mark.parametrize("start_from", ["earliest", "latest"])
    def test_where_the_log_ends_before_the_commit_consumption_goes_on_at_its_end(
        self, cluster: KafkaBroker, start_from: str
    ) -> None:
        """Its topic was made anew, or a broker without all of it became its leader: the offsets were given out anew."""
        topics = Topics(cluster)
        topics.produce(b"0", b"1", b"2")
        writer = SinkProcess(topics.settings())
        assert writer.write(1, [b"r"], {topics.partition(): Commit(100, "contribd1:Ag==")}, no_member())
        writer.stop()
        member = GroupProcess(topics.settings(start_from=start_from))
        eventually(lambda: len(member.of(Assigned)) == 2, "another start")
        assert member.of(Assigned)[1].partitions == {topics.partition(): Commit(3, topics.beside())}
        assert topics.committed() == (3, topics.beside())
        topics.produce(b"3")
        eventually(lambda: member.values == [b"3"], "what came since")
        member.leave()

    @pytest.mark.parametrize("start_from", ["earliest", "latest"])
    def test_where_retention_was_faster_than_the_group_it_goes_on_with_the_oldest_there_is(
        self, cluster: KafkaBroker, start_from: str
    ) -> None:
        topics = Topics(cluster)
        topics.produce(*(b"%d" % n for n in range(10)))
        writer = SinkProcess(topics.settings())
        assert writer.write(1, [b"r"], {topics.partition(): Commit(2, "contribd1:Ag==")}, no_member())
        writer.stop()
        delete(topics, 6)
        member = GroupProcess(topics.settings(start_from=start_from))
        eventually(lambda: len(member.records) >= 4, "what is left")
        assert member.of(Assigned)[0].partitions == {topics.partition(): Commit(2, topics.beside("contribd1:Ag=="))}
        assert member.values == [b"6", b"7", b"8", b"9"]
        member.leave()

    def test_a_log_that_is_deleted_beyond_the_consumer_is_begun_anew_in_order(self, cluster: KafkaBroker) -> None:
        """By itself the client would go to where ``start_from`` says, which is the end, without a word."""
        topics = Topics(cluster)
        member = GroupProcess(topics.settings(start_from="latest"))
        member.wait_for(topics.partition())
        topics.produce(b"0")
        eventually(lambda: member.values == [b"0"], "a record")
        member.source.pause(frozenset({topics.partition()}))
        eventually(lambda: member.source._paused, "the pause")
        topics.produce(b"1")  # what a fetch already in flight may bring
        topics.produce(*(b"%d" % n for n in range(2, 5000)))
        delete(topics, 4990)
        member.source.pause(frozenset())
        eventually(lambda: b"4999" in member.values, "what is left")
        kinds = [type(event) for event in member.events]
        anew = kinds.index(Revoking)
        assert kinds[anew : anew + 4] == [Revoking, Revoked, Assigned, Records]
        assert member.of(Assigned)[1].partitions == {topics.partition(): Commit(0, topics.beside())}
        assert member.values[-10:] == [b"%d" % n for n in range(4990, 5000)]
        assert len(member.values) == len(set(member.values)) < 5000
        member.leave()

    def test_a_topic_that_grows_is_shared_anew_however_short_the_polls_are(
        self, cluster: KafkaBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client forgot a join that a poll gave up waiting for, and stayed without heartbeats for good."""
        monkeypatch.setattr("contribd.streams.source.POLL_SECONDS", 0.001)
        topics = Topics(cluster)
        settings = topics.settings()
        settings = replace(settings, client={**settings.client, "metadata_max_age_ms": 300})
        member = GroupProcess(settings)
        member.wait_for(topics.partition(0))
        admin = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
        for count in (2, 3, 4):
            admin.create_partitions({topics.prices: NewPartitions(count)})
            member.wait_for(topics.partition(count - 1))
        admin.close()
        eventually(lambda: member.lease.until(member.group) > time.monotonic() + 4, "heartbeats")
        member.leave()

    @pytest.mark.timeout(120)
    def test_the_membership_is_not_proven_beyond_the_session_timeout_of_a_broker_that_is_silent(
        self, own_kafka: KafkaBroker
    ) -> None:
        topics = Topics(own_kafka)
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition())
        eventually(lambda: member.lease.until(member.group) > time.monotonic(), "a membership proven")
        own_kafka.pause()
        frozen = time.monotonic()
        eventually(lambda: member.lease.until(member.group) <= time.monotonic(), "the end of the proof")
        proven = member.lease.until(member.group)
        assert proven < frozen + 6.0, "the group may give the partitions away after six seconds"
        own_kafka.resume()
        eventually(lambda: member.lease.until(member.group) > time.monotonic(), "a membership proven again")
        member.leave()


class TestSink(SinkSuite):
    def test_a_generation_that_is_over_is_refused_and_nothing_of_it_is_seen(self, cluster: KafkaBroker) -> None:
        topics = Topics(cluster)
        member = GroupProcess(topics.settings())
        member.wait_for(topics.partition())
        eventually(lambda: member.lease.until(member.group) > time.monotonic() + 4, "a settled membership")
        assert member.group is not None
        stale = port.Member(member.group.generation - 1, member.group.member_id)
        writer = SinkProcess(topics.settings())
        assert not writer.write(1, [b"stale"], {topics.partition(): Commit(1, "")}, stale)
        assert topics.committed() == (0, topics.beside())
        numbers = itertools.count(2)  # the group may be in yet another generation by now: its topic is new

        def write() -> bool:
            assert member.group is not None
            return writer.write(next(numbers), [b"fresh"], {topics.partition(): Commit(1, "")}, member.group)

        eventually(write, "a commit in the generation of now")
        assert topics.read(topics.results) == [b"fresh"]
        writer.stop()
        member.leave()

    def test_a_second_process_with_our_name_ends_us_after_three_fencings(self, cluster: KafkaBroker) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings())
        assert writer.write(1, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
        for number in range(2, 5):
            assert not writer.sink.replaced
            other = KafkaProducer(**topics.settings().producer())
            other.init_transactions()
            other.close()
            assert not writer.write(number, [b"fenced"], {topics.partition(): Commit(number, "")}, no_member())
        assert writer.sink.replaced
        assert topics.read(topics.results) == [b"1"]
        writer.stop()

    def test_transactions_that_the_broker_ended_at_their_timeout_are_not_another_process(
        self, cluster: KafkaBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Frozen for longer than that, three times in a row: the broker fences a producer to end its transaction."""
        topics = Topics(cluster)
        settings = topics.settings()
        settings = replace(settings, client={**settings.client, "transaction_timeout_ms": 1000})
        writer = SinkProcess(settings)
        eventually(lambda: writer.sink.connected, "a producer")

        def frozen(producer: Producer, seconds: float) -> None:
            time.sleep(1.1)  # not a wait for something: nothing of this process goes on
            other = KafkaProducer(**settings.producer())
            other.init_transactions()
            other.close()
            COMMIT(producer, seconds)

        with monkeypatch.context() as patch:
            patch.setattr(Producer, "commit", frozen)
            for number in range(1, 5):
                assert not writer.write(number, [b"lost"], {topics.partition(): Commit(1, "")}, no_member())
        assert not writer.sink.replaced
        assert writer.write(5, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
        assert topics.read(topics.results) == [b"1"]
        writer.stop()

    def test_an_outcome_lost_on_the_way_is_read_back(
        self, cluster: KafkaBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        topics = Topics(cluster)
        writer = SinkProcess(topics.settings())
        eventually(lambda: writer.sink.connected, "a producer")
        interrupt(monkeypatch, before=False)
        assert writer.write(1, [b"1"], {topics.partition(): Commit(1, "contribd1:Ag==")}, no_member())
        interrupt(monkeypatch, before=True)
        assert not writer.write(2, [b"2"], {topics.partition(): Commit(2, "")}, no_member())
        assert topics.read(topics.results) == [b"1"]
        assert topics.committed() == (1, "contribd1:Ag==")
        writer.stop()

    @pytest.mark.timeout(180)
    @pytest.mark.parametrize("before", [True, False])
    def test_a_broker_that_dies_around_the_commit_leaves_one_truth(
        self, own_kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch, before: bool
    ) -> None:
        topics = Topics(own_kafka)
        writer = SinkProcess(topics.settings())
        eventually(lambda: writer.sink.connected, "a producer")

        def die() -> None:
            own_kafka.kill()
            threading.Thread(target=own_kafka.start).start()

        interrupt(monkeypatch, before=before, meanwhile=die)
        durable = writer.write(1, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
        assert durable is not before
        assert topics.read(topics.results) == ([b"1"] if durable else [])
        assert topics.committed() == ((1, "") if durable else None)
        writer.stop()


def interrupt(monkeypatch: pytest.MonkeyPatch, *, before: bool, meanwhile: Callable[[], None] = lambda: None) -> None:
    """The connection breaks at every commit, just before the broker gets it or just after it has done it."""

    def broken(producer: Producer, seconds: float) -> None:
        if not before:
            COMMIT(producer, seconds)
        meanwhile()
        raise OSError("the connection broke")

    monkeypatch.setattr(Producer, "commit", broken)
