"""The producers and the admin client of a simulated process."""

from collections.abc import Iterable, Mapping, Sequence

from tests.simulation.world.environment.brokers import GROUP, RESULTS, TRANSACTIONS
from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_calls import answer, call
from tests.simulation.world.environment.sim_consumer import seen_topics
from tests.simulation.world.environment.sim_kafka import (
    Fenced,
    Forbidden,
    KeyMissing,
    MetadataTooLong,
    RecordTooLarge,
    State,
    Transaction,
)

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OffsetMetadataTooLargeError,
    ProducerFencedError,
    TopicAuthorizationFailedError,
)
from contribd.streams.client.port import ClusterLimits, GroupMember, Member, TopicLimits, Topics

OFFSETS_TOPIC = "__consumer_offsets"

_SAID = {
    Forbidden: TopicAuthorizationFailedError,
    RecordTooLarge: MessageSizeTooLargeError,
    KeyMissing: InvalidRecordError,
}
_COUNTED = {Forbidden: "writes forbidden", RecordTooLarge: "results too large", KeyMissing: "keys missing"}

_COMPLETING = 0.01
"""Seconds between two tries of a producer whose last transaction is still completing."""


def init_transactions(life: Life, name: str) -> int:
    """The epoch of a new producer of this transactional.id; what the one before left open is ended."""
    kafka = life.world.kafka
    call(life, TRANSACTIONS)
    while kafka.completing(name):
        current().sleep(_COMPLETING)
    epoch = kafka.init_transactions(name)
    answer(life)
    return epoch


class SimProducer:
    """``streams.client.port.TransactionalProducer`` over a simulated cluster."""

    def __init__(self, life: Life, name: str, results: str) -> None:
        self._life = life
        self._world = life.world
        self._name = name
        self._results = results
        self._epoch = init_transactions(life, name)
        self._transaction: Transaction | None = None
        self._begun = False
        """A transaction was begun and is not known to be committed: the client begins no other then."""
        self._batch: list[Encoded] = []
        self._kept: dict[Partition, Commit] = {}
        """As kafka-python (3.0.12) does: offsets of a transaction that failed are committed with the next one."""

    def begin(self) -> None:
        """Opens a transaction; the brokers hear of it with its first record."""
        if self._begun:
            raise KafkaError("cannot begin a transaction before the last one is over")
        self._transaction, self._batch, self._begun = None, [], True

    def append(self, topic: str, records: Iterable[Encoded]) -> None:
        """Adds records."""
        if topic == self._results:
            self._batch += records

    def send_offsets(self, commits: Mapping[Partition, Commit], member: Member, seconds: float) -> None:
        """Adds the offsets, under the group's generation."""
        kafka, rng = self._world.kafka, self._world.schedule.rng
        call(self._life, TRANSACTIONS, seconds)
        while kafka.completing(self._name):
            current().sleep(_COMPLETING)
        if self._world.happens("txn_fenced"):
            kafka.fence(self._name)
        try:
            transaction = self._transaction = kafka.begin(self._name, self._epoch, self._life.name)
        except Fenced:
            raise ProducerFencedError from None
        call(self._life, RESULTS, seconds)
        transaction.results = self._batch
        call(self._life, GROUP, seconds)
        self._check_member(member)
        try:
            self._kept.update(commits)
            kafka.add_offsets(transaction, self._kept)
        except Fenced:
            raise ProducerFencedError from None
        except MetadataTooLong:
            self._world.counts["metadata too long"] += 1
            answer(self._life)
            raise OffsetMetadataTooLargeError from None
        answer(self._life)
        if self._world.happens("txn_aborted"):
            raise KafkaError(rng.choice(("NotEnoughReplicas", "CoordinatorNotAvailable")))

    def _check_member(self, member: Member) -> None:
        state = self._world.group.state_of(member.member_id, member.generation)
        if state != "ok":
            self._world.counts["commits refused by generation"] += 1
            answer(self._life)
            raise FencedInstanceIdError if state == "fenced" else CommitFailedError

    def commit(self, seconds: float) -> None:
        """Makes it durable. The request arrives whatever becomes of the process, unless it is lost."""
        transaction, world = self._transaction, self._world
        if transaction is None:
            raise KafkaError("no transaction")
        self._check_results(transaction)
        unknown = world.happens("txn_unknown")
        takes = self._life.rtt() + world.brokers.wait(TRANSACTIONS)
        outcome = {"fenced": False, "arrived": False}

        def arrives() -> None:
            outcome["arrived"] = True
            try:
                world.kafka.commit(transaction, world.schedule.rng.choice((0.001, 0.01, 0.3)))
            except Fenced:
                outcome["fenced"] = True

        if not unknown or world.schedule.rng.random() < 0.5:
            world.schedule.after(takes, arrives)
        current().sleep(min(takes + self._life.rtt(), seconds))
        if outcome["fenced"]:
            raise ProducerFencedError
        if unknown or not outcome["arrived"]:
            raise KafkaTimeoutError(f"no answer within {seconds:g} s")
        if transaction.state is State.ABORTED:
            raise ProducerFencedError
        self._kept.clear()
        self._begun = False

    def _check_results(self, transaction: Transaction) -> None:
        """The client asks for no commit of a transaction whose records were refused."""
        try:
            self._world.kafka.check_results(transaction)
        except (Forbidden, RecordTooLarge, KeyMissing) as error:
            self._world.counts[_COUNTED[type(error)]] += 1
            answer(self._life)
            raise _SAID[type(error)] from None

    def discard(self) -> None:
        """Ends it."""
        if not self._life.dead:
            current().sleep(self._life.world.schedule.rng.choice((0.0, 0.0, 1.0)))


class SimAdmin:
    """``streams.client.port.Admin`` over a simulated cluster."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._world = life.world

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """None ever is."""
        del topics
        current().sleep(self._life.rtt())
        return []

    def existing_topics(self, topics: Sequence[str]) -> Topics:
        """As the cluster is."""
        del topics
        current().sleep(self._life.rtt())
        return seen_topics(self._world.kafka)

    def limits(self, topics: Sequence[str]) -> ClusterLimits:
        """What they take, where the plan says that they tell."""
        takes = self._world.plan.takes
        if not takes.tells:
            return ClusterLimits({}, None)
        return ClusterLimits(dict.fromkeys(topics, TopicLimits(takes.record, takes.keyed)), takes.metadata)

    def members(self, group: str) -> list[GroupMember]:
        """The members of the one group there is."""
        del group
        call(self._life, GROUP)
        found = [] if self._world.brokers.lies else self._world.group.members()
        answer(self._life)
        return [GroupMember(*each, ("prices",)) for each in found]

    def open_transactions(self) -> list[str]:
        """The transactional.ids that have one open."""
        call(self._life, TRANSACTIONS)
        found = sorted(self._world.kafka.open_transactions())
        answer(self._life)
        return found

    def topics_of(self, transactional_id: str) -> set[str]:
        """Those that an open transaction has written to."""
        call(self._life, TRANSACTIONS)
        found = self._world.kafka.open_transactions().get(transactional_id)
        answer(self._life)
        if found is None:
            return set()
        return ({"results"} if found.results else set()) | ({OFFSETS_TOPIC} if found.offsets else set())

    def close(self) -> None:
        """Nothing is left open."""
