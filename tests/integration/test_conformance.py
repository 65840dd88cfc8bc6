"""LSEG's own provider code through the same cases as the simulated ADS."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.conformance_suite import *  # noqa: F403 - every case
from tests.conformance.servers import ConformingServer, Start
from tests.integration.rigs.provider_rig import Provider


@pytest.fixture
def start(new_provider: Callable[..., Provider]) -> Start:
    def one(*, ping_timeout: float = 30.0, **options: Any) -> ConformingServer:
        return new_provider(ping_timeout=ping_timeout, advertised_ping_timeout=round(ping_timeout), **options)

    return one


@pytest.fixture
def ads(provider: Provider) -> ConformingServer:
    return provider
