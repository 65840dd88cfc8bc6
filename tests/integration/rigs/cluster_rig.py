"""Three real brokers, each a controller too: every log on all of them, two must have a record before it counts."""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError
from tests.integration.rigs.broker_rig import (
    INTERNAL_PARTITIONS,
    KafkaBroker,
    Seat,
    create_topic,
    in_sync,
    make_internal_topics,
)
from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.embedded_broker import free_port

BROKERS: Final = 3
MEGABYTES: Final = 384
WITHIN: Final = 60.0

OFFSETS: Final = "__consumer_offsets"
TRANSACTIONS: Final = "__transaction_state"
INTERNAL: Final = (OFFSETS, TRANSACTIONS)
"""Whoever leads a partition of these is the coordinator of the groups, or transactional.ids, in it."""

T = TypeVar("T")


class KafkaCluster:
    """The brokers have the node ids 1 to 3; what one of them is asked for here, is asked of one that runs."""

    has_static_members = True

    def __init__(self, directory: Path, *, missed_after: float = 2.0) -> None:
        """``missed_after``: seconds in which the controllers miss a broker that was killed; Kafka's default is 9."""
        controllers = {node: free_port() for node in range(1, BROKERS + 1)}
        self.brokers = {
            node: KafkaBroker(directory / f"broker-{node}", seat=Seat(node, controllers, missed_after, MEGABYTES))
            for node in controllers
        }
        self._internal = False

    @property
    def bootstrap(self) -> str:
        """``host:port`` of each, for clients."""
        return ",".join(broker.bootstrap for broker in self.brokers.values())

    @property
    def running(self) -> list[KafkaBroker]:
        """Those that do."""
        return [broker for broker in self.brokers.values() if broker.running]

    # All of them

    def start(self) -> None:
        """Start those that do not run, and return once every one serves and has caught up."""
        starting = [broker for broker in self.brokers.values() if not broker.running]
        for broker in starting:
            broker.launch()
        for broker in starting:
            _await(broker)
        if not self._internal:
            make_internal_topics(self.brokers.values())
            self._internal = True
        self.wait_in_sync(*INTERNAL)

    def stop(self) -> None:
        """End all in order: those that go first need the others."""
        for broker in self.brokers.values():
            broker.kill() if len(self.running) == 1 else broker.stop()

    def kill(self) -> None:
        """End all as a crash would."""
        for broker in self.brokers.values():
            broker.kill()

    # One of them

    def start_broker(self, node: int) -> None:
        """Start one again, and return once it serves."""
        self.brokers[node].launch()
        _await(self.brokers[node])

    # Who leads

    def create_topic(self, name: str, partitions: int = 1, **settings: str) -> str:
        """A new topic on all of them; its name."""
        create_topic(self.brokers.values(), name, partitions, **settings)
        return name

    def wait_in_sync(self, *topics: str) -> None:
        """Returns once all logs of these topics are whole: every replica has what its leader has."""
        for topic in topics:
            self._eventually(partial(_is_whole, topic), f"all of {topic}")

    def leader(self, topic: str, partition: int = 0) -> int:
        """The node that leads a partition."""
        return self._eventually(lambda admin: _leaders(admin, topic).get(partition, 0), f"a leader of {topic}")

    def coordinator(self, group: str) -> int:
        """The node that coordinates a consumer group."""
        return self.leader(OFFSETS, internal_partition(group))

    def transaction_coordinator(self, transactional_id: str) -> int:
        """The node that coordinates the transactions of a producer."""
        return self.leader(TRANSACTIONS, internal_partition(transactional_id))

    def prefer(self, *topics: str) -> None:
        """Gives each partition back to its first replica, which led it before it was away."""
        with closing(self._admin()) as admin:
            admin.elect_leaders(0, {topic: sorted(_leaders(admin, topic)) for topic in topics}, raise_errors=False)

    def move_leaders(self, topic: str) -> None:
        """Moves each partition of a topic to the next node, all running on: of an internal topic, the coordinators."""
        with closing(self._admin()) as admin:
            leaders = _leaders(admin, topic)
        self.place(topic, {number: leader % BROKERS + 1 for number, leader in leaders.items()})

    def place(self, topic: str, leaders: Mapping[int, int]) -> None:
        """Gives partitions to the nodes that are to lead them, now and whenever they run."""
        order = {
            TopicPartition(topic, number): [first, *(node for node in self.brokers if node != first)]
            for number, first in leaders.items()
        }
        with closing(self._admin()) as admin:
            admin.alter_partition_reassignments(order)
            eventually(lambda: not admin.list_partition_reassignments(), within=WITHIN, what="the reassignment")
            admin.elect_leaders(0, {topic: sorted(leaders)})
            eventually(lambda: _leaders(admin, topic) == leaders, within=WITHIN, what=f"other leaders of {topic}")

    def _admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=[f"127.0.0.1:{broker.port}" for broker in self.running])

    def _eventually(self, ask: Callable[[KafkaAdminClient], T], what: str) -> T:
        with closing(self._admin()) as admin:

            def asked() -> T | None:
                try:
                    return ask(admin)
                except KafkaError:
                    return None

            found = eventually(asked, within=WITHIN, every=0.05, what=what)
            assert found is not None
            return found


def _await(broker: KafkaBroker) -> None:
    if not broker.answers():
        raise RuntimeError(f"Kafka did not start; the end of {broker.log}:\n{broker.log.read_text()[-2000:]}")


def _leaders(admin: KafkaAdminClient, topic: str) -> dict[int, int]:
    [described] = admin.describe_topics([topic])
    return {one["partition_index"]: one["leader_id"] for one in described["partitions"] if one["leader_id"] > 0}


def _is_whole(topic: str, admin: KafkaAdminClient) -> bool:
    return in_sync(admin, topic, len(_leaders(admin, topic)), BROKERS)


def internal_partition(name: str) -> int:
    """The partition of the internal topics that a group, or a transactional.id, belongs to: Java's hash of its name."""
    code = 0
    for character in name:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return (code & 0x7FFFFFFF) % INTERNAL_PARTITIONS
