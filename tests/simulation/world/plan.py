"""What one seed decides before anything happens: the settings of the daemons and which faults there are."""

from dataclasses import dataclass, field, replace
from random import Random

from tests.simulation.world.order_plan import ORDERS_AWAY, ORDERS_CUT, OrdersPlan, orders_of
from tests.simulation.world.reload_plan import ReloadsPlan, reloads_of

from contribd.omm.post import MAX_POST_ID

FAULTS = (
    "cut",
    "cut_by_client_side",
    "connect_refused",
    "login_refused",
    "login_silent",
    "login_suspect",
    "login_closed",
    "service_down",
    "service_deleted",
    "ads_slow",
    "ads_not_reading",
    "ads_silent",
    "kill",
    "freeze",
    "stop",
    "group_cut",
    "broker_killed",
    "broker_stopped",
    "leader_moved",
    "coordinator_moved",
    "wall_step",
    "stall",
)
"""Things that happen from time to time; each has a rate (times a second over all) in a plan."""

RIGHT_MISSING = "right_missing"
"""One more of them."""

OFFSETS_GONE = "offsets_gone"
"""One more, in plans with curves."""

SHARES = (
    "answer_lost",
    "answer_twice",
    "answer_late",
    "nak",
    "nak_retryable",
    "nak_unknown",
    "stray",
    "echo_cut",
    "echo_missing",
    "txn_aborted",
    "txn_unknown",
    "txn_fenced",
    "coordinator_lies",
    "poison",
    "unmapped",
    "bad_value",
    "ads_error",
    "ads_mute",
    "too_large",
    "no_timestamp",
    "refresh",
    "gap",
)
"""Shares of answers, transactions or records that go a special way; each has a probability in a plan."""


HARMS = ("closes", "garbles", "silent")
"""What posts of some instruments do while faults last: the connection closes, the answer is no JSON, there is none."""

HARM_SHARE = 0.2
"""Of the plans have such instruments."""

SHARES_OF_TIME = ("future_timestamp", "ignored")
"""The same, decided by chance of its own: each seed is otherwise what it was."""


CURVE_SHARES = ("part_crossed", "part_nameless", "part_twice", "no_points", "all_or_nothing")
"""The same, of records that are curves."""

CURVES_SHARE = 0.5
"""Of the plans have such records."""


AS_THEY_COME, FEWER, TURNED, MORE = ALL_MAPPINGS = range(4)
"""What the mappings of a process make of a curve: a part for each point; none for the points that are spare; those of
one kind of post after those of another, the last kind first; one more, of the record itself, before the points."""


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """Records that make several posts."""

    share: float
    """Of the records that are curves."""
    widest: int
    """Points of one, at most."""
    rics: int
    """How many RICs the curves of a partition can have; the first of them are also single prices'."""
    changes: str
    """Whose points the next curve of a partition has: ``none`` change, ``some`` do, or ``all``."""
    mappings: tuple[int, ...] = (AS_THEY_COME,)
    """Those that processes are started with, by chance (``sim_mappings``)."""
    told: int = 24_000
    """Bits in which a commit may tell of offsets and of parts."""
    most_parts: int = 110
    """Of a run: about as many posts take as long as those of a run without curves."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What the brokers take: bytes of a result, characters of an offset's metadata. ``tells``: whether they say so."""

    record: int = 1_048_588
    metadata: int = 4_096
    keyed: bool = False
    """Results with a key only: their topic is compacted."""
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Times in simulated seconds."""

    seed: int
    daemons: int
    partitions: int
    rics: int
    services: int
    endpoints: int
    records: int
    spread: float
    """The records come over this time, and so do the faults."""
    conflate: bool
    max_age: float | None
    max_rate: float | None
    create_missing: bool
    attempts: int
    ack_timeout: float
    max_outstanding: int
    pack: int
    span: int
    waiting_records: int
    batch_results: int
    max_poll: int
    session_timeout: float
    heartbeat: float
    max_message_size: int
    latest: bool
    """Consumption starts at the log's end."""
    profile: str
    """What the ADS does with a post it cannot convert: errors, silent or closing."""
    socket_room: int
    """Bytes that fit between the daemon and an ADS that does not read."""
    first_post_id: int = 1
    """The PostID every process begins with: near the largest in some runs, which then begin again at 1."""
    keyed: bool = True
    """Whether an instrument has one partition, as producers are told to see to; else each record goes to any."""
    withdraw_on_stop: bool = False
    silent_after: float | None = None
    """Quotes of a partition without records for so long are withdrawn; the records come in bursts then."""
    static_members: bool = True
    """Whether the group knows a daemon by its name (KIP-345), as it does by default."""
    harm: str | None = None
    """One of ``HARMS``."""
    harmful: frozenset[str] = frozenset({"R0=T"})
    """The instruments whose posts do it."""
    harm_alone: bool = False
    """Nothing else goes wrong, so that the others must not be late."""
    takes: Takes = Takes()
    curves: CurvePlan | None = None
    orders: OrdersPlan | None = None
    reloads: ReloadsPlan | None = None
    rates: dict[str, float] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)


