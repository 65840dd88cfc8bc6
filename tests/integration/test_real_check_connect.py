"""``contribd check --connect`` on real Kafka and the vendor's provider, beside a running daemon."""

import json
import subprocess
import sys
from pathlib import Path

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import feed, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually

from contribd.checks.kafka import inspect_kafka
from contribd.streams.client.settings import KafkaSettings


def test_it_finds_everything_and_leaves_a_running_daemon_in_peace(
    tmp_path: Path, kafka: KafkaBroker, provider: Provider
) -> None:
    prices, results = unique("prices"), unique("results")
    kafka.create_topic(prices, 4)
    kafka.create_topic(results, 2)
    daemon = Daemon(
        tmp_path, kafka=kafka.bootstrap, endpoints=[provider.url], topics=(prices, results), group=unique("group")
    )
    daemon.start()
    try:
        posted = len(provider.posts())
        command = [sys.executable, "-m", "contribd", "check", "--connect", "--json", "-c", str(daemon.config)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        found = json.loads(run.stdout)
        assert (run.returncode, found["reachable"]) == (0, True), run.stdout
        topics = {topic["topic"]: topic for topic in found["kafka"]["topics"]}
        assert (topics[prices]["partitions"], topics[results]["partitions"]) == (4, 2)
        assert [topic["missing"] for topic in topics.values()] == [[], []]
        [endpoint] = found["endpoints"]
        assert (endpoint["posting"], endpoint["services"], endpoint["max_message_size"]) == (
            True,
            {"TRCC": True},
            61430,
        )
        assert endpoint["round_trip"] is not None
        assert len(provider.posts()) == posted
        feed(kafka, prices, records(50))
        eventually(lambda: daemon.results() >= 50, within=60, what="50 results after the check")
        assert daemon.status()["reconnects"] == []
    finally:
        assert daemon.stop() == 0


def test_settings_that_stand_in_the_way_are_found(kafka: KafkaBroker) -> None:
    prices = kafka.create_topic(unique("prices"))
    results = kafka.create_topic(unique("results"), cleanup_policy="compact", max_message_bytes="5000")
    rejects = kafka.create_topic(unique("rejects"), min_insync_replicas="2")
    client = {"transaction_timeout_ms": 901_000}
    settings = KafkaSettings((kafka.bootstrap,), "group", (prices,), results, rejects, "latest", "test", client)
    found = inspect_kafka(settings)
    assert found.limits_known
    timeout, compacted, replicas = found.problems
    assert "transaction_timeout_ms is 901000, and the brokers allow 900000" in timeout
    assert f"topic {results} is compacted" in compacted
    assert f"topic {rejects} has 1 replicas and min.insync.replicas=2" in replicas
    assert [len(topic.warnings) for topic in found.topics] == [0, 1, 0]
