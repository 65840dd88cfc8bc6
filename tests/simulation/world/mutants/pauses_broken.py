"""Daemons without a rule of orders to pause and to resume."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from queue import Empty
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around
from tests.simulation.world.order_plan import KINDS, ORDERS_AWAY, ORDERS_CUT, OrdersPlan
from tests.simulation.world.plan import Plan, harmless_plan, with_orders

from contribd.engine.engine import Engine
from contribd.engine.posts.contributor import Contributor
from contribd.engine.records.intake import Intake
from contribd.pausing.book import Book
from contribd.pausing.pause_orders import PauseOrders
from contribd.pausing.spread import Spread
from contribd.streams.order_topic import OrderTopic


def _worlds(rates: dict[str, float], orders: OrdersPlan, **settings: Any) -> Callable[[int], Plan]:
    """Seeds with these orders, more of these faults, and these settings."""

    def make(seed: int) -> Plan:
        plan = harmless_plan(seed)
        return with_orders(replace(plan, rates={**plan.rates, **rates}, **settings), orders)

    return make


_MANY = OrdersPlan(rate=1.0, resumes=0.5, at_all=0.2, kinds=KINDS, topic=True)
_HERE = replace(_MANY, topic=False, at_all=1.0)
_IN_GROUP = _worlds({}, _MANY)
_CUT_OFF = _worlds({ORDERS_AWAY: 0.15, "group_cut": 0.1}, _MANY, daemons=3)


# What is paused is not posted


def _none_is_kept_back(_original: Any, _self: Contributor, _price: Any, _now: Any) -> bool:
    return False


def _those_that_wait_go_on(_original: Any, _self: Contributor, _now: Any) -> None:
    pass


def _held_up_by_nothing(_original: Any, _self: Contributor, _price: Any) -> None:
    return None


def _only_those_in_flight(self: Contributor) -> bool:
    return any(self._pauses.of_price(price) is not None for post in self.in_flight for price in post.group)


# In a group


def _any_pause_of_it(original: Any, self: Book, what: Any, _numbers: Any, approval: Any) -> None:
    original(self, what, tuple(self.of(what)), approval)


def _those_there_are(original: Any, self: Book, what: Any, numbers: Any, approval: Any) -> None:
    original(self, what, [number for number in numbers if number in self.of(what)], approval)


def _agreed_before(original: Any, self: Book, number: str, pause: Any) -> bool:
    before = next(iter(self.of(pause.what).values()), None)
    is_new: bool = original(self, number, pause)
    if before is not None:
        entries = self._entries[pause.what]
        entries[number] = replace(entries[number], approvals=before.approvals)
    return is_new


def _paused_already(original: Any, self: PauseOrders, what: Any, number: str, text: str, *when: Any) -> Any:
    if text.startswith("nothing changes") and number in self._book.of(what):
        return self._outcome(True, text)
    return original(self, what, number, text, *when)


def _for_good(original: Any, self: PauseOrders, event: Any, now: Any) -> None:
    original(self, event, now)
    self.may_post_until = float("inf")


def _each_time_it_is_read(original: Any, self: PauseOrders, record: Any, now: Any) -> Any:
    self._read_numbers.clear()
    return original(self, record, now)


def _written_once(_original: Any, self: OrderTopic, log: Any) -> None:
    with suppress(Empty):
        while True:
            log.write(*self._ordered.get_nowait())


MUTANTS = [
    Mutant(
        "a price of what is paused is not queued",
        [around(Contributor, "suppress", _none_is_kept_back)],
        world=_worlds({}, _HERE),
    ),
    Mutant(
        "a price that waits when a pause comes is not posted",
        [around(Contributor, "pause", _those_that_wait_go_on)],
        world=_worlds({}, _HERE),
    ),
    Mutant(
        "a pause holds once no post of what is paused lies unsent",
        [(Engine, "pauses_hold", True)],
        world=_worlds({"ads_not_reading": 0.2}, _HERE, socket_room=500),
        within=500,
    ),
    Mutant(
        "a post that was given up may lie unsent, too",
        [(Contributor, "may_be_unsent", property(_only_those_in_flight))],
        world=_worlds({"ads_not_reading": 0.2}, _HERE, socket_room=500, ack_timeout=2.0),
        within=500,
    ),
    Mutant(
        "not conflated, nothing newer goes before the result of a paused price is durable",
        [around(Contributor, "_held_up_by", _held_up_by_nothing)],
        world=_worlds({"kill": 0.3}, replace(_HERE, kinds=("mapping", "desk")), conflate=False, max_age=None, rics=1),
        within=500,
    ),
    Mutant(
        "nothing follows a paused price that it may have been merged with by the owner before",
        [around(Intake, "paused_newer", lambda _original, _self, _price, _held=None: None)],
        world=_worlds(
            {"kill": 0.3}, replace(_MANY, kinds=("mapping", "desk"), resumes=0.2), conflate=True, max_age=None, rics=1
        ),
        within=1000,
    ),
    Mutant(
        "a pause is answered once it holds in every instance",
        [around(Spread, "is_everywhere", lambda _original, _self, _mono: True)],
        world=_CUT_OFF,
        within=300,
    ),
    Mutant(
        "an instance that is cut off from the control topic posts nothing",
        [around(PauseOrders, "followed", _for_good)],
        world=_worlds({ORDERS_CUT: 0.2}, _MANY, daemons=3),
        within=300,
    ),
    Mutant(
        "a pause of what is paused before is written, too",
        [around(PauseOrders, "_spread_of", _paused_already)],
        world=_IN_GROUP,
    ),
    Mutant(
        "an order to resume ends the pauses that it names",
        [around(Book, "approve", _any_pause_of_it)],
        world=_IN_GROUP,
        within=300,
    ),
    Mutant(
        "an agreement to resume is none for a later pause",
        [around(Book, "pause", _agreed_before)],
        world=_worlds({}, replace(_MANY, approvals=2)),
        within=300,
    ),
    Mutant(
        "an order that was written twice counts once",
        [around(PauseOrders, "_read", _each_time_it_is_read)],
        world=_CUT_OFF,
        within=500,
    ),
    Mutant(
        "a pause that was ended stays so where its record comes again, behind that",
        [around(Book, "approve", _those_there_are)],
        world=_CUT_OFF,
        within=500,
    ),
    Mutant(
        "an order that could not be written is written again",
        [around(OrderTopic, "_write", _written_once)],
        world=_CUT_OFF,
    ),
]
