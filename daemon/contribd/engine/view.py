"""What the engine shows of itself, all of one moment. Wall times are in microseconds since 1970, UTC."""

from collections import Counter
from typing import NamedTuple

from contribd.engine.counters import EngineCounters
from contribd.engine.records.isolation import IsolatedInstrument
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import Pause
from contribd.engine.session.connection import SessionStatus
from contribd.engine.session.endpoints import EndpointStatus
from contribd.engine.states import IsolationState, TrackerState


class PartitionStatus(NamedTuple):
    """An assigned partition.

    ``committed``: the offset before which everything seen is settled. ``waiting``: records taken and not settled;
    ``buffered``: those fetched and not taken yet; ``paused``: whether no more are to be fetched now.
    """

    partition: Partition
    state: TrackerState
    committed: int
    waiting: int
    buffered: int
    paused: bool


class DirectoryStatus(NamedTuple):
    """What the ADS says of its services. ``awaited``: it was asked and has not answered yet; ``known``: it has.

    ``unknown``: services posted to that it has not, each with those that it has instead, for people.
    """

    known: bool
    awaited: bool
    unknown: tuple[tuple[str, str], ...]


class EngineView(NamedTuple):
    """The engine at one moment; ``counters`` are its own, which go on counting.

    ``isolated``: how many instruments are posted by themselves, since their posts may do harm or get no answer;
    ``isolated_named``: which, where that is known, a bounded number.
    ``services``: those posted to, each with whether posts to it may go; ``directory``: what the ADS says of them.
    ``live_quotes``: quotes in the market that this process would withdraw; ``not_withdrawn``: after a stop, those that
    were to be withdrawn and are not. ``unwritten``: results not durable yet. ``lapsed``: whether another member may own
    our partitions by now. ``takes_posts``: whether the ADS takes posts at all. ``blocked``: assigned partitions that
    nothing can be read of. ``pauses``: those in force, oldest first.
    """

    session: SessionStatus
    endpoints: tuple[EndpointStatus, ...]
    services: tuple[tuple[str, bool], ...]
    directory: DirectoryStatus
    in_flight: int
    max_in_flight: int
    waiting: int
    instruments: int
    isolated: Counter[IsolationState]
    isolated_named: tuple[IsolatedInstrument, ...]
    live_quotes: int
    not_withdrawn: int
    unwritten: int
    partitions: tuple[PartitionStatus, ...]
    counters: EngineCounters
    last_ack: int | None
    lapsed: bool
    takes_posts: bool
    blocked: int
    pauses: tuple[Pause, ...]
