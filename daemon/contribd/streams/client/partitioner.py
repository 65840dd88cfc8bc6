"""Where a result goes: the partition any Kafka client would choose for its key, without hashing each key again."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from kafka.partitioner.default import DefaultPartitioner, murmur2

KEPT_KEYS: Final = 65_536
"""Keys whose hash is kept: about 12 MB where every one of them is in use, far less than hashing them costs."""

_hash = lru_cache(maxsize=KEPT_KEYS)(murmur2)


def partition_of(key: bytes, partitions: Sequence[int]) -> int:
    """The partition of a key among all of the topic's, in ascending order."""
    number: int = _hash(key) & 0x7FFFFFFF
    return partitions[number % len(partitions)]


class KeyPartitioner(DefaultPartitioner):  # type: ignore[misc]  # the client has no types
    """As the client's default (murmur2 of the key, as Java's has it; any partition where there is no key)."""

    def partition(
        self, topic: str, key: Any, serialized_key: bytes | None, value: Any, serialized_value: Any, cluster: Any
    ) -> int:
        """The partition of one record."""
        partitions = cluster.partitions_for_topic(topic) if serialized_key is not None else None
        if not partitions:
            chosen: int = super().partition(topic, key, serialized_key, value, serialized_value, cluster)
            return chosen
        return partition_of(serialized_key or b"", sorted(partitions))
