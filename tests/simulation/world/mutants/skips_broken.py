"""Daemons that are wrong about what cannot be read."""

from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around, with_more

from contribd.engine.engine import Engine
from contribd.streams.group.blocked import BlockedPartitions, Skip

_SPOILT = with_more({}, unreadable=0.3)


def _without_results(original: Any, self: BlockedPartitions, *given: Any) -> Any:
    return {partition: [] for partition in original(self, *given)}


def _unasked(original: Any, self: BlockedPartitions, partition: Any, fault: Any, before: Any) -> None:
    original(self, partition, fault, before)
    self.skip(Skip(0, partition, fault.offset, "skipped by nobody", float("inf")), {partition})


def _holds_at_once(original: Any, self: Engine, partition: Any, rejected: Any) -> Any:
    return True if partition in self.intake.trackers else original(self, partition, rejected)


MUTANTS = [
    Mutant(
        "what is skipped has its results", [around(BlockedPartitions, "take_skipped", _without_results)], 20, 0, _SPOILT
    ),
    Mutant("nothing is skipped unasked", [around(BlockedPartitions, "_begin", _unasked)], 20, 0, _SPOILT),
    Mutant("a skip holds once it is durable", [around(Engine, "are_durable", _holds_at_once)], 20, 0, _SPOILT),
    Mutant("what cannot be read is tried again", [(BlockedPartitions, "follow", lambda *_: False)], 20, 0, _SPOILT),
]
