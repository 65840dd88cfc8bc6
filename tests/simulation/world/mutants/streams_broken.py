"""Daemons without a rule of the transaction, the sink, the assignment, the start offsets, fencing or the lease."""

from collections.abc import Generator
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around, with_more

from contribd.engine.events import Committed, NotCommitted, Revoked
from contribd.engine.records.commit_metadata import decode_about, restate
from contribd.streams import sink as sink_module
from contribd.streams import transaction as transaction_module
from contribd.streams.client.retrying import FAILURES
from contribd.streams.group import start_offsets as start_offsets_module
from contribd.streams.group.assignment import Assignment
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.group.start_offsets import StartOffsets
from contribd.streams.group.start_rules import Start
from contribd.streams.group.static_member import StaticMember
from contribd.streams.sink import Sink
from contribd.streams.source import Source
from contribd.streams.transaction import Memory

# The transaction


def _taken_for_written(*_: Any) -> Generator[Any, Any, bool]:
    yield transaction_module.Time()
    return True


def _taken_for_lost(*_: Any) -> Generator[Any, Any, bool]:
    yield transaction_module.Time()
    return False


def _any_error_is_unknown(original: Any, write: Any, memory: Memory) -> Any:
    """What failed before the commit was asked for may have been written too, it seems."""
    steps = original(write, memory)
    came_of_it: Any = None
    failed = False
    while True:
        try:
            step = steps.throw(came_of_it) if isinstance(came_of_it, Exception) else steps.send(came_of_it)
        except StopIteration as outcome:
            return bool(outcome.value) or failed
        failed = failed or type(step) is transaction_module.Failed
        try:
            came_of_it = yield step
        except FAILURES as error:
            came_of_it = error


# The sink


def _keeps_its_producer(_original: Any, self: Sink, _step: Any) -> bool:
    if self._producer is None:
        self._producer = self._open()
        self.connected = True
    return True


def _offsets_are_left_out(_original: Any, self: Sink, step: Any) -> None:
    self._ours().send_offsets({}, step.member, 15.0)


def _results_are_left_out(_original: Any, self: Sink, step: Any) -> None:
    self._ours().append(self._settings.results, step.results[1:])


def _told_before_it_is(original: Any, self: Sink, write: Any) -> bool:
    self._emit(Committed(write.number))
    emit, self._emit = self._emit, lambda _event: None
    durable: bool = original(self, write)
    self._emit = lambda event: (
        emit(event) if event != Committed(write.number) and not isinstance(event, NotCommitted) else None
    )
    return durable


# The assignment


def _fetched_before_it_is_announced(_original: Any, self: Assignment, consumer: Any, partitions: Any) -> None:
    for partition, (begin, _) in consumer.log_ends(partitions).items():
        consumer.seek(partition, begin)
    self._new.update(partitions)


def _lost_in_silence(_original: Any, self: Assignment, partitions: Any) -> None:
    self._new.difference_update(partitions)
    self.positions.forget(partitions)


def _revoked_in_silence(original: Any, self: Assignment, consumer: Any, partitions: Any) -> None:
    emit, self._emit = self._emit, lambda event: None if isinstance(event, Revoked) else emit(event)
    original(self, consumer, partitions)
    self._emit = emit


def _never_caught_up(_original: Any, _self: Assignment, _consumer: Any) -> None:
    pass


# The source


def _hears_no_pauses(_original: Any, _self: Source, _partitions: Any) -> None:
    pass


def _goes_on_after_a_stop(_original: Any, _self: Source) -> None:
    pass


# Start offsets


def _at_the_end(original: Any, commit: Any, begin: int, end: int, **more: Any) -> Start:
    start: Start = original(commit, begin, end, **more)
    return start._replace(position=end)


def _first_commit_is_left_out(original: Any, consumer: Any, partition: Any, start: Start) -> None:
    original(consumer, partition, start._replace(unwritten=False))


def _settled_are_forgotten(original: Any, self: StartOffsets, *args: Any) -> Start:
    start: Start = original(self, *args)
    about = decode_about(start.commit.metadata)
    return start._replace(commit=start.commit._replace(metadata=restate("", about)))


