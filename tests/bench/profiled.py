"""contribd with its threads' CPU times: ``python -m tests.bench.profiled CONFIG FILE``.

SIGUSR1 writes them to ``FILE``.
"""

import json
import signal
import sys
import threading
from pathlib import Path

from tests.bench.setting import CLOCK_TICK

from contribd.cli import main


def thread_seconds() -> dict[str, float]:
    """CPU seconds so far, by thread name."""
    seconds = {}
    for thread in threading.enumerate():
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        seconds[thread.name] = (int(fields[11]) + int(fields[12])) / CLOCK_TICK
    return seconds


def run(config: str, file: Path) -> None:
    """The daemon, as ``contribd run`` starts it."""

    def dump(_number: int, _frame: object) -> None:
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(thread_seconds()))
        partial.rename(file)

    signal.signal(signal.SIGUSR1, dump)
    sys.argv = ["contribd", "run", "-c", config]
    main()


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
