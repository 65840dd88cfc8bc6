"""The one loop of a plan: each record through both sets of rules."""

from collections.abc import Callable, Iterable
from decimal import localcontext
from functools import partial
from typing import Final

from contribd.mapping.inputs import Input
from contribd.mapping.judging import InARow
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Outcome
from contribd.mapping.scope import Surroundings
from contribd.plan.gathering import Gathering
from contribd.plan.number_patterns import CONTEXT
from contribd.plan.report import SeenTraffic

TICK: Final = 1_000
"""Records between two words on how far it is."""


def compare(
    records: Iterable[Input],
    old: Mapper,
    new: Mapper,
    seen: SeenTraffic,
    tick: Callable[[int], None] = lambda _records: None,
    conflate: tuple[bool, bool] = (True, True),
) -> Gathering:
    """All that differs. ``tick`` hears now and then how many records there were; ``seen`` takes note of each.

    ``conflate``: of the old rules, and of the new ones.
    """
    gathering = Gathering(old.mappings, new.mappings)
    before, after = _mapped(old, conflate=conflate[0]), _mapped(new, conflate=conflate[1])
    add, note = gathering.add, seen.add
    with localcontext(CONTEXT):
        for number, record in enumerate(records, 1):
            value, around, _ = record
            add(record, before(value, around), after(value, around))
            note(record)
            if number % TICK == 0:
                tick(number)
    return gathering


def _mapped(mapper: Mapper, *, conflate: bool) -> Callable[[bytes | None, Surroundings], Outcome]:
    """What maps each record, and asks its publish rules where there are any: a record arrives when it is stamped."""
    return partial(InARow(conflate=conflate).map, mapper) if mapper.publishes else mapper.map
