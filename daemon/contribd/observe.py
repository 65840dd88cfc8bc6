"""What the worker shows of itself: a snapshot several times a second, for HTTP, and a line for the service manager."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from contribd import __version__
from contribd.config.model import Settings
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.records.pauses import Pause, PauseKind
from contribd.engine.records.result_encoder import Encoded
from contribd.engine.session.connection import SessionStatus
from contribd.engine.session.endpoints import EndpointStatus
from contribd.engine.states import IsolationState, SessionState
from contribd.engine.view import EngineView
from contribd.ops.history import History
from contribd.ops.host_clock import HostClock
from contribd.ops.http import HttpServer
from contribd.ops.log import get_logger, mask
from contribd.ops.progress import Progress
from contribd.ops.ric_search import ReadBackwards, RicSearch
from contribd.ops.ric_watch import RicWatch
from contribd.ops.snapshot import (
    ClockView,
    CountersView,
    DirectoryView,
    EndpointView,
    HistogramView,
    IsolatedView,
    PartitionView,
    PauseView,
    ReloadView,
    SessionView,
    Snapshot,
)
from contribd.ops.verdict import service_faults, session_faults, verdict
from contribd.streams.sink import Sink
from contribd.streams.source import Source

PUBLISH_SECONDS = 0.25

_log = get_logger("observer")


class Observer:
    """Builds snapshots from the engine in the worker's thread; HTTP reads the last one from its own."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        source: Source,
        sink: Sink,
        progress: Progress,
        orders: Callable[[], list[str]],
        backwards: ReadBackwards,
    ) -> None:
        """``orders``: why nothing may be posted on account of orders; ``backwards``: reads what is known of a RIC."""
        self.stopping = False
        self.status = "starting"
        self._instance = settings.instance
        self._reload: Callable[[], ReloadView | None] = lambda: None
        self._loaded_at = time.time()
        self._engine = engine
        self._source = source
        self._sink = sink
        self._orders = orders
        self._progress = progress
        self.rics = RicWatch(settings.contribution.stale_after, engine.has_work)
        self._history = History()
        self._state_since = ("", 0.0)
        self._started = time.time()
        self._next = 0.0
        self._clock = HostClock()
        self._snapshot = self._build(Now(time.monotonic(), time.time_ns() // 1000))
        listen = settings.http.listen
        self._server = self._serve(listen, backwards) if listen else None

    def _serve(self, listen: str, backwards: ReadBackwards) -> HttpServer:
        search = RicSearch(self.rics.last, self._services, self._started, backwards)
        return HttpServer(listen, lambda: self._snapshot, self._progress, history=self._history, search=search)

    def _services(self) -> list[str]:
        return [name for name, _ in self._snapshot.services]

    @property
    def durable(self) -> Callable[[Sequence[Encoded], Now], None] | None:
        """What wants to know of results that are durable; None where nobody can ask."""
        return None if self._server is None else self.rics.add

    @property
    def known_rics(self) -> Callable[[], Iterable[str]] | None:
        """The RICs that have had a result here; None where nobody looks, and nothing is remembered."""
        return None if self._server is None else self.rics.last.names

    def show_reloads(self, last: Callable[[], ReloadView | None]) -> None:
        """``last``: what came of the last one, None where there was none."""
        self._reload = last

    @property
    def clock(self) -> ClockView:
        """This host's, as it was looked at last."""
        return self._snapshot.clock

    def start(self) -> None:
        """Begins to answer over HTTP."""
        if self._server is not None:
            self._server.start()
            _log.info("serving metrics, health and status", address=self._server.address)

    def close(self) -> None:
        """Stops answering."""
        if self._server is not None:
            self._server.close()

    def publish(self, now: Now) -> None:
        """Replaces the snapshot where it is time to."""
        if now.mono < self._next:
            return
        self._next = now.mono + PUBLISH_SECONDS
        snapshot = self._build(now)
        found = verdict(snapshot, self._progress.stalled(now.mono))
        self._state_since = found.state, found.since
        self._snapshot = replace(snapshot, state_since=self._state_since)
        self.status = mask(found.reason)
        if self._server is not None:
            self._history.take(self._snapshot, found.state, now.mono)

    def _build(self, now: Now) -> Snapshot:
        engine = self._engine.view(now)
        counters, reload = engine.counters, self._reload()
        if reload is not None and reload.ok:
            self._loaded_at = reload.at
        unreadable = tuple(self._source.unreadable())
        isolated = tuple(
            IsolatedView(one.ric, one.service, one.state.value, one.sessions_ended, one.wait)
            for one in engine.isolated_named
        )
        consuming = self._consuming(engine, unreadable)
        wrong = self.rics.look(engine.partitions, isolated, now, heard=not consuming and not unreadable)
        snapshot = Snapshot(
            taken_at=now.wall / 1e6,
            started_at=self._started,
            version=__version__,
            instance=self._instance,
            config=self._engine.rules.names.config,
            session=_session(engine, now),
            endpoints=tuple(_endpoint(each, engine.session, now) for each in engine.endpoints),
            services=engine.services,
            directory=DirectoryView(*engine.directory),
            outstanding=engine.in_flight,
            max_outstanding=engine.max_in_flight,
            waiting=engine.waiting,
            instruments=engine.instruments,
            isolated=tuple((state.value, engine.isolated[state]) for state in IsolationState),
            isolated_named=isolated,
            wrong=wrong.shown,
            wrong_counts=wrong.counts,
            live_quotes=engine.live_quotes,
            partitions=self._partitions(engine),
            counters=CountersView.of(counters),
            ack_seconds=HistogramView.of(counters.ack_seconds),
            delivery_seconds=HistogramView.of(counters.delivery_seconds),
            last_ack_at=None if engine.last_ack is None else engine.last_ack / 1e6,
            reload=reload,
            loaded_at=self._loaded_at,
            stopping=self.stopping,
            hold_ups=(*consuming, *self._sink.reasons()),
            unreadable=unreadable,
            blocked=engine.blocked,
            pauses=tuple(map(pause_view, engine.pauses)),
            state_since=self._state_since,
            clock=self._clock.follow(now.mono),
            warnings=self._source.warnings(),
        )
        return replace(snapshot, not_ready=not_ready(snapshot))

    def _consuming(self, engine: EngineView, unreadable: Sequence[str]) -> list[str]:
        """Why nothing is consumed."""
        source = [reason for reason in self._source.reasons() if reason not in unreadable]
        orders = self._orders()
        return [*source, *orders] if orders else consuming_reasons(engine, source, self._source.silence())

    def _partitions(self, engine: EngineView) -> tuple[PartitionView, ...]:
        lags = self._source.lags()
        views = []
        for partition, _state, committed, waiting, _buffered, paused in engine.partitions:
            position, lag = lags.get(partition, (committed, None))
            views.append(
                PartitionView(
                    topic=partition.topic,
                    partition=partition.number,
                    position=position,
                    committed=committed,
                    lag=lag,
                    waiting=waiting,
                    paused=paused,
                )
            )
        return tuple(views)


def consuming_reasons(engine: EngineView, source: list[str], silence: str | None) -> list[str]:
    """What keeps it from consuming keeps it from being confirmed, too: the cause is told alone."""
    if source or not (engine.partitions and engine.lapsed):
        return source
    if silence is not None:
        return [f"consuming: {silence}"]
    return ["the consumer group has not confirmed this member for too long"]


def _session(engine: EngineView, now: Now) -> SessionView:
    session = engine.session
    return SessionView(
        state=session.state.value,
        up=session.live,
        endpoint=session.endpoint,
        endpoints=session.endpoints,
        since=(now.wall if session.since is None else session.since) / 1e6,
        last_failure=session.last_failure,
        last_failure_at=None if session.last_failure_at is None else session.last_failure_at / 1e6,
        moving=session.moving,
        takes_posts=engine.takes_posts,
    )


def pause_view(pause: Pause) -> PauseView:
    """A pause as it is shown."""
    what = pause.what
    everything = what.kind is PauseKind.ALL
    return PauseView(what.id, str(what), pause.reason, pause.by, pause.since / 1e6, everything=everything)


def _endpoint(endpoint: EndpointStatus, session: SessionStatus, now: Now) -> EndpointView:
    used = endpoint.url == session.endpoint and session.state is not SessionState.DISCONNECTED
    return EndpointView(
        endpoint=endpoint.url,
        state=session.state.value if used else "resting" if endpoint.wait else "not in use",
        failures=endpoint.failures,
        last_failure=None if endpoint.failure is None else endpoint.failure.value,
        next_try_at=None if used or not endpoint.wait else now.wall / 1e6 + endpoint.wait,
    )


def not_ready(snapshot: Snapshot) -> tuple[str, ...]:
    """Why nothing, or not everything, can be contributed just now; empty: all can."""
    stopping = ["stopping"] if snapshot.stopping else []
    posting = session_faults(snapshot) or service_faults(snapshot)
    return (*stopping, *snapshot.hold_ups, *snapshot.unreadable, *posting)
