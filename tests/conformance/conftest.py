"""The simulated ADS for the cases, in threads of the test's own process."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.servers import ConformingServer, Start, simulated

from contribd.simulation.ads.server import AdsServer

pytest.register_assert_rewrite("tests.conformance.conformance_suite")


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[AdsServer] = []

    def one(**options: Any) -> ConformingServer:
        server = simulated(**options)
        started.append(server)
        return server

    yield one
    for server in started:
        server.stop()


@pytest.fixture
def ads(start: Start) -> ConformingServer:
    return start()
