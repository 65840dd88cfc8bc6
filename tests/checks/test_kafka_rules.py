"""What ``contribd check --connect`` says of the settings of brokers and topics."""

from collections.abc import Iterable
from typing import Any

import pytest

from contribd.checks import kafka_rules as rules
from contribd.checks.kafka_rules import Role
from contribd.streams.client.admin import Topic
from contribd.streams.client.settings import KafkaSettings

WELL = Topic(2, frozenset(), (3, 3), (3, 2))


def settings(**client: Any) -> KafkaSettings:
    return KafkaSettings(("k1:9092",), "fx", ("prices",), "results", "rejects", "latest", "host", client)


def problem(role: Role, topic: Topic = WELL, **values: str) -> str:
    return "; ".join(rules.topic_problems(role, "t", topic, kafka_names(values)))


def kafka_names(values: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in values.items()}


def only(said: Iterable[str]) -> str:
    (text,) = said
    return text


@pytest.mark.parametrize("role", ["prices", "results", "rejects"])
def test_a_topic_that_is_well_or_whose_settings_are_not_known_is_no_problem(role: Role) -> None:
    assert problem(role) == ""
    assert problem(role, min_insync_replicas="2", cleanup_policy="delete", max_message_bytes="1048588") == ""
    assert list(rules.topic_warnings(role, "t", {}, {"prices": {}})) == []


@pytest.mark.parametrize("role", ["results", "rejects"])
@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_results_that_kafka_would_throw_away(role: Role, policy: str) -> None:
    assert f"t is compacted (cleanup.policy={policy})" in problem(role, cleanup_policy=policy)


def test_orders_that_kafka_would_throw_away() -> None:
    assert problem("orders", cleanup_policy="compact") == problem("orders") == ""
    for policy in ("delete", "compact,delete"):
        assert f"t has cleanup.policy={policy}" in problem("orders", cleanup_policy=policy)
    assert "min.insync.replicas=2" in problem("orders", Topic(1, frozenset(), (1,), (1,)), min_insync_replicas="2")
    assert list(rules.topic_warnings("orders", "t", {"max.message.bytes": "1"}, {"prices": {}})) == []


def test_a_topic_that_can_never_be_written_or_not_now() -> None:
    assert "has 1 replicas and min.insync.replicas=2" in problem(
        "results", Topic(2, frozenset(), (1, 1), (1, 1)), min_insync_replicas="2"
    )
    assert "1 of the 2 partitions of t have fewer than min.insync.replicas=2" in problem(
        "rejects", Topic(2, frozenset(), (3, 3), (3, 1)), min_insync_replicas="2"
    )
    assert problem("prices", Topic(2, frozenset(), (3, 3), (3, 1)), min_insync_replicas="2") == ""
    assert "1 of the 2 partitions of t have no leader" in problem("prices", WELL._replace(leaderless=1))


def test_what_a_topic_is_too_small_for() -> None:
    small = {"max.message.bytes": "60000"}
    assert "t takes records of 60000 bytes" in only(rules.topic_warnings("results", "t", small, {}))
    larger = {"prices": {"max.message.bytes": "70000"}}
    assert "those of the prices may have 70000" in only(rules.topic_warnings("rejects", "t", small, larger))
    assert list(rules.topic_warnings("rejects", "t", small, {"prices": small})) == []
    assert "has no result" in only(rules.topic_warnings("prices", "t", {"cleanup.policy": "compact"}, {}))


def test_what_the_brokers_do_not_allow() -> None:
    brokers = {"transaction.max.timeout.ms": "900000", "group.min.session.timeout.ms": "6000"}
    assert list(rules.broker_problems(brokers, settings())) == []
    assert list(rules.broker_problems({}, settings(transaction_timeout_ms=901_000))) == []
    said = only(rules.broker_problems(brokers, settings(transaction_timeout_ms=901_000)))
    assert "transaction_timeout_ms is 901000, and the brokers allow 900000" in said
    said = only(rules.broker_problems(brokers, settings(session_timeout_ms=5000)))
    assert "session_timeout_ms is 5000, and the brokers allow 6000 at least" in said
    shorter = {"group.max.session.timeout.ms": "30000"}
    assert "is 45000, and the brokers allow 30000 at most" in only(rules.broker_problems(shorter, settings()))


def test_room_for_what_is_kept_with_an_offset() -> None:
    assert list(rules.broker_warnings({})) == []
    assert "keep 512 bytes with an offset" in only(rules.broker_warnings({"offset.metadata.max.bytes": "512"}))
