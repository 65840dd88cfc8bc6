"""How long prices wait for their results where a broker of three ends: contribd, and a loop of Kafka's own Java client.

Both consume the same prices at the same time, each in a group of its own, and write to topics with the same leaders.
An outage is the longest time from a price's Kafka timestamp to the moment a read_committed reader sees its result.
"""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from tests.bench.measure import Series
from tests.bench.setting import Setting
from tests.integration.rigs.broker_rig import INTERNAL_PARTITIONS, kafka_libs, unique
from tests.integration.rigs.cluster_rig import INTERNAL, KafkaCluster, internal_partition
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.wait import eventually

RATE: Final = 200.0
PARTITIONS: Final = 6
MISSED_AFTER: Final = 9.0
"""Seconds; Kafka's default."""

BEFORE: Final = 2.0
AFTER: Final = 24.0
"""Seconds of prices around a fault that count as its own."""

WITHIN: Final = 120.0

LOOP: Final = Path(__file__).parent / "java" / "ReferenceLoop.java"
_JAVA: Final = "java"
_OURS: Final = "contribd"

Outages = dict[str, dict[str, Series]]


def cluster(directory: Path) -> KafkaCluster:
    """Three brokers that are missed as late as by default."""
    return KafkaCluster(directory, missed_after=MISSED_AFTER)


def measure(setting: Setting, rounds: int) -> dict[str, Any]:
    """Each broker in turn, killed and stopped, as often as ``rounds`` says."""
    kafka = setting.kafka
    assert isinstance(kafka, KafkaCluster)
    with _Pair(setting, kafka) as pair:
        faults = list(itertools.product(range(rounds), ("killed", "stopped"), kafka.brokers))
        outages: Outages = defaultdict(lambda: defaultdict(Series))
        for _, kind, node in faults:
            roles = pair.roles(node)
            waited = pair.through(partial(_end, kafka, node, kind), node)
            for side, seconds in waited.items():
                outages[kind][side].add(seconds)
            print(f"broker {node} {kind}: {waited} {roles}", flush=True)  # noqa: T201 - it takes minutes
    return {kind: _summary(by_side) for kind, by_side in outages.items()}


def _summary(by_side: dict[str, Series]) -> dict[str, Any]:
    ours, theirs = by_side[_OURS].values, by_side[_JAVA].values
    more = Series()
    for our, their in zip(ours, theirs, strict=True):
        more.add(our - their)
    return {side: each.summary() for side, each in [*by_side.items(), ("more_than_java", more)]}


def _end(kafka: KafkaCluster, node: int, kind: str) -> None:
    kafka.brokers[node].kill() if kind == "killed" else kafka.brokers[node].stop()


class _Pair:
    """contribd and the loop, prices flowing, and a reader of what both write."""

    def __init__(self, setting: Setting, kafka: KafkaCluster) -> None:
        self._setting = setting
        self._kafka = kafka
        self._prices, self._ours = setting.topics(PARTITIONS)
        self._theirs = setting.results_topic(PARTITIONS)
        group = unique("group")
        self._groups = {_OURS: group, _JAVA: _alike(group, "java")}
        self._ids = {_OURS: f"{group}-bench"}
        self._ids[_JAVA] = _alike(self._ids[_OURS], "java-id")
        self._seen: dict[str, dict[str, int]] = {self._ours: {}, self._theirs: {}}
        self._feed: Child | None = None

    def __enter__(self) -> Self:
        lead_alike(self._kafka, self._prices, self._ours, self._theirs)
        daemon = self._setting.daemon(
            (self._prices, self._ours), self._groups[_OURS], contribution={"conflate": False}, log={"level": "info"}
        )
        loop = self._java("copy", self._prices, self._theirs, self._groups[_JAVA], self._ids[_JAVA])
        daemon.start()
        loop.stdout.readline()
        reader = self._java("read", self._ours, self._theirs)
        reader.stdout.readline()
        threading.Thread(target=self._read, args=(reader,), daemon=True).start()
        self._feed = self._java("feed", self._prices, "1000000", str(RATE))
        eventually(lambda: all(len(seen) > RATE for seen in self._seen.values()), within=WITHIN, what="results of both")
        return self

    def __exit__(self, *_: object) -> None:
        if self._feed is not None:
            self._feed.kill()

    def roles(self, node: int) -> dict[str, bool]:
        """What the node is to both."""
        return {
            "group_coordinator": self._kafka.coordinator(self._groups[_OURS]) == node,
            "transaction_coordinator": self._kafka.transaction_coordinator(self._ids[_OURS]) == node,
        }

    def through(self, fault: Callable[[], None], node: int) -> dict[str, float]:
        """The longest wait of a price on each side, over a broker that ends and comes back."""
        began = time.time()
        fault()
        time.sleep(AFTER)
        ended = time.time()
        self._kafka.start_broker(node)
        topics = (self._prices, self._ours, self._theirs)
        self._kafka.wait_in_sync(*topics, *INTERNAL)
        self._kafka.prefer(*topics, *INTERNAL)
        prices = self._timestamps(began - BEFORE, ended)
        eventually(lambda: self._complete(prices), within=WITHIN, every=0.5, what="the results of both")
        return {side: self._longest(topic, prices) for side, topic in ((_OURS, self._ours), (_JAVA, self._theirs))}

    def _complete(self, prices: dict[str, int]) -> bool:
        return all(prices.keys() <= seen.keys() for seen in self._seen.values())

    def _longest(self, topic: str, prices: dict[str, int]) -> float:
        seen = self._seen[topic]
        return max(seen[source] - at for source, at in prices.items()) / 1000

    def _read(self, reader: Child) -> None:
        for line in reader.stdout:
            topic, source, at = line.split()
            self._seen[topic].setdefault(source, int(at))

    def _java(self, *arguments: str) -> Child:
        mode, *rest = arguments
        command = ["java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", f"{kafka_libs()}/*", str(LOOP)]
        return self._setting.child([*command, mode, self._setting.kafka.bootstrap, *rest], piped=True)

    def _timestamps(self, since: float, until: float) -> dict[str, int]:
        """The prices of that time (Unix seconds): by their source, when each was produced in milliseconds."""
        consumer = KafkaConsumer(bootstrap_servers=self._setting.kafka.bootstrap.split(","))
        tps = [TopicPartition(self._prices, number) for number in range(PARTITIONS)]
        consumer.assign(tps)
        starts = consumer.offsets_for_times({tp: int(since * 1000) for tp in tps})
        ends = consumer.end_offsets(tps)
        for tp, start in starts.items():
            consumer.seek(tp, start.offset if start is not None else ends[tp])
        found: dict[str, int] = {}
        while any(consumer.position(tp) < ends[tp] for tp in tps):
            for tp, records in consumer.poll(timeout_ms=200).items():
                found |= {f"{tp.topic}:{tp.partition}:{each.offset}": each.timestamp for each in records}
        consumer.close()
        return {source: at for source, at in found.items() if since * 1000 <= at < until * 1000}


def lead_alike(kafka: KafkaCluster, *topics: str) -> None:
    """Gives the partitions of one number, of all topics, one leader: each broker has its share of each topic."""
    for topic in topics:
        kafka.place(topic, {number: number % len(kafka.brokers) + 1 for number in range(PARTITIONS)})


def _alike(name: str, start: str) -> str:
    """A name that begins so and has the same coordinator."""
    wanted = internal_partition(name)
    names = (f"{start}-{number}" for number in range(100 * INTERNAL_PARTITIONS))
    return next(each for each in names if internal_partition(each) == wanted)
