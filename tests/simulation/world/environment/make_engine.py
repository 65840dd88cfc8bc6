"""From a plan to the engine it runs."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_client import rules_of
from tests.simulation.world.environment.sim_wire import Wire
from tests.simulation.world.environment.venue import RETRYABLE
from tests.simulation.world.environment.watched_engine import WatchedEngine

from contribd.engine.engine import Engine
from contribd.engine.events import NewRules
from contribd.engine.limits import Bounds
from contribd.engine.policy import Backoff, ContributionPolicy, RetryPolicy, SessionPolicy, WithdrawPolicy
from contribd.engine.records.rule_names import RuleNames
from contribd.mapping.encode import RmtesEscape
from contribd.mapping.mapper import Mapper
from contribd.omm.post import PostEncoder, PostUserInfo
from contribd.omm.requests import Login

URLS = ("ws://ads1", "ws://ads2")


def mapper_of(life: Life, generation: int) -> Mapper:
    """Made of the files of a generation."""
    world = life.world
    return world.mapper(life.mapping, None if world.plan.reloads is None else generation)


def names_of(life: Life, generation: int) -> RuleNames:
    """What these rules are named by."""
    return RuleNames(str(generation), None if life.world.plan.curves is None else rules_of(life.mapping, generation))


def changed_rules(life: Life, generation: int, rng: Random) -> NewRules:
    """What a reload puts in force."""
    mapper = mapper_of(life, generation)
    services = ("TRCC", "ALT")[: life.world.plan.services]
    contribution = contribution_of(life, mapper, rng)
    return NewRules(mapper, names_of(life, generation), contribution, services, RmtesEscape.JSON)


def contribution_of(life: Life, mapper: Mapper, rng: Random) -> ContributionPolicy:
    """The plan's settings."""
    plan = life.world.plan
    return ContributionPolicy(
        conflate=plan.conflate,
        max_age=None if plan.max_age is None else round(plan.max_age * 1e6),
        retry=RetryPolicy(plan.attempts, frozenset(RETRYABLE), _backoff(0.2, 2.0, rng), _offender),
        create_missing=plan.create_missing,
        ack_timeout=plan.ack_timeout,
        max_outstanding=plan.max_outstanding,
        pack=plan.pack,
        max_rate=plan.max_rate,
        first_post_id=plan.first_post_id,
        withdraw=WithdrawPolicy(
            plan.withdraw_on_stop,
            plan.silent_after,
            {mapping.name: mapping.withdraw for mapping in mapper.mappings},
            plan.heartbeat,
        ),
    )


def make_engine(life: Life, wire: Callable[[], Wire | None], rng: Random) -> Engine:
    """The real engine of a process, with its plan's settings; ``wire``: the one in use."""
    plan = life.world.plan
    mapper = mapper_of(life, life.generation)
    contribution = contribution_of(life, mapper, rng)
    session = SessionPolicy(
        endpoints=URLS[: plan.endpoints],
        service="TRCC",
        login=Login("contribd", "256", "10.0.0.1"),
        login_timeout=3.0,
        backoff=_backoff(0.2, 60.0 if plan.harm_alone else 3.0, rng),
        services=("TRCC", "ALT")[: plan.services],
        service_down_limit=2.0,
        return_after=4.0,
    )
    bounds = Bounds(span=plan.span, waiting_records=plan.waiting_records, batch_results=plan.batch_results)
    if plan.curves is not None:
        bounds = replace(bounds, commit_bits=plan.curves.told)
    return WatchedEngine(
        life,
        wire,
        mapper=mapper,
        encoder=PostEncoder(PostUserInfo("10.0.0.1", 256)),
        contribution=contribution,
        session=session,
        rng=rng,
        bounds=bounds,
        names=names_of(life, life.generation),
    )


def _offender(offences: int) -> float:
    return min(4.0, 0.5 * 2.0 ** (offences - 1))


def _backoff(first: float, longest: float, rng: Random) -> Backoff:
    def after(failures: int) -> float:
        wait: float = min(longest, first * 2.0 ** (failures - 1))
        return wait * (1 - 0.5 * rng.random())

    return after
