"""Posts a second to LSEG's own provider code (EMA Java): contribd against loops that only send and match acks.

Everything gets the same posts, window and frames, a connection of its own, and its turn in every round. The provider
writes as EMA does by default (``DirectWrite`` 0, the faster way).
"""

import sys
from typing import Any

from tests.bench.measure import Series
from tests.bench.setting import Setting, cpu_seconds, distinct, rate
from tests.integration.rigs.kafka import unique
from tests.integration.rigs.provider import Provider

PACK, WINDOW = 20, 500
"""contribd's defaults."""

WARM_UP = 90_000
"""Posts before anything counts: Java compiles what is hot, and its first ten thousands take several times as long."""

LOOPS = {
    "bare_library": ("tests.bench.ack_loop", "library"),
    "bare_socket": ("tests.bench.ack_loop", "socket"),
    "session": ("tests.bench.session_loop", "session"),
    "worker": ("tests.bench.session_loop", "worker"),
}
"""What runs without Kafka: see the modules."""


def measure(setting: Setting, posts: int, rounds: int) -> dict[str, Any]:
    """Posts a second of each kind, CPU of client and provider a post, and contribd's ratio to each bare loop."""
    provider = Provider(setting.directory / "provider", direct_write=False)
    provider.start()
    prices, _ = setting.topics()
    setting.preload(prices, distinct(posts))
    rates = {kind: Series() for kind in (*LOOPS, "daemon")}
    client_cpu = {kind: Series() for kind in rates}
    provider_cpu = {kind: Series() for kind in rates}
    ratios = {f"{kind}_over_{bare}": Series() for kind in ("session", "worker", "daemon") for bare in list(LOOPS)[:2]}
    try:
        _loop(setting, provider, "bare_socket", WARM_UP)
        for turn in range(rounds):
            order = list(rates)[turn % len(rates) :] + list(rates)[: turn % len(rates)]
            for kind in order:
                before = cpu_seconds(provider.pid)
                if kind == "daemon":
                    speed, spent = _daemon(setting, provider, prices, posts)
                else:
                    speed, spent = _loop(setting, provider, kind, posts)
                rates[kind].add(speed)
                client_cpu[kind].add(spent / posts * 1e6)
                provider_cpu[kind].add((cpu_seconds(provider.pid) - before) / posts * 1e6)
            for name, series in ratios.items():
                kind, _, bare = name.partition("_over_")
                series.add(rates[kind].values[-1] / rates[bare].values[-1])
    finally:
        provider.kill()
    return {
        "posts": posts,
        "pack": PACK,
        "window": WINDOW,
        "posts_per_second": {kind: series.summary() for kind, series in rates.items()},
        "ratio": {name: series.summary() for name, series in ratios.items()},
        "client_cpu_us_per_post": {kind: series.summary() for kind, series in client_cpu.items()},
        "provider_cpu_us_per_post": {kind: series.summary() for kind, series in provider_cpu.items()},
    }


def _loop(setting: Setting, provider: Provider, kind: str, posts: int) -> tuple[float, float]:
    """Posts a second and CPU seconds of one process."""
    module, name = LOOPS[kind]
    arguments = [name, provider.url, str(posts), str(PACK), str(WINDOW)]
    child = setting.child([sys.executable, "-m", module, *arguments], piped=True)
    found = child.stdout.readline().split()
    if child.wait() != 0 or len(found) != 2:
        raise RuntimeError(f"{kind} failed: {child.tail()}")
    return posts / float(found[0]), float(found[1])


def _daemon(setting: Setting, provider: Provider, prices: str, posts: int) -> tuple[float, float]:
    """The daemon from real Kafka to real Kafka: results a second, and CPU seconds with its start."""
    results, group = setting.results_topic(), unique("contribd")
    daemon = setting.daemon((prices, results), group, endpoint=provider.url, contribution={"conflate": False})
    daemon.start()
    setting.wait_committed(prices, group, posts)
    spent = cpu_seconds(daemon.pid)
    daemon.stop()
    return rate(setting.timestamps(results)), spent
