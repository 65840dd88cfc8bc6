"""The whole life of deb and rpm in a clean root under a real systemd; the bundle without any package index."""

import json
import os
import subprocess
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.clean_root import clean_root
from tests.integration.rigs.package_managers import Dpkg, PackageManager, Rpm
from tests.integration.rigs.packages import CHANGED_LINE, Packages, build, build_next, stand_in_for_a_distribution
from tests.integration.rigs.prices import FedRecords, assert_one_each, feed, read_results, records
from tests.integration.rigs.systemd import SystemdBox
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import free_port

pytestmark = pytest.mark.timeout(600)  # the first of them makes the root folder and builds the packages

CONFIG = "/etc/contribd/contribd.yaml"
UNITS = ("contribd.service", "contribd@.service", "contribd-seal.timer", "contribd-export.timer")
ANSWER_SECONDS = 0.5
"""So long the ADS takes for each answer: whenever the daemon is told to stop, there are some to wait for."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build(tmp_path_factory.mktemp("packages") / "this")


@pytest.fixture(scope="module")
def next_packages(packages: Packages) -> Packages:
    return build_next(packages.dist.parents[1] / "next", packages)


@pytest.fixture
def box(packages: Packages) -> Iterator[SystemdBox]:
    one = SystemdBox(root=clean_root(), shared=packages.dist.parents[1])
    one.start()
    yield one
    one.stop()


class Desk:
    """Kafka, an ADS and prices that keep coming, for the contribd that is installed in a box."""

    def __init__(self, box: SystemdBox, kafka: KafkaBroker, ads: AdsServer) -> None:
        self.box = box
        self._kafka = kafka
        self._ads = ads
        self._prices, self._results = unique("prices"), unique("results")
        self._port = free_port()
        self._fed: FedRecords = FedRecords()
        self._enough = threading.Event()
        self._feeding = threading.Thread(target=self._feed, daemon=True)
        kafka.create_topic(self._prices, 2)
        kafka.create_topic(self._results, 2)

    def configure(self) -> str:
        """Edit the configuration that is there, as the first thing that one does; the new text."""
        text = self.box.run("cat", CONFIG)
        for before, after in (
            ("${CONTRIBD_KAFKA:-localhost:9092}", self._kafka.bootstrap),
            ("${CONTRIBD_ADS:-ws://localhost:15000/WebSocket}", self._ads.url),
            ("${CONTRIBD_HTTP:-127.0.0.1:9820}", f"127.0.0.1:{self._port}"),
            ("  prices: prices\n", f"  prices: {self._prices}\n"),
            ("results: contribution-results", f"results: {self._results}"),
            ("start_from: latest ", "start_from: earliest "),
        ):
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        self.box.write(CONFIG, text)
        return text

    def start_feeding(self) -> None:
        self._feeding.start()

    def results(self) -> int:
        """How many the running daemon has settled; 0 where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/status", timeout=5) as answer:
                view: dict[str, Any] = json.load(answer)
        except OSError:
            return 0
        return sum(int(row["count"]) for row in view["results"])

    def finish(self) -> set[str]:
        """End the feed, wait for the last result, and see that no record lacks one or has two, and that no price was
        posted twice. The versions by which results were written."""
        self._enough.set()
        self._feeding.join()
        eventually(
            lambda: len(read_results(self._kafka, self._results)) >= len(self._fed.records),
            within=60,
            every=1,
            what=f"{len(self._fed.records)} results",
        )
        found = read_results(self._kafka, self._results)
        assert_one_each(found, self._fed)
        assert max(len(result.posts) for result in found) == 1
        return {result.version for result in found}

    def _feed(self) -> None:
        number = 0
        while not self._enough.is_set():
            fed = feed(self._kafka, self._prices, records(20, seed=number))
            self._fed.records.update(fed.records)
            number += 1
            self._enough.wait(0.2)


@pytest.fixture
def desk(box: SystemdBox, kafka: KafkaBroker) -> Iterator[Desk]:
    ads = AdsServer(AdsOptions(delay=ANSWER_SECONDS))
    ads.start()
    yield Desk(box, kafka, ads)
    ads.stop()


