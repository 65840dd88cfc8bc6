"""A real Prometheus scrapes a real daemon by the files that are shipped, and has no complaint about any rule."""

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import feed, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.wait import eventually
from tests.monitoring.rule_files import ALERTS, FOLDER, OF_PROMETHEUS, metrics_of, recorded, rules

from contribd.simulation.demo.embedded_broker import free_port

WITHOUT_TRAFFIC = {"contribd_withdrawals_total", "contribd_reconnects_total", "contribd_clock_synchronized"}
WITHOUT_TRAFFIC |= {"contribd_clock_offset_seconds"}
"""Series that such a short run has none of, or this machine does not tell."""


class Prometheus:
    """One that watches ``targets`` (host:port) every second."""

    def __init__(self, folder: Path, *targets: str) -> None:
        for file in FOLDER.glob("*.yaml"):
            (folder / file.name).write_text(file.read_text())
        config = yaml.safe_load((folder / "prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": list(targets)}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._address = f"127.0.0.1:{free_port()}"
        command = ["prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data"]
        self.child = Child(
            [*command, f"--web.listen-address={self._address}"], cwd=folder, log=folder / "prometheus.log"
        )

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        address = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert self.child.alive, self.child.tail()
            return None

    def value(self, query: str) -> float | None:
        """What a query comes to, where it is one value."""
        found = self.get("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[str], Prometheus]]:
    """Starts one that watches a target."""
    started: list[Prometheus] = []

    def start(target: str) -> Prometheus:
        folder = tmp_path / "prometheus"
        folder.mkdir()
        started.append(Prometheus(folder, target))
        return started[-1]

    yield start
    for each in started:
        each.child.kill()


def test_it_is_scraped_and_every_rule_is_evaluated(
    tmp_path: Path, kafka: KafkaBroker, provider: Provider, prometheus: Callable[[str], Prometheus]
) -> None:
    topics = kafka.create_topic(unique("prices")), kafka.create_topic(unique("results"))
    daemon = Daemon(
        tmp_path / "daemon", kafka=kafka.bootstrap, endpoints=[provider.url], topics=topics, group=unique("group")
    )
    daemon.start()
    try:
        watching = prometheus(daemon.address)
        feed(kafka, topics[0], records(50, seed=1))
        eventually(lambda: (watching.value("sum(contribd_results_total)") or 0) >= 50, within=60, what="the results")
        assert watching.value('contribd_verdict{state="contributing"}') == 1
        eventually(lambda: (watching.value("contribd:session_up:max") or 0) == 1, within=60, what="the recorded ones")
        _complains_of_no_rule(watching)
        _has_every_series(watching)
    finally:
        daemon.stop()
    eventually(lambda: _state_of(watching, "ContribdDown") == "pending", within=60, what="that it is missed")


def _complains_of_no_rule(prometheus: Prometheus) -> None:
    eventually(
        lambda: all(rule["health"] != "unknown" for rule in _rules(prometheus)), within=60, what="an evaluation of each"
    )
    assert {rule["name"]: rule.get("lastError") for rule in _rules(prometheus) if rule["health"] != "ok"} == {}
    assert len(_rules(prometheus)) == len(rules(ALERTS)) + len(recorded())


def _has_every_series(prometheus: Prometheus) -> None:
    """Of those that alerts ask for."""
    asked = {name for rule in rules(ALERTS) for name in metrics_of(rule["expr"])} - recorded() - OF_PROMETHEUS
    assert asked - set(prometheus.get("label/__name__/values")) <= WITHOUT_TRAFFIC


def _rules(prometheus: Prometheus) -> list[dict[str, Any]]:
    found = prometheus.get("rules") or {"groups": []}
    return [rule for group in found["groups"] for rule in group["rules"]]


def _state_of(prometheus: Prometheus, alert: str) -> str | None:
    return next((rule["state"] for rule in _rules(prometheus) if rule["name"] == alert), None)
