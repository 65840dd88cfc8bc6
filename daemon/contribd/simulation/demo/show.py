"""The demo: prices flow, things go wrong on purpose, and at the end every record is accounted for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.ric_rules import parse_nak_rule
from contribd.simulation.demo.price_feed import Fed, Feed
from contribd.simulation.demo.pricing_engine import POISON, PricingEngine
from contribd.simulation.demo.rates import Reference, load_references
from contribd.simulation.demo.result_count import ResultReader, ResultTally
from contribd.simulation.demo.show_summary import Summary
from contribd.simulation.demo.stage import PARTITIONS, PRICES, RESULTS, Stage, StageError

NAK_RULE: Final = "TRY=*=DeniedBySrc:[500]: Unknown Item"
SETTLE_SECONDS: Final = 30.0
"""How long the last results may take: all retries of the example configuration, and some."""
SWALLOW_SECONDS: Final = 2.0
"""How long the silent ADS waits for a post to swallow before it cuts the session."""
QUIET_SECONDS: Final = 0.5
"""A result that came twice would come within this time of the daemon's end."""
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``rate`` in records a second. ``keep``: go on after ``seconds`` until the demo is interrupted."""

    seconds: float = 15.0
    rate: float = 150.0
    seed: int = 1
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    elapsed: float
    records: int
    results: int
    statuses: dict[str, int]
    session: str


class View(Protocol):
    """Who shows a demo while it runs."""

    def event(self, text: str) -> None:
        """Something happens now."""

    def progress(self, progress: Progress) -> None:
        """Called several times a second."""


@dataclass(frozen=True, slots=True)
class _Cue:
    """``at`` is a share of the demo's seconds."""

    at: float
    text: str
    action: Callable[[], None]


class Interrupted(Exception):
    """The demo was told to end before it was over."""


