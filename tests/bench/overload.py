"""Five times what the ADS takes, for a while: prices stay fresh, memory stays flat, and no result is lost."""

import sys
import time
from typing import Any

from tests.bench.latency import read_numbers
from tests.bench.setting import Setting, memory_bytes
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.prices import read_results

DELAY_MS = 100
OUTSTANDING = 40
"""With an answer after 100 ms, the ADS takes 400 posts a second."""

RATE = 5 * OUTSTANDING * 1000 / DELAY_MS
INSTRUMENTS = 100


def measure(setting: Setting, seconds: float) -> dict[str, Any]:
    """Expiry of prices as the ADS reads them, by third of the run; memory over time; every record's status."""
    topics = setting.topics()
    records = int(RATE * seconds)
    posts, sent = (setting.directory / unique(name) for name in ("posts", "sent"))
    ads = setting.child([sys.executable, "-m", "tests.bench.clocked_ads", str(posts), str(DELAY_MS)], piped=True)
    daemon = setting.daemon(
        topics,
        unique("overload"),
        endpoint=ads.stdout.readline().strip(),
        contribution={"conflate": True},
        ads={"max_outstanding": OUTSTANDING},
    )
    daemon.start()
    arguments = [setting.kafka.bootstrap, topics[0], str(records), str(RATE), str(INSTRUMENTS), str(sent)]
    feed = setting.child([sys.executable, "-m", "tests.bench.bench_feed", *arguments])
    memory = []
    while feed.alive:
        time.sleep(1)
        memory.append(memory_bytes(daemon.pid))
    feed.wait()
    setting.wait_results(daemon, records)
    daemon.stop()
    ads.stdin.close()
    ads.wait()
    results = read_results(setting.kafka, topics[1])
    statuses: dict[str, int] = {}
    for result in results:
        statuses[result.status] = statuses.get(result.status, 0) + 1
    return {
        "records": records,
        "input_per_second": RATE,
        "ads_takes_per_second": OUTSTANDING * 1000 / DELAY_MS,
        "instruments": INSTRUMENTS,
        "results": statuses,
        "results_lost": records - len(results),
        "age_ms_by_third": _ages(read_numbers(sent), read_numbers(posts)),
        "memory_mib": {
            "after_a_third": round(memory[len(memory) // 3] / 2**20, 1),
            "at_the_end": round(memory[-1] / 2**20, 1),
        },
    }


def _ages(sent: Any, seen: Any) -> list[dict[str, float]]:
    """Median and p99 of the age of the price in each post, a third of the posts at a time."""
    ages = [(seen[at + 1] - sent[seen[at]]) / 1e6 for at in range(0, len(seen), 2)]
    thirds = []
    for number in range(3):
        third = sorted(ages[len(ages) * number // 3 : len(ages) * (number + 1) // 3])
        thirds.append({"p50": round(third[len(third) // 2], 1), "p99": round(third[len(third) * 99 // 100], 1)})
    return thirds