class _Believing:
    """A consumer that need not ask whether the group knows it."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def confirm(self) -> None:
        """Believed."""


def _believed_at_once(original: Any, self: StartOffsets, consumer: Any, partitions: Any) -> Any:
    return original(self, _Believing(consumer), partitions)


# Fencing and the lease


def _refusals_are_believed(_original: Any, self: Fencing) -> bool:
    self.replaced = True
    return True


def _counted_from_the_answer(original: Any, self: Lease, member: Any, heartbeats: Any) -> Any:
    joined = original(self, member, heartbeats)
    generation, until = self._proven
    sent, answered = heartbeats
    if joined is None and answered > sent:
        self._proven = (generation, max(until, answered + self._timeout))
    return joined


def _a_beat_that_was_sent_counts(original: Any, self: Lease, member: Any, heartbeats: Any) -> Any:
    joined = original(self, member, heartbeats)
    generation, until = self._proven
    sent, _ = heartbeats
    if joined is None and sent > float("-inf"):
        self._proven = (generation, max(until, sent + self._timeout))
    return joined


def _any_member_is_proven(_original: Any, self: Lease, _member: Any) -> float:
    return float("inf") if self._proven[0][0] >= 0 else 0.0


MUTANTS = [
    Mutant(
        "an unknown outcome is not taken for written", [(transaction_module, "_read_back", _taken_for_written)], 500
    ),
    Mutant("an unknown outcome is not taken for lost", [(transaction_module, "_read_back", _taken_for_lost)], 500),
    Mutant(
        "what failed before its commit is not written",
        [around(sink_module, "transact", _any_error_is_unknown)],
        500,
    ),
    Mutant(
        "offsets of before our last commit are asked again",
        [(Memory, "is_stale", lambda *_: False)],
        5_000,
    ),
    Mutant("a producer that failed is not used again", [around(Sink, "_renew", _keeps_its_producer)], 500),
    Mutant("results are written with their offsets", [around(Sink, "_send_offsets", _offsets_are_left_out)], 500),
    Mutant("every result of a batch is written", [around(Sink, "_append", _results_are_left_out)]),
    Mutant("a batch is durable before it is said to be", [around(Sink, "_transact", _told_before_it_is)], 500),
    Mutant(
        "nothing is fetched before its offsets are known",
        [around(Assignment, "assigned", _fetched_before_it_is_announced)],
        500,
    ),
    Mutant("lost partitions are told of", [around(Assignment, "lost", _lost_in_silence)], 500),
    Mutant("revoked partitions are told of", [around(Assignment, "revoked", _revoked_in_silence)], 500),
    Mutant("partitions catch up", [around(Assignment, "tell_caught_up", _never_caught_up)], 500),
    Mutant("paused partitions are not fetched", [around(Source, "pause", _hears_no_pauses)], 500),
    Mutant("a partition begins at its commit", [around(start_offsets_module, "find_start", _at_the_end)], 500),
    Mutant("the first commit is written", [around(start_offsets_module, "_put", _first_commit_is_left_out)], 500),
    Mutant("what an earlier run settled is skipped", [around(StartOffsets, "_start", _settled_are_forgotten)], 500),
    Mutant("offsets count between two confirmations", [around(StartOffsets, "find", _believed_at_once)], 5_000),
    Mutant("refusals are believed after a while only", [around(Fencing, "refused", _refusals_are_believed)], 1_000),
    Mutant(
        "a heartbeat counts from when it was sent",
        [around(Lease, "observe", _counted_from_the_answer)],
        300,
        200,
        world=with_more({"freeze": 0.2, "group_cut": 0.6}, daemons=2, partitions=2, rics=4, spread=40.0, records=200),
    ),
    Mutant("a heartbeat counts once it is answered", [around(Lease, "observe", _a_beat_that_was_sent_counts)], 5_000),
    Mutant("a lease ends", [around(Lease, "until", _any_member_is_proven)], 1_000),
    Mutant("a successor of a name joins once more", [(StaticMember, "must_rejoin", lambda _self: False)], 3_000),
    Mutant("a successor of a name waits", [(StaticMember, "wait", property(lambda _self: 0.0))], 5_000),
]
