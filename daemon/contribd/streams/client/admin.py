"""What is asked of the cluster besides what the consumer and the producer do, over kafka-python's admin client."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, TransactionState
from kafka.errors import GroupIdNotFoundError, TransactionalIdNotFoundError

from contribd.engine.records.offsets import Partition
from contribd.streams.client.access import Access
from contribd.streams.client.errors import GroupUnseen
from contribd.streams.client.port import ClusterLimits, GroupMember, TopicLimits, Topics
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_metadata import existing

_NO_GROUP: Final = GroupIdNotFoundError.__name__

_METADATA: Final = "offset.metadata.max.bytes"
_TOPIC_LIMITS: Final = "max.message.bytes", "cleanup.policy"


class Topic(NamedTuple):
    """``partitions``: 0 where there is no such topic, or it may not be seen.

    ``allowed``: what this user may do with it; empty where the broker does not say, as old ones do not. ``replicas``
    and ``in_sync``: the number of each partition's; ``leaderless``: partitions that nobody leads.
    """

    partitions: int
    allowed: frozenset[str]
    replicas: tuple[int, ...] = ()
    in_sync: tuple[int, ...] = ()
    leaderless: int = 0


class Configs(NamedTuple):
    """Settings of the cluster by Kafka's names, as far as this user may see them (DescribeConfigs): empty where not.

    ``brokers``: those of one broker.
    """

    topics: Mapping[str, Mapping[str, str]]
    brokers: Mapping[str, str]


class ClusterAdmin:
    """An ``Admin`` over a ``KafkaAdminClient``, and what ``contribd check`` asks besides."""

    def __init__(self, client: Any) -> None:
        """``client``: a ``KafkaAdminClient``."""
        self._client = client

    def missing_topics(self, topics: Sequence[str]) -> list[str]:
        """Those that do not exist, or may not be seen."""
        return [found["name"] for found in self._client.describe_topics(list(topics)) if not found["partitions"]]

    def existing_topics(self, topics: Sequence[str]) -> Topics:
        """Those that exist, as far as they may be seen."""
        return existing(self._client.describe_topics(list(topics)))

    def topics(self, names: Sequence[str]) -> dict[str, Topic]:
        """What there is of each."""
        return {found["name"]: _topic(found) for found in self._client.describe_topics(list(names))}

    def configs(self, topics: Sequence[str]) -> Configs:
        """The settings of these topics and of a broker."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, None) for name in topics]
        with self._no_rights_asked():
            described = self._client.describe_cluster()
        brokers = [str(broker["broker_id"]) for broker in described["brokers"]]
        resources += [ConfigResource(ConfigResourceType.BROKER, broker, None) for broker in brokers[:1]]
        found = self._client.describe_configs(resources, config_filter="all")
        of_brokers = [_values(configs) for configs in found.get("broker", {}).values()]
        of_topics = {name: _values(found.get("topic", {}).get(name, {})) for name in topics}
        return Configs(of_topics, of_brokers[0] if of_brokers else {})

    def limits(self, topics: Sequence[str]) -> ClusterLimits:
        """What these topics and the brokers take, as far as it may be asked: that takes DescribeConfigs."""
        found = self.configs(topics)  # of what may not be asked it has nothing
        metadata = found.brokers.get(_METADATA)
        told = {name: _topic_limits(values) for name, values in found.topics.items()}
        return ClusterLimits(told, None if metadata is None else int(metadata))

    def committed(self, group: str) -> dict[Partition, int]:
        """The offsets that the group has committed."""
        found = self._client.list_group_offsets({group: None})[group]
        return {Partition(*place): at.offset for place, at in found.items()}

    def members(self, group: str) -> list[GroupMember]:
        """The members of a group, none where there is no such group. ``GroupUnseen`` where its answer is an error."""
        with self._no_rights_asked():
            found = self._client.describe_groups([group])[group]
        if found["error"] and _NO_GROUP not in found["error"]:
            raise GroupUnseen(f"group {group} cannot be looked at: {found['error']}")
        return [_member(member) for member in found["members"]]

    @contextmanager
    def _no_rights_asked(self) -> Iterator[None]:
        """What we may do is of no use here, and kafka-python (3.0.12) knows not every answer to it."""
        self._client._process_acl_operations = lambda described: described  # noqa: SLF001
        try:
            yield
        finally:
            del self._client._process_acl_operations  # noqa: SLF001

    def open_transactions(self) -> list[str]:
        """The transactional.ids that have a transaction open (KIP-664)."""
        listed = self._client.list_transactions(state_filters=[TransactionState.ONGOING.value])
        return sorted({row.transactional_id for rows in listed.values() for row in rows})

    def topics_of(self, transactional_id: str) -> set[str]:
        """The topics that an open transaction has written to; empty where it has ended meanwhile."""
        try:
            found = self._client.describe_transactions([transactional_id])[transactional_id]
        except TransactionalIdNotFoundError:
            return set()
        return {written.topic for written in found.topic_partitions}

    def close(self) -> None:
        """Ends it."""
        self._client.close()


def _member(found: Mapping[str, Any]) -> GroupMember:
    subscription: Any = found["member_metadata"]
    topics = tuple(subscription["topics"]) if isinstance(subscription, Mapping) else None
    host = found["client_host"].lstrip("/")
    return GroupMember(found["member_id"], found["group_instance_id"], found["client_id"], topics, host)


def _topic(found: Mapping[str, Any]) -> Topic:
    partitions = found.get("partitions") or ()
    return Topic(
        len(partitions),
        frozenset(found.get("authorized_operations") or ()),
        tuple(len(partition["replica_nodes"]) for partition in partitions),
        tuple(len(partition["isr_nodes"]) for partition in partitions),
        sum(partition["leader_id"] < 0 for partition in partitions),
    )


def _values(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: config["value"] for name, config in configs.items() if config["value"] is not None}


def _topic_limits(values: Mapping[str, str]) -> TopicLimits:
    size, policy = (values.get(name) for name in _TOPIC_LIMITS)
    return TopicLimits(None if size is None else int(size), "compact" in (policy or ""))


def open_admin(access: Access, settings: KafkaSettings, **client: Any) -> ClusterAdmin:
    """``client``: settings of the ``KafkaAdminClient`` that differ from the usual ones. Raises KafkaError, OSError."""
    return ClusterAdmin(access.opened(KafkaAdminClient, **{**settings.admin(), **client}))
