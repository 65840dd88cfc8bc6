"""What the worker shows of itself: a snapshot several times a second, for HTTP, and a line for the service manager."""

import time

from contribd import __version__
from contribd.config.load import Loaded
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.session.connection import SessionStatus
from contribd.engine.states import IsolationState
from contribd.engine.view import EngineView
from contribd.ops.http import HttpServer
from contribd.ops.log import get_logger
from contribd.ops.progress import Progress
from contribd.ops.snapshot import CountersView, HistogramView, IsolatedView, PartitionView, SessionView, Snapshot
from contribd.streams.sink import Sink
from contribd.streams.source import Source

PUBLISH_SECONDS = 0.25

_log = get_logger("observer")


class Observer:
    """Builds snapshots from the engine in the worker's thread; HTTP reads the last one from its own."""

    def __init__(self, loaded: Loaded, engine: Engine, source: Source, sink: Sink, progress: Progress) -> None:
        self.stopping = False
        self.status = "starting"
        self._loaded = loaded
        self._engine = engine
        self._source = source
        self._sink = sink
        self._started = time.time()
        self._next = 0.0
        self._snapshot = self._build(Now(time.monotonic(), time.time_ns() // 1000))
        listen = loaded.settings.http.listen
        self._server = HttpServer(listen, lambda: self._snapshot, progress) if listen else None

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
        self._snapshot = snapshot = self._build(now)
        self.status = _status(snapshot)

    def _build(self, now: Now) -> Snapshot:
        engine = self._engine.view(now)
        counters = engine.counters
        return Snapshot(
            taken_at=now.wall / 1e6,
            started_at=self._started,
            version=__version__,
            instance=self._loaded.settings.instance,
            config=self._loaded.digest,
            session=_session(engine.session, now),
            services=engine.services,
            outstanding=engine.in_flight,
            max_outstanding=engine.max_in_flight,
            waiting=engine.waiting,
            instruments=engine.instruments,
            isolated=tuple((state.value, engine.isolated[state]) for state in IsolationState),
            isolated_named=tuple(
                IsolatedView(one.ric, one.service, one.state.value, one.sessions_ended, one.wait)
                for one in engine.isolated_named
            ),
            standing=engine.live_quotes,
            partitions=self._partitions(engine),
            counters=CountersView.of(counters),
            ack_seconds=HistogramView.of(counters.ack_seconds),
            delivery_seconds=HistogramView.of(counters.delivery_seconds),
            last_ack_at=None if engine.last_ack is None else engine.last_ack / 1e6,
            stopping=self.stopping,
            not_ready=tuple(self._reasons(engine)),
            warnings=self._source.warnings(),
        )

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

    def _reasons(self, engine: EngineView) -> list[str]:
        """Why nothing can be contributed just now."""
        stopping = ["stopping"] if self.stopping else []
        consuming = consuming_reasons(engine, self._source.reasons(), self._source.silence())
        return [*stopping, *consuming, *self._sink.reasons(), *_session_reasons(engine)]


def consuming_reasons(engine: EngineView, source: list[str], silence: str | None) -> list[str]:
    """What keeps it from consuming keeps it from being confirmed, too: the cause is told alone."""
    if source or not (engine.partitions and engine.lapsed):
        return source
    if silence is not None:
        return [f"consuming: {silence}"]
    return ["the consumer group has not confirmed this member for too long"]


def _session(session: SessionStatus, now: Now) -> SessionView:
    return SessionView(
        state=session.state.value,
        up=session.live,
        endpoint=session.endpoint,
        endpoints=session.endpoints,
        since=(now.wall if session.since is None else session.since) / 1e6,
        last_failure=session.last_failure,
        last_failure_at=None if session.last_failure_at is None else session.last_failure_at / 1e6,
    )


def _session_reasons(engine: EngineView) -> list[str]:
    session = engine.session
    if not session.live:
        return [f"ADS session: {session.last_failure or session.state.value}"]
    if session.moving:
        return [f"leaving {session.endpoint} once its answers are in"]
    if not engine.takes_posts:
        return ["the ADS says that it takes no posts (SupportOMMPost 0)"]
    down = [name for name, up in engine.services if not up]
    return [f"service down or unknown: {', '.join(down)}"] if down else []


def _status(snapshot: Snapshot) -> str:
    if snapshot.not_ready:
        return "; ".join(snapshot.not_ready)
    settled = sum(count for _, _, count in snapshot.counters.results)
    lags = [view.lag for view in snapshot.partitions if view.lag is not None]
    lag = str(sum(lags)) if len(lags) == len(snapshot.partitions) else "an unknown number of"
    return (
        f"contributing to {snapshot.session.endpoint}: {settled} results, {snapshot.outstanding} posts unanswered, "
        f"{lag} records behind"
    )
