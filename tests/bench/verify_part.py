"""Records a second of ``contribd audit verify``, by one process, two and four, against a bare kafka-python loop that
does nothing but read the same two topics in one process. The command's figures hold its start.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.bench.measure import Series
from tests.bench.setting import PARTITIONS, Setting, price
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon

RICS = 1_000
JOBS = (1, 2, PARTITIONS)


def measure(setting: Setting, records: int, rounds: int) -> dict[str, Any]:
    """A daemon posts them once; then all of them read what it left, in turn."""
    prices, results = setting.topics()
    values = [price(number, f"P{number % RICS:04d}") for number in range(records)]
    setting.preload(prices, [(b"k", value) for value in values])
    daemon = setting.daemon((prices, results), unique("group"))
    daemon.start()
    setting.wait_results(daemon, records, within=600.0)
    daemon.stop()
    runs: dict[str, Callable[[], tuple[float, float]]] = {"bare_reading": lambda: _read(setting, prices, results)}
    for jobs in JOBS:
        runs[f"{jobs}_jobs"] = partial(_verified, daemon, records, jobs)
    rates, cpu = {name: Series() for name in runs}, {name: Series() for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seconds, used = run()
            rates[name].add(records / seconds)
            cpu[name].add(used / records * 1e6)
    return {
        "records": records,
        **{f"{name}_records_per_second": each.summary() for name, each in rates.items()},
        **{f"{name}_cpu_us_per_record": each.summary() for name, each in cpu.items()},
    }


def _read(setting: Setting, *topics: str) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    began, used = time.perf_counter(), time.process_time()
    for topic in topics:
        for _ in setting.committed_records(topic):
            pass
    return time.perf_counter() - began, time.process_time() - used


def _verified(daemon: Daemon, records: int, jobs: int) -> tuple[float, float]:
    """The same of the command and its processes."""
    command = [sys.executable, "-m", "contribd", "audit", "verify", "-c", str(daemon.config), "--json"]
    began, used = time.perf_counter(), _children()
    done = subprocess.run([*command, "--jobs", str(jobs)], capture_output=True, text=True, check=False)
    seconds, used = time.perf_counter() - began, _children() - used
    said = json.loads(done.stdout.splitlines()[-1])["summary"] if done.returncode == 0 else {}
    if said.get("counts", {}).get("mapped anew") != records:
        raise RuntimeError(json.dumps([done.returncode, done.stdout[-1000:], done.stderr[-1000:]]))
    return seconds, used


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
