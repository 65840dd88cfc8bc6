"""Everything that can go wrong, at once, to real processes: three daemons, a broker and an ADS while prices flow."""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import places, read_results
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.tcp_proxy import TcpProxy
from tests.integration.rigs.versions import MAPPING, VersionFeed, reordered, reposts, sessions
from tests.integration.rigs.wait import eventually

PARTITIONS = 6
SESSION_TIMEOUT = 6.0
"""Seconds; the least a broker takes by default."""

STALL = 2.0
"""Seconds a stalled or trickling connection lasts: less than the ping timeout, so that nothing is given up while bytes
of it may still arrive."""


@dataclass(frozen=True)
class ChaosPlan:
    """How much happens. ``settle`` is how long to wait, at the end, for everything to be drained (seconds)."""

    records: int
    instruments: int
    rate: float
    daemon_kills: int
    daemon_pauses: int
    broker_kills: int
    cuts: int
    stalls: int
    provider_restarts: int
    conflate: bool = False
    seed: int = 1
    settle: float = 180.0


SHORT = ChaosPlan(30_000, 600, 600.0, 5, 1, 1, 5, 2, 1)
LONG = ChaosPlan(1_000_000, 10_000, 1_200.0, 30, 3, 5, 30, 10, 3, settle=900.0)


@dataclass
class Report:
    """What was found, in numbers."""

    records: int = 0
    seconds: float = 0.0
    results: int = 0
    missing: int = 0
    doubled: int = 0
    reordered: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    reposts: int = 0
    kills: list[tuple[int, int]] = field(default_factory=list)
    """For each kill: records unsettled just before, as far as the daemon could be asked, and posts repeated after."""

    @property
    def kept(self) -> bool:
        """Nothing lost, doubled or reordered."""
        return self.results == self.records and not (self.missing or self.doubled or self.reordered)

    def text(self) -> str:
        """For people."""
        lines = [
            f"records    {self.records:,} in {self.seconds:.0f} s",
            f"results    {self.results:,}: {dict(self.statuses)}",
            f"lost       {self.missing:,}",
            f"doubled    {self.doubled:,}",
            f"reordered  {len(self.reordered):,} {self.reordered[:5] or ''}",
            f"posts      {self.posts:,}, of them repeated on another session {self.reposts:,}",
            f"faults     {dict(self.faults)}",
            f"kills      (records unsettled before, posts repeated after) {self.kills}",
        ]
        return "\n".join(lines)


