"""contribd against what there is today, on the same ADS: LSEG's own call, and the loop of the usual sample."""

import subprocess
import sys
import venv
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.measure import Series
from tests.bench.setting import BUILD, Setting, distinct, rate
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.java_build import REPOSITORY

LSEG_DATA = "lseg-data==2.1.1"
POSTS = 2_000


def measure(setting: Setting, records: int, rounds: int) -> dict[str, object]:
    """Posts a second of each, in turn; contribd's come from Kafka and end in results, the others' do neither."""
    python = _lseg_python()
    host = urlsplit(setting.endpoint).netloc
    prices, _ = setting.topics()
    setting.preload(prices, distinct(records))
    lseg, sample, own = Series(), Series(), Series()
    over_lseg, over_sample = Series(), Series()
    for _ in range(rounds):
        lseg.add(_posts_a_second(str(python), "tests/bench/lseg_client.py", host))
        sample.add(_posts_a_second(sys.executable, "-m", "tests.bench.sample_client", setting.endpoint))
        own.add(_contribd(setting, prices, records))
        over_lseg.add(own.values[-1] / lseg.values[-1])
        over_sample.add(own.values[-1] / sample.values[-1])
    return {
        "lseg_data_contribute_per_second": lseg.summary(),
        "sample_loop_per_second": sample.summary(),
        "contribd_per_second": own.summary(),
        "contribd_over_lseg_data": over_lseg.summary(),
        "contribd_over_sample_loop": over_sample.summary(),
    }


def _contribd(setting: Setting, prices: str, records: int) -> float:
    results, group = setting.results_topic(), unique("contribd")
    daemon = setting.daemon((prices, results), group, contribution={"conflate": False})
    daemon.start()
    setting.wait_committed(prices, group, records)
    daemon.stop()
    return rate(setting.timestamps(results))


def _posts_a_second(*command: str) -> float:
    run = subprocess.run(
        [*command, str(POSTS)], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300
    )
    if run.returncode != 0:
        raise RuntimeError(f"{command} failed: {run.stderr[-2000:]}")
    seconds, refused = run.stdout.split()[-2:]
    if int(refused):
        raise RuntimeError(f"{command}: {refused} of {POSTS} posts were refused")
    return POSTS / float(seconds)


def _lseg_python() -> Path:
    """The Python of an environment of its own: lseg-data brings pandas, which contribd's should not have."""
    folder = BUILD / "lseg"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", LSEG_DATA]
        subprocess.run(pip, check=True, timeout=600)
        (folder / ".ready").touch()
    return python
