"""A real Prometheus scrapes a real daemon by the files that are shipped, and has no complaint about any rule."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import feed, records
from tests.integration.rigs.prometheus import Prometheus
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.monitoring.rule_files import ALERTS, OF_PROMETHEUS, metrics_of, recorded, rules

WITHOUT_TRAFFIC = {"contribd_withdrawals_total", "contribd_reconnects_total", "contribd_clock_synchronized"}
WITHOUT_TRAFFIC |= {"contribd_clock_offset_seconds"}
"""Series that such a short run has none of, or this machine does not tell."""


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
