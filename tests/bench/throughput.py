"""Records a second of one instance, against a bare consume → produce loop: the practical limit of Kafka from Python."""

import sys

from tests.bench.measure import Series
from tests.bench.setting import Setting, cpu_seconds, distinct, rate
from tests.integration.rigs.broker_rig import unique

BATCH = 500
"""Records in a transaction of the bare loop: contribd's own fill to about as many at full speed."""

RESULT_BYTES = 760
"""Bytes of a result's value for these records."""


def measure(setting: Setting, records: int, rounds: int) -> dict[str, object]:
    """Alternates the two over the same records, every instrument distinct, nothing conflated."""
    prices, _ = setting.topics()
    setting.preload(prices, distinct(records))
    limit, own, ratio = Series(), Series(), Series()
    limit_cpu, own_cpu = Series(), Series()
    for _ in range(rounds):
        limit_cpu.add(_bare(setting, prices, records, limit))
        own_cpu.add(_contribd(setting, prices, records, own))
        ratio.add(own.values[-1] / limit.values[-1])
    return {
        "records": records,
        "bare_records_per_second": limit.summary(),
        "contribd_records_per_second": own.summary(),
        "ratio": ratio.summary(),
        "bare_cpu_us_per_record": limit_cpu.summary(),
        "contribd_cpu_us_per_record": own_cpu.summary(),
    }


def _bare(setting: Setting, prices: str, records: int, rates: Series) -> float:
    results = setting.results_topic()
    arguments = [setting.kafka.bootstrap, prices, results, unique("bare"), records, BATCH, RESULT_BYTES]
    child = setting.child([sys.executable, "-m", "tests.bench.bare", *map(str, arguments)], piped=True)
    seconds = float(child.stdout.readline())
    child.wait()
    rates.add(rate(setting.timestamps(results)))
    return seconds / records * 1e6


def _contribd(setting: Setting, prices: str, records: int, rates: Series) -> float:
    results, group = setting.results_topic(), unique("contribd")
    daemon = setting.daemon((prices, results), group, contribution={"conflate": False})
    daemon.start()
    setting.wait_committed(prices, group, records)
    seconds = cpu_seconds(daemon.pid)
    daemon.stop()
    written = setting.timestamps(results)
    if len(written) != records:
        raise RuntimeError(f"{len(written)} results of {records} records")
    rates.add(rate(written))
    return seconds / records * 1e6
