"""Whoever gives orders to the daemons of a run: pauses and resumes, at one instance or at all of them."""

from random import Random

from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.hosts import Hosts
from tests.simulation.world.environment.sim_mappings import CURVE, DESKS, POSTS, STRICT, mapping_name
from tests.simulation.world.environment.sim_process import Process
from tests.simulation.world.oracle.pause_evidence import Given, What
from tests.simulation.world.order_plan import OrdersPlan

from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer, Asked
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import PauseOrder, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder

USERS = (Caller("eve (uid 7)", 7), Caller("bob (uid 8)", 8))

MOST_PAUSED = 4
"""Different things that the orders of a run are about."""

LAST_ORDER = 0.5
"""Seconds from the end of all faults to an order that has to hold."""

CONTRADICTED = 0.25
"""Share of orders after which somebody orders the contrary at once, somewhere else."""

CONTRADICTION_SECONDS = 0.3
"""Within these."""


class Operators:
    """Gives the orders of a run, by chance of its own."""

    def __init__(self, world: World, hosts: Hosts, orders: OrdersPlan) -> None:
        self._world = world
        self._hosts = hosts
        self._orders = orders
        self._rng = Random(f"operators {world.plan.seed}")
        self._things = [self._thing() for _ in range(MOST_PAUSED)]
        self._paused: list[What] = []
        """What was ordered to be paused."""
        self._number = 0

    def plan(self) -> None:
        """Orders come at random times while the run's faults last, and one when these are over."""
        schedule, spread = self._world.schedule, self._world.plan.spread
        at = self._rng.expovariate(self._orders.rate)
        while at < spread:
            schedule.at(at, self._give)
            at += self._rng.expovariate(self._orders.rate)
        schedule.at(spread + LAST_ORDER, self._give)

    def _thing(self) -> What:
        rng, plan = self._rng, self._world.plan
        kind = rng.choice(self._orders.kinds)
        if kind == "all":
            return kind, ""
        if kind == "desk":
            return kind, rng.choice(sorted(set(DESKS.values())))
        if kind == "mapping":
            names = [mapping_name(*each) for each in POSTS] + ([CURVE, STRICT] if plan.curves else [])
            return kind, rng.choice(names)
        one = f"R{rng.randrange(plan.rics)}=T"
        return kind, rng.choice((one, one, "R*", "R[0-1]=T", "R?=T", "*3=*", "r*"))

    def _give(self) -> None:
        rng = self._rng
        if self._orders.quotes and rng.random() < self._orders.quotes:
            self._give_about_quotes()
            return
        resumes = rng.random() < self._orders.resumes
        what = rng.choice(self._paused if resumes and self._paused else self._things)
        self._give_one(what, resumes=resumes)
        if rng.random() < CONTRADICTED:
            later = rng.random() * CONTRADICTION_SECONDS
            self._world.schedule.after(later, lambda: self._give_one(what, resumes=not resumes))

    def _give_about_quotes(self) -> None:
        rng, world = self._rng, self._world
        kind = rng.choice((OrderKind.WITHDRAW, OrderKind.WITHDRAW, OrderKind.REPUBLISH))
        what, by, place = rng.choice(self._things), rng.choice(USERS), rng.random()
        running = [each for each in self._hosts.processes if each is not None and not each.dead]
        if not running:
            return
        self._number += 1
        process, reason = running[int(place * len(running))], f"order {self._number}"
        world.counts[f"orders to {kind}"] += 1
        world.oracle.note(process.name, f"{reason}: {kind} {what}")
        world.oracle.quotes.given(self._number, str(kind), what)

        def answered(answer: Answer) -> None:
            world.counts["orders about quotes done" if answer.done else "orders about quotes not done"] += 1
            world.oracle.note(process.name, f"{reason}: {answer.text}")

        order = QuoteOrder(kind, Selector(PauseKind(what[0]), what[1]), reason)
        process.put(Asked(order, by, answered))

    def _give_one(self, what: What, *, resumes: bool) -> None:
        rng = self._rng
        everywhere, by, place = rng.random() < self._orders.at_all, rng.choice(USERS), rng.random()
        running = [each for each in self._hosts.processes if each is not None and not each.dead]
        if not running:
            return
        if not resumes:
            self._paused.append(what)
        for process in running if everywhere else [running[int(place * len(running))]]:
            self._give_to(process, what, by, resumes=resumes)

    def _give_to(self, process: Process, what: What, by: Caller, *, resumes: bool) -> None:
        world, oracle = self._world, self._world.oracle.orders
        self._number += 1
        calm = world.calm and process.knows_orders
        given = Given(self._number, what, not resumes, by.uid, process.name, calm=calm)
        world.counts["orders to resume" if resumes else "orders to pause"] += 1

        def answered(answer: Answer) -> None:
            world.counts["orders that hold" if answer.done else "orders that do not hold"] += 1
            oracle.answered(given, answer.text, done=answer.done)

        kind, value = what
        order = (ResumeOrder if resumes else PauseOrder)(Selector(PauseKind(kind), value), given.reason)
        oracle.given(given)
        process.put(Asked(order, by, answered))
