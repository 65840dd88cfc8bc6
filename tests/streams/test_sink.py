"""The sink on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py)."""

import pytest
from tests.streams.embedded import EmbeddedCluster
from tests.streams.suite import SinkSuite


@pytest.fixture
def cluster(broker: str) -> EmbeddedCluster:
    return EmbeddedCluster(broker)


class TestSink(SinkSuite):
    keeps_metadata = False
