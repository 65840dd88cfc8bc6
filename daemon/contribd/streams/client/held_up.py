"""What a broker that is away holds up: the partitions that it leads, and the group where it coordinates it.

As the clients of this process knew it last. Another broker may take over within seconds, or, where there is none, none.
A broker that stops cleanly gives its partitions away before it goes. Those that nobody takes have no leader from then
on, and clients that hear of it no longer know who led them: they wait for any of their replicas.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kafka import TopicPartition

from contribd.streams.client.settings import KafkaSettings

SHOWN: Final = 8
"""Partitions in one line; of more it is said how many."""


def held_up(clusters: Iterable[Any], address: str, settings: KafkaSettings) -> str:
    """In words, empty where nothing of ours is held up; ``clusters``: a ``ClusterMetadata`` of each client."""
    topics = {*settings.prices, settings.results, *([settings.rejects] if settings.rejects else [])}
    known = list(clusters)
    waiting = sorted({place for cluster in known for place in _waiting(cluster, address, topics)})
    words = [f"{topic}:{partition}" for topic, partition in waiting[:SHOWN]]
    if len(waiting) > SHOWN:
        words.append(f"{len(waiting) - SHOWN} more partitions")
    if any(_coordinates(cluster, address, settings.group_id) for cluster in known):
        words.append(f"the consumer group {settings.group_id}")
    return ", ".join(words)


def _waiting(cluster: Any, address: str, topics: set[str]) -> Iterator[tuple[str, int]]:
    """Topics and partitions that wait for the broker at this address."""
    nodes = [broker.node_id for broker in list(cluster.brokers()) if _address(broker) == address]
    for node in nodes:
        yield from (place for place in list(cluster.partitions_for_broker(node) or ()) if place.topic in topics)
    for place in _without_leader(cluster, topics):
        if not nodes or any(cluster.is_replica_node(place, node) is not None for node in nodes):
            yield place


def _without_leader(cluster: Any, topics: set[str]) -> Iterator[TopicPartition]:
    for topic in topics:
        led = cluster.available_partitions_for_topic(topic) or set()
        yield from (
            TopicPartition(topic, partition) for partition in (cluster.partitions_for_topic(topic) or led) - led
        )


def _coordinates(cluster: Any, address: str, group: str) -> bool:
    node = cluster.get_coordinator(group)
    return node is not None and _address(cluster.broker_metadata(node)) == address


def _address(broker: Any) -> str:
    return "" if broker is None else f"{broker.host}:{broker.port}"
