"""What fifty open pages cost: records a second with and without them, alternating, on the same records."""

import signal
import sys

from tests.bench.measure import Series
from tests.bench.setting import Setting, cpu_seconds, distinct, rate
from tests.integration.rigs.broker_rig import unique

PAGES = 50


def measure(setting: Setting, records: int, rounds: int) -> dict[str, object]:
    """Every instrument distinct, nothing conflated; the first run of each round is without pages, then with them."""
    prices, _ = setting.topics()
    setting.preload(prices, distinct(records))
    alone, watched, ratio = Series(), Series(), Series()
    alone_cpu, watched_cpu = Series(), Series()
    for _ in range(rounds):
        alone_cpu.add(_run(setting, prices, records, 0, alone))
        watched_cpu.add(_run(setting, prices, records, PAGES, watched))
        ratio.add(watched.values[-1] / alone.values[-1])
    return {
        "records": records,
        "pages": PAGES,
        "alone_records_per_second": alone.summary(),
        "watched_records_per_second": watched.summary(),
        "ratio": ratio.summary(),
        "alone_cpu_us_per_record": alone_cpu.summary(),
        "watched_cpu_us_per_record": watched_cpu.summary(),
    }


def _run(setting: Setting, prices: str, records: int, pages: int, rates: Series) -> float:
    """One daemon over all records, ``pages`` open all the while; its CPU time, microseconds a record."""
    results, group = setting.results_topic(), unique("page")
    daemon = setting.daemon((prices, results), group, contribution={"conflate": False})
    port = daemon.url.rpartition(":")[2]
    command = [sys.executable, "-m", "tests.bench.page_clients", port, str(pages)]
    clients = setting.child(command, piped=True) if pages else None
    daemon.start()
    setting.wait_committed(prices, group, records)
    seconds = cpu_seconds(daemon.pid)
    daemon.stop()
    if clients is not None:
        clients.send(signal.SIGTERM)
        answers = [int(line) for line in clients.stdout]
        clients.stop()
        if not answers or not answers[-1]:
            raise RuntimeError("the pages got no answer")
    written = setting.timestamps(results)
    if len(written) != records:
        raise RuntimeError(f"{len(written)} results of {records} records")
    rates.add(rate(written))
    return seconds / records * 1e6
