"""How much a chaos run feeds, and how much of what goes wrong in it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.integration.rigs.version_flow import Flow

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")


@dataclass(frozen=True)
class ChaosPlan:
    """How much happens. ``settle`` is how long to wait, at the end, for everything to be drained (seconds)."""

    flow: Flow
    daemons: int
    daemon_kills: int = 0
    group_kills: int = 0
    """Of all daemons at once."""
    daemon_pauses: int = 0
    broker_kills: int = 0
    broker_stops: int = 0
    cuts: int = 0
    stalls: int = 0
    provider_restarts: int = 0
    conflate: bool = False
    seed: int = 1
    settle: float = 180.0


FAULTS: Final = (
    "daemon_kills",
    "group_kills",
    "daemon_pauses",
    "broker_kills",
    "broker_stops",
    "cuts",
    "stalls",
    "provider_restarts",
)

SHORT: Final = ChaosPlan(
    Flow(24_000, 600, 800.0, CODECS, poison=1, unreadable=1),
    daemons=3,
    daemon_kills=4,
    daemon_pauses=1,
    broker_kills=1,
    broker_stops=3,
    cuts=4,
    stalls=2,
    provider_restarts=1,
)
SHORT_CURVES: Final = ChaosPlan(
    Flow(900, 60, 90.0, CODECS, curves=300),
    daemons=2,
    daemon_kills=2,
    cuts=2,
    settle=60.0,
)
LONG: Final = ChaosPlan(
    Flow(1_000_000, 10_000, 1_200.0, CODECS, poison=6, unreadable=6),
    daemons=3,
    daemon_kills=30,
    daemon_pauses=3,
    broker_kills=15,
    broker_stops=15,
    cuts=30,
    stalls=10,
    provider_restarts=3,
    settle=900.0,
)
CURVES: Final = ChaosPlan(
    Flow(25_000, 250, 200.0, CODECS, curves=5_000),
    daemons=2,
    daemon_kills=8,
    group_kills=2,
    daemon_pauses=1,
    broker_kills=2,
    broker_stops=2,
    cuts=12,
    stalls=4,
    provider_restarts=1,
    settle=300.0,
)
PLANS: Final = {"long": LONG, "curves": CURVES}


def plan_of(arguments: Sequence[str] | None, description: str | None) -> ChaosPlan:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="make chaos", description=description)
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default="long",
        help="long (default): single quotes, three daemons; "
        "curves: records of many posts among single quotes, two daemons",
    )
    parser.add_argument("--records", type=int, help="in all; curves among them in proportion")
    parser.add_argument("--points", type=int, help="of a curve")
    parser.add_argument("--rate", type=float, help="records a second")
    parser.add_argument("--conflate", action="store_true", help="merge newer prices into those that wait")
    parser.add_argument("--scale", type=float, default=1.0, help="how many of each fault, of those of the plan")
    parser.add_argument("--poison", type=int, help="records that make the ADS hang up")
    parser.add_argument("--unreadable", type=int, help="batches that nobody can read")
    parser.add_argument("--codecs", nargs="+", choices=CODECS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = PLANS[given.plan]
    named = {
        name: value
        for name in ("points", "rate", "poison", "unreadable")
        if (value := getattr(given, name)) is not None
    }
    flow = replace(plan.flow, **named, codecs=tuple(given.codecs or plan.flow.codecs))
    if given.records is not None:
        curves = flow.curves * given.records // flow.records
        flow = replace(flow, records=given.records, instruments=max(1, given.records // 100), curves=curves)
    faults = {name: round(getattr(plan, name) * given.scale) for name in FAULTS}
    return replace(plan, flow=flow, seed=given.seed, conflate=given.conflate, **faults)
