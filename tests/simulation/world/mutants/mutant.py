"""What a deliberately broken daemon is: the rule it lacks, and what is replaced in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.simulation.world.plan import Plan
from tests.simulation.world.seeded_run import run_seed

Patch = tuple[object, str, Any]
ChangePlan = Callable[[Plan], Plan]


def as_it_is(plan: Plan) -> Plan:
    """The plan of the seed."""
    return plan


def with_more(*, rates: Mapping[str, float], shares: Mapping[str, float] | None = None, **fixed: Any) -> ChangePlan:
    """More of these faults, and these settings."""

    def change(plan: Plan) -> Plan:
        changed = {**plan.rates, **rates}, {**plan.shares, **(shares or {})}
        return replace(plan, rates=changed[0], shares=changed[1], **fixed)

    return change


class Mutant(NamedTuple):
    """One broken rule: ``patches`` are (where, name, replacement).

    ``within``: seeds in which it must be caught, from ``first``. ``world``: for what takes several faults at once, how
    the plan of each seed is changed so that they come together more often.
    """

    rule: str
    patches: list[Patch]
    within: int = 100
    first: int = 0
    world: ChangePlan = as_it_is


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
    with broken(mutant):
        for number in range(most):
            found = run_seed(mutant.first + number, change=mutant.world)
            if found.broken is not None:
                return number + 1, found.broken
    return None
