"""The sink on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py)."""

import time

import pytest
from tests.streams.embedded import EmbeddedCluster
from tests.streams.suite import SinkSuite

from contribd.streams import sink


@pytest.fixture
def cluster(broker: str) -> EmbeddedCluster:
    return EmbeddedCluster(broker)


class TestSink(SinkSuite):
    keeps_metadata = False


@pytest.mark.parametrize("slept", ["monotonic", "boottime", "wall"])
def test_a_time_that_any_clock_has_counted_has_passed(monkeypatch: pytest.MonkeyPatch, slept: str) -> None:
    """A host that is suspended or moved stops some of its clocks; which, depends on the host."""
    began = sink._clocks()
    jump = dict.fromkeys(("monotonic", "boottime", "wall"), 0.0) | {slept: 60.0}
    real_monotonic, real_boottime, real_wall = time.monotonic, time.clock_gettime, time.time
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + jump["monotonic"])
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real_boottime(clock) + jump["boottime"])
    monkeypatch.setattr(time, "time", lambda: real_wall() + jump["wall"])
    assert 60.0 <= sink._since(began) < 70.0


def test_a_clock_that_was_set_back_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    began = sink._clocks()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0.0 <= sink._since(began) < 10.0
