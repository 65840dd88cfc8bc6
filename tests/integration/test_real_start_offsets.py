"""Where partitions begin on real Kafka: new ones, and those whose offsets are gone."""

import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewPartitions
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.streams.stream_suite import LEAVES_SOCKETS, GroupProcess, SinkProcess, Topics, eventually, no_member

from contribd.engine.events import Assigned
from contribd.engine.records.commit_metadata import Commit, decode_about
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.access import Access
from contribd.streams.client.admin import open_admin
from contribd.streams.group import start_lines, topic_watch
from contribd.streams.transaction import Write

pytestmark = LEAVES_SOCKETS

FOUND_WITHIN = 8.0
"""Seconds: the metadata's five, a rebalance, and what a busy machine adds."""


def results_of(topics: Topics, offsets: Iterable[int], topic_id: str) -> list[Encoded]:
    headers = [("topic_id", topic_id.encode())]
    return [Encoded(b"k", b"{}", [("source", f"{topics.prices}:0:{n}".encode()), *headers]) for n in offsets]


def settle(topics: Topics, offsets: list[int], topic_id: str) -> None:
    """What a group that is gone has settled, in a transaction as the sink writes it."""
    writer = SinkProcess(topics.settings())
    commits = {topics.partition(): Commit(max(offsets), "")}
    writer.sink.write(Write(1, results_of(topics, offsets, topic_id), [], commits, no_member()))
    eventually(lambda: writer.events, "an outcome")
    writer.stop()


def forget_the_group(topics: Topics) -> None:
    admin = KafkaAdminClient(bootstrap_servers=topics.bootstrap)
    admin.delete_groups([topics.group])
    admin.close()


def topic_id_of(topics: Topics) -> str:
    admin = open_admin(Access(topics.settings()), topics.settings())
    found = admin.existing_topics([topics.prices])[topics.prices].topic_id
    admin.close()
    assert found is not None
    return found


def test_what_is_produced_to_a_new_partition_is_read_within_seconds_though_the_group_starts_at_the_end(
    kafka: KafkaBroker,
) -> None:
    topics = Topics(kafka)
    member = GroupProcess(topics.settings(start_from="latest"))
    member.wait_for(topics.partition(0))
    topics.produce(b"old", partition=0)
    eventually(lambda: member.values == [b"old"], "a record of the old partition")
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_partitions({topics.prices: NewPartitions(3)})
    admin.close()
    added = time.monotonic()
    topics.produce(b"new", partition=2)
    eventually(lambda: b"new" in member.values, "the record of the new partition")
    assert time.monotonic() - added < FOUND_WITHIN
    begun = {each: commit for event in member.of(Assigned) for each, commit in event.partitions.items()}
    assert begun[topics.partition(2)] == Commit(0, topics.beside())
    assert decode_about(topics.beside()).partitions == 3
    member.leave()
    again = GroupProcess(topics.settings(start_from="latest"))
    again.wait_for(*(topics.partition(number) for number in range(3)))
    assert again.of(Assigned)[-1].partitions[topics.partition(2)].offset == 0, "nothing of it was settled"
    again.leave()


def test_offsets_that_are_gone_repeat_nothing_that_has_its_result(kafka: KafkaBroker) -> None:
    topics = Topics(kafka)
    topics.produce(*(b"%d" % n for n in range(20)))
    settle(topics, [0, 1, 2, 5, 6, 9], topic_id_of(topics))
    settle(topics, [3], "an-earlier-topic-of-it")
    forget_the_group(topics)
    member = GroupProcess(topics.settings(start_from="earliest"))
    wanted = [n for n in range(20) if n not in (0, 1, 2, 5, 6, 9)]
    eventually(lambda: len(member.records) >= len(wanted), "what has no result")
    assert [offset for _, offset, _ in member.records] == wanted
    [start] = [event.partitions[topics.partition()] for event in member.of(Assigned)]
    assert (start.offset, decode_about(start.metadata).results_to) == (3, 10)
    assert topics.committed() == start, "whoever comes next knows of it, too"
    member.leave()
    successor = GroupProcess(topics.settings(start_from="latest"))
    eventually(lambda: len(successor.records) >= len(wanted), "the same again: nothing was settled")
    assert [offset for _, offset, _ in successor.records] == wanted
    successor.leave()


def test_a_group_starts_at_a_time_or_refuses(kafka: KafkaBroker) -> None:
    topics = Topics(kafka)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    for n in range(4):
        producer.send(topics.prices, b"%d" % n, partition=0, timestamp_ms=1_700_000_000_000 + n * 60_000)
    producer.close()
    refusing = GroupProcess(topics.settings(start_from="refuse"))
    refusal = eventually(lambda: refusing.source.refusal or "", "a refusal")
    assert f"no committed offset for {topics.prices}:0 (4 offsets in the log)" in refusal
    assert topics.committed() is None
    refusing.leave()
    member = GroupProcess(topics.settings(start_from="2023-11-14T22:15:00Z"))  # 100 s after the first
    eventually(lambda: len(member.records) >= 2, "what is as late as that")
    assert member.values == [b"2", b"3"]
    member.leave()


def test_a_topic_that_is_deleted_is_told_and_read_from_its_beginning_when_it_is_made_anew(
    kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics(kafka)
    topics.produce(b"old", b"older")
    member = GroupProcess(topics.settings(start_from="latest"))
    member.wait_for(topics.partition())
    told: list[str] = []
    monkeypatch.setattr(topic_watch, "_log", SimpleNamespace(warning=told_into(told), info=told_into(told)))
    monkeypatch.setattr(start_lines, "_log", SimpleNamespace(warning=told_into(told)))
    before = topic_id_of(topics)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.delete_topics([topics.prices])
    admin.close()
    [reason] = eventually(member.source.reasons, "a reason not to be ready")
    assert reason.startswith(f"consuming: no topic {topics.prices}, or user ANONYMOUS may not see it: create it")
    kafka.create_topic(topics.prices)
    topics.produce(b"0", b"1", b"2")
    eventually(lambda: len(member.records) >= 3, "the records of the new topic")
    assert member.records == [(topics.partition(), n, b"%d" % n) for n in range(3)]
    eventually(lambda: not member.source.reasons(), "readiness")
    start = member.of(Assigned)[-1].partitions[topics.partition()]
    after = topic_id_of(topics)
    assert (start.offset, decode_about(start.metadata).topic_id) == (0, after)
    assert before != after
    assert told[0].startswith("a topic that was consumed is gone: it was deleted")
    assert {text[:33] for text in told[1:]} == {"the topic is there again", "the topic is another one than what"[:33]}
    assert len(told) == 3, "each is said once"
    member.leave()


def told_into(told: list[str]) -> Callable[..., None]:
    return lambda text, **_details: told.append(text)