class Demo:
    """One run.

    ``interrupts`` says how often it was told to end: a signal handler that raised would raise anywhere, and some
    places swallow it. With ``keep`` the first time asks for the summary.
    """

    def __init__(self, options: DemoOptions, view: View, interrupts: Callable[[], int] = lambda: 0) -> None:
        self._options = options
        self._view = view
        self._interrupts = interrupts
        self._tolerated = 0
        self._swallowed_from = 0
        self._tally = ResultTally()
        self._stop = threading.Event()

    def run(self) -> Summary:
        """Blocks until the demo is over; all it started has ended by then, however it ends.

        Raises Interrupted, StageError or BrokerError, and MissingExtraError before anything starts.
        """
        references = load_references()
        self._view.event("starting an embedded Kafka broker, a simulated ADS and the daemon")
        with Stage(AdsOptions(rules=(parse_nak_rule(NAK_RULE),)), self._heed) as stage:
            stage.start_daemon()
            self._view.event(f"the daemon is ready; its status page: {stage.status_page}")
            reader = ResultReader(
                self._tally, bootstrap_servers=stage.broker.bootstrap_servers, topic=RESULTS, partitions=PARTITIONS
            )
            reader.start()
            try:
                return self._play(stage, references, reader)
            finally:
                self._stop.set()
                reader.stop()

    def _play(self, stage: Stage, references: list[Reference], reader: ResultReader) -> Summary:
        engine = PricingEngine(references, seed=self._options.seed)
        feed = Feed(engine, bootstrap_servers=stage.broker.bootstrap_servers, topic=PRICES)
        self._view.event(
            f"{len(references)} currency pairs from the ECB's reference rates of {references[0].date}, "
            f"{self._options.rate:g} prices a second; the ADS refuses TRY=TRCC"
        )
        start = time.monotonic()
        producing = threading.Thread(
            target=feed.run, kwargs={"rate": self._options.rate, "stop": self._stop}, name="feed", daemon=True
        )
        producing.start()
        try:
            self._follow_script(stage, feed, engine, start)
        finally:
            self._stop.set()
            producing.join()
            feed.close()
        elapsed = time.monotonic() - start
        if feed.fed.failures:
            msg = f"{len(feed.fed.failures)} prices did not reach the broker: {feed.fed.failures[0]}"
            raise StageError(msg)
        self._view.event("no more prices; waiting for the last results")
        self._settle(stage, feed.fed, reader, start)
        status = stage.status()
        code = stage.stop_daemon()
        time.sleep(QUIET_SECONDS)
        return self._summary(stage, feed.fed, elapsed, status, code)

    def _follow_script(self, stage: Stage, feed: Feed, engine: PricingEngine, start: float) -> None:
        cues = self._script(stage, feed, engine, start)
        while self._options.keep or time.monotonic() - start < self._options.seconds:
            if self._options.keep and self._interrupts():
                self._tolerated = 1
                self._view.event("interrupted: ending the demo")
                return
            elapsed = time.monotonic() - start
            while cues and elapsed >= cues[0].at * self._options.seconds:
                cue = cues.pop(0)
                self._view.event(cue.text)
                cue.action()
            self._tick(stage, feed.fed, start)

    def _script(self, stage: Stage, feed: Feed, engine: PricingEngine, start: float) -> list[_Cue]:
        def poison() -> None:
            for _ in POISON:
                feed.send(engine.poison())

        def silence() -> None:
            stage.ads.control("silent on")
            self._swallowed_from = stage.ads.call(lambda ads: ads.posts_taken)

        def cut() -> None:
            deadline = time.monotonic() + SWALLOW_SECONDS
            while stage.ads.call(lambda ads: ads.posts_taken) == self._swallowed_from and time.monotonic() < deadline:
                self._tick(stage, feed.fed, start)
            stage.ads.control("disconnect")
            stage.ads.control("silent off")

        return [
            _Cue(0.15, f"{len(POISON)} records that are no JSON object go in: REJECTED, BadRecord", poison),
            _Cue(
                0.3,
                "a record of an asset no mapping is for goes in: REJECTED, NoMapping",
                lambda: feed.send(engine.unmapped(datetime.now(UTC))),
            ),
            _Cue(0.43, "the ADS falls silent: posts stay unanswered", silence),
            _Cue(0.46, "the ADS cuts the session: what was unanswered is posted again on the next one", cut),
            _Cue(0.65, "the ADS says its service is down: prices wait", lambda: stage.ads.control("service down")),
            _Cue(0.8, "the service is up again", lambda: stage.ads.control("service up")),
        ]

    def _settle(self, stage: Stage, fed: Fed, reader: ResultReader, start: float) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._tally.missing(fed.offsets) and time.monotonic() < deadline:
            if reader.failure is not None:
                msg = f"the results cannot be read: {reader.failure}"
                raise StageError(msg)
            self._tick(stage, fed, start)

    def _heed(self) -> None:
        if self._interrupts() > self._tolerated:
            raise Interrupted

    def _tick(self, stage: Stage, fed: Fed, start: float) -> None:
        self._heed()
        stage.check()
        statuses = self._tally.by_status()
        session = str(stage.status().get("session", {}).get("state", "no answer"))
        self._view.progress(Progress(time.monotonic() - start, fed.sent, self._tally.count, statuses, session))
        time.sleep(_TICK_SECONDS)

    def _summary(self, stage: Stage, fed: Fed, elapsed: float, status: dict[str, object], code: int) -> Summary:
        reconnects = status.get("reconnects", [])
        ack, delivery = self._tally.latencies()
        return Summary(
            seconds=round(elapsed, 3),
            records=dict(fed.kinds),
            statuses=self._tally.statuses(),
            posts=self._tally.answers(),
            ack=ack,
            delivery=delivery,
            reconnects=sum(each["count"] for each in reconnects) if isinstance(reconnects, list) else 0,
            logins=len(stage.ads.logins()),
            posts_taken=stage.ads.call(lambda ads: ads.posts_taken),
            audit=self._tally.audit(fed.offsets),
            daemon_exit=code,
        )
