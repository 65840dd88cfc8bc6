"""Daemons without a rule of what becomes of an instrument whose posts do harm."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around
from tests.simulation.world.plan import Plan, harm_alone, harmless_plan

from contribd.engine.posts import trials as trials_module
from contribd.engine.posts.contributor import Contributor
from contribd.engine.posts.isolator import Isolator
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.posts.trials import Trials


def _harm(*kinds: str, **settings: Any) -> Callable[[int], Plan]:
    """Makes the plan of a seed in which some instruments do harm of these kinds, and nothing else goes wrong."""

    def make(seed: int) -> Plan:
        return replace(harm_alone(replace(harmless_plan(seed), harm=kinds[seed % len(kinds)])), **settings)

    return make


_ENDS_SESSIONS = _harm("closes", "garbles", spread=50.0, records=120)


def _counts_for_the_newest_price(original: Any, self: Outcomes, post: Any, *args: Any, **how: Any) -> None:
    post.instrument.tries = len(post.group[-1].attempts or ())
    original(self, post, *args, **how)


def _nobody_is_in_doubt(_original: Any, _self: Isolator, _post: Any) -> None:
    pass


def _goes_beside_others(_original: Any, _self: Trials, _grace: float, _mono: float) -> bool:
    return False


def _others_go_on(original: Any, self: Trials, *args: Any, **how: Any) -> None:
    original(self, *args, **how)
    self.held_until = 0.0


def _goes_at_once(_original: Any, _self: Trials, _instrument: Any) -> float:
    return 0.0


def _the_endpoint_s_fault(_original: Any, _self: Contributor, _now: Any) -> bool:
    return False


def _nobody_is_silent(_original: Any, _self: Isolator, _post: Any, _now: Any) -> None:
    pass


def _nothing_is_given_up(_original: Any, _self: Contributor, **_how: Any) -> None:
    pass


MUTANTS = [
    Mutant(
        "tries count for the instrument",
        [around(Outcomes, "again", _counts_for_the_newest_price)],
        300,
        world=_harm("closes", "garbles", spread=50.0, records=120, attempts=2, conflate=True, rics=3),
    ),
    Mutant(
        "what was in flight when a session ended is in doubt",
        [around(Isolator, "_doubt", _nobody_is_in_doubt)],
        world=_ENDS_SESSIONS,
    ),
    Mutant(
        "a trial waits for the others' answers", [around(Trials, "hold", _goes_beside_others)], world=_ENDS_SESSIONS
    ),
    Mutant("the others wait for a trial's answer", [around(Trials, "begin", _others_go_on)], world=_ENDS_SESSIONS),
    Mutant("an offender waits", [around(Trials, "_due_at", _goes_at_once)], world=_ENDS_SESSIONS),
    Mutant(
        "a session that a trial ended is not the endpoint's failure",
        [around(Isolator, "ended_by_trial", _the_endpoint_s_fault)],
        world=_ENDS_SESSIONS,
    ),
    Mutant("who is not answered is noticed", [around(Isolator, "timed_out", _nobody_is_silent)], world=_harm("silent")),
    Mutant("who is not answered has a part of the window", [(trials_module, "SILENT_SHARE", 1)], world=_harm("silent")),
    Mutant(
        "what is not answered is given up for the others",
        [around(Contributor, "make_room", _nothing_is_given_up)],
        world=_harm("closes", "garbles", spread=50.0, records=120, conflate=False, span=16, waiting_records=12),
    ),
]
