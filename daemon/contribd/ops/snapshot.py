"""What the worker publishes of itself several times a second, for everyone who only looks: metrics, health, pages.

A snapshot is frozen and holds plain values only. The worker replaces the whole snapshot by one assignment, so
readers in other threads need no lock and never see half of one. Times are Unix seconds, durations seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from contribd.engine import counters as engine_counters
from contribd.engine.limits import ACK_BUCKETS, DELIVERY_BUCKETS


@dataclass(frozen=True, slots=True)
class HistogramView:
    """``counts[i]`` values were at most ``bounds[i]`` and above the bound before it; the last count is of the rest."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    def cumulative(self) -> tuple[int, ...]:
        """How many values were at most each bound, and last how many there were."""
        return tuple(accumulate(self.counts))

    @classmethod
    def of(cls, counted: engine_counters.Histogram) -> "HistogramView":
        """What the engine counted so far."""
        return cls(counted.bounds, tuple(counted.counts), counted.total)

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> "HistogramView":
        """A histogram nothing was counted in."""
        return cls(bounds, (0,) * (len(bounds) + 1), 0.0)


@dataclass(frozen=True, slots=True)
class SessionView:
    """The session with the ADS. ``endpoint`` is the one in use or being tried; ``endpoints`` are all configured."""

    state: str
    up: bool
    endpoint: str | None
    endpoints: tuple[str, ...]
    since: float
    last_failure: str | None = None
    last_failure_at: float | None = None
    moving: bool = False
    """It goes to another endpoint once every answer is in."""
    takes_posts: bool = True
    """Whether the ADS takes posts at all."""


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One configured endpoint. ``state``: the session's where it is in use or being tried, else resting or not in use.

    ``failures``: in a row; ``last_failure``: the kind of the last of them; ``next_try_at``: Unix seconds, None where it
    need not wait.
    """

    endpoint: str
    state: str
    failures: int = 0
    last_failure: str | None = None
    next_try_at: float | None = None


@dataclass(frozen=True, slots=True)
class DirectoryView:
    """What the ADS says of its services. ``awaited``: it was asked and has not answered yet; ``known``: it has.

    ``unknown``: (service posted to that it has not, those that it has instead).
    """

    known: bool = True
    awaited: bool = False
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClockView:
    """This host's clock, as its kernel tells of it.

    ``offset``: seconds that the kernel still has to correct; ``max_error``: seconds that it may be off at most.
    ``unknown`` says why nothing is known; the others are None then.
    """

    synchronized: bool | None = None
    offset: float | None = None
    max_error: float | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class PauseView:
    """A pause in force. ``id``: ``ric:EUR*``, ``mapping:fx``, ``desk:rates`` or ``all``; ``what``: the same for people;
    ``everything``: all there is. ``who``: such as ``anna (uid 1000)``; ``since`` in Unix seconds."""

    id: str
    what: str
    reason: str
    who: str
    since: float
    everything: bool = False


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One assigned partition of a prices topic. ``position`` is the next offset to read, ``committed`` the group's.

    ``lag`` is what the log holds beyond ``position``; None while it is not known. ``waiting`` counts records read and
    not settled.
    """

    topic: str
    partition: int
    position: int
    committed: int | None
    lag: int | None
    waiting: int
    paused: bool


@dataclass(frozen=True, slots=True)
class IsolatedView:
    """An instrument whose posts go by themselves, since they did harm or got no answer.

    ``state``: offender, watched or silent. ``sessions_ended``: by its posts; ``wait``: seconds its next post waits at
    least.
    """

    ric: str
    service: str
    state: str
    sessions_ended: int
    wait: float


