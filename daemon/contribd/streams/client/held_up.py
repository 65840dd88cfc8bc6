"""What a broker that is away holds up: the partitions that it leads, and the group where it coordinates it.

As the clients of this process knew it last. Another broker may take over within seconds, or, where there is none, none.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from contribd.streams.client.settings import KafkaSettings

SHOWN: Final = 8
"""Partitions in one line; of more it is said how many."""


def held_up(clusters: Iterable[Any], address: str, settings: KafkaSettings) -> str:
    """In words, empty where nothing of ours is held up; ``clusters``: a ``ClusterMetadata`` of each client."""
    topics = {*settings.prices, settings.results, *([settings.rejects] if settings.rejects else [])}
    known = list(clusters)
    led = sorted({place for cluster in known for place in _led(cluster, address) if place[0] in topics})
    words = [f"{topic}:{partition}" for topic, partition in led[:SHOWN]]
    if len(led) > SHOWN:
        words.append(f"{len(led) - SHOWN} more partitions")
    if any(_coordinates(cluster, address, settings.group_id) for cluster in known):
        words.append(f"the consumer group {settings.group_id}")
    return ", ".join(words)


def _led(cluster: Any, address: str) -> Iterator[tuple[str, int]]:
    for broker in list(cluster.brokers()):
        if _address(broker) == address:
            yield from list(cluster.partitions_for_broker(broker.node_id) or ())


def _coordinates(cluster: Any, address: str, group: str) -> bool:
    node = cluster.get_coordinator(group)
    return node is not None and _address(cluster.broker_metadata(node)) == address


def _address(broker: Any) -> str:
    return "" if broker is None else f"{broker.host}:{broker.port}"
