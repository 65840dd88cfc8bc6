"""Daemons without a rule of withdrawals."""

from dataclasses import replace
from typing import Any

from msgspec import structs
from tests.simulation.world.mutants.mutant import Mutant, around

from contribd.engine.engine import Engine
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.posts.poster import Poster
from contribd.engine.posts.withdrawals import Withdrawals
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Settlement, Withdrawal
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.states import InstrumentEvent, PriceState


def _called_off_by_nothing(_original: Any, self: Withdrawals, tracker: OffsetTracker, mono: float) -> None:
    self._heard[tracker] = mono
    self._look_at = min(self._look_at, mono + (self.policy.silent_after or 0.0))


def _gather_blanks(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    if not self._policy.conflate or not any(type(price) is Withdrawal for price in instrument.waiting):
        return original(self, instrument, now)
    group = [price for price in instrument.waiting if price.state is not PriceState.SETTLED]
    instrument.waiting.clear()
    return group


def _withdrawals_count_as_records(original: Any, self: ResultEncoder, settlement: Settlement) -> Any:
    return original(self, structs.replace(settlement, reason=None))


def _stop_leaves_quotes(original: Any, self: Withdrawals) -> None:
    self._live.clear()
    original(self)


def _keeps_blanks(original: Any, self: Outcomes, price: Any, instrument: Instrument, now: Any) -> Any:
    return type(price) is Withdrawal or original(self, price, instrument, now)


def _withdrawal_goes_behind(original: Any, self: Instrument, prices: Any) -> None:
    if any(type(price) is Withdrawal for price in prices):
        self.waiting.extend(prices)
    else:
        original(self, prices)


def _unasked(original: Any, self: Withdrawals, policy: Any) -> None:
    original(self, replace(policy, on_stop=True))


def _all_that_was_posted(_original: Any, _self: Withdrawals, post: Any) -> Any:
    names = frozenset(name for name, value in post.fields.items() if value is not None)
    return names, frozenset(post.fields) - names


def _only_what_was_acked(_original: Any, _self: Withdrawals, _flight: Any) -> None:
    return None


def _stop_waits_for_none(_original: Any, self: Engine, now: Any) -> None:
    self.connection.drain(now)


def _told_twice(original: Any, self: Outcomes, settlement: Settlement, instrument: Any) -> None:
    original(self, settlement, instrument)
    if settlement.reason is not None:
        settlement.tracker.withdrawing += 1
        self._outbox.add(settlement, None)


def _not_told(original: Any, self: Outcomes, settlement: Settlement, instrument: Instrument | None) -> None:
    if settlement.reason is None:
        original(self, settlement, instrument)
    elif instrument is not None:
        self._instruments.release(instrument, InstrumentEvent.COMMITTED)


MUTANTS = [
    Mutant(
        "a withdrawal is not merged with prices",
        [
            around(Poster, "_gather", _gather_blanks),
            (Instruments, "own_post", lambda *_: None),
            around(Withdrawals, "heard", _called_off_by_nothing),
        ],
        500,
    ),
    Mutant(
        "a record calls off the withdrawals of its partition",
        [around(Withdrawals, "heard", _called_off_by_nothing)],
        2_000,
    ),
    Mutant("a withdrawal's result is of no record", [around(ResultEncoder, "encode", _withdrawals_count_as_records)]),
    Mutant("a withdrawal has one result", [around(Outcomes, "_add", _told_twice)]),
    Mutant("a withdrawal has a result", [around(Outcomes, "_add", _not_told)]),
    Mutant("a stop withdraws what stands", [around(Withdrawals, "stop", _stop_leaves_quotes)]),
    Mutant("a stop waits for the posts that are in flight", [around(Engine, "_drain_if_done", _stop_waits_for_none)]),
    Mutant("nothing is withdrawn unasked", [around(Withdrawals, "__init__", _unasked)]),
    Mutant("only the fields listed are blanked", [around(Withdrawals, "_shown", _all_that_was_posted)]),
    Mutant(
        "a post without an answer counts as live",
        [around(Withdrawals, "unanswered", _only_what_was_acked)],
        500,
    ),
    Mutant("a paused partition is not silent", [(Withdrawals, "deaf", lambda *_: None)], 2_000),
    Mutant(
        "a price takes the place of a withdrawal that waits",
        [
            around(Instrument, "put_back", _withdrawal_goes_behind),
            (Instruments, "own_post", lambda *_: None),
            around(Outcomes, "_keeps", _keeps_blanks),
        ],
        2_000,
    ),
]
