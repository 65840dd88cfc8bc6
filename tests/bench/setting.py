"""What every benchmark runs in: a real broker, an ADS that answers at once in another process, records to post."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.cluster_rig import KafkaCluster
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.wait import eventually

BUILD = REPOSITORY / "build" / "bench"
"""Where results and whatever the benchmarks install go."""

PARTITIONS = 4


def _quote(of: str = "") -> dict[str, Any]:
    """The post of a quote; ``of``: where in the record its keys are."""
    return {
        "ric": f"{{{of}pair}}=TRCC",
        "fields": {
            "BID": f"{of}bid",
            "ASK": {"from": f"{of}ask", "round": 5},
            "MID_PRICE": {"from": f"({of}bid + {of}ask) / 2", "round": 5},
            "BIDSIZE": {"from": f"{of}sizes[0].bid", "missing": "skip"},
            "QUOTIM": {"from": f"{of}quoted_at", "as": "time"},
        },
        "checks": [f"{of}bid <= {of}ask"],
    }


MAPPING: dict[str, Any] = {"mappings": [{"name": "fx-spot", "when": 'asset == "FX" and tenor == "SP"', **_quote()}]}
"""Five fields, a condition and a check, as a spot quote has."""

CURVE_MAPPING: dict[str, Any] = {
    "mappings": [
        {"name": "fx-curve", "when": 'asset == "FX" and tenor == "curve"', "each": "points", **_quote("item.")}
    ]
}
"""The same post for each point of a curve."""

CLOCK_TICK = os.sysconf("SC_CLK_TCK")


def price(number: int, pair: str) -> bytes:
    """A record of about 190 bytes."""
    bid = 1.08 + number % 1000 / 1e5
    return (
        b'{"asset":"FX","tenor":"SP","pair":"%s","base":"EUR","quote":"USD","bid":%.5f,"ask":%.5f,'
        b'"sizes":[{"bid":1000000,"ask":2000000}],"quoted_at":"2026-11-20T10:15:30.123456Z"}'
        % (pair.encode(), bid, bid + 0.0002)
    )


def curve(number: int, points: int) -> bytes:
    """So many such records as one, the first of them with this number."""
    elements = b",".join(price(each, f"P{each:06d}") for each in range(number, number + points))
    return b'{"asset":"FX","tenor":"curve","points":[%s]}' % elements


def distinct(count: int) -> list[tuple[bytes, bytes]]:
    """Keys and values of ``count`` records, each of an instrument of its own."""
    return [(b"P%06d" % number, price(number, f"P{number:06d}")) for number in range(count)]


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICK


def memory_bytes(pid: int) -> int:
    """What a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Setting:
    """Kafka and one simulated ADS in a folder of their own, for as long as the ``with`` block runs."""

    def __init__(
        self, *, ads: Sequence[str] = (), kafka: Callable[[Path], KafkaBroker | KafkaCluster] = KafkaBroker
    ) -> None:
        """``ads``: options of ``contribd simulate ads``. ``kafka``: makes it in a folder; one broker."""
        self._folder = tempfile.TemporaryDirectory(prefix="contribd-bench-", ignore_cleanup_errors=True)
        self.directory = Path(self._folder.name)
        self.kafka = kafka(self.directory / "kafka")
        self._ads_options = ads
        self.endpoint = ""
        self._children: list[Child] = []
        self.daemons: list[Daemon] = []

    def __enter__(self) -> Self:
        self.kafka.start()
        self.endpoint, _ = self.start_ads(*self._ads_options)
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.daemons:
            daemon.kill()
        for child in self._children:
            child.kill()
        self.kafka.kill()
        self._folder.cleanup()

    def start_ads(self, *options: str) -> tuple[str, Child]:
        """Another simulated ADS: its URL and its process. Acks one a frame, as the vendor's server sends them."""
        command = [sys.executable, "-m", "contribd", "simulate", "ads", "--port", "0", "--quiet", *options]
        child = self.child(command, piped=True)
        return child.stdout.readline().split()[0], child

    def child(self, command: Sequence[str], *, piped: bool = False) -> Child:
        """A process that ends with the setting."""
        child = Child(command, cwd=REPOSITORY, log=self.directory / "children.log", piped=piped)
        self._children.append(child)
        return child

    def topics(self, partitions: int = PARTITIONS) -> tuple[str, str]:
        """A new prices topic and a new results topic."""
        return (
            self.kafka.create_topic(unique("prices"), partitions),
            self.kafka.create_topic(unique("results"), partitions),
        )

    def results_topic(self, partitions: int = PARTITIONS) -> str:
        """A new results topic."""
        return self.kafka.create_topic(unique("results"), partitions)

    def preload(self, topic: str, records: Sequence[tuple[bytes, bytes]], partitions: int = PARTITIONS) -> None:
        """Puts records on a topic, spread evenly, before anything is measured."""
        producer = KafkaProducer(
            bootstrap_servers=self.kafka.bootstrap, linger_ms=20, batch_size=256 * 1024, max_block_ms=600_000
        )
        for number, (key, value) in enumerate(records):
            producer.send(topic, value=value, key=key, partition=number % partitions)
        producer.flush(600)
        producer.close()

    def daemon(
        self,
        topics: tuple[str, str],
        group: str,
        *,
        instance: str = "bench",
        endpoint: str | None = None,
        client: dict[str, Any] | None = None,
        mapping: dict[str, Any] = MAPPING,
        **sections: dict[str, Any],
    ) -> Daemon:
        """A daemon on this broker, not yet started. ``client``: settings of kafka-python."""
        daemon = Daemon(
            self.directory / unique("daemon"),
            kafka=self.kafka.bootstrap,
            endpoints=[endpoint or self.endpoint],
            topics=topics,
            group=group,
            instance=instance,
            mapping=mapping,
            **sections,
        )
        config = yaml.safe_load(daemon.config.read_text())
        config["kafka"]["client"] = client or {}
        daemon.config.write_text(yaml.safe_dump(config))
        self.daemons.append(daemon)
        return daemon

    def committed(self, topic: str, group: str, partitions: int = PARTITIONS) -> Callable[[], int]:
        """A function that says how many records of a topic the group has committed; it keeps one connection."""
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        wanted = [TopicPartition(topic, number) for number in range(partitions)]

        def read() -> int:
            found = admin.list_group_offsets({group: wanted})[group]
            return sum(max(0, state.offset) for state in found.values())

        return read

    def wait_committed(self, topic: str, group: str, count: int, *, within: float = 300.0) -> None:
        """Returns once the group has committed ``count`` records."""
        read = self.committed(topic, group)
        eventually(lambda: read() >= count, within=within, every=0.1, what=f"{count} records committed by {group}")

    @staticmethod
    def wait_results(daemon: Daemon, count: int, *, within: float = 120.0) -> None:
        """Returns once a daemon has settled ``count`` records."""
        eventually(lambda: daemon.results() >= count, within=within, every=0.2, what=f"{count} results")

    def timestamps(self, topic: str, partitions: int = PARTITIONS) -> list[int]:
        """When each committed record of a topic was produced (milliseconds), sorted."""
        return sorted(record.timestamp for record in self.committed_records(topic, partitions))

    def committed_records(self, topic: str, partitions: int = PARTITIONS) -> Iterator[Any]:
        """The committed records of a topic, to its end as it is now."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, isolation_level="read_committed")
        tps = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(tps)
        consumer.seek_to_beginning(*tps)
        ends = consumer.end_offsets(tps)
        while any(consumer.position(tp) < ends[tp] for tp in tps):
            for records in consumer.poll(timeout_ms=200, max_records=10_000).values():
                yield from records
        consumer.close()


def rate(timestamps: Sequence[int], skip: float = 0.1) -> float:
    """Records a second, from the first after ``skip`` of all to the last: start-up is another figure's matter."""
    first = int(len(timestamps) * skip)
    return (len(timestamps) - first) / max(1e-3, (timestamps[-1] - timestamps[first]) / 1000)
