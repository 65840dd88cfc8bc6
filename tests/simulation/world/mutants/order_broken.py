"""Daemons without a rule of which price is posted next, and of what is merged into it."""

from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around, with_more

from contribd.engine.engine import Engine
from contribd.engine.events import Assigned
from contribd.engine.posts import poster as posting_module
from contribd.engine.posts.contributor import Contributor
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.posts.poster import Poster
from contribd.engine.records.expiry import Expiry
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.records.price import Price, Status, Withdrawal
from contribd.engine.states import InstrumentEvent, PriceState
from contribd.mapping.outcome import PostType


def _durable_at_once(original: Any, self: Outcomes, settlement: Any, instrument: Instrument | None) -> None:
    original(self, settlement, None)
    if instrument is not None:
        self._instruments.release(instrument, InstrumentEvent.COMMITTED)


def _behind_newer(_original: Any, self: Instrument, prices: Any) -> None:
    self.waiting.extend(prices)


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


def _forget_it_is_under_way(original: Any, self: Poster, post: Any) -> None:
    original(self, post)
    self._instruments._instruments.pop(post.instrument.key, None)


def _leave_if_there(original: Any, self: Instruments, instrument: Instrument, event: InstrumentEvent) -> None:
    self._instruments.setdefault(instrument.key, instrument)
    original(self, instrument, event)


def _several_partitions_lifo(original: Any, self: Poster, instrument: Instrument, now: Any) -> Any:
    if len({price.tracker for price in instrument.waiting}) > 1:
        instrument.waiting.reverse()
    return original(self, instrument, now)


def _remember_the_answered(original: Any, self: Any, price: Any, status: Status, *args: Any, **kwargs: Any) -> None:
    original(self, price, status, *args, **kwargs)
    if status is Status.ACK and type(price) is not Withdrawal:
        self.answered_last = price


def _answered_is_posted_again(original: Any, self: Contributor, now: Any) -> None:
    original(self, now)
    price = vars(self._outcomes).pop("answered_last", None)
    if price is not None and not price.tracker.stopping:
        price.state = PriceState.WAITING
        self.instruments.queue(price)


def _not_behind(original: Any, self: Engine, event: Assigned, now: Any) -> None:
    original(self, Assigned(event.partitions), now)


def _older_outlive(_original: Any, self: Poster, instrument: Instrument, now: Any) -> list[Any]:
    group: list[Any] = []
    while instrument.waiting and (self._policy.conflate or not group):
        price = instrument.waiting.popleft()
        if price.state is not PriceState.SETTLED and self._expiry.too_old(price, now):
            self._outcomes.expire(price, now)
        if price.state is not PriceState.SETTLED:
            group.append(price)
    return group


MUTANTS = [
    Mutant("the next post waits until the result is durable", [around(Outcomes, "_add", _durable_at_once)], 500),
    Mutant("a post to be repeated stays ahead of newer prices", [around(Instrument, "put_back", _behind_newer)]),
    Mutant("the newest value of each field wins", [around(posting_module, "merge", _oldest_value_wins)]),
    Mutant("prices are posted in their order", [around(Poster, "_gather", _waiting_lifo)]),
    Mutant("conflate: false merges nothing", [around(Poster, "_gather", _gather_all)]),
    Mutant(
        "one post of a RIC at a time",
        [around(Poster, "_sent", _forget_it_is_under_way), around(Instruments, "_leave", _leave_if_there)],
    ),
    Mutant(
        "each partition's order holds where several feed a RIC",
        [around(Poster, "_gather", _several_partitions_lifo)],
    ),
    Mutant("a partition catches up before it posts", [around(Engine, "_assigned", _not_behind)], 500),
    Mutant(
        "a price too old is not posted",
        [(Expiry, "too_old", lambda *_: False), (Contributor, "_expire_old", lambda *_: None)],
    ),
    Mutant(
        "a timestamp in the future counts as of its arrival",
        [(Price, "timestamp", property(lambda self: self.record.timestamp))],
        100,
        world=with_more(rates={}, shares={"future_timestamp": 0.3}, max_age=2.0),
    ),
    Mutant(
        "nothing older follows a price too old",
        [around(Poster, "_gather", _older_outlive), (Instruments, "older", lambda *_: [])],
        500,
    ),
    Mutant(
        "a Refresh is posted as one",
        [around(posting_module, "merge", lambda original, group: (PostType.UPDATE, original(group)[1]))],
    ),
    Mutant(
        "what has its result is not posted again",
        [
            around(Outcomes, "_settle", _remember_the_answered),
            around(Contributor, "session_lost", _answered_is_posted_again),
        ],
    ),
]
