"""Everything that can go wrong, at once, to real processes: daemons, three brokers, an ADS while prices flow."""

import itertools
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.chaos_plan import ChaosPlan, plan_of
from tests.integration.rigs.chaos_report import Report
from tests.integration.rigs.cluster_rig import BROKERS, INTERNAL, KafkaCluster
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.log_kinds import kinds_of
from tests.integration.rigs.prices import read_results
from tests.integration.rigs.provider_rig import Provider, ProviderProfile
from tests.integration.rigs.tcp_proxy import TcpProxy
from tests.integration.rigs.version_flow import MAPPING
from tests.integration.rigs.version_judge import judge
from tests.integration.rigs.versions import VersionFeed, reordered, reposts, sessions
from tests.integration.rigs.wait import eventually

PARTITIONS = 6
SESSION_TIMEOUT = 6.0
"""Seconds; the least a broker takes by default."""

STALL = 2.0
"""Seconds a stalled or trickling connection lasts: less than the ping timeout, so that nothing is given up while bytes
of it may still arrive."""

OPERATOR_SECONDS: Final = 3.0
"""Between two looks at what the daemons wait for."""

PROGRESS_SECONDS: Final = 15.0
"""Between two lines that say how far the run is."""


class Chaos:
    """One run. ``say`` gets a line for each fault, and one now and then for how far it is."""

    def __init__(
        self,
        directory: Path,
        plan: ChaosPlan,
        say: Callable[[str], None] = lambda _line: None,
        kafka: KafkaCluster | KafkaBroker | None = None,
    ) -> None:
        """``kafka``: what runs, is not ended with the run and left whole; a cluster of its own otherwise.

        A plan that kills or stops brokers needs a cluster. Whoever lends ``kafka`` makes a short run.
        """
        self.plan = plan
        self._say = say
        self._random = random.Random(plan.seed)
        self._directory = directory
        self._lent = kafka is not None
        self.kafka: KafkaCluster | KafkaBroker = kafka or KafkaCluster(directory / "kafka")
        profile = ProviderProfile.CLOSING if plan.flow.poison else ProviderProfile.ERRORS
        self.provider = Provider(directory / "provider", profile=profile, short_lived=self._lent)
        self.proxies: list[TcpProxy] = []
        self.daemons: list[Daemon] = []
        self.topics = unique("prices"), unique("results")
        self.report = Report(records=plan.flow.records)
        self._feeds: list[VersionFeed] = []
        self._asked: list[tuple[int, int, int, int]] = []
        """For each kill: daemon, posts journaled at its start and at its end, records unsettled before."""
        self._born = [0] * plan.daemons
        """For each daemon: posts journaled at its last start."""
        self._next_daemons = itertools.cycle(range(plan.daemons))
        self._next_nodes = {kind: itertools.cycle(range(1, BROKERS + 1)) for kind in ("killed", "stopped")}
        self._said_at = self._asked_at = time.monotonic()
        self._restarts: list[int] = []
        """Posts journaled before each restart of the provider."""

    def run(self) -> Report:
        """Starts everything, lets the faults loose while prices flow, waits until all is settled, and counts."""
        try:
            self._start()
            log = self._directory / "feed.log"
            feed = VersionFeed(self.kafka.bootstrap, self.topics[0], self.plan.flow, log=log)
            self._feeds.append(feed)
            started = time.monotonic()
            feed.start()
            self._faults(feed)
            self._settle(feed)
            self.report.seconds = time.monotonic() - started
            codes = [daemon.stop() for daemon in self.daemons]
            self._say(f"all settled; exit codes {codes}")
            assert codes == [0] * len(codes), f"exit codes {codes}"
            self._count(feed)
            return self.report
        finally:
            self._end()

    # Start and end

    def _start(self) -> None:
        if not self._lent:
            self.kafka.start()
        self.provider.start()
        flow = self.plan.flow
        for topic in self.topics:
            self.kafka.create_topic(topic, PARTITIONS)
        group = unique("group")
        for number in range(self.plan.daemons):
            proxy = TcpProxy("127.0.0.1", self.provider.port)
            proxy.start()
            self.proxies.append(proxy)
            daemon = Daemon(
                self._directory / f"daemon-{number}",
                kafka=self.kafka.bootstrap,
                endpoints=[f"ws://127.0.0.1:{proxy.port}/WebSocket"],
                topics=self.topics,
                group=group,
                instance=f"chaos-{number}",
                mapping=MAPPING,
                contribution={"conflate": self.plan.conflate, "retry": {"attempts": 3 if flow.poison else 100}},
                ads={"post_user": {"address": "127.0.0.1", "id": 1000 + number}, "ack_timeout": "10s"},
                control={"socket": str(self._directory / f"{number}.s")},
            )
            _shorten_session(daemon)
            self.daemons.append(daemon)
            daemon.start()

    def _end(self) -> None:
        for feed in self._feeds:
            feed.end()
        for daemon in self.daemons:
            daemon.kill()
        for proxy in self.proxies:
            proxy.stop()
        self.provider.kill()
        if not self._lent:
            self.kafka.kill()

    # Faults

    def _faults(self, feed: VersionFeed) -> None:
        plan = self.plan
        faults = (
            [self._kill_daemon] * plan.daemon_kills
            + [self._kill_group] * plan.group_kills
            + [self._pause_daemon] * plan.daemon_pauses
            + [self._kill_broker] * plan.broker_kills
            + [self._stop_broker] * plan.broker_stops
            + [self._cut] * plan.cuts
            + [self._stall] * plan.stalls
            + [self._restart_provider] * plan.provider_restarts
        )
        self._random.shuffle(faults)
        for number, fault in enumerate(faults):
            due = plan.flow.records * (number + 0.5) / (len(faults) + 1)
            while feed.sent < due and not feed.done.is_set():
                self._look(feed)
                time.sleep(0.05)
            fault()

    def _look(self, feed: VersionFeed) -> None:
        """What is done all the while: an operator's orders, and a word of how far the run is."""
        now = time.monotonic()
        if now - self._asked_at > OPERATOR_SECONDS:
            self._asked_at = now
            for daemon in self.daemons:
                self._skip(daemon)
        if now - self._said_at > PROGRESS_SECONDS:
            self._said_at = now
            done, count = sum(self.report.faults.values()), self.plan.flow.records
            self._say(f"{feed.sent:,} of {count:,} records fed ({feed.sent / count:.0%}), {done} faults")

    def _skip(self, daemon: Daemon) -> None:
        """Orders it to go on behind what it says cannot be read, in the words that it says."""
        try:
            waits = " ".join(daemon.status()["not_ready"])
        except OSError:
            return
        for place in re.findall(r"contribd skip (\S+) ", waits):
            command = [sys.executable, "-m", "contribd", "skip", place, "--reason", "chaos", "-c", str(daemon.config)]
            ordered = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            if ordered.returncode == 0:  # refused where the partition is another's by now
                self._note("unreadable batch skipped", ordered.stdout.strip())

    def _note(self, kind: str, detail: str) -> None:
        self.report.faults[kind] += 1
        self._say(f"{kind}: {detail}")

    def _kill_daemon(self) -> None:
        """Each in turn."""
        self._kill([next(self._next_daemons)])

    def _kill_group(self) -> None:
        self._kill(range(self.plan.daemons))

    def _kill(self, numbers: Sequence[int]) -> None:
        unsettled = [_unsettled(self.daemons[number]) for number in numbers]
        for number in numbers:
            self.daemons[number].kill()
        there = self.provider.post_count()
        self._asked += [
            (number, self._born[number], there, before) for number, before in zip(numbers, unsettled, strict=True)
        ]
        names = ", ".join(self.daemons[number].directory.name for number in numbers)
        self._note("daemon killed" if len(numbers) == 1 else "all daemons killed", names)
        time.sleep(self._random.uniform(0.0, 2.0))
        there = self.provider.post_count()
        for number in numbers:
            self._born[number] = there
            self.daemons[number].start(ready=False)

    def _pause_daemon(self) -> None:
        daemon = self._random.choice(self.daemons)
        daemon.child.send(signal.SIGSTOP)
        self._note("daemon stopped past its session timeout", daemon.directory.name)
        time.sleep(SESSION_TIMEOUT * 1.5)
        daemon.child.send(signal.SIGCONT)

    def _kill_broker(self) -> None:
        self._end_broker("killed", lambda node: self.kafka.brokers[node].kill())

    def _stop_broker(self) -> None:
        self._end_broker("stopped", lambda node: self.kafka.brokers[node].stop())

    def _end_broker(self, what: str, end: Callable[[int], None]) -> None:
        """Each broker in turn, as a rolling restart does; it comes back while other faults go on."""
        self.kafka.wait_in_sync(*self.topics, *INTERNAL)
        node = next(self._next_nodes[what])
        end(node)
        self._note(f"broker {what}", str(node))
        time.sleep(self._random.uniform(0.0, 3.0))
        self.kafka.brokers[node].launch()

    def _cut(self) -> None:
        proxy = self._random.choice(self.proxies)
        proxy.cut(reset=self._random.random() < 0.5)
        self._note("ADS connection cut", f"port {proxy.port}")

    def _stall(self) -> None:
        proxy = self._random.choice(self.proxies)
        if self._random.random() < 0.5:
            proxy.stall()
            self._note("ADS connection stalled", f"port {proxy.port}")
        else:
            proxy.trickle(2_000)
            self._note("ADS connection trickles", f"port {proxy.port}")
        time.sleep(STALL)
        proxy.heal()

    def _restart_provider(self) -> None:
        self.provider.kill()
        self._restarts.append(self.provider.post_count())
        self._note("provider restarted", "")
        self.provider.restart()

    # The count

    def _settle(self, feed: VersionFeed) -> None:
        until = time.monotonic() + self.plan.flow.records / self.plan.flow.rate + self.plan.settle
        while time.monotonic() < until and not feed.done.wait(0.5):
            self._look(feed)
        assert feed.complete, f"the feed has not ended well; its log: {self._directory / 'feed.log'}"
        self._say("all records fed, all faults over")
        for daemon in self.daemons:
            if not daemon.alive:
                self._say(f"{daemon.directory.name} had ended: {daemon.child.tail(500)}")
                daemon.start(ready=False)
        try:
            eventually(lambda: self._idle(feed), within=self.plan.settle, every=0.5, what="every record settled")
        except AssertionError:
            for daemon in self.daemons:
                self._say(f"{daemon.directory.name}: {_state(daemon)}")
            raise
        self.kafka.wait_in_sync(*self.topics, *INTERNAL)

    def _idle(self, feed: VersionFeed) -> bool:
        self._look(feed)
        views = []
        for daemon in self.daemons:
            try:
                views.append(daemon.status())
            except OSError:
                return False
        partitions = [partition for view in views for partition in view["partitions"]]
        return (
            len({partition["partition"] for partition in partitions}) == PARTITIONS
            and all(partition["lag"] == 0 and partition["waiting"] == 0 for partition in partitions)
            and all(view["window"]["outstanding"] == 0 for view in views)
        )

    def _count(self, feed: VersionFeed) -> None:
        results = read_results(self.kafka, self.topics[1])
        posts = self.provider.posts()
        report = self.report
        report.count(results, judge(results, feed.fed(), feed.unreadable, posts), feed.unreadable)
        report.log_kinds = kinds_of(daemon.log for daemon in self.daemons)
        report.posts = len(posts)
        report.reordered = reordered(posts)
        of_session = sessions(posts, self._restarts)
        again = reposts(posts, of_session)
        report.reposts = sum(again.values())
        for number, born, died, unsettled in self._asked:
            mine = [session for session in of_session[born:died] if session[1] == 1000 + number]
            report.kills.append((unsettled, again[mine[-1]] if mine else 0))


