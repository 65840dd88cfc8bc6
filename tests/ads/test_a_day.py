"""A day with an ADS whose connections are cut once a minute, in simulated time and judged by the oracle."""

from dataclasses import replace

import pytest
from tests.simulation.world.plan import make_plan
from tests.simulation.world.seeded_run import _Simulation

DAY = 86_400.0
RECORDS = 3_000


@pytest.mark.timeout(400)  # seconds on an idle machine, minutes on a busy one
def test_nothing_is_lost_in_24_hours_with_a_cut_a_minute() -> None:
    plan = replace(
        make_plan(1),
        daemons=1,
        partitions=2,
        rics=4,
        services=1,
        endpoints=2,
        records=RECORDS,
        spread=DAY,
        conflate=True,
        max_age=None,
        max_rate=None,
        attempts=3,
        ack_timeout=15.0,
        max_outstanding=500,
        pack=20,
        span=20_000,
        waiting_records=50_000,
        batch_results=5_000,
        session_timeout=10.0,
        heartbeat=3.0,
        max_message_size=61_430,
        latest=False,
        keyed=True,
        withdraw_on_stop=False,
        silent_after=None,
        profile="errors",
        rates={"cut": 2 / 60},  # of either endpoint, and one of them is in use
        shares={},
    )
    simulation = _Simulation(plan)
    for venue in simulation.world.venues.values():
        venue.ads.delay = 3.0  # so that cuts catch posts in flight
    simulation.go()
    assert simulation.oracle.missing == 0
    assert simulation.schedule.mono >= DAY
    assert simulation.counts["cut"] > DAY / 60
    ended = sum(process.engine.counters.reconnects.total() for process in simulation.hosts.processes if process)
    assert ended > DAY / 60 / 2
