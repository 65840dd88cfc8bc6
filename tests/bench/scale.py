"""1, 2 and 4 instances in one group, and what a bare loop of as many processes does on the same machine."""

import sys
import time
from typing import Any

from tests.bench.measure import Series
from tests.bench.setting import Setting, cpu_seconds, distinct, rate
from tests.bench.throughput import BATCH, RESULT_BYTES
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.wait import eventually

INSTANCES = (1, 2, 4)
PARTITIONS = 8


def measure(setting: Setting, records: int, rounds: int) -> dict[str, Any]:
    """Records a second and CPU a record, all instances together, each with an ADS session of its own."""
    rates = {count: Series() for count in INSTANCES}
    cpu = {count: Series() for count in INSTANCES}
    limit = Series()
    for _ in range(rounds):
        prices, _ = setting.topics(PARTITIONS)
        setting.preload(prices, distinct(records), PARTITIONS)
        limit.add(_bare(setting, prices, records))
        for count in INSTANCES:
            speed, seconds = _together(setting, prices, records, count)
            rates[count].add(speed)
            cpu[count].add(seconds / records * 1e6)
    return {
        "partitions": PARTITIONS,
        "bare_records_per_second": limit.summary(),
        "instances": {
            str(count): {
                "records_per_second": rates[count].summary(),
                "cpu_us_per_record": cpu[count].summary(),
            }
            for count in INSTANCES
        },
    }


def _bare(setting: Setting, prices: str, records: int) -> float:
    results = setting.results_topic(PARTITIONS)
    arguments = [setting.kafka.bootstrap, prices, results, unique("bare"), records, BATCH, RESULT_BYTES]
    child = setting.child([sys.executable, "-m", "tests.bench.bare", *map(str, arguments)], piped=True)
    child.stdout.readline()
    child.wait()
    return rate(setting.timestamps(results, PARTITIONS))


def _together(setting: Setting, prices: str, records: int, count: int) -> tuple[float, float]:
    """Started at once; the first 30 % of the results, while the group forms, do not count."""
    results, group = setting.results_topic(PARTITIONS), unique("group")
    daemons = [
        setting.daemon((prices, results), group, instance=f"i{number}", contribution={"conflate": False})
        for number in range(count)
    ]
    for daemon in daemons:
        daemon.start(ready=False)
    begun = time.monotonic()
    eventually(lambda: sum(_settled(daemon) for daemon in daemons) >= records, within=300, every=0.2)
    seconds = sum(cpu_seconds(daemon.pid) for daemon in daemons)
    for daemon in daemons:
        daemon.stop()
    written = setting.timestamps(results, PARTITIONS)
    if len(written) != records:
        raise RuntimeError(f"{len(written)} results of {records} records after {time.monotonic() - begun:.0f} s")
    return rate(written, skip=0.3), seconds


def _settled(daemon: Any) -> int:
    try:
        return int(daemon.results())
    except OSError:  # not listening yet
        return 0
