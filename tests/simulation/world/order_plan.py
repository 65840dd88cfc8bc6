"""What one seed decides of orders: who pauses and resumes what, how often, and whether a topic keeps it."""

from dataclasses import dataclass
from random import Random

ORDERS_SHARE = 0.4
"""Of the plans have somebody who gives orders."""

TOPIC_SHARE = 0.7
"""Of these have a control topic."""

ORDERS_AWAY = "orders_away"
"""The partition of the control topic has no leader for a while; a fault of plans that have the topic."""

ORDERS_CUT = "orders_cut"
"""One process cannot reach the control topic for a while, and all else of Kafka; of the same plans."""

KINDS = ("ric", "mapping", "desk", "all")
"""What a pause can go by."""


@dataclass(frozen=True, slots=True)
class OrdersPlan:
    """Orders to pause and to resume. ``rate``: times a second over all."""

    rate: float
    resumes: float
    """Share of orders that end a pause; of a pause that was ordered before, where there is one."""
    at_all: float
    """Share of orders that are given to every instance at once."""
    kinds: tuple[str, ...]
    """Among these, with equal chances."""
    topic: bool
    approvals: int = 1
    """Users that have to order that something is resumed."""
    quotes: float = 0.0
    """Share of orders that are about quotes: to withdraw them, or to post them once more."""
    away: float | None = None
    """How often the topic's partition has no leader, and how often one process cannot reach it, times a second; None:
    never."""


def orders_of(seed: int) -> OrdersPlan | None:
    """Those of a seed, by chance of their own: most seeds are what they were without."""
    rng = Random(f"whether orders {seed}")
    return some_orders(seed) if rng.random() < ORDERS_SHARE else None


def some_orders(seed: int) -> OrdersPlan:
    """The same, of a seed that has some whatever chance says."""
    rng = Random(f"orders {seed}")
    topic = rng.random() < TOPIC_SHARE
    return OrdersPlan(
        rate=rng.choice((0.1, 0.3, 1.0)),
        resumes=rng.choice((0.2, 0.5)),
        at_all=0.2 if topic else rng.choice((0.0, 1.0)),
        kinds=rng.choice((KINDS, ("ric",), ("mapping", "desk"), ("ric", "all"))),
        topic=topic,
        approvals=rng.choice((1, 1, 1, 2)),
        away=rng.choice((None, None, 0.05)) if topic else None,
    )
