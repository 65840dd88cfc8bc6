"""Marks every test here as an integration test and lends it the rigs: the real things, or a skip that says why not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rigs import needs
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.browser import Browser
from tests.integration.rigs.cluster_rig import KafkaCluster
from tests.integration.rigs.guarded_broker import GuardedBroker
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.raw_websocket import WireClient
from tests.integration.rigs.shared_broker import shared_broker
from tests.integration.rigs.systemd import SystemdBox
from tests.integration.rigs.tcp_proxy import TcpProxy

HERE = Path(__file__).parent
LIMIT_SECONDS = 300  # the first test of all may have to download and compile

LONGEST_FIRST = (
    "test_packages",
    "test_world",
    "test_chaos",
    "test_refused_transactions",
    "test_static_members",
    "test_streams",
    "test_orders_on_kafka",
    "test_conformance",
)
"""Files that take longest. Several are run at a time, and one that is begun last would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in filter(_is_ours, items):
        item.add_marker("integration")
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))
    items.sort(key=_order)


def _is_ours(item: pytest.Item) -> bool:
    return item.path.is_relative_to(HERE)


def _order(item: pytest.Item) -> int:
    stem = item.path.stem
    return LONGEST_FIRST.index(stem) if stem in LONGEST_FIRST else len(LONGEST_FIRST) + (not _is_ours(item))


# By hook and not in the fixtures: pytest then reports all skips of one kind in one line.
NEEDS = {
    needs.java_and_maven: {"kafka", "own_kafka", "kafka_cluster", "guarded_kafka", "provider", "new_provider"},
    needs.prometheus: {"prometheus"},
    needs.chromium: {"browser"},
    needs.root_and_systemd: {"systemd", "boots_systemd", "box"},
    needs.what_packages_need: {"packages", "next_packages"},
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need, fixtures in NEEDS.items():
        if isinstance(item, pytest.Function) and not fixtures.isdisjoint(item.fixturenames):
            need()


@pytest.fixture
def boots_systemd() -> None:
    """For a test that boots a box of its own."""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A Chromium of a test's own."""
    with Browser(tmp_path / "browser") as one:
        yield one


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A running broker shared by all processes of the session; ``rigs.broker_rig.unique`` names topics and groups."""
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with shared_broker(common / "kafka") as broker:
        yield broker


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A running broker for one test alone, to be killed, paused and restarted at will."""
    with KafkaBroker(tmp_path / "own-kafka") as broker:
        yield broker


@pytest.fixture(scope="module")
def kafka_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three running brokers shared by a module; tests leave all of them running and whole.

    Not by the session: idle for twenty seconds, they take as much processor time as their start.
    """
    cluster = KafkaCluster(tmp_path_factory.mktemp("kafka-cluster"))
    cluster.start()
    yield cluster
    cluster.kill()


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """A running broker with logins, TLS and ACLs, shared by a module; its one user may do nothing at first."""
    with GuardedBroker(tmp_path_factory.mktemp("guarded-kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A running provider that behaves as an ADS, shared by the session: do not change its state."""
    with Provider(tmp_path_factory.mktemp("provider"), short_lived=True) as shared:
        yield shared


@pytest.fixture
def new_provider(tmp_path: Path) -> Iterator[Callable[..., Provider]]:
    """Starts providers of a test's own; takes the options of ``Provider`` except its directory."""
    started: list[Provider] = []

    def start(**options: Any) -> Provider:
        one = Provider(tmp_path / f"provider-{len(started)}", short_lived=True, **options)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def connect() -> Iterator[Callable[..., WireClient]]:
    """Connects clients; takes the address and options of ``WireClient``."""
    connected: list[WireClient] = []

    def one_more(url: str, **options: Any) -> WireClient:
        client = WireClient(url, **options)
        connected.append(client)
        return client

    yield one_more
    for client in connected:
        client.close()


@pytest.fixture
def new_proxy() -> Iterator[Callable[[int], TcpProxy]]:
    """Starts a proxy to a port of 127.0.0.1."""
    started: list[TcpProxy] = []

    def start(port: int) -> TcpProxy:
        proxy = TcpProxy("127.0.0.1", port)
        started.append(proxy)
        proxy.start()
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


@pytest.fixture(scope="session")
def systemd() -> Iterator[SystemdBox]:
    """A real systemd in namespaces of its own, shared by the session: give each test's units names of their own."""
    box = SystemdBox()
    box.start()
    yield box
    box.stop()
