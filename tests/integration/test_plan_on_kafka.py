"""``contribd plan`` on real Kafka, against the rules of a daemon that runs: what it reads disturbs nobody."""

import json
import subprocess
import sys
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import FedRecords
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.integration.test_unreadable import producing

RECORDS = 200


def plan(config: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "contribd", "plan", "-c", str(config), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_candidate_is_compared_with_what_the_daemon_goes_by(
    tmp_path: Path, kafka: KafkaBroker, provider: Provider
) -> None:
    prices, results, group = (
        kafka.create_topic(unique("prices"), 2),
        kafka.create_topic(unique("results"), 1),
        unique("g"),
    )
    daemon = Daemon(
        tmp_path / "daemon",
        kafka=kafka.bootstrap,
        endpoints=[provider.url],
        topics=(prices, results),
        group=group,
        control={"socket": str(tmp_path / "s")},
    )
    daemon.start()
    fed = FedRecords()
    try:
        with producing(kafka, prices, fed) as produce:
            produce(0, RECORDS // 2, 1)
            produce(1, RECORDS // 2, 2)
        eventually(lambda: daemon.results() >= RECORDS, within=30, what="a result for each")
        before = [RECORDS // 2, RECORDS // 2]
        eventually(lambda: committed(kafka, group, prices) == before, within=30, what="the last commit in force")
        same = plan(daemon.config)
        assert (same.returncode, f"{RECORDS} records: all come out the same" in same.stdout) == (0, True), same
        swap(daemon.config)
        found = plan(daemon.config, "--json", "--out", str(tmp_path / "plan.json"))
        assert found.returncode == 2, found
        one = plan(daemon.config, "--offset", f"{prices}:1:3..4", "--json")
        assert committed(kafka, group, prices) == before
    finally:
        assert daemon.stop() == 0
    document = json.loads(found.stdout)
    assert document["findings"][0]["text"].startswith("ASK and BID are exchanged in fx-spot: in each of ")
    assert [(each["partition"], each["first"], each["last"]) for each in document["traffic"]["ranges"]] == [
        (0, 0, RECORDS // 2 - 1),
        (1, 0, RECORDS // 2 - 1),
    ]
    assert document["records"] == RECORDS
    assert json.loads(one.stdout)["traffic"]["ranges"] == [{"topic": prices, "partition": 1, "first": 3, "last": 4}]
    assert json.loads((tmp_path / "plan.json").read_text()) == document


def swap(config: Path) -> None:
    """Exchanges what two fields are taken from in the mapping files, which the daemon has read already."""
    settings = config.read_text()
    for file in config.parent.rglob("*.yaml"):
        if file != config:
            text = file.read_text()
            file.write_text(text.replace("BID: bid", "BID: ask").replace("ASK: ask", "ASK: bid"))
            assert file.read_text() != text
    assert config.read_text() == settings


def committed(kafka: KafkaBroker, group: str, topic: str) -> list[int | None]:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False)
    try:
        return [consumer.committed(TopicPartition(topic, number)) for number in (0, 1)]
    finally:
        consumer.close()
