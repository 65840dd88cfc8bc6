"""Daemons without a rule of what they consume and commit: offsets, bitmaps, transactions, buffered records."""

from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around

from contribd.engine import engine as engine_module
from contribd.engine.engine import Engine
from contribd.engine.events import Committed
from contribd.engine.records import offsets as tracker_module
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.intake import Intake
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.price import Settlement


def _prefix_past_unsettled(self: OffsetTracker) -> int:
    return self._last_seen + 1


def _commit_without_earlier(original: Any, self: OffsetTracker) -> Commit:
    for offset in self._committed_above:
        self._unmark(offset)
    written: Commit = original(self)
    return written


def _bitmap_off_by_one(original: Any, bitmap: int, *more: int) -> str:
    return str(original(bitmap << 1, *more))


def _not_written_as_written(_original: Any, self: Engine, event: Any, now: Any) -> None:
    self._committed(Committed(event.number), now)


def _written_is_offered_again(original: Any, self: Outbox, number: int) -> Any:
    kept = list(self._taken)
    freed = original(self, number)
    self._taken = kept[:1]
    return freed


def _close_drops_nothing(_original: Any, _self: Outbox, _trackers: Any) -> list[Instrument]:
    return []


def _unsettled_by_closing(_original: Any, self: Intake, partitions: Any) -> set[OffsetTracker]:
    return self.stop(partitions)


def _groups_are_split(_original: Any, self: Outbox) -> None:
    while self._pending and len(self._taken) < self._bounds.batch_results:
        entry = self._pending.popleft()
        entry[0].mark_settled()
        self._taken.append(entry)


def _buffered_are_dropped(original: Any, self: Intake, tracker: OffsetTracker, buffered: Any) -> Any:
    taken = original(self, tracker, buffered)
    buffered.clear()
    return taken


def _settled_only_where_it_was_carried(original: Any, self: Settlement) -> None:
    if self.carried_by is None or self.carried_by.tracker is self.tracker:
        original(self)


MUTANTS = [
    Mutant(
        "a commit's offset stays below the first unsettled record",
        [(OffsetTracker, "low_watermark", property(_prefix_past_unsettled))],
    ),
    Mutant("a restart skips what the bitmap says", [(engine_module, "decode_metadata", lambda *_: frozenset())]),
    Mutant(
        "what an earlier run settled stays in the bitmap",
        [around(OffsetTracker, "commit", _commit_without_earlier)],
        100,
        3_000,
    ),
    Mutant("bit n is offset prefix + n", [around(tracker_module, "encode_metadata", _bitmap_off_by_one)]),
    Mutant("a transaction that failed is offered again", [around(Engine, "_not_committed", _not_written_as_written)]),
    Mutant("a transaction that succeeded is not", [around(Outbox, "committed", _written_is_offered_again)]),
    Mutant("results of revoked partitions are dropped", [around(Outbox, "close", _close_drops_nothing)], 2_000),
    Mutant("a revoked partition is forgotten", [around(Intake, "close", _unsettled_by_closing)], 500),
    Mutant("merged prices and their carrier are one transaction", [around(Outbox, "_fill", _groups_are_split)], 2_000),
    Mutant(
        "a merged price is settled in its own partition",
        [around(Settlement, "mark_settled", _settled_only_where_it_was_carried)],
    ),
    Mutant("buffered records are taken later", [around(Intake, "_take_buffered", _buffered_are_dropped)]),
    Mutant("records too far ahead are buffered", [(OffsetTracker, "has_room", lambda *_: True)], 500),
    Mutant("consumption pauses when too much waits", [(Intake, "paused", lambda self: frozenset(self._buffered))], 500),
]
