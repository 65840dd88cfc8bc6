"""Faults of the Kafka client that would stall a partition, mended from outside."""

from typing import Any, Final

from kafka.errors import KafkaError

DISCARD_SECONDS: Final = 1.0
"""How long a producer that is given up may take for each step of its end."""


def release_set_aside(consumer: Any) -> None:
    """Lets the consumer get back to records it set aside while their partition was paused; called before each poll.

    kafka-python (3.0.12) looks for them only when it holds no fetched batch, and takes one that is drained for one
    that is held: a partition that was paused in the middle of a batch then delivers nothing more after it is resumed.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - the fault lies there, and there is no other way to it
    if fetcher._next_partition_records is not None and not fetcher._next_partition_records:  # noqa: SLF001
        fetcher._next_partition_records = None  # noqa: SLF001


def discard(producer: Any) -> None:
    """Ends a producer whose transaction failed, whatever state it is in, within about two seconds.

    Its ``close`` flushes first, and gives up half closed where the flush does not end in time.
    """
    try:
        producer.close(timeout=DISCARD_SECONDS)
    except KafkaError:
        producer._sender.force_close()  # noqa: SLF001 - what close would have done next
        producer._sender.join(DISCARD_SECONDS)  # noqa: SLF001