@dataclass(frozen=True, slots=True)
class WrongView:
    """A RIC that something is wrong with now. ``what``: refused, unanswered, rejected, isolated or silent; ``since``:
    from when on, and ``last_record_at``: when its last result was durable, in Unix seconds, None where that is not
    known. ``source``: that record, as ``topic:partition:offset``. ``code`` and ``text``: the answer's own; ``hint``:
    what it means and who can cure it, where that is known (``meaning``, ``cause``, ``owner``, ``cure``)."""

    ric: str
    service: str
    what: str
    since: float | None = None
    last_record_at: float | None = None
    source: str | None = None
    mapping: str | None = None
    code: str | None = None
    text: str | None = None
    hint: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ReloadView:
    """The last try to take the configuration anew. ``by``: who asked; ``digest``: of what is in force since.

    ``errors``: why nothing changed, each in a line; ``restart``: settings that differ and stay until one.
    """

    at: float
    by: str
    ok: bool
    digest: str
    text: str
    errors: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountersView:
    """Totals since the process started; every key is a bounded set of names, never a RIC or a PostID."""

    results: tuple[tuple[str, str, int], ...] = ()
    """(status, code, count); code is "" where the result has none."""
    posts: tuple[tuple[str, str, int], ...] = ()
    """(type, answer, count)."""
    reconnects: tuple[tuple[str, str, int], ...] = ()
    """(endpoint, reason, count)."""
    withdrawals: tuple[tuple[str, str, int], ...] = ()
    """(reason, status, count)."""
    republished: tuple[tuple[str, int], ...] = ()
    """(status, count)."""
    unmatched_answers: int = 0
    future_timestamps: int = 0

    @classmethod
    def of(cls, counted: engine_counters.EngineCounters) -> "CountersView":
        """What the engine counted so far, in a stable order."""
        return cls(
            results=_rows(counted.results),
            posts=_rows(counted.posts),
            reconnects=_rows(counted.reconnects),
            withdrawals=_rows(counted.withdrawals),
            republished=tuple(sorted(counted.republished.items())),
            unmatched_answers=counted.unmatched,
            future_timestamps=counted.future_timestamps,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state of the daemon at ``taken_at``."""

    taken_at: float
    started_at: float
    version: str
    instance: str
    config: str
    """Digest of the configuration and mappings in force."""
    session: SessionView
    endpoints: tuple[EndpointView, ...] = ()
    services: tuple[tuple[str, bool], ...] = ()
    """(name, up) for each service a mapping names; a service the ADS does not know is down."""
    directory: DirectoryView = DirectoryView()
    outstanding: int = 0
    max_outstanding: int = 0
    waiting: int = 0
    """Records read and not settled, over all partitions."""
    instruments: int = 0
    """RIC and service pairs that have a post or a record in flight."""
    isolated: tuple[tuple[str, int], ...] = ()
    """(state, count) of the instruments whose posts go by themselves; every state is there."""
    isolated_named: tuple[IsolatedView, ...] = ()
    """Those that are known by name, a bounded number."""
    wrong: tuple[WrongView, ...] = ()
    """RICs that something is wrong with now, a bounded number."""
    wrong_counts: tuple[tuple[str, int], ...] = ()
    """(what, how many) of all of them."""
    live_quotes: int = 0
    """Quotes in the market that would be withdrawn; 0 where nothing is to be withdrawn."""
    partitions: tuple[PartitionView, ...] = ()
    counters: CountersView = CountersView()
    ack_seconds: HistogramView = field(default_factory=lambda: HistogramView.empty(ACK_BUCKETS))
    delivery_seconds: HistogramView = field(default_factory=lambda: HistogramView.empty(DELIVERY_BUCKETS))
    last_ack_at: float | None = None
    reload: ReloadView | None = None
    """None: there was none since the start."""
    loaded_at: float = 0.0
    """When the configuration was last read without an error, at the start or by a reload."""
    stopping: bool = False
    not_ready: tuple[str, ...] = ()
    """Why the daemon cannot contribute just now, in plain words; empty: it can."""
    hold_ups: tuple[str, ...] = ()
    """What Kafka keeps it from: why nothing is consumed, or no result is written."""
    unreadable: tuple[str, ...] = ()
    """Partitions of which nothing can be read, in plain words; ``blocked`` is how many of those assigned."""
    blocked: int = 0
    pauses: tuple[PauseView, ...] = ()
    """Orders in force not to post."""
    state_since: tuple[str, float] = ("", 0.0)
    """The state of the verdict, and since when it is that."""
    clock: ClockView = ClockView(unknown="not looked at yet")
    warnings: tuple[str, ...] = ()
    """What an operator should know of though it goes on, in plain words."""

    @property
    def config_reloaded(self) -> bool:
        """Whether the last load of the configuration took effect."""
        return self.reload is None or self.reload.ok

    @property
    def ready(self) -> bool:
        """Whether the daemon can contribute just now."""
        return not self.not_ready


def _rows(counts: Mapping[tuple[str, str], int]) -> tuple[tuple[str, str, int], ...]:
    return tuple((first, second, count) for (first, second), count in sorted(counts.items()))
