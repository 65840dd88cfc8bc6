"""Faults of the Kafka client that would stall a partition or use up the process, mended from outside."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka import TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.inet import KafkaNetSocket
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

DISCARD_SECONDS: Final = 1.0
"""How long a producer that is given up may take for each step of its end."""


Client = TypeVar("Client")


def opened(kind: Callable[..., Client], **settings: Any) -> Client:
    """A client of class ``kind``; where its first connection fails, nothing of it is left behind.

    kafka-python (3.0.12) raises from the constructor and forgets a thread and its sockets: a broker that is away for an
    hour would take every descriptor there is.
    """
    started: list[Any] = []

    def start(*arguments: Any, **more: Any) -> Any:
        client = kind.DEFAULT_CONFIG["kafka_client"](*arguments, **more)  # type: ignore[attr-defined]  # untyped client
        started.append(client)
        return client

    try:
        return kind(kafka_client=start, **settings)
    except BaseException:
        for client in started:
            client.close()
            client._manager._net.stop()  # noqa: SLF001 - what the admin client's own close does
        raise


def close_where_refused() -> None:
    """Makes the client close a socket whose connection fails; called once, when this module is loaded.

    kafka-python (3.0.12) leaves it to the garbage collector, which may be far away in a daemon that makes little
    garbage, while a broker is tried again several times a second.
    """
    connect = KafkaNetSocket.sock_connect

    async def closing(self: Any, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None) -> Any:
        try:
            return await connect(self, net, sock, sockaddr, timeout_at)
        except BaseException:
            sock.close()
            raise

    KafkaNetSocket.sock_connect = closing


close_where_refused()


def release_set_aside(consumer: Any) -> None:
    """Lets the consumer get back to records it set aside while their partition was paused; called before each poll.

    kafka-python (3.0.12) looks for them only when it holds no fetched batch, and takes one that is drained for one
    that is held: a partition that was paused in the middle of a batch then delivers nothing more after it is resumed.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - the fault lies there, and there is no other way to it
    if fetcher._next_partition_records is not None and not fetcher._next_partition_records:  # noqa: SLF001
        fetcher._next_partition_records = None  # noqa: SLF001


def finish_join(consumer: Any) -> None:
    """Makes the consumer see a join through that a poll gave up waiting for; called before each poll.

    kafka-python (3.0.12) asks only whether a join is needed. One that began because a topic's partitions changed is not
    needed any more as soon as its assignment is made, and then nobody fetches its outcome: the member stays without
    heartbeats, is expelled, and never learns of it.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - the fault lies there, and there is no other way to it
    if coordinator._join_task is not None:  # noqa: SLF001
        coordinator.rejoin_needed = True


def is_joining(consumer: Any) -> bool:
    """Whether a join is under way: nothing may then keep the thread from its next poll.

    kafka-python (3.0.12) throws away a join that is through by the time it is polled again, and joins anew: where every
    round between two polls takes as long as a join does, the group would never come to rest.
    """
    return consumer._coordinator._join_task is not None  # noqa: SLF001 - the fault lies there


def lose_what_is_lost(consumer: Any) -> None:
    """Makes a member that was put out of its group tell of its partitions, whenever it learns of it; called once.

    kafka-python (3.0.12) tells at the first try to join only. A member that was in the middle of joining when the group
    gave it up, a broker having died or the process having been stopped meanwhile, joins on as if it still owned them:
    it gets them back, and goes on where it was, although another has consumed them meanwhile (KIP-429: a member whose
    generation is reset has lost all it owned).
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - the fault lies there, and there is no other way to it
    reset = coordinator.reset_generation

    def resetting(*arguments: Any, **more: Any) -> None:
        reset(*arguments, **more)
        coordinator.rejoining = False

    coordinator.reset_generation = resetting


def leave_though_static(consumer: Any) -> None:
    """Lets ``close`` leave the group even where the member is static (``group_instance_id``).

    The client leaves only where the member is dynamic, so that a static one may come back; but one that is stopped in
    order would make its prices wait for the session timeout. Static membership is for those that die.
    """
    consumer._coordinator.is_dynamic_member = lambda: True  # noqa: SLF001 - its close asks nothing else


def discard(producer: Any) -> None:
    """Ends a producer whose transaction failed, whatever state it is in, within about two seconds.

    Its ``close`` flushes first, and gives up half closed where the flush does not end in time.
    """
    try:
        producer.close(timeout=DISCARD_SECONDS)
    except KafkaError:
        producer._sender.force_close()  # noqa: SLF001 - what close would have done next
        producer._sender.join(DISCARD_SECONDS)  # noqa: SLF001


def send_offsets(
    producer: Any, offsets: dict[TopicPartition, OffsetAndMetadata], group: ConsumerGroupMetadata, seconds: float
) -> None:
    """``send_offsets_to_transaction`` that ends; see ``commit``."""
    _within(producer, producer._transaction_manager.send_offsets_to_transaction(offsets, group), seconds)  # noqa: SLF001


def commit(producer: Any, seconds: float) -> None:
    """``commit_transaction`` that ends: raises KafkaTimeoutError after ``seconds``, the outcome then unknown.

    kafka-python (3.0.12) waits for ever, and after a broker was killed there are waits that never end.
    """
    _within(producer, producer._transaction_manager.begin_commit(), seconds)  # noqa: SLF001


def _within(producer: Any, result: Any, seconds: float) -> None:
    producer._sender.wakeup()  # noqa: SLF001 - what the producer's own calls do, without their endless wait
    if not result.wait(timeout_ms=seconds * 1000):
        raise KafkaTimeoutError(f"no answer within {seconds:g} s")
