"""How long prices wait when something ends: the start, a cut session, an instance killed or restarted.

An outage is the longest time a price waited from its Kafka timestamp to its first post, prices flowing all along.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from kafka import KafkaAdminClient
from tests.bench.bench_feed import WARM_UP
from tests.bench.latency import feed
from tests.bench.measure import Series
from tests.bench.setting import PARTITIONS, Setting
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import read_results
from tests.integration.rigs.tcp_proxy import TcpProxy
from tests.integration.rigs.wait import eventually

from contribd.results.result import Result

RATE = 200.0
BEFORE = 3.0
"""Seconds of undisturbed flow before the fault."""

SESSION_TIMEOUT = 6.0
"""Seconds; the least a broker takes by default. contribd's default is the client's, 45."""

RECONNECT = {"first": "1s", "max": "60s"}
"""contribd's default."""


def start(setting: Setting, rounds: int) -> dict[str, object]:
    """Seconds from exec to ready: Kafka joined, logged in to the ADS, the service up."""
    topics = setting.topics()
    seconds = Series()
    for _ in range(rounds):
        daemon = setting.daemon(topics, unique("start"))
        begun = time.monotonic()
        daemon.start()
        seconds.add(time.monotonic() - begun)
        daemon.stop()
    return seconds.summary()


def cut_session(setting: Setting, rounds: int) -> dict[str, object]:
    """Seconds prices wait where the ADS session is cut and the endpoint takes connections again at once."""
    outage = Series()
    for _ in range(rounds):
        address = urlsplit(setting.endpoint)
        proxy = TcpProxy(address.hostname or "", address.port or 0)
        proxy.start()
        url = f"ws://127.0.0.1:{proxy.port}{address.path}"
        topics = setting.topics()
        daemon = setting.daemon(topics, unique("cut"), endpoint=url, ads={"reconnect": RECONNECT})
        daemon.start()
        results = _during(setting, topics, 5.0, proxy.cut)
        outage.add(_longest(results, range(PARTITIONS)))
        daemon.stop()
        proxy.stop()
    return outage.summary()


def instances(setting: Setting, rounds: int) -> dict[str, object]:
    """One of two instances ends: killed for good, killed and started again, stopped and started again.

    One that is killed for good has no transaction open, or one: its successors must end it first. Each with dynamic and
    with static membership (``group_instance_id``); the partitions of the one that ended and those of the other apart.
    """
    faults: dict[str, Callable[[Daemon], None]] = {
        "killed": partial(_kill, setting, in_transaction=False),
        "killed_in_transaction": partial(_kill, setting, in_transaction=True),
        "killed_and_restarted": _kill_and_start,
        "stopped_and_restarted": _stop_and_start,
        "stopped": lambda daemon: (daemon.stop(), None)[1],
    }
    found: dict[str, object] = {"session_timeout": SESSION_TIMEOUT}
    for name, fault in faults.items():
        for static in (False, True):
            own, other = Series(), Series()
            for _ in range(rounds):
                theirs, others = _one_of_two(setting, fault, static=static)
                own.add(theirs)
                other.add(others)
            kind = "static" if static else "dynamic"
            found[f"{name}_{kind}"] = {"its_partitions": own.summary(), "the_others": other.summary()}
    return found


def _one_of_two(setting: Setting, fault: Callable[[Daemon], None], *, static: bool) -> tuple[float, float]:
    topics, group = setting.topics(), unique("pair")
    daemons = []
    for name in ("one", "two"):
        client = {"session_timeout_ms": int(SESSION_TIMEOUT * 1000), "heartbeat_interval_ms": 1000}
        kind = {} if static else {"group_instance_id": None}
        daemon = setting.daemon(topics, group, instance=name, client={**client, **kind})
        daemon.start(ready=False)
        daemons.append(daemon)
    for daemon in daemons:
        eventually(daemon.ready, within=60, what="two instances that are ready")
    eventually(lambda: all(_partitions(daemon) == PARTITIONS // 2 for daemon in daemons), within=60)
    theirs = {row["partition"] for row in daemons[0].status()["partitions"]}
    results = _during(setting, topics, SESSION_TIMEOUT + 6.0, lambda: fault(daemons[0]))
    for daemon in daemons:
        daemon.stop()
    return _longest(results, theirs), _longest(results, set(range(PARTITIONS)) - theirs)


def _partitions(daemon: Daemon) -> int:
    return len(daemon.status()["partitions"])


def _during(setting: Setting, topics: tuple[str, str], after: float, fault: Callable[[], object]) -> list[Result]:
    """The results of a flow of prices that ``fault`` comes into."""
    records = int(RATE * (BEFORE + after))
    sent = feed(setting, topics[0], records, RATE)
    time.sleep(WARM_UP + BEFORE + 1.0)
    fault()
    sent()
    last: list[Result] = []

    def complete() -> bool:
        last[:] = read_results(setting.kafka, topics[1])
        return len(last) >= records

    eventually(complete, within=60, every=1.0, what=f"{records} results")
    return last


def _longest(results: Sequence[Result], partitions: Any) -> float:
    waits = [
        (result.posts[0].sent_at - result.record.timestamp).total_seconds()
        for result in results
        if result.posts and result.record.timestamp is not None and result.record.partition in partitions
    ]
    return max(waits)


def _kill(setting: Setting, daemon: Daemon, *, in_transaction: bool) -> None:
    """Stops the process (SIGSTOP) until it is stopped where it is wanted."""
    admin = KafkaAdminClient(bootstrap_servers=setting.kafka.bootstrap)

    def is_there() -> bool:
        os.kill(daemon.pid, signal.SIGSTOP)
        rows = [row for listed in admin.list_transactions(state_filters=["Ongoing"]).values() for row in listed]
        if any(row.transactional_id.endswith("-one") for row in rows) is in_transaction:
            return True
        os.kill(daemon.pid, signal.SIGCONT)
        return False

    eventually(is_there, within=30, every=0.011, what="an instance in a transaction, or in none")
    daemon.kill()
    admin.close()


def _kill_and_start(daemon: Daemon) -> None:
    daemon.kill()
    daemon.start(ready=False)


def _stop_and_start(daemon: Daemon) -> None:
    daemon.stop()
    daemon.start(ready=False)
