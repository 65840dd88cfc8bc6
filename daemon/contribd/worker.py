"""The worker: the one place where the parts meet. It alone touches the engine and the connection."""

import gc
import os
import queue
import selectors
import signal
import threading
import time
from random import SystemRandom
from typing import Final, TypeAlias

from contribd import build
from contribd.ads.driver import Driver
from contribd.config.load import Loaded
from contribd.config.model import Settings
from contribd.control.server import warn_of_none
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import Stop
from contribd.loop import DRAIN_MARGIN, Loop, Mail
from contribd.mailbox import Mailbox
from contribd.observe import Observer
from contribd.ops import log
from contribd.ops.notify import Notifier, Watchdog, watchdog_timeout
from contribd.ops.progress import Progress
from contribd.orders import ANSWER_SECONDS, Answer, Asked, Order
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import Ordering
from contribd.reloads import RELOAD_SECONDS, SIGHUP, ReloadAsked, ReloadOrder
from contribd.results.further_back import ResultsBackwards
from contribd.rules_reader import RulesReader
from contribd.streams.audit_topics import AuditTopics
from contribd.streams.client.cluster import connect
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.order_topic import OrderTopic
from contribd.streams.runtime import THREADS
from contribd.streams.sink import Sink
from contribd.streams.source import Source
from contribd.streams.standing_reader import StandingReader
from contribd.trail import AuditTrail

IDLE_SECONDS: Final = 0.25
"""The longest sleep: the snapshot, the status line and the watchdog are served this often."""

WORKER_ALLOWANCE: Final = 10.0
"""Seconds between two rounds of the worker that are still normal; the largest batch takes well under one."""

THREAD_ALLOWANCE: Final = 60.0
"""Seconds between two beats of the Kafka threads that are still normal: two of the client's request timeouts."""

ORDER_MARGIN: Final = 5.0
"""Seconds beyond its own time that an order may take where the worker is busy."""

COLLECT: Final = (10_000, 20, 100)
"""The collector's thresholds. Records come and go without cycles; what the client libraries and requests to the page
leave in cycles may wait for 10,000 objects more: about 1.5 MiB, and a millisecond to collect."""

Ready: TypeAlias = list[tuple[selectors.SelectorKey, int]]
"""What a selector found ready."""

_log = log.get_logger("worker")


