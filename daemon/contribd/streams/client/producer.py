"""The producer of contribd's transactions, over kafka-python's: many records at once, and waits that end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaProducer, TopicPartition
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client import producer_faults as faults
from contribd.streams.client.access import Access
from contribd.streams.client.errors import KafkaError, StepTimeout
from contribd.streams.client.partitioner import partition_of
from contribd.streams.client.port import Member
from contribd.streams.client.refusals import told_by
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import THREADS

DISCARD_SECONDS: Final = 1.0
"""How long a producer that is given up may take for each step of its end."""

_LOOK_SECONDS: Final = 0.1
"""How often a step that waits looks whether the transaction has failed already: kafka-python (3.0.12) does not end a
commit whose records are refused after their batch was split."""


class Producer:
    """A ``TransactionalProducer`` over a ``KafkaProducer``; commits offsets of one group."""

    def __init__(self, client: Any, group_id: str) -> None:
        """``client``: a ``KafkaProducer`` past ``init_transactions``."""
        self._client = client
        self._group_id = group_id
        self._refused: tuple[BaseException, TopicPartition] | None = None
        """What the brokers said last of a batch that they did not take, and where it was to be written."""
        _hear_refusals(client._sender, self._hear)  # noqa: SLF001 - there is no other way to them

    def _hear(self, error: BaseException, place: TopicPartition) -> None:
        self._refused = error, place

    def begin(self) -> None:
        """Opens a transaction."""
        self._refused = None
        with self._true_errors():
            self._client.begin_transaction()

    def append(self, topic: str, records: Iterable[Encoded]) -> None:
        """Adds records to the open transaction, without what ``send`` does anew for each of them.

        Half of what a record costs there is spent on checks that hold for all records of a transaction alike, and on
        futures that nobody asks: the commit fails where any record of its transaction was not written. Each must be
        small enough for the broker (``MAX_RESULT_BYTES``).
        """
        with self._true_errors():
            self._append(topic, records)

    def _append(self, topic: str, records: Iterable[Encoded]) -> None:
        client = self._client
        partitions = sorted(client.partitions_for(topic))
        transaction, accumulator = client._transaction_manager, client._accumulator  # noqa: SLF001 - what send uses
        begun: dict[int, TopicPartition] = {}
        for key, value, headers in records:
            if key is None:
                client.send(topic, value=value, headers=headers)
                continue
            number = partition_of(key, partitions)
            place = begun.get(number)
            if place is None:
                place = begun[number] = TopicPartition(topic, number)
                transaction.maybe_add_partition_to_transaction(place)
            full = accumulator.append(place, None, key, value, headers)[1]
            if full:
                client._sender.wakeup()  # noqa: SLF001 - what send does
        client._sender.wakeup()  # noqa: SLF001

    def send_offsets(self, commits: Mapping[Partition, Commit], member: Member, seconds: float) -> None:
        """``send_offsets_to_transaction`` that ends; see ``commit``."""
        offsets = {
            TopicPartition(*partition): OffsetAndMetadata(commit.offset, commit.metadata, -1)
            for partition, commit in commits.items()
        }
        group = ConsumerGroupMetadata(self._group_id, member.generation, member.member_id, member.static_id)
        manager = self._client._transaction_manager  # noqa: SLF001 - as in _within
        with self._true_errors():
            self._within(manager.send_offsets_to_transaction(offsets, group), seconds)

    def commit(self, seconds: float) -> None:
        """``commit_transaction`` that ends: raises KafkaTimeoutError after ``seconds``, the outcome then unknown.

        kafka-python (3.0.12) waits for ever, and after a broker was killed there are waits that never end.
        """
        manager = self._client._transaction_manager  # noqa: SLF001 - as in _within
        with self._true_errors():
            self._within(manager.begin_commit(), seconds)

    def _within(self, result: Any, seconds: float) -> None:
        manager, end = self._client._transaction_manager, THREADS.mono() + seconds  # noqa: SLF001
        self._client._sender.wakeup()  # noqa: SLF001 - what the producer's own calls do, without their endless wait
        while not result.wait(timeout_ms=min(seconds, _LOOK_SECONDS) * 1000):
            if manager.has_error():
                raise manager._last_error  # noqa: SLF001
            if THREADS.mono() >= end:
                raise StepTimeout(seconds, None if self._refused is None else self._refused[0])

    @contextmanager
    def _true_errors(self) -> Iterator[None]:
        """Raises what the brokers told, and says of which topic."""
        try:
            yield
        except KafkaError as error:
            told: Any = told_by(error, self._client._transaction_manager._last_error)  # noqa: SLF001 - as in _within
            refusal, place = self._refused or (None, None)
            is_refusal = type(told) is type(refusal)
            if place is not None and is_refusal:
                told.topic = place.topic
            if told is error:
                raise
            raise told from error

    def discard(self) -> None:
        """Ends the producer, whatever state it is in, within about two seconds."""
        _discard(self._client)


def open_producer(access: Access, settings: KafkaSettings, batch_bytes: int | None = None) -> Producer:
    """Under our transactional.id, past ``init_transactions``; batches of ``batch_bytes`` at most. Raises KafkaError."""
    given = settings.producer()
    if batch_bytes is not None:
        given["batch_size"] = min(given["batch_size"], batch_bytes)
    return Producer(_initialized(access, given), settings.group_id)


def _hear_refusals(sender: Any, hear: Callable[[BaseException, TopicPartition], None]) -> None:
    """Tells of each batch that the brokers do not take, in the client's thread: of the error and its place."""
    dispatch = sender._dispatch_error  # noqa: SLF001 - the client keeps it to itself

    def hearing(batch: Any, exception: BaseException, partition_response: Any) -> None:
        hear(exception, batch.topic_partition)
        dispatch(batch, exception, partition_response)

    sender._dispatch_error = hearing  # noqa: SLF001


def end_transactions_of(access: Access, settings: KafkaSettings, transactional_id: str) -> None:
    """Ends what a producer of this transactional.id left open, and fences it. Raises KafkaError."""
    _discard(_initialized(access, {**settings.producer(), "transactional_id": transactional_id}))


def _initialized(access: Access, settings: Mapping[str, Any]) -> Any:
    client: Any = access.opened(KafkaProducer, **settings)
    faults.keep_requests(client)
    faults.fail_for_good(client)
    try:
        client.init_transactions()
    except BaseException:
        _discard(client)
        raise
    return client


def _discard(client: Any) -> None:
    """The client's ``close`` flushes first, and gives up half closed where the flush does not end in time."""
    try:
        client.close(timeout=DISCARD_SECONDS)
    except KafkaError:
        client._sender.force_close()  # noqa: SLF001 - what close would have done next
        client._sender.join(DISCARD_SECONDS)  # noqa: SLF001
