"""What the client gives and takes, in the port's words."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.streams.client.consumer import Asking, Consumer

TP, P = TopicPartition("prices", 3), Partition("prices", 3)


def client(**methods: Any) -> Any:
    """A ``KafkaConsumer`` that has these, and no join in flight."""
    return SimpleNamespace(
        _coordinator=SimpleNamespace(_join_task=None), _fetcher=SimpleNamespace(_next_partition_records=None), **methods
    )


@pytest.mark.parametrize("kind", [Consumer, Asking])
@pytest.mark.parametrize(
    ("found", "commit"),
    [
        (None, None),
        (OffsetAndMetadata(-1, "", -1), None),
        (OffsetAndMetadata(7, None, -1), Commit(7, "")),
        (OffsetAndMetadata(7, "contribd1:Ag==", -1), Commit(7, "contribd1:Ag==")),
    ],
)
def test_what_is_committed(kind: type[Consumer | Asking], found: object, commit: Commit | None) -> None:
    asked: list[tuple[object, bool, int]] = []

    def committed(tp: object, *, metadata: bool, timeout_ms: int) -> object:
        asked.append((tp, metadata, timeout_ms))
        return found

    assert kind(client(committed=committed)).committed(P, 0.3) == commit
    assert asked == [(TP, True, 300)]
    assert isinstance(asked[0][0], TopicPartition)


def test_records_are_the_engine_s() -> None:
    raw = SimpleNamespace(offset=7, timestamp=-1, key=b"k", value=b"v", headers=[])
    polled = Consumer(client(poll=lambda timeout_ms: {TP: [raw] * timeout_ms})).poll(0.05)
    assert polled == {P: [Record(7, -1, b"k", b"v")] * 50}
    assert [type(each) for each in polled] == [Partition]


def test_the_position_is_read_where_the_client_keeps_it() -> None:
    kept = {
        TP: SimpleNamespace(position=SimpleNamespace(offset=9)),
        TopicPartition("prices", 4): SimpleNamespace(position=None),
    }
    consumer = Consumer(client(_subscription=SimpleNamespace(assignment=kept)))
    assert consumer.position(P) == 9
    assert consumer.position(Partition("prices", 4)) is None
    assert consumer.position(Partition("prices", 5)) is None


def test_the_client_is_told_of_its_topics_before_it_joins_their_group() -> None:
    done: list[object] = []
    consumer = Consumer(
        client(
            subscribe=lambda topics, **_listener: done.append(topics),
            _cluster=SimpleNamespace(request_update=lambda: "told"),
            _manager=SimpleNamespace(wait_for="wait"),
            _net=SimpleNamespace(run=lambda *waited: done.append(waited)),
        )
    )
    listener: Any = None
    consumer.subscribe(["prices"], listener)
    assert done == [["prices"], ("wait", "told", 5000)]


def test_what_transactions_are_about_to_commit_is_not_waited_for_where_all_offsets_of_a_topic_are_asked_for() -> None:
    asked: list[tuple[object, ...]] = []
    coordinator = SimpleNamespace(_isolation_level=1)

    def fetch(partitions: list[TopicPartition], timeout_ms: int) -> dict[TopicPartition, OffsetAndMetadata]:
        asked.append((partitions, timeout_ms, coordinator._isolation_level))
        return {TP: OffsetAndMetadata(7, None, -1)}

    coordinator.fetch_committed_offsets = fetch
    consumer = Consumer(SimpleNamespace(_coordinator=coordinator))
    assert consumer.committed_among([P], 1.0) == {P: Commit(7, "")}
    assert asked == [([TP], 1000, 0)]
    assert coordinator._isolation_level == 1, "stable ones from then on, as before"
