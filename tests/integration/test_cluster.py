"""The streams on three real brokers: what moves from one to another, and what too few of them do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.integration.rigs.cluster_rig import INTERNAL, OFFSETS, TRANSACTIONS, KafkaCluster
from tests.integration.rigs.spawned import listening
from tests.streams.stream_suite import (
    LEAVES_SOCKETS,
    GroupProcess,
    SinkProcess,
    SinkSuite,
    SourceSuite,
    Topics,
    eventually,
    no_member,
)

from contribd.engine.events import Assigned
from contribd.engine.records.commit_metadata import Commit
from contribd.streams import sink

pytestmark = LEAVES_SOCKETS


@pytest.fixture
def cluster(kafka_cluster: KafkaCluster) -> KafkaCluster:
    return kafka_cluster


class TestSuite:
    """Of the suite what more than one replica could make different."""

    keeps_metadata = True
    test_results_and_offsets = SinkSuite.test_results_rejects_and_offsets_are_written_together
    test_many_transactions = SinkSuite.test_transactions_follow_each_other
    test_two_members = SourceSuite.test_two_members_share_without_losing_a_record


@contextmanager
def consuming(topics: Topics, partitions: int) -> Iterator[GroupProcess]:
    member = GroupProcess(topics.settings())
    member.wait_for(*(topics.partition(number) for number in range(partitions)))
    try:
        yield member
    finally:
        member.leave()


def test_a_broker_that_was_killed_comes_back_to_its_place_with_its_logs(cluster: KafkaCluster) -> None:
    topics = Topics(cluster)
    node = cluster.leader(topics.prices)
    topics.produce(b"before")
    cluster.brokers[node].kill()
    assert not listening(cluster.brokers[node].port)
    eventually(lambda: cluster.leader(topics.prices) != node, "another leader")
    topics.produce(b"meanwhile")
    cluster.start_broker(node)
    cluster.wait_in_sync(topics.prices)
    assert topics.read(topics.prices) == [b"before", b"meanwhile"]


def test_a_membership_outlives_a_move_of_its_coordinator(cluster: KafkaCluster) -> None:
    topics = Topics(cluster)
    with consuming(topics, 1) as member:
        joined, node = member.group, cluster.coordinator(topics.group)
        cluster.move_leaders(OFFSETS)
        assert cluster.coordinator(topics.group) != node
        moved = time.monotonic()
        eventually(lambda: member.lease.until(member.group) > moved + 4, "a heartbeat taken by the new one")
        topics.produce(b"1")
        eventually(lambda: member.values == [b"1"], "a record")
        assert joined is not None
        assert member.group is not None
        assert member.group.member_id == joined.member_id
        assert len(member.of(Assigned)) == 1


def test_records_of_a_partition_whose_leader_moves_come_once_and_in_order(cluster: KafkaCluster) -> None:
    topics = Topics(cluster, 3)
    with consuming(topics, 3) as member:
        for turn in range(3):
            for number in range(3):
                topics.produce(*(b"%d" % n for n in range(turn * 100, turn * 100 + 100)), partition=number)
            cluster.move_leaders(topics.prices)
        eventually(lambda: len(member.records) >= 900, "all records")
        for number in range(3):
            offsets = [offset for partition, offset, _ in member.records if partition.number == number]
            assert offsets == list(range(300))


def test_transactions_go_on_where_their_coordinators_and_leaders_move(cluster: KafkaCluster) -> None:
    topics = Topics(cluster)
    writer = SinkProcess(topics.settings())
    for number, topic in enumerate((TRANSACTIONS, topics.results, OFFSETS), 1):
        assert writer.write(number, [b"%d" % number], {topics.partition(): Commit(number, "")}, no_member())
        cluster.move_leaders(topic)
    assert writer.write(4, [b"4"], {topics.partition(): Commit(4, "")}, no_member())
    assert topics.read(topics.results) == [b"1", b"2", b"3", b"4"]
    assert topics.committed() == (4, "")
    writer.stop()


def test_a_transaction_outlives_the_coordinator_of_its_group(cluster: KafkaCluster) -> None:
    topics = Topics(cluster)
    node = cluster.coordinator(topics.group)
    names = [f"name{number}" for number in range(100)]
    others = {each: cluster.transaction_coordinator(f"{topics.group}-{each}") for each in names}
    name, other = next(found for found in others.items() if found[1] != node)
    cluster.place(topics.results, {0: other})
    writer = SinkProcess(topics.settings(name))
    assert writer.write(1, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
    cluster.brokers[node].kill()
    began = time.monotonic()
    durable = writer.write(2, [b"2"], {topics.partition(): Commit(2, "")}, no_member())
    assert time.monotonic() - began < sink.STEP_SECONDS
    # Where the broker had ended it, the engine hands it over once more.
    assert durable or writer.write(3, [b"2"], {topics.partition(): Commit(2, "")}, no_member())
    writer.stop()
    cluster.start_broker(node)
    cluster.wait_in_sync(topics.results, *INTERNAL)
    assert topics.read(topics.results) == [b"1", b"2"]


def test_with_two_of_three_away_nothing_counts_as_written_and_then_everything_once(
    cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "STEP_SECONDS", 4.0)
    topics = Topics(cluster)
    with consuming(topics, 1) as member:
        writer = SinkProcess(topics.settings())
        assert writer.write(1, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
        away = [node for node in cluster.brokers if node != cluster.leader(topics.results)]
        for node in away:
            cluster.brokers[node].kill()
        writer.hand_over(2, [b"2"], {topics.partition(): Commit(2, "")}, no_member())
        eventually(writer.sink.reasons, "a reason why nothing is written")
        assert writer.outcome(2) is None
        cluster.start()
        number = 2
        while not writer.durable(number):  # the engine does the same: hands over what was not written
            number += 1
            writer.hand_over(number, [b"2"], {topics.partition(): Commit(2, "")}, no_member())
        assert writer.sink.reasons() == []
        assert topics.read(topics.results) == [b"1", b"2"]
        assert topics.committed() == (2, "")
        writer.stop()
        topics.produce(b"later")
        eventually(lambda: member.values == [b"later"], "a record")
