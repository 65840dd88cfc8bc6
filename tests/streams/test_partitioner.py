"""Results of a RIC stay in the partition that every other Kafka client expects them in."""

from collections import Counter

import pytest
from kafka.partitioner.default import DefaultPartitioner

from contribd.streams.client import partitioner
from contribd.streams.client.partitioner import KeyPartitioner


class PartitionCluster:
    """What a partitioner asks of the client's metadata."""

    def __init__(self, partitions: set[int]) -> None:
        self._partitions = partitions

    def topics(self) -> set[str]:
        return {"results"}

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return self._partitions

    available_partitions_for_topic = partitions_for_topic


@pytest.mark.parametrize("partitions", [{0}, {0, 1, 2, 3}, set(range(7)), {1, 2, 5}])
def test_a_key_goes_where_the_clients_own_partitioner_sends_it(partitions: set[int]) -> None:
    cluster = PartitionCluster(partitions)
    for number in range(500):
        key = f"P{number}=TRCC".encode()
        expected = DefaultPartitioner().partition("results", None, key, None, b"", cluster)
        for _ in range(2):
            assert KeyPartitioner().partition("results", None, key, None, b"", cluster) == expected


def test_results_without_a_key_go_to_all_partitions() -> None:
    chosen = Counter(
        KeyPartitioner().partition("results", None, None, None, b"", PartitionCluster({0, 1, 2})) for _ in range(500)
    )
    assert set(chosen) == {0, 1, 2}


def test_a_key_is_hashed_once() -> None:
    before = partitioner._hash.cache_info()
    for _ in range(10):
        KeyPartitioner().partition("results", None, b"ONCE=TRCC", None, b"", PartitionCluster({0, 1}))
    after = partitioner._hash.cache_info()
    assert after.misses - before.misses <= 1
    assert after.hits - before.hits >= 9
