"""Two daemons of one group on real Kafka: what is paused through one is paused in the other, and after a restart."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.schemas import checked_result

from contribd.checks.kafka import inspect_kafka
from contribd.control.client import ask
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer, Order
from contribd.pausing.pause_orders import PauseOrder, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder
from contribd.results.result import Result, decode_result
from contribd.streams.client.settings import KafkaSettings

EUR = Selector(PauseKind.RIC, "EUR*")
MAPPING = {"mappings": [{"name": "plain", "ric": "{ric}", "fields": {"BID": "bid"}, "withdraw": ["BID"]}]}


class Group:
    """Two instances, each with a partition of the prices of its own."""

    def __init__(self, folder: Path, kafka: KafkaBroker, provider: Provider) -> None:
        self.kafka = kafka
        self.prices, self.results_topic = (kafka.create_topic(unique(name), 2) for name in ("prices", "results"))
        self.orders = kafka.create_topic(unique("orders"), 1, cleanup_policy="compact")
        self.group = unique("group")
        self._producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
        self._consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level="read_committed")
        self._consumer.assign([TopicPartition(self.results_topic, number) for number in (0, 1)])
        self._consumer.seek_to_beginning()
        self._found: dict[int, Result] = {}
        self.withdrawn: list[Result] = []
        self.sockets = [folder / f"{name}.sock" for name in "ab"]
        self.daemons = [
            Daemon(
                folder / socket.stem,
                kafka=kafka.bootstrap,
                endpoints=[provider.url],
                topics=(self.prices, self.results_topic),
                group=self.group,
                instance=socket.stem,
                mapping=MAPPING,
                control={"socket": str(socket), "topic": self.orders},
            )
            for socket in self.sockets
        ]
        for daemon in self.daemons:
            config = yaml.safe_load(daemon.config.read_text())
            config["kafka"]["client"] = {"session_timeout_ms": 6_000}
            daemon.config.write_text(yaml.safe_dump(config))

    def order(self, instance: int, order: Order) -> Answer:
        return ask(order, [self.sockets[instance]])

    def price(self, partition: int, bid: int) -> Result:
        """The result of a price of this partition, with this bid."""
        value = b'{"ric":"EUR%d=","bid":%d}' % (partition, bid)
        self._producer.send(self.prices, partition=partition, value=value).get(timeout=60)
        eventually(lambda: bid in self._results(), within=60, what=f"the result of bid {bid}")
        return self._found[bid]

    def _results(self) -> dict[int, Result]:
        """By their bid, as they come."""
        for records in self._consumer.poll(timeout_ms=200).values():
            for record in records:
                result = decode_result(checked_result(record.value))
                if result.withdrawal is not None:
                    self.withdrawn.append(result)
                else:
                    self._found[int((result.fields or {})["BID"])] = result
        return self._found

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()
        self._producer.close()
        self._consumer.close()

    def shares(self) -> bool:
        return all(daemon.ready() and len(daemon.status()["partitions"]) == 1 for daemon in self.daemons)


@pytest.fixture
def group(tmp_path_factory: pytest.TempPathFactory, kafka: KafkaBroker, provider: Provider) -> Iterator[Group]:
    made = Group(tmp_path_factory.mktemp("g"), kafka, provider)
    yield made
    made.close()


def test_a_pause_reaches_the_other_instance_and_holds_over_a_restart(group: Group) -> None:
    for daemon in group.daemons:
        daemon.start()
    eventually(group.shares, within=60, what="both instances have a partition")
    assert [group.price(partition, bid).status for partition, bid in ((0, 10), (1, 11))] == ["ACK", "ACK"]

    answer = group.order(0, PauseOrder(EUR, "feed broken"))
    assert answer.done, answer.text
    assert answer.text.startswith("RICs EUR* paused, in 2 instances: this one and b")
    for partition, bid in ((0, 20), (1, 21)):
        result = group.price(partition, bid)
        assert (result.status, result.code) == ("SUPPRESSED", "Paused")
        assert result.text is not None
        assert f"(uid {os.getuid()})" in result.text
    eventually(lambda: group.daemons[1].status()["pauses"], within=10, what="the other's next look at itself")
    [pause] = group.daemons[1].status()["pauses"]
    assert (pause["id"], pause["reason"]) == ("ric:EUR*", "feed broken")

    for daemon in group.daemons:
        daemon.kill()
    group.daemons[0].start()
    assert group.price(1, 30).status == "SUPPRESSED"
    answer = group.order(0, ResumeOrder(EUR, "it is back"))
    assert answer.done, answer.text
    assert group.price(0, 40).status == "ACK"


def test_what_a_former_owner_posted_is_withdrawn_and_what_stands_is_posted_once_more(group: Group) -> None:
    a, b = group.daemons
    for daemon in group.daemons:
        daemon.start()
    eventually(group.shares, within=60, what="both instances have a partition")
    assert [group.price(partition, bid).status for partition, bid in ((0, 10), (1, 11))] == ["ACK", "ACK"]
    b.kill()
    eventually(lambda: len(a.status()["partitions"]) == 2, within=60, what="a has the partition of b")

    answer = group.order(0, QuoteOrder(OrderKind.WITHDRAW, EUR, "wrong prices"))
    assert answer.done, answer.text
    assert answer.text.startswith("RICs EUR*: 2 quotes withdrawn")
    group.price(1, 30)
    assert sorted((str(one.ric), one.status, one.fields) for one in group.withdrawn) == [
        ("EUR0=", "ACK", {"BID": None}),
        ("EUR1=", "ACK", {"BID": None}),
    ]
    answer = group.order(0, QuoteOrder(OrderKind.REPUBLISH, EUR, "the image is lost"))
    assert answer.done, answer.text
    assert answer.text.startswith("RICs EUR*: 1 quote posted once more")
    counted = [{"status": "ACK", "count": 1}]
    eventually(lambda: a.status()["republished"] == counted, within=10, what="what was posted once more is counted")


def test_check_says_whether_the_topic_is_fit(group: Group) -> None:
    def problems(topic: str) -> list[str]:
        topics = ((group.prices,), group.results_topic, None, "latest", "a")
        return inspect_kafka(KafkaSettings((group.kafka.bootstrap,), group.group, *topics, control=topic)).problems

    assert problems(group.orders) == []
    [said] = problems(group.kafka.create_topic(unique("orders"), 1))
    assert "has cleanup.policy=delete" in said
    [said] = problems("nowhere")
    assert "no topic nowhere" in said
