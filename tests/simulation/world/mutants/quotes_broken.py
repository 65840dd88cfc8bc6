"""Daemons without a rule of orders about quotes."""

from dataclasses import replace
from typing import Any

from msgspec import structs
from tests.simulation.world.mutants.mutant import Mutant, around
from tests.simulation.world.order_plan import some_orders
from tests.simulation.world.plan import Plan, Takes, harmless_plan

from contribd.engine.posts import ordered
from contribd.engine.posts.ordered import OrderedPosts
from contribd.engine.records import standing
from contribd.engine.records.instruments import Instruments


def _world(seed: int) -> Plan:
    """Most orders are about quotes, and of much at once."""
    plan = replace(harmless_plan(seed), keyed=True, withdraw_on_stop=False, silent_after=None, takes=Takes())
    orders = replace(some_orders(seed), rate=1.0, quotes=0.8, kinds=("all", "ric", "all"), resumes=0.8)
    return replace(plan, orders=orders)


def _republishes_paused(original: Any, self: OrderedPosts, order: Any, key: Any, quote: Any, *more: Any) -> bool:
    if quote.withdrawn or quote.unsure or quote.shortened:
        return bool(original(self, order, key, quote, *more))
    self._post_again(order, key, quote, *more)
    return True


def _never_withdrawn(_original: Any, before: Any, _result: Any) -> Any:
    return before


def _nothing_is_newer(original: Any, self: Any, key: Any, *more: Any) -> None:
    original(self, key, *more)
    self.newer.clear()


def _posts_at_once(_original: Any, self: OrderedPosts, order: Any, key: Any, tracker: Any, now: Any) -> bool:
    return self._table[order.kind](order, key, order.quotes[key], tracker, now)


def _whatever_partition(original: Any, self: OrderedPosts, order: Any, known: Any) -> None:
    mine = next(iter(self._intake.trackers), None)
    if mine is not None:
        known = {key: structs.replace(quote, partition=mine) for key, quote in known.items()}
    original(self, order, known)


MUTANTS = [
    Mutant(
        "values of what is paused are not posted once more",
        [around(OrderedPosts, "_republish", _republishes_paused)],
        500,
        world=_world,
    ),
    Mutant(
        "what was withdrawn is not posted once more",
        [around(standing, "_withdrawn", _never_withdrawn)],
        500,
        world=_world,
    ),
    Mutant(
        "a price posted since the order is not blanked",
        [around(ordered._Order, "note", _nothing_is_newer)],
        500,
        world=_world,
    ),
    Mutant(
        "a price that waits, or is not durable, goes before what was ordered",
        [around(OrderedPosts, "_decided", _posts_at_once), (Instruments, "own_post", lambda *_: None)],
        500,
        world=_world,
    ),
    Mutant(
        "each instance acts for its own partitions",
        [around(OrderedPosts, "_choose", _whatever_partition)],
        500,
        world=_world,
    ),
]
