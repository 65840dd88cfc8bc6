"""Five instruments with a price a second, beside one whose posts do harm or beside none: what becomes of them.

Everything but the wait before a further login is contribd's default.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.cluster_rig import KafkaCluster
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import read_results
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.tcp_proxy import TcpProxy
from tests.integration.rigs.wait import eventually

from contribd.results.result import Result

HEALTHY: Final = tuple(f"H{number}=TRCC" for number in range(5))
HARMFUL: Final = {"closes": "CLOSE.X=TRCC", "garbles": "GARBAGE.X=TRCC"}
"""Whose posts make the provider close the connection, and whose are answered by what is no JSON."""

RECONNECT: Final = {"first": "1s", "max": "60s"}
"""contribd's default."""

_MAPPING: Final = {"mappings": [{"name": "quotes", "ric": "{ric}", "fields": {"BID": "bid"}}]}


def garbling(provider: Provider) -> TcpProxy:
    """A proxy to the provider, on whose way the answers to one RIC become something that is no JSON."""
    proxy = TcpProxy("127.0.0.1", urlsplit(provider.url).port or 0)
    proxy.start()
    proxy.swap(b"GARBAGE.", b'GARBAGE"')
    return proxy


class BesideHarm:
    """One daemon with topics of its own. ``kind``: of the harm, one of ``HARMFUL``; None: there is none."""

    def __init__(
        self, directory: Path, kafka: KafkaBroker | KafkaCluster, url: str, kind: str | None, *, conflate: bool
    ) -> None:
        self.kind = kind
        self.rics = HEALTHY if kind is None else (*HEALTHY, HARMFUL[kind])
        self._kafka = kafka
        self.prices, self._results = unique("prices"), unique("results")
        kafka.create_topic(self.prices, 1)
        kafka.create_topic(self._results, 1)
        self.daemon = Daemon(
            directory,
            kafka=kafka.bootstrap,
            endpoints=[url],
            topics=(self.prices, self._results),
            group=unique("group"),
            mapping=_MAPPING,
            ads={"reconnect": RECONNECT},
            contribution={"conflate": conflate},
        )

    def results(self) -> list[Result]:
        """Those committed so far."""
        return read_results(self._kafka, self._results)


def acked(results: Sequence[Result]) -> int:
    """Prices of the healthy instruments that were accepted."""
    return sum(result.status == "ACK" for result in results if result.ric in HEALTHY)


def of_harmful(results: Sequence[Result]) -> Counter[str]:
    """How many results of each status the other one has."""
    return Counter(result.status.value for result in results if result.ric not in HEALTHY)


def tick(
    kafka: KafkaBroker | KafkaCluster, cases: Sequence[BesideHarm], seconds: int
) -> Mapping[BesideHarm, list[Result]]:
    """Gives every instrument of every case a price a second; the results there are a second after the last ones."""
    for case in cases:
        case.daemon.start(ready=False)
    for case in cases:
        eventually(case.daemon.ready, within=60, what="a daemon that is ready")
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=0)
    begun = time.monotonic()
    for second in range(seconds):
        time.sleep(max(0.0, begun + second - time.monotonic()))
        for case in cases:
            for ric in case.rics:
                producer.send(case.prices, key=ric.encode(), value=_price(ric, second))
    producer.flush(10)
    time.sleep(1.0)
    producer.close()
    return {case: case.results() for case in cases}


def _price(ric: str, second: int) -> bytes:
    value: dict[str, Any] = {"ric": ric, "bid": 1 + second / 1000}
    return msgspec.json.encode(value)
