"""The table *What Kafka must allow* of docs/operations.md, row by row, on a broker with logins and ACLs."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from kafka import KafkaProducer, TopicPartition
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.guarded_broker import GuardedBroker, Right
from tests.integration.rigs.log_kinds import OF_THE_MACHINE
from tests.integration.rigs.prices import feed, places, read_results, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually

from contribd.checks.kafka import inspect_kafka
from contribd.streams.client.settings import KafkaSettings


class _Desk(Daemon):
    """A daemon whose user may do exactly what the table says."""

    def __init__(self, folder: Path, broker: GuardedBroker, provider: Provider) -> None:
        self.broker, self.fed = broker, 0
        self.prices, self.results_topic = broker.create_topic(unique("prices")), broker.create_topic(unique("results"))
        # Without hyphens: the table's last row is for the others.
        self.group = unique("group").replace("-", "_")
        topics, address = (self.prices, self.results_topic), broker.listener("SASL_PLAINTEXT")
        super().__init__(folder, kafka=address, endpoints=[provider.url], topics=topics, group=self.group)
        config = yaml.safe_load(self.config.read_text())
        config["kafka"]["client"] = broker.login(session_timeout_ms=6000)
        self.config.write_text(yaml.safe_dump(config))
        self.rights = {
            f"Read on Topic {self.prices}": Right("topic", self.prices, "read"),
            f"Write on Topic {self.results_topic}": Right("topic", self.results_topic, "write"),
            f"Read on Group {self.group}": Right("group", self.group, "read"),
            f"begin with {self.group}-": Right("transactional_id", f"{self.group}-", "write", prefixed=True),
        }
        # At a first start, too, the results topic is asked what has its result; later this right is of no use.
        broker.allow([*self.rights.values(), Right("topic", self.results_topic, "read")])

    def feed(self, count: int) -> None:
        self.fed += count
        feed(self.broker, self.prices, records(count, seed=self.fed))

    def settled(self) -> bool:
        """Whether every price has its result, and only one."""
        found = places(read_results(self.broker, self.results_topic))
        assert set(found.values()) <= {1}
        return len(found) == self.fed

    def reasons(self) -> str:
        return " ".join(self.status()["not_ready"])

    def complaints(self) -> list[str]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        told = [line for line in lines if line["level"] in {"warning", "error"} and line["part"] not in OF_THE_MACHINE]
        return [f"{line['part']} {line}" for line in told]


@pytest.fixture
def desk(tmp_path: Path, guarded_kafka: GuardedBroker, provider: Provider) -> Iterator[_Desk]:
    one = _Desk(tmp_path, guarded_kafka, provider)
    yield one
    one.kill()
    guarded_kafka.forbid_all()


def test_each_right_that_is_taken_away_is_named_and_its_return_noticed(desk: _Desk) -> None:
    desk.start()
    desk.feed(20)
    eventually(desk.settled, within=30, what="results with exactly these rights")
    assert desk.complaints() == []
    for right, given in desk.rights.items():
        desk.broker.forbid([given])
        desk.feed(10)
        eventually(lambda named=right: named in desk.reasons(), within=30, what=f"the reason: {right}")  # type: ignore[misc]
        desk.broker.allow([given])
        eventually(desk.settled, within=60, what="every result")
        eventually(desk.ready, within=30, what="ready again")
        named = [line.partition(" ")[0] for line in desk.complaints() if right in line]
        assert len(named) <= 3
        assert named
    assert desk.stop() == 0


def test_what_a_dead_instance_left_open_is_ended_with_these_rights(desk: _Desk) -> None:
    desk.feed(5)
    with closing(_left_open(desk)):
        desk.start()
        eventually(desk.settled, within=20, what="results long before the transaction's timeout")
    assert any("ended the transaction" in line for line in desk.complaints())


def _left_open(desk: _Desk) -> KafkaProducer:
    """A producer that has died within a transaction of the group."""
    name = f"{desk.group}-dead"
    producer = KafkaProducer(
        bootstrap_servers=desk.broker.bootstrap, transactional_id=name, transaction_timeout_ms=120_000
    )
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(desk.results_topic, b"unfinished").get(timeout=10)
    offsets = {TopicPartition(desk.prices, 0): OffsetAndMetadata(0, "", -1)}
    producer.send_offsets_to_transaction(offsets, ConsumerGroupMetadata(desk.group))
    producer.flush()
    return producer


def test_each_right_that_is_missing_is_named(guarded_kafka: GuardedBroker) -> None:
    prices, results = guarded_kafka.create_topic(unique("prices")), guarded_kafka.create_topic(unique("results"))
    broker, login, group = guarded_kafka.listener("SASL_PLAINTEXT"), guarded_kafka.login(), unique("group")
    settings = KafkaSettings((broker,), group, (prices,), results, None, "latest", "test", login)
    rights = {
        f"READ topic {prices}": Right("topic", prices, "read"),
        f"WRITE topic {results}": Right("topic", results, "write"),
        f"Read on Group {group}": Right("group", group, "read"),
        f"begin with {group}-": Right("transactional_id", f"{group}-", "write", prefixed=True),
    }
    looks = [Right("topic", topic, "describe") for topic in (prices, results)]
    guarded_kafka.allow([*rights.values(), *looks, Right("group", group, "describe")])
    found = inspect_kafka(settings)
    assert (found.problems, found.limits_known) == ([], False)
    for named, right in rights.items():
        guarded_kafka.forbid([right])
        (said,) = inspect_kafka(settings).problems
        assert named in said
        guarded_kafka.allow([right])
    guarded_kafka.forbid_all()
