"""One line when a broker is lost, and one when it is back."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from kafka import TopicPartition
from kafka.cluster import ClusterMetadata

from contribd.streams.client import broker_watch
from contribd.streams.client.broker_watch import BrokerWatch
from contribd.streams.client.held_up import SHOWN, held_up
from contribd.streams.client.settings import KafkaSettings

WHY = "broker k1:9092 refuses connections"


def test_a_broker_is_lost_once_and_back_once(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    watch = BrokerWatch(lambda: now)
    watch.connected("k1:9092")
    watch.disconnected()
    assert (watch.problem(), capsys.readouterr().err) == (None, "")
    watch.unreachable("k1:9092", WHY)
    watch.unreachable("k1:9092", WHY)
    assert watch.problem() == WHY
    assert capsys.readouterr().err.count("a broker is lost") == 1
    now += 2
    watch.connected("k1:9092")
    assert watch.problem() is None


def test_what_waits_for_it_is_told_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Mock()
    monkeypatch.setattr(broker_watch, "_log", log)
    watch = BrokerWatch(lambda: 0.0)
    for words in ("prices:0", ""):
        watch.connected("k1:9092")
        watch.unreachable("k1:9092", WHY, lambda said=words: said)  # type: ignore[misc]
        watch.unreachable("k1:9092", WHY, lambda: "asked once")
    watch.connected("k1:9092")
    told = [facts.get("holds_up", facts.get("held_up")) for _, _, facts in log.mock_calls]
    assert told == ["prices:0", "prices:0", "nothing of ours", "nothing of ours"]


def broker(node: int | str, port: int) -> Any:
    return SimpleNamespace(node_id=node, host="k", port=port)


def cluster(led: dict[int, list[tuple[str, int]]], coordinator: int | None = None) -> ClusterMetadata:
    """What a client knows: partitions by broker, which listens on that port, and the group's coordinator."""
    made = ClusterMetadata()
    made._brokers = {port: broker(port, port) for port in led}
    made._broker_partitions = {port: {TopicPartition(*each) for each in places} for port, places in led.items()}
    if coordinator is not None:
        answer = SimpleNamespace(error_code=0, node_id=coordinator, host="k", port=coordinator)
        made.add_coordinator(answer, 0, "group")
    return made


def test_what_a_broker_holds_up_is_what_any_client_knows_of_it() -> None:
    settings = KafkaSettings(("k:1",), "group", ("prices",), "results", None, "latest", "one", {})
    consumer = cluster({1: [("prices", 2), ("other", 0)], 2: [("prices", 1)]}, coordinator=1)
    producer = cluster({1: [("results", 0)], 2: []})
    known = [consumer, producer, cluster({})]
    assert held_up(known, "k:1", settings) == "prices:2, results:0, the consumer group group"
    assert held_up(known, "k:2", settings) == "prices:1"
    assert held_up(known, "k:3", settings) == ""
    many = cluster({1: [("prices", number) for number in range(SHOWN + 4)]})
    assert held_up([many], "k:1", settings).endswith(f"prices:{SHOWN - 1}, 4 more partitions")


def test_a_partition_without_a_leader_waits_for_any_of_its_replicas() -> None:
    settings = KafkaSettings(("k:1",), "group", ("prices",), "results", None, "latest", "one", {})
    known = cluster({1: [("results", 0)], 2: [], 3: []})
    known._partitions = {
        "prices": {
            number: SimpleNamespace(leader_id=-1, replica_nodes=nodes) for number, nodes in enumerate([[1], [2, 1]])
        },
        "other": {0: SimpleNamespace(leader_id=-1, replica_nodes=[1])},
        "results": {0: SimpleNamespace(leader_id=1, replica_nodes=[1, 3])},
    }
    assert held_up([known], "k:1", settings) == "prices:0, prices:1, results:0"
    assert held_up([known], "k:2", settings) == "prices:1"
    assert held_up([known], "k:3", settings) == ""
    # The last broker has told that it goes, and is in no list any longer.
    known._brokers = {}
    assert held_up([known], "k:1", settings) == "prices:0, prices:1"


def test_one_that_was_never_reached_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    watch = BrokerWatch(lambda: 0.0)
    watch.unreachable("k1:9092", WHY)
    assert (watch.problem(), capsys.readouterr().err) == (None, "")


def test_nothing_is_wrong_while_another_is_connected() -> None:
    watch = BrokerWatch(lambda: 0.0)
    for broker in ("k1:9092", "k2:9092"):
        watch.connected(broker)
    watch.disconnected()
    watch.unreachable("k1:9092", WHY)
    assert watch.problem() is None
    watch.disconnected()
    assert watch.problem() == WHY


def test_brokers_that_are_elsewhere_now_are_waited_for_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    watch = BrokerWatch(lambda: 0.0)
    for broker in ("old:9092", "same:9092"):
        watch.connected(broker)
        watch.disconnected()
        watch.unreachable(broker, WHY)
    assert watch.moved({"new:9092", "same:9092"}) == {"old:9092"}
    capsys.readouterr()
    watch.unreachable("old:9092", WHY)
    assert capsys.readouterr().err == ""
    assert watch.moved({"new:9092", "same:9092"}) == set()
    watch.connected("same:9092")
    watch.disconnected()
    assert watch.problem() is None
