"""The source on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py)."""

import pytest
from tests.streams.embedded import EmbeddedCluster
from tests.streams.suite import SourceSuite


@pytest.fixture
def cluster(broker: str) -> EmbeddedCluster:
    return EmbeddedCluster(broker)


class TestSource(SourceSuite):
    keeps_metadata = False
