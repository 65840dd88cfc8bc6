"""Many reloads of a real daemon under load, every second with broken files: real broker, the vendor's provider.

What is looked for: a reload without an answer, or with the wrong one; and what ``reload_judge`` looks for in the
results and posts.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import Reachable, read_results
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.reload_judge import judge, judge_posts
from tests.integration.rigs.reload_rules import INSTRUMENTS, broken_files, files_of, record, write
from tests.integration.rigs.steady_feed import Made, SteadyFeed
from tests.integration.rigs.wait import eventually

from contribd.config.load import load
from contribd.control.client import Unreachable, ask
from contribd.engine.records.price import Status
from contribd.mapping.mapper import Mapper
from contribd.orders import Answer
from contribd.reloads import ReloadOrder

PARTITIONS: Final = 3

STEADY_AFTER: Final = 0.1
"""The share of reloads after which memory is measured first."""

PROGRESS_EVERY: Final = 100
MOST_FAULTS: Final = 20


@dataclass
class Report:
    """What there is to say of a run. ``faults``: what must not be; none are wanted."""

    good_seconds: list[float] = field(default_factory=list)
    """Until each answer to whole files."""
    bad_seconds: list[float] = field(default_factory=list)
    """Until each answer to broken ones."""
    records: int = 0
    results: int = 0
    posts: int = 0
    merged: int = 0
    seconds: float = 0.0
    versions_seen: int = 0
    memory: list[int] = field(default_factory=list)
    """Resident kilobytes, early and at the end."""
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For people."""
        rate = self.records / self.seconds
        lines = [
            f"{len(self.good_seconds) + len(self.bad_seconds)} reloads in {self.seconds:.0f} s",
            f"of whole files: {_times(self.good_seconds)}",
            f"of broken files: {_times(self.bad_seconds)}",
            f"{self.records} records ({rate:.0f} a second), {self.results} results, {self.merged} of them CONFLATED",
            f"{self.posts} posts; results name {self.versions_seen} sets of rules",
            f"memory {' -> '.join(f'{each / 1024:.1f} MiB' for each in self.memory)}",
            *(self.faults[:MOST_FAULTS] or ["none lost, none doubled, none mapped by anything but one set of rules"]),
        ]
        if len(self.faults) > MOST_FAULTS:
            lines.append(f"and {len(self.faults) - MOST_FAULTS} more")
        return "\n".join(lines)


