"""Deliberately broken daemons, one a rule. The simulation must catch each: that is the test of its oracle.

Run as a program it prints, for each, how many seeds it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec import structs

from contribd.engine import engine as engine_module
from contribd.engine import ledger as ledger_module
from contribd.engine import posting as posting_module
from contribd.engine import verdicts as verdicts_module
from contribd.engine.ages import Ages
from contribd.engine.contributor import Contributor
from contribd.engine.engine import Engine
from contribd.engine.events import Assigned, Committed
from contribd.engine.instrument import Book, Instrument
from contribd.engine.intake import Intake
from contribd.engine.ledger import Commit, Ledger
from contribd.engine.outbox import Outbox
from contribd.engine.posting import Poster
from contribd.engine.price import Reply, Settlement, Status, Withdrawal
from contribd.engine.rate import RateLimit
from contribd.engine.result import ResultEncoder
from contribd.engine.services import Services
from contribd.engine.session import Session
from contribd.engine.states import InstrumentEvent, SessionState
from contribd.engine.suspects import Suspects
from contribd.engine.verdicts import Verdicts
from contribd.engine.window import Window
from contribd.engine.withdrawals import Withdrawals
from contribd.mapping.outcome import PostType
from contribd.omm.post import MAX_POST_ID
from contribd.simulation.world.run import run_seed
from contribd.streams.membership import Joined, Membership, generation_of

Patch = tuple[object, str, Any]


class Mutant(NamedTuple):
    """One broken rule: ``patches`` are (where, name, replacement). ``within``: seeds in which it must be caught."""

    rule: str
    patches: list[Patch]
    within: int = 100


def _around(owner: Any, name: str, change: Callable[..., Any]) -> Patch:
    """Replaces a method by ``change(original, self, ...)``."""
    original = getattr(owner, name)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        return change(original, *args, **kwargs)

    return owner, name, replacement


# What is written


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


# What is posted


def _durable_at_once(original: Any, self: Verdicts, settlement: Any, instrument: Instrument | None) -> None:
    original(self, settlement, None)
    if instrument is not None:
        self._book.release(instrument, InstrumentEvent.COMMITTED)


def _retry_behind_newer(_original: Any, _self: Book, instrument: Instrument, group: Any) -> None:
    instrument.waiting.extend(group)
    instrument.move(InstrumentEvent.RETRY)


def _oldest_value_wins(original: Any, group: Any) -> Any:
    post_type, fields = original(group)
    for price in reversed(group):
        fields = {**fields, **price.mapped.fields}
    return post_type, fields


def _waiting_lifo(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    instrument.waiting.reverse()
    return original(self, instrument, now)


def _gather_all(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    group = original(self, instrument, now)
    while instrument.waiting:
        group.append(instrument.waiting.popleft())
    return group


def _forget_it_is_under_way(original: Any, self: Poster, flight: Any) -> None:
    original(self, flight)
    self._book._instruments.pop(flight.instrument.key, None)


def _leave_if_there(original: Any, self: Book, instrument: Instrument, event: InstrumentEvent) -> None:
    self._instruments.setdefault(instrument.key, instrument)
    original(self, instrument, event)


def _few_post_ids(self: Window) -> int:
    self._last_id = self._last_id % 2 + 1
    return self._last_id


def _past_the_largest(self: Window) -> int:
    self._last_id += 1
    return self._last_id


def _stays_at_the_largest(self: Window) -> int:
    self._last_id = min(self._last_id + 1, MAX_POST_ID)
    return self._last_id


def _several_partitions_lifo(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    if len({price.ledger for price in instrument.waiting}) > 1:
        instrument.waiting.reverse()
    return original(self, instrument, now)


def _settled_only_where_it_was_carried(original: Any, self: Settlement) -> None:
    if self.carried_by is None or self.carried_by.ledger is self.ledger:
        original(self)


def _answer_goes_with_the_newest(self: Contributor) -> int:
    gone = [flight for flight in self.window if all(price.ledger.closed for price in flight.group)]
    for flight in gone:
        self.window.pop(flight.post_id)
        self.book.release(flight.instrument, InstrumentEvent.FORGOTTEN)
    return len(gone)


def _any_answer_matches(original: Any, self: Window, post_id: int) -> Any:
    flight = original(self, post_id)
    oldest = self.oldest()
    return flight if flight is not None or oldest is None else original(self, oldest.post_id)


def _up_while_login_open(self: Session) -> bool:
    return self.live


def _services_always_up(_self: Services, _service: str) -> bool:
    return True


def _no_lease(original: Any, self: Engine, now: Any) -> Any:
    self.may_post_until = float("inf")
    return original(self, now)


def _remember_the_answered(original: Any, self: Any, price: Any, status: Status, *args: Any, **kwargs: Any) -> None:
    original(self, price, status, *args, **kwargs)
    if status is Status.ACK and type(price) is not Withdrawal:
        self.answered_last = price


def _answered_is_posted_again(original: Any, self: Contributor, now: Any) -> None:
    original(self, now)
    price = vars(self._verdicts).pop("answered_last", None)
    if price is not None and not price.ledger.stopping:
        price.settled = price.under_way = False
        self.book.queue(price)


def _closed_login_is_ignored(original: Any, self: Session, answer: Any, now: Any) -> None:
    if answer.is_open or self.state is SessionState.LOGGING_IN:
        original(self, answer, now)


def _suspicion_is_proof(original: Any, self: Suspects, *args: Any) -> Any:
    return original(self, *args[:-1], 0.0)


def _mates_are_refused(_original: Any, self: Contributor, now: Any, answered_frame: int = 0) -> None:
    for flight, _, text in self._suspects.proven(self.window, now.mono, answered_frame):
        self._verdicts.finish(flight, Status.ERROR, Reply.ERROR, None, text, now)


def _newest_too_large(_original: Any, self: Poster, instrument: Instrument, group: Any, max_size: int, now: Any) -> Any:
    post_id = self._window.next_id()
    while group:
        flight, text = self._encode(post_id, instrument, group, now)
        if len(text) <= max_size:
            return flight, text
        self._verdicts._settle(group.pop(), Status.REJECTED, now, code="TooLarge", text="")
    return None


def _not_behind(original: Any, self: Engine, event: Assigned, now: Any) -> None:
    original(self, Assigned(event.partitions), now)


def _older_outlive(_original: Any, self: Poster, instrument: Instrument, now: Any) -> list[Any]:
    group: list[Any] = []
    while instrument.waiting and (self._policy.conflate or not group):
        price = instrument.waiting.popleft()
        if not price.settled and self._ages.too_old(price, now):
            self._verdicts.expire(price, now)
        if not price.settled:
            group.append(price)
    return group


# What is withdrawn


def _called_off_by_nothing(_original: Any, self: Withdrawals, ledger: Ledger, mono: float) -> None:
    self._heard[ledger] = mono
    self._look_at = min(self._look_at, mono + (self.policy.silent_after or 0.0))


def _gather_blanks(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    if not self._policy.conflate or not any(type(price) is Withdrawal for price in instrument.waiting):
        return original(self, instrument, now)
    group = [price for price in instrument.waiting if not price.settled]
    instrument.waiting.clear()
    return group


def _withdrawals_count_as_records(original: Any, self: ResultEncoder, settlement: Settlement) -> Any:
    return original(self, structs.replace(settlement, reason=None))


def _stop_leaves_quotes(original: Any, self: Withdrawals) -> None:
    self._standing.clear()
    original(self)


def _keeps_blanks(original: Any, self: Verdicts, price: Any, instrument: Instrument, now: Any) -> Any:
    return type(price) is Withdrawal or original(self, price, instrument, now)


def _withdrawal_goes_behind(original: Any, self: Book, instrument: Instrument, group: Any) -> None:
    if any(type(price) is Withdrawal for price in group):
        instrument.waiting.extend(group)
        instrument.move(InstrumentEvent.RETRY)
    else:
        original(self, instrument, group)


def _unasked(original: Any, self: Withdrawals, policy: Any) -> None:
    original(self, replace(policy, on_stop=True))


def _all_that_was_posted(_original: Any, _self: Withdrawals, flight: Any) -> Any:
    names = frozenset(name for name, value in flight.fields.items() if value is not None)
    return names, frozenset(flight.fields) - names


def _only_what_was_acked(_original: Any, _self: Withdrawals, _flight: Any) -> None:
    return None


def _stop_waits_for_none(_original: Any, self: Engine, now: Any) -> None:
    self.session.drain(now)


def _told_twice(original: Any, self: Verdicts, settlement: Settlement, instrument: Any) -> None:
    original(self, settlement, instrument)
    if settlement.reason is not None:
        settlement.ledger.withdrawing += 1
        self._outbox.add(settlement, None)


def _not_told(original: Any, self: Verdicts, settlement: Settlement, instrument: Instrument | None) -> None:
    if settlement.reason is None:
        original(self, settlement, instrument)
    elif instrument is not None:
        self._book.release(instrument, InstrumentEvent.COMMITTED)


# What is said


def _lost_is_acked(_original: Any, self: Verdicts, flight: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(flight, Status.ACK, reply, None, text, now)


def _refused_is_acked(_original: Any, self: Verdicts, flight: Any, _code: str, text: str, now: Any) -> None:
    self.finish(flight, Status.ACK, Reply.ACK, None, text, now)


def _gives_up_at_once(_original: Any, self: Verdicts, flight: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(flight, Status.UNANSWERED, reply, None, text, now)


def _tries_are_forgotten(original: Any, self: Verdicts, flight: Any, *args: Any) -> Any:
    for price in flight.group:
        price.attempts = None
    return original(self, flight, *args)


def _mates_know_nothing(original: Any, self: Verdicts, flight: Any, *args: Any) -> None:
    mates = [(price, list(price.attempts or ())) for price in flight.group[:-1]]
    original(self, flight, *args)
    for price, attempts in mates:
        price.attempts = attempts or None


def _carried_by_oldest(original: Any, self: Verdicts, price: Any, *args: Any, **kwargs: Any) -> None:
    if kwargs.get("carried_by") is not None:
        kwargs["carried_by"] = price
    original(self, price, *args, **kwargs)


def _session_of_before(_original: Any, self: Verdicts, endpoint: str, session: str) -> None:
    self._endpoint = endpoint
    self._session = self._session or session


def _no_timeouts(_original: Any, _self: Window) -> None:
    return None


def _own_fields_only(original: Any, self: Verdicts, price: Any, *args: Any, **kwargs: Any) -> None:
    kwargs.pop("fields", None)
    original(self, price, *args, **kwargs)


# The shells


def _generation_is_proof(original: Any, self: Membership, consumer: Any) -> Joined | None:
    joined: Joined | None = original(self, consumer)
    if joined is not None:
        self._proven = (generation_of(joined.metadata), self._clock() + self._timeout)
    return joined


MUTANTS = [
    Mutant(
        "a commit's offset stays below the first unsettled record",
        [(Ledger, "prefix", property(_prefix_past_unsettled))],
    ),
    Mutant("a restart skips what the bitmap says", [(engine_module, "decode_metadata", lambda *_: frozenset())]),
    Mutant("what an earlier run settled stays in the bitmap", [_around(Ledger, "commit", _commit_without_earlier)]),
    Mutant("bit n is offset prefix + n", [_around(ledger_module, "encode_metadata", _bitmap_off_by_one)]),
    Mutant("a transaction that failed is offered again", [_around(Engine, "_not_committed", _not_written_as_written)]),
    Mutant("a transaction that succeeded is not", [_around(Outbox, "committed", _written_is_offered_again)]),
    Mutant("results of revoked partitions are dropped", [_around(Outbox, "close", _close_drops_nothing)], 2_000),
    Mutant("a revoked partition is forgotten", [_around(Intake, "close", _unsettled_by_closing)], 500),
    Mutant("merged prices and their carrier are one transaction", [_around(Outbox, "_fill", _groups_are_split)], 2_000),
    Mutant("parked records are taken later", [_around(Intake, "_take_parked", _parked_are_dropped)]),
    Mutant("records too far ahead are parked", [(Ledger, "has_room", lambda *_: True)], 500),
    Mutant("consumption pauses when too much waits", [(Intake, "paused", lambda self: frozenset(self._parked))], 500),
    Mutant("the next post waits until the result is durable", [_around(Verdicts, "_add", _durable_at_once)], 500),
    Mutant("a post to be repeated stays ahead of newer prices", [_around(Book, "requeue", _retry_behind_newer)]),
    Mutant("the newest value of each field wins", [_around(posting_module, "merge", _oldest_value_wins)]),
    Mutant("prices are posted in their order", [_around(Poster, "_gather", _waiting_lifo)]),
    Mutant("conflate: false merges nothing", [_around(Poster, "_gather", _gather_all)]),
    Mutant(
        "one post of a RIC at a time",
        [_around(Poster, "_sent", _forget_it_is_under_way), _around(Book, "_leave", _leave_if_there)],
    ),
    Mutant("no PostID is used twice at a time", [(Window, "next_id", _few_post_ids)]),
    Mutant("PostIDs begin again after the largest", [(Window, "next_id", _past_the_largest)]),
    Mutant("no PostID is used twice at a time, past the largest", [(Window, "next_id", _stays_at_the_largest)]),
    Mutant(
        "each partition's order holds where several feed a RIC",
        [_around(Poster, "_gather", _several_partitions_lifo)],
    ),
    Mutant(
        "a merged price is settled in its own partition",
        [_around(Settlement, "note", _settled_only_where_it_was_carried)],
    ),
    Mutant("an answer belongs to the post it names", [_around(Window, "pop", _any_answer_matches)]),
    Mutant(
        "nothing is posted before a service is Up",
        [(Session, "up", property(_up_while_login_open)), (Session, "is_up", lambda *_: True)],
    ),
    Mutant("nothing is posted to a service that is Down", [(Services, "is_up", _services_always_up)]),
    Mutant(
        "nothing is posted while stopping",
        [(Session, "drain", lambda *_: None), (Intake, "stop", lambda *_: set())],
        500,
    ),
    Mutant(
        "nothing is posted past the lease",
        [_around(Engine, "take_frames", _no_lease)],
        1_000,
    ),
    Mutant("a new generation proves no membership", [_around(Membership, "observe", _generation_is_proof)], 5_000),
    Mutant("a partition catches up before it posts", [_around(Engine, "_assigned", _not_behind)], 500),
    Mutant("outstanding posts are bounded", [(Window, "room", property(lambda _self: 1_000))]),
    Mutant("posts a second are bounded", [(RateLimit, "allowed", lambda _self, wanted, _mono: wanted)]),
    Mutant(
        "frame mates count as dropped after a grace only",
        [_around(Suspects, "after_error", _suspicion_is_proof)],
        2_000,
    ),
    Mutant(
        "frame mates of an Error are posted again", [_around(Contributor, "_resend_dropped", _mates_are_refused)], 500
    ),
    Mutant("of an oversized group, what is too large goes", [_around(Poster, "_fitting", _newest_too_large)], 500),
    Mutant(
        "a price too old is not posted",
        [(Ages, "too_old", lambda *_: False), (Contributor, "_expire_old", lambda *_: None)],
    ),
    Mutant(
        "nothing older follows a price too old",
        [_around(Poster, "_gather", _older_outlive), (Book, "older", lambda *_: [])],
        500,
    ),
    Mutant("a lost post is not acked", [_around(Verdicts, "again", _lost_is_acked)]),
    Mutant("a NAK is not an ACK", [_around(Verdicts, "refused", _refused_is_acked)]),
    Mutant("unanswered posts are tried again", [_around(Verdicts, "again", _gives_up_at_once)]),
    Mutant("unanswered posts time out", [_around(Window, "oldest", _no_timeouts)]),
    Mutant("every try is in the result", [_around(Verdicts, "_note", _tries_are_forgotten)]),
    Mutant("a merged price knows of the tries it was in", [_around(Verdicts, "retry", _mates_know_nothing)], 2_000),
    Mutant("CONFLATED names the carrier", [_around(Verdicts, "_settle", _carried_by_oldest)]),
    Mutant("a result has the fields as posted", [_around(Verdicts, "_settle", _own_fields_only)]),
    Mutant("a post names its session", [_around(Verdicts, "session_opened", _session_of_before)]),
    Mutant("a missing item is created", [(verdicts_module, "_says_missing", lambda *_: False)], 500),
    Mutant("only a missing item is created", [(verdicts_module, "_says_missing", lambda *_: True)]),
    Mutant(
        "a Refresh is posted as one",
        [_around(posting_module, "merge", lambda original, group: (PostType.UPDATE, original(group)[1]))],
    ),
    Mutant("a closed login ends the session", [_around(Session, "_login_answered", _closed_login_is_ignored)], 500),
    Mutant(
        "what has its result is not posted again",
        [
            _around(Verdicts, "_settle", _remember_the_answered),
            _around(Contributor, "session_lost", _answered_is_posted_again),
        ],
    ),
    Mutant(
        "a withdrawal is not merged with prices",
        [
            _around(Poster, "_gather", _gather_blanks),
            (Book, "withdrawal", lambda *_: None),
            _around(Withdrawals, "heard", _called_off_by_nothing),
        ],
        500,
    ),
    Mutant(
        "a record calls off the withdrawals of its partition",
        [_around(Withdrawals, "heard", _called_off_by_nothing)],
        2_000,
    ),
    Mutant("a withdrawal's result is of no record", [_around(ResultEncoder, "encode", _withdrawals_count_as_records)]),
    Mutant("a withdrawal has one result", [_around(Verdicts, "_add", _told_twice)]),
    Mutant("a withdrawal has a result", [_around(Verdicts, "_add", _not_told)]),
    Mutant("a stop withdraws what stands", [_around(Withdrawals, "stop", _stop_leaves_quotes)]),
    Mutant("a stop waits for the posts that are under way", [_around(Engine, "_drain_if_done", _stop_waits_for_none)]),
    Mutant("nothing is withdrawn unasked", [_around(Withdrawals, "__init__", _unasked)]),
    Mutant("only the fields listed are blanked", [_around(Withdrawals, "_shown", _all_that_was_posted)]),
    Mutant(
        "a post without an answer counts as standing",
        [_around(Withdrawals, "unanswered", _only_what_was_acked)],
        500,
    ),
    Mutant("a paused partition is not silent", [(Withdrawals, "deaf", lambda *_: None)], 2_000),
    Mutant(
        "a price takes the place of a withdrawal that waits",
        [
            _around(Book, "requeue", _withdrawal_goes_behind),
            (Book, "withdrawal", lambda *_: None),
            _around(Verdicts, "_keeps", _keeps_blanks),
        ],
        2_000,
    ),
]
"""Each breaks one rule that the daemon's promises rest on."""


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """The daemon without one of its rules."""
    with ExitStack() as stack:
        for owner, name, replacement in mutant.patches:
            stack.enter_context(patch.object(owner, name, replacement))
        yield


def seeds_to_catch(mutant: Mutant, most: int) -> tuple[int, str] | None:
    """How many seeds from 0 it takes, and the promise seen broken; None where ``most`` do not."""
    with broken(mutant):
        for seed in range(most):
            found = run_seed(seed)
            if found.broken is not None:
                return seed + 1, found.broken
    return None


def main() -> None:
    """Prints the table."""
    print("| without this rule | seeds | what the oracle saw |\n|---|---:|---|")  # noqa: T201 - a program
    for mutant in MUTANTS:
        seeds, seen = seeds_to_catch(mutant, mutant.within) or ("missed", "")
        print(f"| {mutant.rule} | {seeds} | {seen} |", flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    main()
