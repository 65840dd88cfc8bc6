"""contribd under a real systemd, by its own unit: ready, status, journal, watchdog, stop, wrong configuration."""

import json
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import MAPPING
from tests.integration.rigs.prices import assert_one_each, feed, read_results, records
from tests.integration.rigs.systemd import SystemdBox
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import free_port

UNIT = Path(__file__).parents[2] / "systemd/contribd.service"
HERE = """\
[Service]
# The code and its interpreter may lie in somebody's home or in /tmp here, not under /opt.
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
        box.write(f"/etc/{self.name}/mapping.yaml", yaml.safe_dump(dict(MAPPING)))
        box.install(f"{self.name}.service", UNIT.read_text())
        box.write(
            f"/etc/systemd/system/{self.name}.service.d/here.conf", HERE.format(python=sys.executable, name=self.name)
        )
        box.systemctl("daemon-reload")

    def start(self) -> None:
        self.box.systemctl("start", self.name, check=False)

    def skip(self, place: str) -> str:
        """What the daemon says to an order of root's, over the socket in the folder that the unit has."""
        command = (sys.executable, "-m", "contribd", "skip", place, "--reason", "a test")
        return self.box.run(*command, "-c", f"/etc/{self.name}/contribd.yaml", check=False)

    def results(self) -> int:
        """How many it has settled."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=5) as answer:
            return sum(int(row["count"]) for row in json.load(answer)["results"])

    def status(self) -> str:
        return self.box.property(self.name, "StatusText")


@pytest.fixture
def service(systemd: SystemdBox, kafka: KafkaBroker, ads: AdsServer) -> Iterator[Callable[..., ServiceUnit]]:
    made: list[ServiceUnit] = []

    def make(**kafka_section: object) -> ServiceUnit:
        port = free_port()
        config: dict[str, object] = {
            "kafka": {"bootstrap_servers": kafka.bootstrap, "start_from": "earliest", **kafka_section},
            "ads": {"endpoints": [ads.url], "service": "TRCC"},
            "mappings": ["mapping.yaml"],
            "http": {"listen": f"127.0.0.1:{port}"},
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
    fed = feed(kafka, str(names["prices"]), records(300))
    eventually(lambda: one.results() >= 300, within=60, what="300 results")
    eventually(
        lambda: one.status() == "contributing to 127.0.0.1, TRCC Up", within=20, what="the verdict as its status"
    )
    assert "contribd-nowhere:0 is not assigned to this instance" in one.skip("contribd-nowhere:0:7")
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
