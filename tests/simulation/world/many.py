"""Many seeds over several processes, and what came of them together."""

import os
import signal
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.simulation.world.seeded_run import Run, run_seed

CHUNK = 20
"""Seeds a worker takes at a time: a second or so of work."""


@dataclass(slots=True)
class SeedSummary:
    """Over all seeds run. ``broken``: the runs that broke a promise, by seed."""

    seeds: int = 0
    records: int = 0
    posts: int = 0
    simulated: float = 0.0
    """Seconds of simulated time."""
    started: float = field(default_factory=time.perf_counter)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[Run] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """One more run."""
        self.seeds += 1
        self.records += run.records
        self.posts += run.posts
        self.simulated += run.seconds
        self.counts.update(run.counts)
        if run.broken is not None:
            self.broken.append(run)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started


def _ignore_interrupts() -> None:
    """A terminal interrupts every process; it is the first one's to end the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_chunk(seeds: range) -> list[Run]:
    return [run_seed(seed) for seed in seeds]


def run_many(seeds: range, jobs: int | None = None) -> Generator[Run, None, None]:
    """Every seed's run, as they end; over ``jobs`` processes (default: one a core).

    Where the caller stops early, an interrupt included, what has begun is ended (a second or so) and the rest is not.
    """
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    jobs = min(jobs or os.cpu_count() or 1, len(chunks))
    if jobs <= 1:
        for seed in seeds:
            yield run_seed(seed)
        return
    pool = ProcessPoolExecutor(jobs, initializer=_ignore_interrupts)
    try:
        for future in as_completed([pool.submit(_run_chunk, chunk) for chunk in chunks]):
            yield from future.result()
    finally:
        pool.shutdown(cancel_futures=True)
