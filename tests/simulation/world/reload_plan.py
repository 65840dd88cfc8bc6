"""What one seed decides of reloads: how often files change and are taken anew, and how many of them are broken."""

from dataclasses import dataclass
from random import Random

RELOADS_SHARE = 0.25
"""Of the plans reload their rules while they run."""


@dataclass(frozen=True, slots=True)
class ReloadsPlan:
    """``rate``: times a second over all."""

    rate: float
    broken: float
    """Share of times that the files are left with a mistake."""
    at_all: float
    """Share of reloads that every instance is asked for at once."""


def reloads_of(seed: int) -> ReloadsPlan | None:
    """Those of a seed, by chance of their own: most seeds are what they were without."""
    rng = Random(f"whether reloads {seed}")
    return some_reloads(seed) if rng.random() < RELOADS_SHARE else None


def some_reloads(seed: int) -> ReloadsPlan:
    """The same, of a seed that has some whatever chance says."""
    rng = Random(f"reloads {seed}")
    return ReloadsPlan(rate=rng.choice((0.1, 0.5, 2.0)), broken=rng.choice((0.0, 0.5)), at_all=rng.choice((0.2, 1.0)))
