"""Daemons that take rules anew wrongly, or do not say so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around
from tests.simulation.world.plan import Plan, harmless_plan, with_curves
from tests.simulation.world.reload_plan import some_reloads

from contribd.engine.clock import Now
from contribd.engine.records.partition_rules import PartitionRules
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.reloads import ReloadAsked, Reloads
from contribd.streams.source import Source


def _reloading(seed: int) -> Plan:
    return replace(harmless_plan(seed), reloads=some_reloads(seed))


def _reloading_curves(seed: int) -> Plan:
    return replace(with_curves(harmless_plan(seed)), reloads=some_reloads(seed))


def _while_none_goes_on(original: Callable[..., None], self: Any, asked: ReloadAsked, now: Now) -> None:
    if self._current is None:
        original(self, asked, now)


def _twice(original: Callable[..., None], self: Any, *rest: Any) -> None:
    original(self, *rest)
    original(self, *rest)


MUTANTS = [
    Mutant(
        "a result names the rules that its record was mapped by",
        [(ResultEncoder, "_named_otherwise", lambda *_: None)],
        world=_reloading,
    ),
    Mutant(
        "results name the rules that are in force",
        [(ResultEncoder, "change_rules", lambda *_: None)],
        world=_reloading,
    ),
    Mutant(
        "a reload that comes while another goes on has its turn",
        [around(Reloads, "take", _while_none_goes_on)],
        world=_reloading,
    ),
    Mutant(
        "a reload is answered once",
        [around(Reloads, "_answer", _twice)],
        world=_reloading,
    ),
    Mutant(
        "before other rules are in force a commit that names none is durable",
        [(PartitionRules, "unname", lambda _self: None)],
        world=_reloading_curves,
    ),
    Mutant(
        "the source goes by the rules in force",
        [(Source, "follow_rules", lambda *_: True)],
        500,
        world=_reloading_curves,
    ),
]
