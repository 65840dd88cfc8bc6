"""The one loop of a plan: each record through both sets of rules."""

from collections.abc import Callable, Iterable
from decimal import localcontext
from typing import Final

from contribd.mapping.inputs import Input
from contribd.mapping.mapper import Mapper
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
) -> Gathering:
    """All that differs. ``tick`` hears now and then how many records there were; ``seen`` takes note of each."""
    gathering = Gathering(old.mappings, new.mappings)
    before, after, add, note = old.map, new.map, gathering.add, seen.add
    with localcontext(CONTEXT):
        for number, record in enumerate(records, 1):
            value, around, _ = record
            add(record, before(value, around), after(value, around))
            note(record)
            if number % TICK == 0:
                tick(number)
    return gathering
