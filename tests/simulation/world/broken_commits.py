"""Daemons without a rule of what they consume and commit: offsets, bitmaps, transactions, parked records."""

from typing import Any

from tests.simulation.world.mutant import Mutant, around

from contribd.engine import engine as engine_module
from contribd.engine import ledger as ledger_module
from contribd.engine.engine import Engine
from contribd.engine.events import Committed
from contribd.engine.instrument import Instrument
from contribd.engine.intake import Intake
from contribd.engine.ledger import Commit, Ledger
from contribd.engine.outbox import Outbox
from contribd.engine.price import Settlement


def _prefix_past_unsettled(self: Ledger) -> int:
    return self._last_seen + 1


def _commit_without_earlier(original: Any, self: Ledger) -> Commit:
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


def _close_drops_nothing(_original: Any, _self: Outbox, _ledgers: Any) -> list[Instrument]:
    return []


def _unsettled_by_closing(_original: Any, self: Intake, partitions: Any) -> set[Ledger]:
    return self.stop(partitions)


def _groups_are_split(_original: Any, self: Outbox) -> None:
    while self._pending and len(self._taken) < self._bounds.batch_results:
        entry = self._pending.popleft()
        entry[0].note()
        self._taken.append(entry)


def _parked_are_dropped(original: Any, self: Intake, ledger: Ledger, parked: Any) -> Any:
    taken = original(self, ledger, parked)
    parked.clear()
    return taken


def _settled_only_where_it_was_carried(original: Any, self: Settlement) -> None:
    if self.carried_by is None or self.carried_by.ledger is self.ledger:
        original(self)


MUTANTS = [
    Mutant(
        "a commit's offset stays below the first unsettled record",
        [(Ledger, "prefix", property(_prefix_past_unsettled))],
    ),
    Mutant("a restart skips what the bitmap says", [(engine_module, "decode_metadata", lambda *_: frozenset())]),
    Mutant("what an earlier run settled stays in the bitmap", [around(Ledger, "commit", _commit_without_earlier)]),
    Mutant("bit n is offset prefix + n", [around(ledger_module, "encode_metadata", _bitmap_off_by_one)]),
    Mutant("a transaction that failed is offered again", [around(Engine, "_not_committed", _not_written_as_written)]),
    Mutant("a transaction that succeeded is not", [around(Outbox, "committed", _written_is_offered_again)]),
    Mutant("results of revoked partitions are dropped", [around(Outbox, "close", _close_drops_nothing)], 2_000),
    Mutant("a revoked partition is forgotten", [around(Intake, "close", _unsettled_by_closing)], 500),
    Mutant("merged prices and their carrier are one transaction", [around(Outbox, "_fill", _groups_are_split)], 2_000),
    Mutant(
        "a merged price is settled in its own partition",
        [around(Settlement, "note", _settled_only_where_it_was_carried)],
    ),
    Mutant("parked records are taken later", [around(Intake, "_take_parked", _parked_are_dropped)]),
    Mutant("records too far ahead are parked", [(Ledger, "has_room", lambda *_: True)], 500),
    Mutant("consumption pauses when too much waits", [(Intake, "paused", lambda self: frozenset(self._parked))], 500),
]