def make_plan(seed: int) -> Plan:
    """The plan of a seed."""
    plan = plan_of_single_prices(seed)
    plan = with_curves(plan) if Random(f"whether curves {seed}").random() < CURVES_SHARE else plan
    plan = replace(with_orders(plan, orders_of(seed)), reloads=None if plan.harm_alone else reloads_of(seed))
    return with_orders_about_quotes(plan)


def plan_of_single_prices(seed: int) -> Plan:
    """The same, with no record that makes several posts."""
    plan, rng = harmless_plan(seed), Random(f"harm {seed}")
    if rng.random() >= HARM_SHARE:
        return plan
    harmed = replace(plan, harm=rng.choice(HARMS))
    return harm_alone(harmed) if rng.random() < 0.5 else harmed


def harmless_plan(seed: int) -> Plan:
    """The same, with no instrument that does harm either."""
    rng = Random(f"plan {seed}")
    spread = rng.uniform(10, 50)
    calm = rng.random() < 0.05
    rates = {name: rng.choice((0.02, 0.05, 0.15)) for name in FAULTS if rng.random() < 0.3 and not calm}
    shares = {name: rng.choice((0.01, 0.05, 0.2)) for name in SHARES if rng.random() < 0.4 and not calm}
    for name in ("echo_cut", "echo_missing", "coordinator_lies"):  # there are few of what these are shares of
        if name in shares:
            shares[name] *= 3
    later = Random(f"later {seed}")
    shares |= {name: later.choice((0.05, 0.3)) for name in SHARES_OF_TIME if later.random() < 0.15 and not calm}
    if "coordinator_lies" in shares:
        rates.setdefault("broker_killed", 0.05)
    rates |= {} if calm else _rights(seed)
    plan = Plan(
        seed=seed,
        daemons=rng.choice((1, 1, 2, 2, 3)),
        partitions=rng.randint(1, 4),
        rics=rng.randint(1, 6),
        services=rng.randint(1, 2),
        endpoints=rng.randint(1, 2),
        records=rng.choice((30, 60, 120)),
        spread=spread,
        conflate=rng.random() < 0.65,
        max_age=rng.choice((None, None, 2.0, 10.0)),
        max_rate=rng.choice((None, None, None, 5.0, 40.0)),
        create_missing=rng.random() < 0.5,
        attempts=rng.randint(1, 4),
        ack_timeout=rng.choice((2.0, 5.0, 15.0)),
        max_outstanding=rng.choice((1, 2, 3, 5, 500)),
        pack=rng.choice((1, 2, 5, 20)),
        span=rng.choice((4, 16, 64, 20_000)),
        waiting_records=rng.choice((6, 30, 50_000)),
        batch_results=rng.choice((2, 5, 5_000)),
        max_poll=rng.choice((1, 3, 10, 100)),
        session_timeout=rng.choice((6.0, 10.0)),
        heartbeat=rng.choice((1.0, 2.0)),
        max_message_size=rng.choice((600, 1500, 61_430)),
        latest=rng.random() < 0.2,
        profile=rng.choice(("errors", "errors", "errors", "silent", "closing")),
        socket_room=rng.choice((300, 1_000, 4_000, 200_000)),
        rates=rates,
        shares=shares,
        first_post_id=rng.choice((1, 1, MAX_POST_ID - rng.randint(0, 20))),
        keyed=rng.random() < 0.75,
        withdraw_on_stop=rng.random() < 0.15,
        silent_after=rng.choice((1.0, 2.0, 4.0)) if rng.random() < 0.15 else None,
        static_members=rng.random() < 0.5,
    )
    return replace(plan, takes=_takes(seed, small=not plan.withdraw_on_stop and plan.silent_after is None))


