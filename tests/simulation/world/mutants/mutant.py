"""What a deliberately broken daemon is: the rule it lacks, and what is replaced in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.simulation.world.plan import Plan, harmless_plan
from tests.simulation.world.seeded_run import run_plan

Patch = tuple[object, str, Any]


def with_more(rates: Mapping[str, float], **settings: Any) -> Callable[[int], Plan]:
    """Makes the plan of a seed with these rates of faults and these settings instead of its own."""

    def make(seed: int) -> Plan:
        plan = harmless_plan(seed)
        return replace(plan, rates={**plan.rates, **rates}, **settings)

    return make


class Mutant(NamedTuple):
    """One broken rule: ``patches`` are (where, name, replacement).

    ``within``: seeds in which it must be caught, from ``first``. ``world``: makes the plan of a seed;
    another one for what takes several faults at once, so that they come together more often.
    """

    rule: str
    patches: list[Patch]
    within: int = 100
    first: int = 0
    world: Callable[[int], Plan] = harmless_plan


def around(owner: Any, name: str, change: Callable[..., Any]) -> Patch:
    """Replaces a method by ``change(original, self, ...)``."""
    original = getattr(owner, name)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        return change(original, *args, **kwargs)

    return owner, name, replacement


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """The daemon without one of its rules."""
    with ExitStack() as stack:
        for owner, name, replacement in mutant.patches:
            stack.enter_context(patch.object(owner, name, replacement))
        yield


def seeds_to_catch(mutant: Mutant, most: int) -> tuple[int, str] | None:
    """How many seeds it takes, and the promise seen broken; None where ``most`` do not."""
    for number in range(most):
        if seen := seen_at(mutant, mutant.first + number):
            return number + 1, seen
    return None


def seen_at(mutant: Mutant, seed: int) -> str | None:
    """The promise that the broken daemon is seen to break at ``seed``; None where it keeps them all."""
    with broken(mutant):
        return run_plan(mutant.world(seed)).broken
