"""What fails in one partition stays there: kafka-python's fetcher would let it out of ``poll`` for all of them.

Theory of operation
===================

kafka-python (3.0.12) parses what was fetched within ``poll``, one partition after the other, and lets any exception
out. What it raises after a broker's refusal (no right to read the topic) is a KafkaError. What comes of the bytes of a
batch may be anything: a checksum that is wrong, a codec that is not installed, zlib's, lz4's or zstd's own errors. The
batch stays at the head of the line, with an iterator that has ended; the next ``poll`` turns around it for ever.

Here both places where it may happen give nothing instead: the parsing of an answer, and the taking of records out of
it. The partition is paused where it stands, nothing of it is left in a buffer, and it is told of as a ``FetchFault``.
When it is resumed it is fetched anew, and so it is found out whether the fault is still there.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from kafka import TopicPartition, errors
from kafka.consumer.fetcher import Fetcher, RecordTooLargeError
from kafka.errors import KafkaError, RetriableError

from contribd.streams.client.port import FetchFault
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.unreadable_batch import ASK_A_REPLICA, NO_WHOLE_BATCH, Batches, fault_of

Tell: TypeAlias = Callable[[TopicPartition, FetchFault | None], None]

_NO_LEADER: Final = "no broker leads the partition just now"
_REFUSALS: Final[Mapping[type[KafkaError], str]] = {
    errors.NotLeaderForPartitionError: _NO_LEADER,
    errors.LeaderNotAvailableError: _NO_LEADER,
    errors.ReplicaNotAvailableError: _NO_LEADER,
    errors.OffsetNotAvailableError: _NO_LEADER,
    errors.FencedLeaderEpochError: _NO_LEADER,
    errors.UnknownLeaderEpochError: _NO_LEADER,
    errors.UnknownError: "the broker failed to read it: see the broker's log",
    errors.KafkaStorageError: "the broker cannot read its disk: see the broker's log",
    RecordTooLargeError: "the record is larger than a fetch: raise kafka.client.max_partition_fetch_bytes",
}
"""What can be said better here than of any other request."""

_UNREADABLE: Final[Mapping[type[BaseException], str]] = {
    errors.CorruptRecordError: "the broker cannot read its own log there",
    KafkaError: NO_WHOLE_BATCH,
}
"""Answers without records that an operator may go on behind."""


def keep_apart(consumer: Any, settings: KafkaSettings, tell: Tell) -> None:
    """Makes a partition that cannot be read wait by itself; called once.

    ``tell`` hears of each fault, the partition being paused by then, and of None where a broker gives again what it
    refused. It is for the caller to resume the partition, for another try.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - the fault lies there, and there is no other way to it
    parse, subscription = fetcher._parse_fetched_data, consumer._subscription  # noqa: SLF001
    refused: set[TopicPartition] = set()

    def hold(tp: TopicPartition, fault: FetchFault) -> None:
        consumer.pause(tp)
        tell(tp, fault)

    def parsing(fetched: Any) -> Any:
        tp = fetched.topic_partition
        records, kind = None, errors.for_code(fetched.partition_data.error_code)
        try:
            records = parse(fetched)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this partition's alone
            kind = type(error)
        if kind is errors.NoError:
            if tp in refused:
                refused.discard(tp)
                tell(tp, None)
        elif kind is not errors.OffsetOutOfRangeError and subscription.is_fetchable(tp):  # that one is told by itself
            refused.add(tp)
            hold(tp, refusal(tp.topic, fetched.fetched_offset, kind, settings))
        return records

    fetcher._parse_fetched_data = parsing  # noqa: SLF001
    fetcher.PartitionRecords = partial(_Records, hold, consumer.highwater)


def refusal(topic: str, offset: int, kind: type[BaseException], settings: KafkaSettings) -> FetchFault:
    """What an answer comes to that has an error instead of records."""
    if kind not in _UNREADABLE and issubclass(kind, KafkaError):
        what = _REFUSALS.get(kind) or explain(kind(topic), settings)
        return FetchFault(offset, offset, what, passing=issubclass(kind, RetriableError))
    return FetchFault(offset, offset, _UNREADABLE.get(kind, NO_WHOLE_BATCH), ASK_A_REPLICA, skippable=True)


class _Records(Fetcher.PartitionRecords):  # type: ignore[misc]  # the client has no types
    """The records of one partition in one answer; a batch that cannot be read is told of, and gives none."""

    def __init__(
        self,
        hold: Callable[[TopicPartition, FetchFault], None],
        high_water: Callable[[TopicPartition], int | None],
        fetch_offset: int,
        tp: TopicPartition,
        records: Any,
        **more: Any,
    ) -> None:
        self._hold = hold
        self._high_water = high_water
        self._batches = Batches(records)
        self.next_fetch_offset = fetch_offset
        super().__init__(fetch_offset, tp, self._batches, **more)

    def take(self, n: int | None = None) -> list[Any]:
        """The next ``n`` records at most."""
        try:
            taken: list[Any] = super().take(n)
        except Exception as error:  # noqa: BLE001 - a codec raises what it likes
            # Records of the batch that lie before what was asked for were passed over.
            self.next_fetch_offset = max(self.next_fetch_offset, self.fetch_offset)
            end = self._high_water(self.topic_partition)
            self._hold(self.topic_partition, fault_of(self._batches, error, self.next_fetch_offset, end))
            self.drain()
            return []
        return taken
