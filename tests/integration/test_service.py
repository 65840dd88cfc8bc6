"""contribd under a real systemd, by its own unit: ready, status, journal, watchdog, stop, wrong configuration."""

import json
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import MAPPING
from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.prices import assert_one_each, feed, read_results, records
from tests.integration.rigs.systemd import SystemdBox
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import free_port

UNIT = REPOSITORY / "systemd/contribd.service"
HERE = """\
[Service]
# The code and its interpreter may lie in somebody's home or in /tmp here, not under /opt.
Environment=PYTHONPATH={code}
ExecStart=
ExecStart={python} -m contribd run --config /etc/{name}/contribd.yaml
ExecReload=
ExecReload={python} -m contribd reload --config /etc/{name}/contribd.yaml
DynamicUser=no
ProtectHome=no
PrivateTmp=no
PrivateUsers=no
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE
RestartSec=100ms
WatchdogSec=3s
"""


@pytest.fixture
def ads() -> Iterator[AdsServer]:
    server = AdsServer(AdsOptions())
    server.start()
    yield server
    server.stop()


class ServiceUnit:
    """One instance of the unit, with a configuration of its own."""

    def __init__(self, box: SystemdBox, config: dict[str, object], port: int) -> None:
        self.box = box
        self.port = port
        self.name = unique("contribd")
        box.write(f"/etc/{self.name}/contribd.yaml", yaml.safe_dump(config))
        self.map(MAPPING)
        box.install(f"{self.name}.service", UNIT.read_text())
        here = HERE.format(python=sys.executable, name=self.name, code=REPOSITORY / "daemon")
        box.write(f"/etc/systemd/system/{self.name}.service.d/here.conf", here)
        box.systemctl("daemon-reload")

    def start(self) -> None:
        self.box.systemctl("start", self.name, check=False)

    def map(self, mapping: Mapping[str, Any]) -> None:
        """Its mapping file."""
        self.box.write(f"/etc/{self.name}/mapping.yaml", yaml.safe_dump(dict(mapping)))

    def order(self, name: str, *what: str) -> str:
        """What the daemon says to an order of root's, over the socket in the folder that the unit has."""
        command = (sys.executable, "-m", "contribd", name, *what, "--reason", "a test")
        return self.box.run(*command, "-c", f"/etc/{self.name}/contribd.yaml", check=False)

    def results(self) -> int:
        """How many it has settled."""
        return sum(int(row["count"]) for row in self.view()["results"])

    def view(self) -> dict[str, Any]:
        """What ``/status`` says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=5) as answer:
            view: dict[str, Any] = json.load(answer)
            return view

    def status(self) -> str:
        return self.box.property(self.name, "StatusText")


@pytest.fixture
def service(systemd: SystemdBox, kafka: KafkaBroker, ads: AdsServer) -> Iterator[Callable[..., ServiceUnit]]:
    made: list[ServiceUnit] = []

    def make(control: Mapping[str, object] | None = None, **kafka_section: object) -> ServiceUnit:
        port = free_port()
        config: dict[str, object] = {
            "kafka": {"bootstrap_servers": kafka.bootstrap, "start_from": "earliest", **kafka_section},
            "ads": {"endpoints": [ads.url], "service": "TRCC"},
            "mappings": ["mapping.yaml"],
            "http": {"listen": f"127.0.0.1:{port}"},
            "control": dict(control or {}),
        }
        made.append(ServiceUnit(systemd, config, port))
        return made[-1]

    yield make
    for one in made:
        systemd.systemctl("stop", one.name, check=False)


def topics(kafka: KafkaBroker) -> dict[str, object]:
    names = {"prices": unique("prices"), "results": unique("results"), "group_id": unique("group")}
    kafka.create_topic(names["prices"], 2)
    kafka.create_topic(names["results"], 2)
    return dict(names)


def test_it_is_ready_says_what_it_does_and_stops_with_nothing_lost(
    service: Callable[..., ServiceUnit], systemd: SystemdBox, kafka: KafkaBroker
) -> None:
    names = topics(kafka)
    one = service(**names)
    one.start()
    assert systemd.property(one.name, "ActiveState") == "active"
    systemd.wait_for(one.name, "StatusText", "contributing to 127.0.0.1, TRCC Up", within=60)
    fed = feed(kafka, str(names["prices"]), records(300))
    eventually(lambda: one.results() >= 300, within=60, what="300 results")
    assert "contribd-nowhere:0 is not assigned to this instance" in one.order("skip", "contribd-nowhere:0:7")
    systemd.systemctl("stop", one.name)
    assert systemd.property(one.name, "Result") == "success"
    assert systemd.property(one.name, "ExecMainStatus") == "0"
    assert_one_each(read_results(kafka, str(names["results"])), fed)


def test_the_journal_tells_warnings_from_news(service: Callable[..., ServiceUnit], systemd: SystemdBox) -> None:
    one = service(prices=unique("absent"))
    one.start()

    def entries() -> dict[str, str]:
        mine = [entry for entry in systemd.journal(one.name) if entry.get("_TRANSPORT") == "stdout"]
        return {entry["MESSAGE"]: entry["PRIORITY"] for entry in mine}

    eventually(lambda: any("cannot consume yet" in text for text in entries()), within=40, what="a warning")
    (warning,) = {priority for text, priority in entries().items() if "cannot consume yet" in text}
    (news,) = {priority for text, priority in entries().items() if "logged in" in text}
    assert (warning, news) == ("4", "6")
    eventually(lambda: "absent" in one.status(), within=20, what="the status line names the topic")


def test_a_frozen_daemon_is_killed_by_the_watchdog_and_starts_again(
    service: Callable[..., ServiceUnit], systemd: SystemdBox, kafka: KafkaBroker
) -> None:
    one = service(**topics(kafka))
    one.start()
    systemd.systemctl("kill", "--kill-whom=main", f"--signal={signal.SIGSTOP.name}", one.name)
    systemd.wait_for(one.name, "NRestarts", "1", within=60)
    systemd.wait_for(one.name, "ActiveState", "active", within=60)
    assert any("Watchdog timeout" in text for text in systemd.messages(one.name))


def test_a_wrong_configuration_is_not_tried_again(service: Callable[..., ServiceUnit], systemd: SystemdBox) -> None:
    one = service(grup_id="contribd")
    one.start()
    systemd.wait_for(one.name, "ActiveState", "failed")
    assert systemd.property(one.name, "ExecMainStatus") == "78"
    assert systemd.property(one.name, "NRestarts") == "0"
    assert any("group_id" in text for text in systemd.messages(one.name))


def test_a_reload_is_done_or_fails_with_the_journal_saying_why(
    service: Callable[..., ServiceUnit], systemd: SystemdBox, kafka: KafkaBroker
) -> None:
    one = service(**topics(kafka))
    one.start()
    started = one.view()["config"]
    [mapping] = MAPPING["mappings"]
    one.map({"mappings": [{**mapping, "fields": {**mapping["fields"], "CTBTR_1": {"value": "OTHER"}}}]})
    systemd.systemctl("reload", one.name)
    eventually(lambda: one.view()["config"] != started, within=20, what="other rules in the status")
    taken = one.view()
    assert (taken["reload"]["ok"], taken["reload"]["digest"]) == (True, taken["config"])

    one.map({"mappings": [{**mapping, "feilds": {}}]})
    assert "failed" in systemd.systemctl("reload", one.name, check=False)
    eventually(lambda: not one.view()["reload"]["ok"], within=20, what="the refusal in the status")
    assert one.view()["config"] == taken["config"]
    told = [entry for entry in systemd.journal(one.name) if str(entry.get("MESSAGE", "")).startswith("not reloaded: ")]
    assert [(entry["PRIORITY"], "feilds" in entry["MESSAGE"]) for entry in told] == [("3", True)]
    assert systemd.property(one.name, "ActiveState") == "active"

    one.map(MAPPING)
    systemd.systemctl("kill", "--kill-whom=main", f"--signal={signal.SIGHUP.name}", one.name)
    eventually(lambda: one.view()["config"] == started, within=30, what="the first rules again")
    assert one.view()["reload"]["by"] == "SIGHUP"


def test_a_pause_holds_over_a_restart(
    service: Callable[..., ServiceUnit], systemd: SystemdBox, kafka: KafkaBroker
) -> None:
    names = topics(kafka)
    one = service({"topic": kafka.create_topic(unique("orders"), cleanup_policy="compact")}, **names)
    one.start()
    eventually(lambda: one.view()["partitions"], within=60, what="its partitions")
    assert "everything paused" in one.order("pause", "--all")
    systemd.systemctl("restart", one.name)
    fed = feed(kafka, str(names["prices"]), records(50, poison=0, unmapped=0))
    eventually(lambda: one.results() >= len(fed.records), within=60, what="a result for each record")
    systemd.systemctl("stop", one.name)
    found = read_results(kafka, str(names["results"]))
    assert_one_each(found, fed)
    assert {(result.status, result.code) for result in found} == {("SUPPRESSED", "Paused")}
