"""One daemon for an hour, watched by everybody who may watch it: does it grow, does anybody fall silent?

A real broker, the vendor's provider, records of the simulated pricing engine at a steady rate; the page open in a real
Chromium, ``contribd top`` in a terminal, and a real Prometheus with the rules that are shipped. At the end every record
is verified against its result (``contribd audit verify``).
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.browser import Browser
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prometheus import Prometheus
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.steady_feed import Made, SteadyFeed
from tests.integration.rigs.terminal import Terminal
from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.pricing_engine import PricingEngine
from contribd.simulation.demo.rates import load_references

PARTITIONS: Final = 3
SAMPLE_EVERY: Final = 15.0
"""Seconds between two looks at its memory and its watchers."""

SETTLED_AFTER: Final = 300.0
"""Seconds until its memory is what it should stay."""

MOST_GROWTH: Final = 0.05
"""The share by which memory at the end may be above that after ``SETTLED_AFTER``."""

AROUND: Final = 4
"""Samples whose median stands for a moment: one alone may fall on a collection of garbage."""

WORKING: Final = ("contributing", "degraded")
"""What the page may say: two of the instruments are refused."""


@dataclass
class Soak:
    """One run in ``directory``, on a broker and a provider that run and are used by nobody else."""

    broker: KafkaBroker
    provider: Provider
    directory: Path
    seconds: float
    rate: float
    """Records a second."""
    samples: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since its begin, resident kilobytes of the daemon."""
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        """All of it. What must not be is in ``faults``; the rest is told as it comes."""
        topics = tuple(self.broker.create_topic(unique(name), PARTITIONS) for name in ("prices", "results"))
        daemon = Daemon(
            self.directory / "daemon",
            kafka=self.broker.bootstrap,
            endpoints=[self.provider.url],
            topics=(topics[0], topics[1]),
            group=unique("group"),
        )
        feed = SteadyFeed(self.broker, topics[0], self.rate, _Priced().made, kept=False)
        daemon.start()
        try:
            with ExitStack() as stack:
                watchers = Watchers(stack, daemon, self.directory)
                feed.start()
                self._sample(daemon, watchers)
            feed.stop()
            eventually(daemon.settled, within=120, every=0.5, what="every record is settled")
            self._counts(daemon, feed.count)
            if (code := daemon.stop()) != 0:
                self.faults.append(f"the daemon ended with {code}")
        finally:
            daemon.kill()
        self._memory()
        self._verify(daemon)

    def _sample(self, daemon: Daemon, watchers: "Watchers") -> None:
        begun = time.monotonic()
        while (now := time.monotonic() - begun) < self.seconds:
            time.sleep(SAMPLE_EVERY)
            self.samples.append((time.monotonic() - begun, daemon.memory()))
            silent = watchers.silent()
            self.faults += [f"after {now:.0f} s: {each}" for each in silent]
            _tell(f"{now:5.0f} s  {self.samples[-1][1] / 1024:6.1f} MiB  {watchers.told()}")

    def _memory(self) -> None:
        early = self._around(min(SETTLED_AFTER, self.seconds / 12))
        late = self._around(self.seconds)
        growth = late / early - 1
        _tell(f"memory {early / 1024:.1f} MiB -> {late / 1024:.1f} MiB ({growth:+.2%})")
        if growth > MOST_GROWTH:
            self.faults.append(f"memory grew by {growth:.2%}")

    def _around(self, moment: float) -> float:
        """Kilobytes: the median of the samples that are nearest."""
        nearest = sorted(self.samples, key=lambda sample: abs(sample[0] - moment))[:AROUND]
        return sorted(kilobytes for _, kilobytes in nearest)[len(nearest) // 2]

    def _counts(self, daemon: Daemon, fed: int) -> None:
        try:  # what it says of itself is as old as its last look
            eventually(lambda: daemon.results() == fed, within=10, what=f"a result for each of {fed} records")
        except AssertionError as error:
            self.faults.append(str(error))
        _tell(f"{fed} records, results: {_by_status(daemon)}")

    def _verify(self, daemon: Daemon) -> None:
        begun = time.monotonic()
        command = [sys.executable, "-m", "contribd", "audit", "verify", "-c", str(daemon.config)]
        verified = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
        _tell(f"contribd audit verify, {seconds:.0f} s, exit code {verified.returncode}\n{verified.stdout[-3000:]}")
        if verified.returncode != 0:
            self.faults.append(f"contribd audit verify: {verified.stderr[-1000:]}")


def _by_status(daemon: Daemon) -> dict[str, int]:
    """How many results of each status it counts."""
    found: dict[str, int] = {}
    for row in daemon.status()["results"]:
        found[row["status"]] = found.get(row["status"], 0) + row["count"]
    return found


class Watchers:
    """Page, terminal and Prometheus, as long as ``stack`` is open."""

    def __init__(self, stack: ExitStack, daemon: Daemon, directory: Path) -> None:
        self._page = stack.enter_context(Browser(directory / "browser"))
        self._page.go(f"{daemon.url}/")
        self._top = Terminal([sys.executable, "-m", "contribd", "top", "-c", str(daemon.config)])
        stack.callback(self._top.stop)
        folder = directory / "prometheus"
        folder.mkdir()
        self._prometheus = Prometheus(folder, daemon.address)
        stack.callback(self._prometheus.child.stop)
        self._drawn = 0

    def silent(self) -> list[str]:
        """What is wrong with whom, since this was asked last."""
        drawn, self._drawn = self._drawn, self._top.drawn
        complaints = self._page.complaints()
        wrong = []
        if not self._top.alive or self._top.drawn <= drawn:
            wrong.append(f"contribd top draws nothing: {self._top.tail[-300:]!r}")
        if complaints:
            wrong.append(f"the page complains: {complaints[:3]}")
        if stale := self._page.text("#stale"):
            wrong.append(f"the page is behind: {stale}")
        if self._page.run("return document.querySelector('#verdict').dataset.state") not in WORKING:
            wrong.append(f"the page says: {self._page.text('#reason')}")
        if (self._prometheus.value("min_over_time(up[15s])") or 0) != 1:
            wrong.append("Prometheus has not been answered")
        return wrong

    def told(self) -> str:
        """What they show, in a line."""
        results = self._prometheus.value("sum(contribd_results_total)") or 0
        verdict = self._page.text("#reason")
        return f"{results:.0f} results by Prometheus; {self._top.drawn} bytes by top; page: {verdict}"


class _Priced:
    """The simulated pricing engine's records, quoted now."""

    def __init__(self) -> None:
        self._engine = PricingEngine(load_references(), seed=1, poison=0.001, unmapped=0.001)

    def made(self, _number: int) -> Made:
        record = self._engine.next(datetime.now(UTC))
        return Made(record.key, record.value or b"")


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a program


def main(arguments: Sequence[str] | None = None) -> int:
    """For ``make soak``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--rate", type=float, default=1_000.0, help="records a second")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # whatever it has started ends with it
    directory = Path("build/soak").resolve() / time.strftime("%Y%m%d-%H%M%S")
    directory.mkdir(parents=True)
    broker = KafkaBroker(directory / "kafka")
    provider = Provider(directory / "provider", direct_write=False)
    try:
        broker.start()
        provider.start()
        soak = Soak(broker, provider, directory, options.seconds, options.rate)
        soak.run()
    finally:
        provider.stop()
        broker.stop()
    _tell("\n".join(soak.faults) or "nothing wrong")
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