def live(box: SystemdBox, manager: PackageManager, desk: Desk, packages: Packages, following: Packages) -> str:
    """From the installation to the removal; the configuration as it was edited."""
    manager.install(packages)
    assert {box.systemctl("is-enabled", unit, check=False).strip() for unit in UNITS} == {"disabled"}
    assert box.property("contribd", "LoadState") == "loaded"
    assert (box.property("contribd", "ActiveState"), box.property("contribd-seal", "ActiveState")) == ("inactive",) * 2
    assert box.run("contribd", "--version").split()[-1] == packages.version
    assert box.run("stat", "--format=%U:%G %a", CONFIG).strip() == "root:root 644"

    owned = manager.owned()
    modules = [path for path in owned if path.endswith(".so")]
    assert len(modules) > 5
    assert "not found" not in box.run("ldd", *modules)
    box.run("contribd", "check", "--no-env")
    assert set(box.run("find", "/opt/contribd").splitlines()) <= set(owned), "files that no removal would take"

    assert "contribd" in box.run("bash", "-c", "source /usr/share/bash-completion/completions/contribd; complete -p")
    beside = {"_contribd", "contribd.fish", "contribd.1.gz", "contribd.yaml.5.gz", "contribd-runbook.7.gz"}
    assert beside <= {Path(path).name for path in owned}

    mine = desk.configure()
    box.systemctl("enable", "--now", "contribd")
    desk.start_feeding()
    eventually(lambda: desk.results() >= 50, within=60, what="results by the version that was installed")
    before = box.property("contribd", "MainPID")

    told = manager.upgrade(following)
    assert box.property("contribd", "ActiveState") == "active"
    assert box.property("contribd", "MainPID") != before
    assert "contribd.service: Deactivated successfully." in box.messages("contribd")
    assert box.run("cat", CONFIG) == mine
    shipped = manager.shipped.format(CONFIG)
    assert CONFIG in told
    assert box.run("cat", shipped).startswith(CHANGED_LINE)
    assert desk.finish() == {packages.version, following.version}
    owned = manager.owned()

    manager.remove()
    assert box.property("contribd", "ActiveState") == "inactive"
    assert box.property("contribd", "LoadState") == "not-found"
    assert desk.results() == 0
    gone = [
        path for path in owned if path.startswith(("/opt/contribd", "/usr/lib/systemd/system/contribd", "/usr/bin/"))
    ]
    assert gone
    assert (
        box.run("sh", "-c", 'for path; do [ ! -e "$path" ] || echo "$path"; done', "sh", "/opt/contribd", *gone) == ""
    )
    assert box.run("cat", manager.kept.format(CONFIG)) == mine
    return mine


def test_the_life_of_the_deb(box: SystemdBox, desk: Desk, packages: Packages, next_packages: Packages) -> None:
    dpkg = Dpkg(box)
    mine = live(box, dpkg, desk, packages, next_packages)

    # Installed once more, with a configuration that the version will not take while the daemon runs.
    dpkg.upgrade(packages)
    assert box.run("cat", CONFIG) == mine
    box.systemctl("start", "contribd")
    running = box.property("contribd", "MainPID")
    box.write(CONFIG, mine + "\nextra: 1\n")
    told = dpkg.upgrade(next_packages)
    assert "contribd.service still runs the version before" in told
    assert "extra" in told
    assert box.property("contribd", "MainPID") == running

    box.write("/etc/contribd/credentials/kafka-password", "secret", mode="0600")
    box.write("/etc/systemd/system/contribd.service.d/override.conf", "[Service]\nNice=1\n")
    box.write("/var/lib/private/contribd-audit/seals/0001", "a seal")
    dpkg.purge()
    left = box.run("find", "/", "-xdev", "-name", "*contribd*", "-not", "-path", "/proc/*").splitlines()
    shared = str(packages.dist.parents[1])
    assert [path for path in left if not path.startswith(shared)] == []


def test_the_life_of_the_rpm(box: SystemdBox, desk: Desk, packages: Packages, next_packages: Packages) -> None:
    rpm = Rpm(box, stand_in_for_a_distribution(packages))
    live(box, rpm, desk, packages, next_packages)
    assert box.run("find", "/etc/systemd/system", "-name", "*contribd*") == ""


def test_the_bundle_installs_without_an_index(packages: Packages, tmp_path: Path) -> None:
    with tarfile.open(packages.bundle) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    places = {name: str(tmp_path / "host" / name.lower()) for name in ("PREFIX", "UNITS", "CONFIG")}
    # A network namespace of its own: without an interface there is no index to be reached, whatever pip was told.
    command = ["unshare", "--net", str(folder / "install.sh")]
    environment = {**os.environ, **places, "PYTHON": "/usr/bin/python3"}

    def install() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)

    done = install()
    assert done.returncode == 0, done.stderr
    assert f"contribd {packages.version} is in {places['PREFIX']}" in done.stdout
    check = [f"{places['PREFIX']}/bin/contribd", "check", "--config", f"{places['CONFIG']}/contribd.yaml"]
    checked = subprocess.run(check, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    unit = Path(places["UNITS"], "contribd.service").read_text()
    assert f"ExecStart={places['PREFIX']}/bin/contribd run" in unit

    # One byte more in one wheel: nothing is installed.
    wheel = next(iter((folder / "wheels").glob("structlog-*.whl")))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    environment["PREFIX"] += "-2"
    refused = install()
    assert refused.returncode != 0
    assert "do not match the hashes" in refused.stderr.lower()
