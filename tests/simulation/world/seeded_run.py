"""One seed, one run."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from traceback import format_exception
from typing import Any
from unittest.mock import patch

from tests.simulation.world.environment.brokers import Brokers
from tests.simulation.world.environment.faults import Faults
from tests.simulation.world.environment.fed_records import Part, Produced
from tests.simulation.world.environment.group import Group
from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.hosts import Hosts
from tests.simulation.world.environment.make_engine import URLS
from tests.simulation.world.environment.operators import Operators
from tests.simulation.world.environment.record_feed import RecordFeed
from tests.simulation.world.environment.reloaders import Reloaders
from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.environment.sim_kafka import SimKafka, Transaction
from tests.simulation.world.environment.sim_mappings import make_mapper
from tests.simulation.world.environment.sim_orders import SimOrderTopic
from tests.simulation.world.environment.venue import Venue
from tests.simulation.world.oracle.evidence import SeenPost, Violation
from tests.simulation.world.oracle.oracle import Oracle
from tests.simulation.world.plan import Plan, make_plan

from contribd.engine.records.offsets import Partition
from contribd.ops import log
from contribd.ops.log import LEVELS

DRAIN_SECONDS = 400.0
"""How long after the last fault and the last record every record must have its result, bad posts aside."""

KILLS, REPOSTS = "processes killed", "posts repeated after a kill"
"""Counts of a run."""

AFTERMATH = 5.0
"""Seconds that a run goes on after that: a second result would come now."""


@dataclass(slots=True)
class Run:
    """What came of a seed. ``broken`` is the promise that was not kept, None where all were."""

    seed: int
    broken: str | None
    text: str
    records: int
    posts: int
    seconds: float
    """Simulated."""
    digest: str
    counts: Counter[str]
    trace: list[str] = field(default_factory=list)


class _Simulation:
    def __init__(self, plan: Plan) -> None:
        self.counts: Counter[str] = Counter()
        self._plan = plan
        self.schedule = schedule = Schedule(Random(f"run {plan.seed}"))
        partitions = [Partition("prices", number) for number in range(plan.partitions)]
        topic = plan.orders is not None and plan.orders.topic
        brokers = Brokers(schedule, schedule.rng, plan.partitions, orders=topic)
        kafka = SimKafka(schedule, brokers, plan.partitions, plan.takes, self._committed)
        group = Group(schedule, brokers, partitions, plan.session_timeout)
        self.oracle = Oracle(schedule, plan, kafka, group)
        venues = {url: Venue(schedule, plan, url, self.counts) for url in URLS[: plan.endpoints]}
        mapper = partial(make_mapper, curves=plan.curves is not None)
        self.world = World(schedule, plan, brokers, kafka, group, venues, self.oracle, self.counts, mapper)
        if topic:
            self.world.orders = SimOrderTopic(schedule, brokers, self.oracle.orders.appended)
        self.hosts = Hosts(self.world)
        self.faults = Faults(self.world, self.hosts)
        self._feed = RecordFeed(plan, schedule.rng, self.counts)
        kafka.ends[:] = kafka.starts[:] = self._feed.starts

    def _committed(self, transaction: Transaction) -> None:
        self.oracle.committed(transaction)

    def go(self) -> None:
        plan, schedule = self._plan, self.schedule
        rng = schedule.rng
        last = 0.0
        while_feeding = plan.spread * 0.9
        at = 0.0
        for _ in range(plan.records):
            if rng.random() > 0.6:
                at = self._lulled(rng.random() * while_feeding)
            last = max(last, at)
            schedule.at(at, self._produce)
        self.faults.plan()
        if plan.orders is not None:
            Operators(self.world, self.hosts, plan.orders).plan()
        if plan.reloads is not None:
            Reloaders(self.world, self.hosts, plan.reloads).plan()
        schedule.at(plan.spread, self.faults.end)
        if not schedule.run(plan.spread, lambda: False) and not schedule.run(self._latest(), self._drained):
            text = f"{self.oracle.missing} records have no result; orders have arrived: {self.hosts.up_to_date}"
            self.oracle.complain("a run that does not end", text)
        schedule.run(schedule.mono + AFTERMATH, lambda: False)
        self.hosts.check_idle()
        if plan.withdraw_on_stop:
            self.hosts.stop_all()
            schedule.run(schedule.mono + plan.ack_timeout + AFTERMATH, lambda: False)
        self.oracle.finish()

    def _lulled(self, at: float) -> float:
        """Where partitions may go silent, what would come over a while comes in the first third of it."""
        if self._plan.silent_after is None:
            return at
        length = self._plan.spread / 3
        return at - at % length + at % length / 3

    def _latest(self) -> float:
        """The simulated time by which all must be over; posts the ADS never answers take all their tries, in turn."""
        plan = self._plan
        unanswered = self.counts["ads_mute"] + self.counts["ads_error"]
        return plan.spread + DRAIN_SECONDS + unanswered * plan.attempts * (plan.ack_timeout + 5.0)

    def _drained(self) -> bool:
        waiting = self.oracle.orders.waiting or self.oracle.reloads.waiting
        return self.world.calm and self.oracle.missing == 0 and not waiting and self.hosts.up_to_date

    def _produce(self) -> None:
        record = self._feed.next(self.schedule.wall)
        self.oracle.produced(record)
        self.world.kafka.append(record)


@contextmanager
def log_of_the_daemons(oracle: Oracle, *, verbose: bool) -> Iterator[None]:
    """What the daemons log goes into the trace: warnings and errors, and the rest where it is ``verbose``."""

    def write(event: dict[str, Any]) -> None:
        facts = " ".join(f"{name}={value}" for name, value in event.items() if name not in {"event", "level", "part"})
        oracle.note(f"log {event['part']}", f"{event['level']}: {event['event']} {facts}")

    pipeline = log._pipeline
    level = LEVELS["info"] if verbose else LEVELS["warning"]
    with patch.object(pipeline, "write", write), patch.object(pipeline, "level", level):
        yield


def run_seed(seed: int, *, verbose: bool = False) -> Run:
    """Runs one seed to its end or to the first broken promise."""
    return run_plan(make_plan(seed), verbose=verbose)


def simulate(plan: Plan) -> SimKafka:
    """Runs a plan and gives what its cluster has then: prices, results, offsets. Raises ``Violation``."""
    simulation = _Simulation(plan)
    try:
        with log_of_the_daemons(simulation.oracle, verbose=False):
            simulation.go()
    finally:
        simulation.hosts.end()
    return simulation.world.kafka


def run_plan(plan: Plan, *, verbose: bool = False) -> Run:
    """Runs what a seed has decided, to its end or to the first broken promise."""
    simulation = _Simulation(plan)
    broken, text, subject = None, "", None
    try:
        with log_of_the_daemons(simulation.oracle, verbose=verbose):
            simulation.go()
    except Violation as violation:
        broken, text, subject = violation.promise, str(violation), violation.subject
    except Exception as error:  # noqa: BLE001 - whatever it is, a daemon would have ended by it
        broken, text = f"a crash: {type(error).__name__}", "".join(format_exception(error)[-3:])
    finally:
        simulation.hosts.end()
    trace = []
    if verbose or broken is not None:
        trace = [str(plan), *_lines(simulation.oracle, None if verbose else subject)]
    oracle = simulation.oracle
    simulation.counts["PostIDs began again"] += oracle.wraps
    for reason, number in oracle.withdrawals.items():
        simulation.counts[f"withdrawals, {reason}"] += number
    simulation.counts["posts of values once more"] += oracle.quotes.again
    if plan.orders is not None:
        simulation.counts["prices suppressed"] += oracle.orders.suppressed
    simulation.counts["records taken over that were settled in part"] += oracle.taken_over_in_part
    simulation.counts[KILLS] += oracle.kills
    simulation.counts[REPOSTS] += oracle.reposts
    records = sum(len(log) for log in simulation.world.kafka.logs)
    seconds = simulation.schedule.mono
    return Run(plan.seed, broken, text, records, oracle.posts, seconds, oracle.digest, simulation.counts, trace)


def _lines(oracle: Oracle, subject: object) -> list[str]:
    """The trace as text; with a ``subject`` only what is about it, and what is about nothing in particular."""
    rics = _rics_of(subject)
    lines = []
    for mono, who, what, about in oracle.trace:
        if rics is None or any(_concerns(about, ric) for ric in rics):
            lines.append(f"{mono:10.6f} {who:8} {what} {'' if about is None else about}".rstrip())
    return lines if rics is None else lines[-60:]


def _rics_of(subject: object) -> set[str | None] | None:
    """What it is about; None: everything."""
    if isinstance(subject, Part):
        return {subject.ric}
    if isinstance(subject, Produced):
        return {part.ric for part in subject.all_parts}
    return {subject} if isinstance(subject, str) else None


def _concerns(about: object, ric: str | None) -> bool:
    if about is None:
        return True
    if isinstance(about, Produced):
        return any(part.ric == ric for part in about.all_parts)
    if isinstance(about, SeenPost):
        return about.ric == ric
    if isinstance(about, bytes) and ric is not None:
        return json.dumps(ric).encode() in about or b'"Domain"' in about or b'"Error"' in about
    return True
