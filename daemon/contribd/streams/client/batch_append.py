"""Many records into one transaction, without what the producer's ``send`` does anew for each of them.

Half of what a record costs there is spent on checks that hold for all records of a transaction alike, and on futures
that nobody asks: the commit fails where any record of its transaction was not written.
"""

from collections.abc import Iterable
from typing import Any

from kafka import TopicPartition

from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.partitioner import partition_of


def append(producer: Any, topic: str, records: Iterable[Encoded]) -> None:
    """Adds ``records`` to the open transaction. Raises KafkaError, as ``send`` does.

    Each must be small enough for the broker (``MAX_RESULT_BYTES``).
    """
    partitions = sorted(producer.partitions_for(topic))
    transaction, accumulator = producer._transaction_manager, producer._accumulator  # noqa: SLF001 - what send uses
    begun: dict[int, TopicPartition] = {}
    for key, value, headers in records:
        if key is None:
            producer.send(topic, value=value, headers=headers)
            continue
        number = partition_of(key, partitions)
        place = begun.get(number)
        if place is None:
            place = begun[number] = TopicPartition(topic, number)
            transaction.maybe_add_partition_to_transaction(place)
        full = accumulator.append(place, None, key, value, headers)[1]
        if full:
            producer._sender.wakeup()  # noqa: SLF001 - what send does
    producer._sender.wakeup()  # noqa: SLF001
