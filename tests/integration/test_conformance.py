"""LSEG's own provider code through the same cases as the simulated ADS."""

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

import pytest
from tests.conformance.conformance_client import ConformanceClient
from tests.conformance.conformance_suite import *  # noqa: F403 - every case
from tests.conformance.servers import ConformingServer, Start
from tests.integration.rigs.provider_rig import Provider

from contribd.ads.own_address import usual_address


@pytest.fixture
def start(new_provider: Callable[..., Provider]) -> Start:
    def one(*, ping_timeout: float = 30.0, **options: Any) -> ConformingServer:
        return new_provider(ping_timeout=ping_timeout, advertised_ping_timeout=round(ping_timeout), **options)

    return one


@pytest.fixture
def ads(provider: Provider) -> ConformingServer:
    return provider


def test_an_ads_elsewhere_is_told_no_loopback_address(new_provider: Callable[..., Provider]) -> None:
    """Over the address by which others reach this host."""
    outside = usual_address()
    if outside == "127.0.0.1":
        pytest.skip("this host has no network")
    provider = new_provider()
    with ConformanceClient(provider.url.replace("127.0.0.1", outside), position="").open() as driver:
        driver.put("EUR=")
        driver.settled()
    assert provider.logins()[0]["elements"]["Position"] == outside
    assert IPv4Address(provider.posts()[0].user_address) == IPv4Address(outside)