def _times(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = [each * 1000 for each in sorted(seconds)]
    median, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"{len(ordered)}, answered after {median:.0f} ms (median), {late:.0f} ms (99 %), {ordered[-1]:.0f} ms (most)"


class ReloadRun:
    """One run in ``directory``, on a broker and a provider that run and are used by nobody else meanwhile."""

    def __init__(self, broker: Reachable, provider: Provider, directory: Path, reloads: int, rate: float) -> None:
        """``rate``: records a second."""
        self._broker, self._provider, self._directory = broker, provider, directory
        self._count, self._rate = reloads, rate
        self.report = Report()
        self._versions: dict[str, int] = {}
        """By digest, as reloads were answered."""
        self._topics = unique("prices"), unique("results")

    def run(self) -> Report:
        """All of it; the topics are there."""
        write(self._daemon.directory, files_of(0))
        self._versions[load(self._daemon.config).digest] = 0
        try:
            self._daemon.start()
            self._reload_and_feed()
        finally:
            self._daemon.kill()
        return self.report

    @cached_property
    def _daemon(self) -> Daemon:
        return Daemon(
            self._directory / "daemon",
            kafka=self._broker.bootstrap,
            endpoints=[self._provider.url],
            topics=self._topics,
            group=unique("group"),
            control={"socket": str(self._socket)},
        )

    @property
    def topics(self) -> tuple[str, str]:
        """Prices and results, to be made beforehand with ``PARTITIONS``."""
        return self._topics

    @property
    def _socket(self) -> Path:
        return self._directory / "s"

    def _reload_and_feed(self) -> None:
        daemon, feed = self._daemon, SteadyFeed(self._broker, self._topics[0], self._rate, _made)
        before = self._provider.post_count()
        feed.start()
        begun = time.monotonic()
        for number in range(1, self._count + 1):
            self._reload(number)
            if number == max(1, round(self._count * STEADY_AFTER)):
                self.report.memory.append(daemon.memory())
            if number % PROGRESS_EVERY == 0:
                print(f"{number} reloads, {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201 - a program
        self.report.memory.append(daemon.memory())
        feed.stop()
        self.report.seconds = time.monotonic() - begun
        eventually(daemon.settled, within=120, every=0.2, what="every record is settled")
        if (code := daemon.stop()) != 0:
            self._fault(f"the daemon ended with {code}")
        self._judge(feed, before)

    # Reloads

    def _reload(self, number: int) -> None:
        """Odd ones with whole files, the others with broken ones."""
        whole = number % 2 == 1
        files, said = (files_of(number), "") if whole else broken_files(number)
        write(self._daemon.directory, files)
        begun = time.monotonic()
        try:
            answer = ask(ReloadOrder(), [self._socket])
        except Unreachable as error:
            self._fault(f"reload {number} was not answered: {error}")
            return
        (self.report.good_seconds if whole else self.report.bad_seconds).append(time.monotonic() - begun)
        if whole:
            self._must_be_done(number, answer)
        else:
            self._must_be_refused(number, answer, said)

    def _must_be_done(self, number: int, answer: Answer) -> None:
        if not answer.done:
            self._fault(f"reload {number} was refused: {answer.text}; {answer.details.get('problems')}")
            return
        self._versions[answer.details["digest"]] = number

    def _must_be_refused(self, number: int, answer: Answer, said: str) -> None:
        problems = " ".join(answer.details.get("problems", ()))
        if answer.done or said not in problems:
            self._fault(f"reload {number} of broken files: {answer.text} {problems}, expected {said}")
        if answer.details.get("digest") not in self._versions:
            self._fault(f"reload {number} says that rules {answer.details.get('digest')} stay in force")

    def _fault(self, text: str) -> None:
        self.report.faults.append(text)

    # What came of it

    def _judge(self, feed: SteadyFeed, before: int) -> None:
        report, results = self.report, read_results(self._broker, self._topics[1])
        posts = self._provider.posts()[before:]
        report.records, report.results, report.posts = len(feed.values), len(results), len(posts)
        report.merged = sum(result.status is Status.CONFLATED for result in results)
        report.versions_seen = judge(feed.values, results, self._versions, self._mapper, self._fault)
        judge_posts(posts, self._fault)

    @lru_cache(maxsize=8)  # noqa: B019 - as long-lived as the run
    def _mapper(self, version: int) -> Mapper:
        """That of a version, which must have the digest that its reload was answered with."""
        folder = self._directory / "judged"
        folder.mkdir(exist_ok=True)
        write(folder, files_of(version))
        config = folder / "contribd.yaml"
        config.write_text(self._daemon.config.read_text())
        loaded = load(config)
        if self._versions.get(loaded.digest) != version:
            self._fault(f"reload {version} was not answered with the digest of its files, {loaded.digest}")
        return loaded.mapper


def _made(number: int) -> Made:
    return Made(None, record(number), number % INSTRUMENTS % PARTITIONS)


def main(arguments: Sequence[str] | None = None) -> int:
    """For ``make reloads``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=1_000.0, help="records a second")
    options = parser.parse_args(arguments)
    directory = Path("build/reloads").resolve() / time.strftime("%Y%m%d-%H%M%S")
    directory.mkdir(parents=True)
    broker, provider = KafkaBroker(directory / "kafka"), Provider(directory / "provider")
    try:
        broker.start()
        provider.start()
        run = ReloadRun(broker, provider, directory, options.reloads, options.rate)
        for topic in run.topics:
            broker.create_topic(topic, PARTITIONS)
        report = run.run()
    finally:
        provider.stop()
        broker.stop()
    print(report.text())  # noqa: T201 - it is a program
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
