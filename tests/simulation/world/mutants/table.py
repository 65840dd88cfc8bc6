"""Deliberately broken daemons, one a rule. The simulation must catch each: that is the test of its oracle.

Run as a program it prints, for each, how many seeds it takes, and writes down which seed it was (``caught_at.json``):
so the tests need not look for it. Where the simulation has changed since, they do.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

if __name__ == "__main__":  # a program finds only what is beside it
    sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.simulation.world.mutants import (
    answers_broken,
    carrying_broken,
    commits_broken,
    isolation_broken,
    order_broken,
    parts_broken,
    pauses_broken,
    quotes_broken,
    reloads_broken,
    sending_broken,
    streams_broken,
    withdrawals_broken,
)
from tests.simulation.world.mutants.mutant import seeds_to_catch, seen_at

ALL = [
    *commits_broken.MUTANTS,
    *order_broken.MUTANTS,
    *sending_broken.MUTANTS,
    *answers_broken.MUTANTS,
    *withdrawals_broken.MUTANTS,
    *carrying_broken.MUTANTS,
    *streams_broken.MUTANTS,
    *isolation_broken.MUTANTS,
    *parts_broken.MUTANTS,
    *pauses_broken.MUTANTS,
    *reloads_broken.MUTANTS,
    *quotes_broken.MUTANTS,
]
"""Each breaks one rule that the daemon's promises rest on."""

RARE = {
    "what lies unsent dies with its connection",
    "offsets of before our last commit are asked again",
    "offsets count between two confirmations",
}
"""Rules that take several faults at once to be missed: no seed is known that shows it, of some two thousand each. They
have examples of their own, in ``tests/engine``, ``tests/ads`` and ``tests/streams``."""

MUTANTS = [mutant for mutant in ALL if mutant.rule not in RARE]
"""Those that the first seeds must catch."""


CAUGHT_AT: Final = Path(__file__).with_name("caught_at.json")
"""By rule, the first seed that caught it."""


def is_caught(number: int) -> bool:
    """Whether one of ``MUTANTS`` is caught: at the seed that is written down, or else within its first seeds."""
    mutant = MUTANTS[number]  # it holds functions, which do not go from one process to another
    known = json.loads(CAUGHT_AT.read_text()).get(mutant.rule)
    if known is not None and seen_at(mutant, known):
        return True
    return seeds_to_catch(mutant, mutant.within) is not None


def main() -> None:
    """Prints the table and writes the seeds down."""
    caught_at = {}
    print("| without this rule | seeds | what the oracle saw |\n|---|---:|---|")  # noqa: T201 - a program
    with ProcessPoolExecutor() as pool:
        for mutant, found in zip(MUTANTS, pool.map(_caught, range(len(MUTANTS))), strict=True):
            seeds, seen = found or ("missed", "")
            start = f", from {mutant.first}" if mutant.first else ""
            print(f"| {mutant.rule} | {seeds}{start} | {seen} |", flush=True)  # noqa: T201 - a program
            if found:
                caught_at[mutant.rule] = mutant.first + found[0] - 1
    CAUGHT_AT.write_text(json.dumps(caught_at, indent=2) + "\n")


def _caught(number: int) -> tuple[int, str] | None:
    return seeds_to_catch(MUTANTS[number], MUTANTS[number].within)


if __name__ == "__main__":
    main()
