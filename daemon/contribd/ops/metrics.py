"""The Prometheus metrics, rendered from a snapshot when they are asked for: the worker pays nothing for them."""

import platform
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from contribd.ops.snapshot import HistogramView, Snapshot
from contribd.ops.verdict import VerdictState, verdict


class SnapshotCollector(Collector):
    """Renders the newest snapshot. Labels hold bounded sets of names only: never a RIC or a PostID."""

    def __init__(self, snapshot: Callable[[], Snapshot], stalled: Callable[[], Sequence[str]] = tuple) -> None:
        """``stalled``: the threads that make no progress."""
        self._snapshot = snapshot
        self._stalled = stalled

    def describe(self) -> list[Metric]:
        """Nothing: without this the registry would take a snapshot before there is one."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics of one snapshot, so that they fit each other."""
        now = self._snapshot()
        stalled = self._stalled()
        yield from _verdict(now, stalled)
        yield GaugeMetricFamily(
            "contribd_ready", "1 where /readyz answers 200: it can contribute.", value=now.ready and not stalled
        )
        yield from _traffic(now)
        yield from _backlog(now)
        yield from _session(now)
        yield from _process(now)
        yield from _clock(now)


def build_registry(snapshot: Callable[[], Snapshot], stalled: Callable[[], Sequence[str]] = tuple) -> CollectorRegistry:
    """A registry of its own with contribd's metrics and the process's (memory, CPU, file descriptors)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(snapshot, stalled))
    ProcessCollector(registry=registry)
    return registry


def _traffic(now: Snapshot) -> Iterator[Metric]:
    results = CounterMetricFamily(
        "contribd_results", "Records settled, by status and code of their result.", labels=["status", "code"]
    )
    for status, code, count in now.counters.results:
        results.add_metric([status, code], count)
    yield results
    posts = CounterMetricFamily("contribd_posts", "Posts settled, by type and answer.", labels=["type", "answer"])
    for kind, answer, count in now.counters.posts:
        posts.add_metric([kind, answer], count)
    yield posts
    withdrawals = CounterMetricFamily(
        "contribd_withdrawals", "Quotes withdrawn, by reason and status of their result.", labels=["reason", "status"]
    )
    for reason, status, count in now.counters.withdrawals:
        withdrawals.add_metric([reason, status], count)
    yield withdrawals
    republished = CounterMetricFamily(
        "contribd_republished", "Values posted once more by order, by what came of them.", labels=["status"]
    )
    for status, count in now.counters.republished:
        republished.add_metric([status], count)
    yield republished
    yield CounterMetricFamily(
        "contribd_unmatched_answers",
        "Answers of the ADS that belong to no post in flight.",
        value=now.counters.unmatched_answers,
    )
    yield CounterMetricFamily(
        "contribd_future_timestamps",
        "Records stamped more than a minute ahead of this host's clock.",
        value=now.counters.future_timestamps,
    )
    yield _histogram("contribd_ack_seconds", "From sending a post to its answer.", now.ack_seconds)
    yield _histogram(
        "contribd_delivery_seconds", "From a record's Kafka timestamp to sending its post.", now.delivery_seconds
    )


def _backlog(now: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily("contribd_posts_outstanding", "Posts sent and not yet answered.", value=now.outstanding)
    yield GaugeMetricFamily(
        "contribd_records_waiting",
        "Records consumed and not yet settled; each post of those that make several.",
        value=now.waiting,
    )
    isolated = GaugeMetricFamily(
        "contribd_isolated_instruments",
        "Instruments whose posts go by themselves, since they may do harm or get no answer.",
        labels=["state"],
    )
    for state, count in now.isolated:
        isolated.add_metric([state], count)
    yield isolated
    yield GaugeMetricFamily(
        "contribd_silent_rics",
        "RICs without a record for longer than contribution.stale_after; 0 where that is not set.",
        value=dict(now.wrong_counts).get("silent", 0),
    )
    yield GaugeMetricFamily("contribd_live_quotes", "Live quotes that would be withdrawn.", value=now.live_quotes)
    yield GaugeMetricFamily("contribd_pauses", "Pauses in force, by order.", value=len(now.pauses))
    yield GaugeMetricFamily(
        "contribd_paused_since_timestamp_seconds",
        "When the oldest pause in force was ordered, in Unix time; 0: nothing is paused.",
        value=min((pause.since for pause in now.pauses), default=0.0),
    )
    lag = GaugeMetricFamily(
        "contribd_consumer_lag_records",
        "Records in the partition that were not consumed yet.",
        labels=["topic", "partition"],
    )
    for partition in now.partitions:
        if partition.lag is not None:
            lag.add_metric([partition.topic, str(partition.partition)], partition.lag)
    yield lag


def _session(now: Snapshot) -> Iterator[Metric]:
    # Every configured endpoint has its series: one that vanished on a switch would look up for five minutes more.
    session = GaugeMetricFamily(
        "contribd_session_up", "1 where the session with this ADS is logged in.", labels=["endpoint"]
    )
    for endpoint in now.session.endpoints:
        session.add_metric([endpoint], now.session.up and endpoint == now.session.endpoint)
    yield session
    service = GaugeMetricFamily("contribd_service_up", "1 where the ADS says the service is Up.", labels=["service"])
    for name, up in now.services:
        service.add_metric([name], up)
    yield service
    reasons: dict[str, int] = {}
    for _, reason, count in now.counters.reconnects:
        reasons[reason] = reasons.get(reason, 0) + count
    reconnects = CounterMetricFamily(
        "contribd_reconnects", "Sessions lost or not established, by reason.", labels=["reason"]
    )
    for reason, count in reasons.items():
        reconnects.add_metric([reason], count)
    yield reconnects


def _verdict(now: Snapshot, stalled: Sequence[str]) -> Iterator[Metric]:
    state = verdict(now, stalled).state
    found = GaugeMetricFamily(
        "contribd_verdict", "1 for what the daemon does just now, 0 for the rest.", labels=["state"]
    )
    for each in VerdictState:
        found.add_metric([each.value.replace(" ", "_")], each is state)
    yield found


def _process(now: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "contribd_last_ack_timestamp_seconds",
        "When the ADS last accepted a post, in Unix time; 0: never in this process.",
        value=now.last_ack_at or 0.0,
    )
    yield GaugeMetricFamily(
        "contribd_config_last_reload_successful",
        "1 where the last load of the configuration took effect.",
        value=now.config_reloaded,
    )
    yield GaugeMetricFamily(
        "contribd_config_last_reload_success_timestamp_seconds",
        "When the configuration was last loaded without an error, at the start or by a reload, in Unix time.",
        value=now.loaded_at,
    )
    build = GaugeMetricFamily(
        "contribd_build_info", "Always 1: what is running.", labels=["version", "python", "config"]
    )
    build.add_metric([now.version, platform.python_version(), now.config], 1)
    yield build


def _clock(now: Snapshot) -> Iterator[Metric]:
    """Left out while they are not known."""
    clock = now.clock
    if clock.synchronized is None:
        return
    yield GaugeMetricFamily(
        "contribd_clock_synchronized",
        "1 where this host's kernel says that somebody keeps its clock.",
        value=clock.synchronized,
    )
    yield GaugeMetricFamily(
        "contribd_clock_offset_seconds", "What the kernel still has to correct of the clock.", value=clock.offset or 0.0
    )


def _histogram(name: str, text: str, histogram: HistogramView) -> HistogramMetricFamily:
    names = [*(str(bound) for bound in histogram.bounds), "+Inf"]
    buckets = [(bound, float(count)) for bound, count in zip(names, histogram.cumulative(), strict=True)]
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.sum)