def with_curves(plan: Plan) -> Plan:
    """The same, with records that make several posts.

    Where some RICs do harm and nothing else goes wrong, there are so few that the others are not late by themselves.
    """
    rng = Random(f"curves {plan.seed}")
    calm = not plan.shares
    curves = CurvePlan(
        share=rng.choice((0.1, 0.3, 0.6)),
        widest=rng.choice((2, 4, 8, 50)),
        rics=rng.choice((2, 6, 50)),
        changes=rng.choice(("none", "some", "all")),
        mappings=rng.choice(((AS_THEY_COME,), (AS_THEY_COME, FEWER), (AS_THEY_COME, TURNED), tuple(ALL_MAPPINGS))),
        told=rng.choice((24_000, 24_000, 3_000, 600)),
    )
    if plan.harm_alone:
        widest = min(8, curves.widest)
        curves = replace(curves, share=0.2, widest=widest, most_parts=40, mappings=(AS_THEY_COME,), told=24_000)
    shares = {name: rng.choice((0.05, 0.2)) for name in CURVE_SHARES if rng.random() < 0.3}
    rates = dict(plan.rates)
    if not calm:  # what is settled in part matters where somebody else goes on with it
        rates |= {name: rng.choice((0.1, 0.3)) for name in ("kill", "ads_slow") if rng.random() < 0.4}
    if rng.random() < 0.15 and not plan.latest and not calm:
        rates[OFFSETS_GONE] = 0.05
        rates.pop("wall_step", None)  # what has its result is looked up by when it was written
    takes = plan.takes if plan.takes.metadata == 4_096 else replace(plan.takes, metadata=rng.choice((52, 60, 150, 300)))
    return replace(plan, curves=curves, takes=takes, rates=rates, shares=plan.shares if calm else plan.shares | shares)


def with_orders(plan: Plan, orders: OrdersPlan | None) -> Plan:
    """The same, with somebody who gives these orders; what their topic suffers is a fault like the others."""
    if orders is None:
        return plan
    away = {} if orders.away is None or not plan.rates else {ORDERS_AWAY: orders.away, ORDERS_CUT: orders.away}
    return replace(plan, orders=orders, rates=plan.rates | away)


def with_orders_about_quotes(plan: Plan) -> Plan:
    """The same, where some of the orders are to withdraw or to republish; only where nothing else withdraws and no
    rules change, since they are judged there."""
    withdraws = plan.withdraw_on_stop or plan.silent_after is not None
    judged = plan.keyed and plan.curves is None and plan.reloads is None and plan.takes.record >= Takes().record
    if plan.orders is None or withdraws or not judged or plan.harm_alone:
        return plan
    quotes = Random(f"quotes {plan.seed}").choice((0.0, 0.3, 0.6))
    return replace(plan, orders=replace(plan.orders, quotes=quotes))


def harm_alone(plan: Plan) -> Plan:
    """The same, with one instrument that does harm beside others, and no other fault.

    Of silent ones there are more than the window holds. The limits are so wide that nobody has to wait for anybody
    before it is clear who does harm.
    """
    silent = plan.harm == "silent"
    return replace(
        plan,
        harmful=frozenset({"R0=T", "R1=T", "R2=T", "R3=T"} if silent else {"R0=T"}),
        harm_alone=True,
        daemons=1,
        rics=7 if silent else max(3, plan.rics),
        ack_timeout=2.0 if silent else plan.ack_timeout,
        max_age=None,
        max_rate=None,
        max_outstanding=min(5, max(3, plan.max_outstanding)) if silent else max(3, plan.max_outstanding),
        span=20_000 if silent else max(64, plan.span),
        waiting_records=50_000 if silent else max(30, plan.waiting_records),
        max_message_size=61_430,
        latest=False,
        rates={},
        shares={},
        withdraw_on_stop=False,
        silent_after=None,
        takes=Takes(),
    )


def _rights(seed: int) -> dict[str, float]:
    """Whether the right to write results is taken away now and then."""
    rng = Random(f"rights {seed}")
    return {RIGHT_MISSING: rng.choice((0.02, 0.05))} if rng.random() < 0.1 else {}


def _takes(seed: int, *, small: bool) -> Takes:
    """Most brokers take what they take by default. Of a generator of its own, lest older seeds become other runs.

    ``small``: results may have to be shortened. Those of withdrawals are judged by all that is in them.
    """
    rng = Random(f"takes {seed}")
    if rng.random() < 0.8:
        return Takes()
    record, metadata = rng.choice((1_048_588, 1_300, 1_500)), rng.choice((4_096, 52, 56, 60))
    return Takes(record if small else 1_048_588, metadata, keyed=rng.random() < 0.5, tells=rng.random() < 0.3)
