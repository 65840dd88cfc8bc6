"""Transactions that a real broker refuses for ever as they are: each has its cure, or says what is missing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.guarded_broker import GuardedBroker, Right
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import free_port

GOOD: Final = (
    b'{"asset": "FX", "tenor": "SP", "pair": "EURUSD", "bid": 1.1, "ask": 1.2, "ccy": "USD", '
    b'"quoted_at": "2026-11-20T08:00:00Z", "sizes": []}'
)
BAD: Final = b"no price"
METADATA: Final = 60
"""Characters: a commit can tell of 72 offsets."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """Takes little metadata with an offset."""
    settings = {"offset.metadata.max.bytes": str(METADATA)}
    with GuardedBroker(tmp_path_factory.mktemp("kafka"), settings=settings) as one:
        yield one


class Job:
    """A daemon that logs in as the user of the guarded broker, and an ADS that may be there."""

    def __init__(self, directory: Path, broker: GuardedBroker, **topics: str) -> None:
        """``topics``: settings of those that are written."""
        self.broker = broker
        self.ads = AdsServer(port=free_port())
        self.prices, self.group = broker.create_topic(unique("prices")), unique("group")
        self.results, self.rejects = (broker.create_topic(unique(name), 1, **topics) for name in ("results", "rejects"))
        self.daemon = Daemon(
            directory,
            kafka=broker.listener("SASL_PLAINTEXT"),
            endpoints=[self.ads.url],
            topics=(self.prices, self.results),
            group=self.group,
        )
        config = yaml.safe_load(self.daemon.config.read_text())
        config["kafka"] |= {"client": broker.login(), "rejects": self.rejects}
        self.daemon.config.write_text(yaml.safe_dump(config))
        self.read, self.write = Right("topic", self.prices, "read"), Right("topic", self.results, "write")
        self.member = Right("group", self.group, "read")
        self.transactions = Right("transactional_id", self.group, "write", prefixed=True)
        broker.allow([self.read, self.write, Right("topic", self.rejects, "write"), self.member, self.transactions])

    def feed(self, *records: tuple[bytes | None, bytes]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap)
        for key, value in records:
            producer.send(self.prices, key=key, value=value)
        producer.flush(30)
        producer.close()

    def written(self, topic: str) -> list[Any]:
        """What a read_committed reader finds in the one partition of a topic."""
        place = TopicPartition(topic, 0)
        reader = KafkaConsumer(
            bootstrap_servers=self.broker.bootstrap, isolation_level="read_committed", consumer_timeout_ms=500
        )
        reader.assign([place])
        reader.seek_to_beginning()
        records = list(reader)
        reader.close()
        return records

    def sources(self) -> list[int]:
        return sorted(json.loads(record.value)["source"]["offset"] for record in self.written(self.results))

    def reasons(self) -> str:
        return " | ".join(self.daemon.status()["not_ready"])

    def lag(self) -> int | None:
        lags: list[int | None] = [each["lag"] for each in self.daemon.status()["partitions"]]
        return lags[0] if lags else None

    def warnings(self) -> list[str]:
        found: list[str] = self.daemon.status()["warnings"]
        return found

    def check(self, meanwhile: Callable[[], object]) -> dict[str, Any]:
        command = [sys.executable, "-m", "contribd", "check", "--connect", "--json", "-c", str(self.daemon.config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            while running.poll() is None:
                meanwhile()
            assert running.stdout is not None
            found: dict[str, Any] = json.loads(running.stdout.read())
        return found

    def said(self, *words: str) -> list[str]:
        """Lines of its log at level warning or above, and those that have these words."""
        lines = [json.loads(line) for line in self.daemon.log.read_text().splitlines() if line.startswith("{")]
        return [
            f"{line['event']}: {line.get('error', '')}"
            for line in lines
            if line["level"] in {"warning", "error"} or any(word in line["event"] for word in words)
        ]


@pytest.fixture
def job(tmp_path: Path, broker: GuardedBroker) -> Iterator[Callable[..., Job]]:
    made: list[Job] = []

    def make(**topics: str) -> Job:
        made.append(Job(tmp_path / f"daemon-{len(made)}", broker, **topics))
        return made[-1]

    yield make
    for one in made:
        one.daemon.kill()
        one.ads.stop()
    broker.forbid_all()


@pytest.mark.parametrize("asks", [True, False], ids=["may ask", "must find out"])
def test_what_the_brokers_do_not_take_is_made_to_fit(job: Callable[..., Job], *, asks: bool) -> None:
    one = job(max_message_bytes="2000", cleanup_policy="compact")
    if asks:
        topics = [Right("topic", topic, "describe_configs") for topic in (one.results, one.rejects)]
        one.broker.allow([*topics, Right("cluster", "kafka-cluster", "describe_configs")])
    count = 602
    one.feed((b"first", GOOD), *[(None, BAD)] * 300, (b"x" * 20_000, b"y" * 30_000), *[(None, BAD)] * 300)
    one.daemon.start(ready=False)
    eventually(lambda: _results(one.daemon) >= 50, within=40, what="results above the price that waits")
    one.ads.start()
    eventually(lambda: len(one.sources()) >= count, within=60, every=0.5, what="all results")
    assert one.sources() == list(range(count))
    results = {json.loads(record.value)["source"]["offset"]: record for record in one.written(one.results)}
    assert "[shortened: " in json.loads(results[301].value)["text"]
    assert results[1].key == f"{one.prices}:0:1".encode()
    rejects = one.written(one.rejects)
    assert len(rejects) == count - 1
    assert all(record.key for record in rejects)
    eventually(one.daemon.ready, what="ready")
    refused = [line for line in one.said() if "results were not written" in line]
    assert len(refused) == len(set(refused)) <= (0 if asks else 6), refused


def test_a_right_that_is_taken_is_named_once_and_the_daemon_goes_on_once_it_is_back(job: Callable[..., Job]) -> None:
    one = job()
    one.ads.start()
    one.daemon.start()
    one.feed((None, BAD))
    eventually(lambda: one.sources() == [0], within=40, what="the first result")
    one.broker.allow([Right("topic", topic, "describe") for topic in (one.prices, one.results)])
    _taken_and_given(one, one.write, f"may not write topic {one.results}", 1)
    _taken_and_given(one, one.member, f"may not use consumer group {one.group}", 2)
    _taken_and_given(one, one.read, f"may not read topic {one.prices}", 3, behind=1)
    _taken_and_given(one, one.transactions, "may not use transactional.id", 4)
    assert one.sources() == list(range(5))


def test_a_broker_that_is_away_is_the_reason_and_how_far_behind_it_is_is_not_known(job: Callable[..., Job]) -> None:
    one = job()
    one.ads.start()
    one.daemon.start()
    one.feed((None, BAD))
    eventually(lambda: one.sources() == [0], within=40, what="the first result")
    eventually(lambda: one.lag() == 0, what="no lag")
    one.broker.pause()
    try:
        eventually(lambda: one.lag() is None, within=40, what="a lag that is not known")
        assert "contribd_consumer_lag_records{" not in one.daemon.get("/metrics")
        assert "not confirmed this member" not in one.reasons()
        assert "consuming: no answer" in one.reasons(), one.reasons()
    finally:
        one.broker.resume()
    eventually(lambda: one.daemon.ready() and one.lag() == 0, within=90, what="ready")


@pytest.mark.parametrize("kind", ["another application", "consumes"])
def test_a_member_that_is_no_contribd_of_these_settings_is_warned_of(job: Callable[..., Job], kind: str) -> None:
    one = job()
    one.ads.start()
    one.daemon.start()
    eventually(lambda: one.lag() == 0, within=40, what="the partition")
    name, topic = ("reporting", one.prices) if kind == "another application" else ("contribd-other", one.results)
    stranger = KafkaConsumer(
        topic,
        bootstrap_servers=one.broker.bootstrap,
        group_id=one.group,
        client_id=name,
        partition_assignment_strategy=[CooperativeStickyAssignor],
    )
    try:
        found = eventually(lambda: stranger.poll(timeout_ms=50) or one.warnings(), within=40, what="a warning")
        assert len(found) == 1
        assert f"no contribd of these settings: {name} at 127.0.0.1 " in found[0]
        assert kind in found[0]
        check = one.check(lambda: stranger.poll(timeout_ms=50))  # a member that joins has to be there for it
        assert found[0] in check["kafka"]["warnings"]
        assert found[0] not in check["kafka"]["problems"]
    finally:
        stranger.close()
    eventually(lambda: not one.warnings(), within=40, what="no warning")
    if kind == "consumes":  # kafka-python rebalances such a group again and again
        return
    assert len([line for line in one.said() if found[0] in line]) == 1
    assert len([line for line in one.said("every member of the group") if "every member of the group" in line]) == 1


def _taken_and_given(one: Job, right: Right, reason: str, settled: int, *, behind: int = 0) -> None:
    one.broker.forbid([right])
    if behind:
        eventually(lambda: reason in one.reasons(), within=40, what=reason)
    one.feed((None, BAD))
    eventually(lambda: reason in one.reasons(), within=40, what=reason)
    assert not one.daemon.ready()
    assert "not confirmed this member" not in one.reasons()
    if behind:
        eventually(lambda: one.lag() == behind, what=f"a lag of {behind}")
    one.broker.allow([right])
    eventually(lambda: one.sources() == list(range(settled + 1)), within=40, what=f"a result once there is {right}")
    eventually(one.daemon.ready, what="ready")
    lines: Sequence[str] = [line for line in one.said() if reason in line]
    assert len(lines) == len(set(lines)), lines


def _results(daemon: Daemon) -> int:
    """How many results are durable."""
    try:
        status = daemon.status()
    except OSError:
        return 0
    return int(sum(row["count"] for row in status["results"]) - status.get("unwritten", 0))