class Chaos:
    """One run. ``say`` gets a line for each fault."""

    def __init__(self, directory: Path, plan: ChaosPlan, say: Callable[[str], None] = lambda _line: None) -> None:
        self.plan = plan
        self._say = say
        self._random = random.Random(plan.seed)
        self._directory = directory
        self.kafka = KafkaBroker(directory / "kafka")
        self.provider = Provider(directory / "provider")
        self.proxies: list[TcpProxy] = []
        self.daemons: list[Daemon] = []
        self.topics = unique("prices"), unique("results")
        self.report = Report(records=plan.records)
        self._feeds: list[VersionFeed] = []
        self._asked: list[tuple[int, int, int, int]] = []
        """For each kill: daemon, posts journaled at its start and at its end, records unsettled before."""
        self._born = [0, 0, 0]
        """For each daemon: posts journaled at its last start."""
        self._restarts: list[int] = []
        """Posts journaled before each restart of the provider."""

    def run(self) -> Report:
        """Starts everything, lets the faults loose while prices flow, waits until all is settled, and counts."""
        try:
            self._start()
            feed = VersionFeed(
                self.kafka.bootstrap,
                self.topics[0],
                count=self.plan.records,
                instruments=self.plan.instruments,
                rate=self.plan.rate,
                log=self._directory / "feed.log",
            )
            self._feeds.append(feed)
            started = time.monotonic()
            feed.start()
            self._faults(feed)
            self._settle(feed)
            self.report.seconds = time.monotonic() - started
            codes = [daemon.stop() for daemon in self.daemons]
            self._say(f"all settled; exit codes {codes}")
            assert codes == [0] * len(codes), f"exit codes {codes}"
            self._count()
            return self.report
        finally:
            self._end()

    # Start and end

    def _start(self) -> None:
        self.kafka.start()
        self.provider.start()
        for topic in self.topics:
            self.kafka.create_topic(topic, PARTITIONS)
        group = unique("group")
        for number in range(3):
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
                contribution={"conflate": self.plan.conflate, "retry": {"attempts": 100}},
                ads={"post_user": {"address": "127.0.0.1", "id": 1000 + number}, "ack_timeout": "10s"},
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
        self.kafka.kill()

    # Faults

    def _faults(self, feed: VersionFeed) -> None:
        plan = self.plan
        faults = (
            [self._kill_daemon] * plan.daemon_kills
            + [self._pause_daemon] * plan.daemon_pauses
            + [self._kill_broker] * plan.broker_kills
            + [self._cut] * plan.cuts
            + [self._stall] * plan.stalls
            + [self._restart_provider] * plan.provider_restarts
        )
        self._random.shuffle(faults)
        flows = plan.records / plan.rate
        for number, fault in enumerate(faults):
            due = flows * (number + 0.5) / (len(faults) + 1)
            while feed.sent / plan.rate < due and not feed.done.is_set():
                time.sleep(0.05)
            fault()

    def _note(self, kind: str, detail: str) -> None:
        self.report.faults[kind] += 1
        self._say(f"{kind}: {detail}")

    def _kill_daemon(self) -> None:
        number = self._random.randrange(len(self.daemons))
        daemon = self.daemons[number]
        unsettled = _unsettled(daemon)
        daemon.kill()
        self._asked.append((number, self._born[number], self.provider.post_count(), unsettled))
        self._note("daemon killed", daemon.directory.name)
        time.sleep(self._random.uniform(0.0, 2.0))
        self._born[number] = self.provider.post_count()
        daemon.start(ready=False)

    def _pause_daemon(self) -> None:
        daemon = self._random.choice(self.daemons)
        daemon.child.send(signal.SIGSTOP)
        self._note("daemon stopped past its session timeout", daemon.directory.name)
        time.sleep(SESSION_TIMEOUT * 1.5)
        daemon.child.send(signal.SIGCONT)

    def _kill_broker(self) -> None:
        self.kafka.kill()
        self._note("broker killed", "")
        time.sleep(self._random.uniform(0.0, 3.0))
        self.kafka.restart()

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
        feed.done.wait(self.plan.records / self.plan.rate + self.plan.settle)
        assert feed.complete, f"the feed has not ended well; its log: {self._directory / 'feed.log'}"
        self._say("all records fed, all faults over")
        for daemon in self.daemons:
            if not daemon.alive:
                self._say(f"{daemon.directory.name} had ended: {daemon.child.tail(500)}")
                daemon.start(ready=False)
        try:
            eventually(self._idle, within=self.plan.settle, every=0.5, what="every record settled")
        except AssertionError:
            for daemon in self.daemons:
                self._say(f"{daemon.directory.name}: {_state(daemon)}")
            raise

    def _idle(self) -> bool:
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

    def _count(self) -> None:
        results = read_results(self.kafka, self.topics[1])
        counted = places(results)
        report = self.report
        report.results = len(results)
        report.missing = self.plan.records - len(counted)
        report.doubled = sum(count > 1 for count in counted.values())
        report.statuses = Counter(result.status.value for result in results)
        posts = self.provider.posts()
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


def main() -> int:
    """The long run, for ``make chaos``."""
    directory = Path("build/chaos").resolve() / time.strftime("%Y%m%d-%H%M%S")
    start = time.monotonic()
    report = Chaos(directory, LONG, lambda line: print(f"{time.monotonic() - start:7.1f} s  {line}", flush=True)).run()  # noqa: T201 - it is a program
    print(report.text())  # noqa: T201
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
