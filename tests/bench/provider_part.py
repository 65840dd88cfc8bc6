"""Posts a second to LSEG's own provider code (EMA Java): contribd against loops that only send and match acks.

Everything gets the same posts, window and frames, a connection of its own, and its turn in every round. The provider
writes as EMA does by default (``DirectWrite`` 0, the faster way).
"""

import contextlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.measure import Series
from tests.bench.setting import Setting, cpu_seconds, distinct, rate
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.provider_rig import Provider

PACK, WINDOW = 20, 500
"""contribd's defaults."""

WARM_UP = 250_000
"""Posts before anything counts: Java compiles what is hot, and its first ten thousands take several times as long."""

LOOPS = {
    "bare_library": ("tests.bench.ack_loop", "library"),
    "bare_socket": ("tests.bench.ack_loop", "socket"),
    "session": ("tests.bench.session_loop", "session"),
    "worker": ("tests.bench.session_loop", "worker"),
}
"""What runs without Kafka: see the modules."""

BARE = ("bare_library", "bare_socket")

Run: TypeAlias = Callable[[], tuple[float, float]]
"""One run: posts a second, and CPU seconds of the client."""


def measure(setting: Setting, posts: int, rounds: int) -> dict[str, Any]:
    """Posts a second of each kind, CPU of client and provider a post, and contribd's ratio to each bare loop.

    First with a core for the client and another for the provider, as on two machines: what a client takes of the CPU
    does not slow the provider down. Then with all cores for both, and the daemon besides, which needs a broker.
    """
    provider = Provider(setting.directory / "provider", direct_write=False)
    provider.start()
    prices, _ = setting.topics()
    setting.preload(prices, distinct(posts))
    every: dict[str, Run] = {kind: partial(_loop, setting, provider, kind, posts) for kind in LOOPS}
    daemon: dict[str, Run] = {"daemon": partial(_daemon, setting, provider, prices, posts)}
    cores = sorted(os.sched_getaffinity(0))
    try:
        _loop(setting, provider, "bare_socket", WARM_UP)
        found: dict[str, Any] = {"posts": posts, "pack": PACK, "window": WINDOW}
        if len(cores) > 1:
            _bind(provider.pid, {cores[1]})
            apart: dict[str, Run] = {kind: partial(_loop, setting, provider, kind, posts, cores[0]) for kind in LOOPS}
            found["a_core_each"] = _in_turn(apart, provider, posts, rounds)
            _bind(provider.pid, set(cores))
        found["sharing_cores"] = _in_turn({**every, **daemon}, provider, posts, rounds)
    finally:
        provider.kill()
    return found


def _in_turn(kinds: dict[str, Run], provider: Provider, posts: int, rounds: int) -> dict[str, Any]:
    """Every kind in every round, another one first each time."""
    rates = {kind: Series() for kind in kinds}
    client_cpu = {kind: Series() for kind in kinds}
    provider_cpu = {kind: Series() for kind in kinds}
    ratios = {f"{kind}_over_{bare}": Series() for kind in kinds if kind not in BARE for bare in BARE}
    for turn in range(rounds):
        first = turn % len(kinds)
        for kind in (*list(kinds)[first:], *list(kinds)[:first]):
            before = cpu_seconds(provider.pid)
            speed, spent = kinds[kind]()
            rates[kind].add(speed)
            client_cpu[kind].add(spent / posts * 1e6)
            provider_cpu[kind].add((cpu_seconds(provider.pid) - before) / posts * 1e6)
        for name, series in ratios.items():
            kind, _, bare = name.partition("_over_")
            series.add(rates[kind].values[-1] / rates[bare].values[-1])
    return {
        "posts_per_second": {kind: series.summary() for kind, series in rates.items()},
        "ratio": {name: series.summary() for name, series in ratios.items()},
        "client_cpu_us_per_post": {kind: series.summary() for kind, series in client_cpu.items()},
        "provider_cpu_us_per_post": {kind: series.summary() for kind, series in provider_cpu.items()},
    }


def _bind(pid: int, cores: set[int]) -> None:
    """Keeps every thread of a process to these cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def _loop(setting: Setting, provider: Provider, kind: str, posts: int, core: int | None = None) -> tuple[float, float]:
    """Posts a second and CPU seconds of one process, on one core where that is named."""
    module, name = LOOPS[kind]
    arguments = [name, provider.url, str(posts), str(PACK), str(WINDOW)]
    child = setting.child([sys.executable, "-m", module, *arguments], piped=True)
    if core is not None:
        _bind(child.pid, {core})
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