class Stopped(Exception):
    """The daemon cannot go on; ``code`` is the exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Worker:
    """One daemon. ``run`` returns its exit code."""

    def __init__(self, loaded: Loaded) -> None:
        settings = loaded.settings
        self._instance = settings.instance
        self._events: Mailbox[Mail] = Mailbox()
        self._progress = Progress()
        now = time.monotonic()
        self._pulse = self._progress.pulse("worker", allowance=WORKER_ALLOWANCE, now=now)
        kafka = build.kafka(loaded, SystemRandom())
        clients = connect(kafka)
        self._lease = Lease(kafka.lease_seconds, kafka.answer_timeout)
        fencing = Fencing()
        self._source = Source(
            kafka,
            clients,
            runtime=THREADS,
            emit=self._events.put,
            consumed=lambda: self._loop.consumed,
            pulse=self._progress.pulse("source", allowance=THREAD_ALLOWANCE, now=now),
            lease=self._lease,
            fencing=fencing,
        )
        self._sink = Sink(
            kafka,
            clients,
            runtime=THREADS,
            emit=self._events.put,
            pulse=self._progress.pulse("sink", allowance=THREAD_ALLOWANCE, now=now),
            fencing=fencing,
        )
        myself = build.myself(settings)
        self._orders: OrderTopic | None = None
        self._ordering: list[threading.Thread] = []
        if clients.orders is not None:
            self._orders = OrderTopic(
                kafka,
                clients.orders,
                myself.presence(),
                runtime=THREADS,
                emit=self._events.put,
                pulse=self._progress.pulse("orders", allowance=THREAD_ALLOWANCE, now=now),
            )
            self._ordering.append(threading.Thread(target=self._orders.run, name="orders", daemon=True))
        kept: AuditTopics | None = None
        if clients.writer is not None:
            kept = AuditTopics(kafka, clients.writer, runtime=THREADS)
        self._trail = AuditTrail(kafka, kept, lambda: self._reader.in_force.rules)
        self._consuming = threading.Thread(target=self._source.run, name="source", daemon=True)
        self._writing = threading.Thread(target=self._sink.run, name="sink", daemon=True)
        self._engine: Engine = build.engine(loaded, kafka, SystemRandom(), self._tell)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._events.fileno(), selectors.EVENT_READ)
        self._driver = Driver(
            self._engine, self._selector, build.connection(settings), self._events.put, build.tokens(settings)
        )
        self.observer = Observer(
            settings,
            self._engine,
            self._source,
            self._sink,
            self._progress,
            self._order_reasons,
            ResultsBackwards(kafka),
        )
        self._loop = Loop(
            self._engine,
            self._driver,
            self._source,
            self._sink,
            self._lease,
            build.results(loaded, kafka),
            rejects=settings.kafka.rejects is not None,
            ack_timeout=settings.ads.ack_timeout,
            clock=_now,
            durable=self.observer.durable,
            ordering=Ordering(settings.control.resume_approvals, self._orders, myself, self.observer.known_rics),
            standing=StandingReader(clients, kafka, THREADS, self._events.put),
        )
        self._reader = RulesReader(loaded, kafka.heartbeat_interval, self._events.put, self._follow_settings)
        self._loop.reloads.read_by(self._reader)
        self._loop.reloads.ended = self._trail.reloaded
        self.observer.show_reloads(lambda: self._loop.reloads.last)
        self._control = build.control(settings, os.environ, self._ask, lambda: self._reader.in_force.rules)
        self._stop_requested = False
        self._notifier = Notifier.from_environ()
        self._watchdog = Watchdog(self._notifier, self._progress, watchdog_timeout())

    def _order_reasons(self) -> list[str]:
        return [] if self._orders is None else self._orders.reasons()

    # The outside

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, self._on_hangup)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        self.observer.start()
        self._take_orders()
        self._trail.start()
        for thread in self._ordering:
            thread.start()
        self._consuming.start()
        self._writing.start()
        self._notifier.ready("starting")
        spare_the_collector()
        try:
            self._run()
        except Stopped as stopped:
            _log.error(str(stopped))
            self._notifier.stopping(str(stopped))
            return stopped.code
        self._leave()
        return 0

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._stop_requested:
            os._exit(1)
        self._stop_requested = True
        _log.info("stopping", signal=signal.Signals(number).name)
        self._events.put(Stop())

    def _on_hangup(self, _number: int, _frame: object) -> None:
        """The log says what comes of it."""
        self._events.put(ReloadAsked(ReloadOrder(), SIGHUP, lambda _answer: None))

    def _take_orders(self) -> None:
        if self._control is not None:
            self._control.start()
        elif self._reader.in_force.settings.control.socket is not None:
            warn_of_none()

    def _ask(self, order: Order | ReloadOrder, by: Caller) -> Answer:
        """An order from another thread, carried out by the worker; waits for what comes of it."""
        came: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        if isinstance(order, ReloadOrder):
            self._events.put(ReloadAsked(order, by, came.put))
        else:
            self._events.put(Asked(order, by, came.put))
        seconds = RELOAD_SECONDS if isinstance(order, ReloadOrder) else ANSWER_SECONDS
        done: bool | None = None
        try:
            answer = came.get(timeout=seconds + ORDER_MARGIN)
            done = answer.done
        except queue.Empty:
            answer = Answer(False, "the daemon does not answer: see its log")
        if not isinstance(order, ReloadOrder):  # the trail of those: see reloads
            self._trail.ordered(order, by, answer.text, done=done)
        return answer

    def _follow_settings(self, settings: Settings) -> None:
        """After a reload: what is neither the engine's nor the loop's."""
        log.configure(settings.log.level, settings.log.format)
        self.observer.rics.change(settings.contribution.stale_after)

    # The loop

    def _run(self) -> None:
        ready: Ready = []
        while not self._round(ready):
            ready = self._selector.select(min(IDLE_SECONDS, self._loop.wait()))

    def _round(self, ready: Ready) -> bool:
        """One round, and what it shows of itself; True at the end."""
        events = self._events.take()
        if any(type(event) is Stop for event in events):
            self.observer.stopping = True
            self._notifier.stopping("stopping: waiting for outstanding answers")
        finished = self._loop.round(ready, events)
        now = _now()
        self._pulse.beat(now.mono)
        self._check_threads()
        self._watchdog.tick(now.mono)
        self.observer.publish(now)
        self._trail.clock(self.observer.clock)
        self._notifier.status(self.observer.status)
        if finished and not self._engine.drained:
            self._tell_unsettled()
        return finished

    def _check_threads(self) -> None:
        if self._sink.replaced or self._source.replaced:
            name = self._instance
            raise Stopped(78, f"another contribd runs as instance {name!r} of this group: give each its own name")
        if self._source.refusal is not None:
            raise Stopped(78, self._source.refusal)
        for thread in (self._consuming, self._writing, *self._ordering):
            if not thread.is_alive() and not self._stop_requested:
                raise Stopped(1, f"the {thread.name} thread ended: see the error above")

    # The end

    def _tell_unsettled(self) -> None:
        text, view = "stopped before all was settled; the next run consumes it again", self._engine.view(_now())
        _log.warning(text, unanswered=view.in_flight, unwritten=view.unwritten)

    def _leave(self) -> None:
        """Closes the login stream, ends the threads, and leaves the group; each for a bounded time."""
        if quotes := self._engine.view(_now()).not_withdrawn:
            _log.warning("stopped with quotes in the market that should have been withdrawn", quotes=quotes)
        self._loop.leave()
        if self._orders is not None:
            self._orders.stop()
        self._sink.stop()
        self._source.leave()
        self._trail.stop()
        for thread in (self._writing, self._consuming, *self._ordering, *self._trail.threads):
            thread.join(max(1.0, min(DRAIN_MARGIN / 2, self._loop.deadline - time.monotonic())))
        self.observer.close()
        if self._control is not None:
            self._control.close()
        _log.info("stopped")

    def _tell(self, level: str, event: str, **details: object) -> None:
        (_log.warning if level == "warning" else _log.info)(event, **details)


def spare_the_collector() -> None:
    """What was loaded at the start is there for good: it need not be looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _now() -> Now:
    return Now(time.monotonic(), time.time_ns() // 1000)
