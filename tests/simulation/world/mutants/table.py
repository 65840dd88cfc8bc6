"""Deliberately broken daemons, one a rule. The simulation must catch each: that is the test of its oracle.

Run as a program it prints, for each, how many seeds it takes.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # a program finds only what is beside it
    sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.simulation.world.mutants import (
    answers_broken,
    carrying_broken,
    commits_broken,
    isolation_broken,
    order_broken,
    sending_broken,
    streams_broken,
    withdrawals_broken,
)
from tests.simulation.world.mutants.mutant import seeds_to_catch

ALL = [
    *commits_broken.MUTANTS,
    *order_broken.MUTANTS,
    *sending_broken.MUTANTS,
    *answers_broken.MUTANTS,
    *withdrawals_broken.MUTANTS,
    *carrying_broken.MUTANTS,
    *streams_broken.MUTANTS,
    *isolation_broken.MUTANTS,
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


def main() -> None:
    """Prints the table."""
    print("| without this rule | seeds | what the oracle saw |\n|---|---:|---|")  # noqa: T201 - a program
    for mutant in MUTANTS:
        seeds, seen = seeds_to_catch(mutant, mutant.within) or ("missed", "")
        start = f", from {mutant.first}" if mutant.first else ""
        print(f"| {mutant.rule} | {seeds}{start} | {seen} |", flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    main()
