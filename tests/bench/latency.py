"""How long a price takes: from its Kafka timestamp to its post at the ADS, and to its readable result."""

import sys
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.setting import PARTITIONS, Setting
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.spawned import Child

INSTRUMENTS = 10_000
PERCENTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}

Latency = dict[str, float]
"""Milliseconds by percentile."""


def percentiles(sent: Sequence[int], seen: Sequence[int], skip: float = 0.2) -> Latency:
    """Of ``seen`` (number and nanoseconds in turn) against ``sent``; the first of the records warm up."""
    first = int(len(sent) * skip)
    waits = sorted(seen[at + 1] - sent[seen[at]] for at in range(0, len(seen), 2) if seen[at] >= first)
    return {name: waits[min(len(waits) - 1, int(len(waits) * share))] / 1e6 for name, share in PERCENTILES.items()}


def bare(setting: Setting, rate: float, seconds: float) -> Latency:
    """What a bare consumer needs until its poll has given a record."""
    topic, _ = setting.topics()
    records = int(rate * seconds)
    watcher, seen = _watch(setting, topic, records)
    sent = feed(setting, topic, records, rate)
    return percentiles(sent(), _read(watcher, seen))


def contribd(setting: Setting, rate: float, seconds: float) -> tuple[Latency, Latency]:
    """contribd: to the post as the ADS reads it, and to the result as a ``read_committed`` reader gets it."""
    topics = setting.topics()
    records = int(rate * seconds)
    posts = setting.directory / unique("posts")
    ads = setting.child([sys.executable, "-m", "tests.bench.clocked_ads", str(posts)], piped=True)
    url = ads.stdout.readline().strip()
    daemon = setting.daemon(topics, unique("latency"), endpoint=url, contribution={"conflate": False})
    daemon.start()
    watcher, seen = _watch(setting, topics[1], records)
    sent = feed(setting, topics[0], records, rate)()
    results = _read(watcher, seen)
    daemon.stop()
    ads.stdin.close()
    ads.wait()
    return percentiles(sent, read_numbers(posts)), percentiles(sent, results)


def feed(setting: Setting, topic: str, records: int, rate: float) -> Callable[[], Sequence[int]]:
    """Starts the feed; what it gives waits for its end, and gives the times of the records."""
    file = setting.directory / unique("sent")
    arguments = [setting.kafka.bootstrap, topic, str(records), str(rate), str(INSTRUMENTS), str(file)]
    child = setting.child([sys.executable, "-m", "tests.bench.bench_feed", *arguments])

    def sent() -> Sequence[int]:
        child.wait()
        return read_numbers(file)

    return sent


def _watch(setting: Setting, topic: str, records: int) -> tuple[Child, Path]:
    file = setting.directory / unique("seen")
    arguments = [setting.kafka.bootstrap, topic, str(PARTITIONS), str(records), str(file)]
    child = setting.child([sys.executable, "-m", "tests.bench.watch", *arguments], piped=True)
    if child.stdout.readline().strip() != "watching":
        raise RuntimeError(f"the watcher did not start: {child.tail()}")
    return child, file


def _read(watcher: Child, file: Path) -> Sequence[int]:
    if watcher.stdout.readline().strip() != "done":
        raise RuntimeError(f"the watcher ended early: {watcher.tail()}")
    return read_numbers(file)


def read_numbers(file: Path) -> Sequence[int]:
    """What a process of the benchmark wrote: 64-bit integers."""
    numbers = array("q")
    numbers.frombytes(file.read_bytes())
    return numbers
