"""The door to a simulated cluster, and the settings that a plan gives the daemon's Kafka threads."""

from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.membership import Membership
from tests.simulation.world.environment.sim_consumer import SimAskingConsumer, SimMemberConsumer
from tests.simulation.world.environment.sim_orders import SimOrderLog
from tests.simulation.world.environment.sim_producer import SimAdmin, SimProducer, init_transactions
from tests.simulation.world.environment.sim_results import SimResultSources
from tests.simulation.world.plan import Plan

from contribd.streams.client.port import Kafka, MemberHooks
from contribd.streams.client.settings import KafkaSettings, client_id

RESULTS, CONTROL = "results", "orders"


def rules_of(mapping: int, generation: int = 0) -> str:
    """What commits name the rules of a mapping by."""
    return f"r{mapping}-{generation}" if generation else f"rules{mapping}"


def settings_of(plan: Plan, instance: str, mapping: int = 0, generation: int = 0) -> KafkaSettings:
    """What the source and the sink are given."""
    client: dict[str, object] = {
        "session_timeout_ms": int(plan.session_timeout * 1000),
        "heartbeat_interval_ms": int(plan.heartbeat * 1000),
    }
    if not plan.static_members:
        client["group_instance_id"] = None
    start_from = "latest" if plan.latest else "earliest"
    rules = None if plan.curves is None else rules_of(mapping, generation)
    control = CONTROL if plan.orders is not None and plan.orders.topic else None
    brokers, prices = ("sim:9092",), ("prices",)
    return KafkaSettings(
        brokers, "contribd", prices, RESULTS, None, start_from, instance, client, rules=rules, control=control
    )


def connect(life: Life, settings: KafkaSettings) -> Kafka:
    """A process's clients of the simulated cluster."""

    def bootstrap() -> None:
        current().sleep(life.rtt())

    def consumer(hooks: MemberHooks) -> SimMemberConsumer:
        bootstrap()
        membership = Membership(life, hooks, settings.static_id, client_id(settings.instance))
        return SimMemberConsumer(life, membership)

    def asking() -> SimAskingConsumer:
        bootstrap()
        return SimAskingConsumer(life)

    def producer(_batch_bytes: int | None) -> SimProducer:
        bootstrap()
        return SimProducer(life, settings.transactional_id, settings.results)

    def admin() -> SimAdmin:
        bootstrap()
        return SimAdmin(life)

    def results() -> SimResultSources:
        bootstrap()
        return SimResultSources(life)

    topic = life.world.orders

    def orders(start: int) -> SimOrderLog:
        assert topic is not None
        return SimOrderLog(life, topic, start)

    return Kafka(
        consumer,
        asking,
        producer,
        admin,
        results,
        lambda name: _end_transactions_of(life, name),
        orders=None if topic is None else orders,
    )


def _end_transactions_of(life: Life, name: str) -> None:
    init_transactions(life, name)