def _unsettled(daemon: Daemon) -> int:
    """Records taken whose result is not yet durable, a quarter of a second ago; -1 where it cannot be asked."""
    try:
        return int(daemon.status()["records_waiting"])
    except OSError:
        return -1


def _state(daemon: Daemon) -> str:
    try:
        view = daemon.status()
    except OSError as error:
        return f"cannot be asked ({error}); the end of its log: {daemon.child.tail(1000)}"
    return f"not ready because {view['not_ready']}, {view['window']}, {view['partitions']}"


def _shorten_session(daemon: Daemon) -> None:
    text = daemon.config.read_text()
    client = f"  client: {{session_timeout_ms: {int(SESSION_TIMEOUT * 1000)}, heartbeat_interval_ms: 1000}}\n"
    daemon.config.write_text(text.replace("kafka:\n", "kafka:\n" + client, 1))


def main(arguments: Sequence[str] | None = None) -> int:
    """A long run, for ``make chaos``."""
    plan = plan_of(arguments, __doc__)
    directory = Path("build/chaos").resolve() / time.strftime("%Y%m%d-%H%M%S")
    start = time.monotonic()
    report = Chaos(directory, plan, lambda line: print(f"{time.monotonic() - start:7.1f} s  {line}", flush=True)).run()  # noqa: T201 - it is a program
    print(report.text())  # noqa: T201
    return 0 if report.kept and not report.internal else 1


if __name__ == "__main__":
    sys.exit(main())
