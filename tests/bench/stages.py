"""Where the CPU of a record goes: by thread of a daemon at full speed, and by stage of its worker's own work."""

import json
import signal
import sys
from typing import Any

from tests.bench.pipeline import Pipeline
from tests.bench.setting import Setting, distinct, price
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.wait import eventually

RECORDS = 20_000
THREADS = {
    "source": "consume: poll and decode",
    "kafka-io": "consume: network",
    "sink": "produce: append",
    "network-thread": "produce: network",
    "MainThread": "worker: decode to settle",
}


def threads(setting: Setting, records: int) -> dict[str, float]:
    """Microseconds of CPU a record by thread, from ready to the last record's commit; start-up is left out."""
    topics, group = setting.topics(), unique("profile")
    daemon = setting.daemon(topics, group, contribution={"conflate": False})
    file = setting.directory / unique("threads")
    child = setting.child([sys.executable, "-m", "tests.bench.profiled", str(daemon.config), str(file)])

    def dump() -> dict[str, float]:
        file.unlink(missing_ok=True)
        child.send(signal.SIGUSR1)
        eventually(file.exists, within=30)
        found: dict[str, float] = json.loads(file.read_text())
        return found

    eventually(lambda: _ready(daemon), within=60, every=0.1)
    before = dump()
    setting.preload(topics[0], distinct(records))
    setting.wait_committed(topics[0], group, records)
    after = dump()
    child.stop()
    found: dict[str, float] = {}
    for name, seconds in after.items():
        label = next((label for part, label in THREADS.items() if part in name), "other")
        spent = (seconds - before.get(name, 0.0)) / records * 1e6
        found[label] = round(found.get(label, 0.0) + spent, 1)
    return found


def _ready(daemon: Daemon) -> bool:
    try:
        daemon.get("/readyz")
    except OSError:
        return False
    return True


def worker(rounds: int) -> dict[str, float]:
    """Microseconds of CPU a record by stage, in this process on the same code; the round that took least."""
    values = [price(number, f"P{number:06d}") for number in range(RECORDS)]
    best: dict[str, float] = {}
    for _ in range(rounds):
        pipeline = Pipeline()
        pipeline.seconds.clear()
        pipeline.run(values)
        if not best or sum(pipeline.seconds.values()) < sum(best.values()):
            best = dict(pipeline.seconds)
    return {stage: round(seconds / RECORDS * 1e6, 2) for stage, seconds in best.items()}


def measure(setting: Setting, records: int, rounds: int) -> dict[str, Any]:
    """Both views."""
    return {"threads_us_per_record": threads(setting, records), "worker_us_per_record": worker(rounds)}
