"""What kafka-python's consumer keeps to itself of its group: heard, asked and said from outside."""

from collections.abc import Callable
from typing import Any, Final

from kafka import TopicPartition
from kafka.coordinator.base import Generation
from kafka.errors import CoordinatorNotAvailableError, FencedInstanceIdError, RebalanceInProgressError

from contribd.streams.client.port import Heartbeats, Member, MemberHooks

_READ_UNCOMMITTED: Final = 0
"""Kafka's number for it."""


def watch(consumer: Any, hooks: MemberHooks) -> None:
    """Tells ``hooks`` which heartbeats are taken and which refused, another having the name, and when the consumer
    asked for its partitions; called once."""
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python tells of neither
    beat, answered = coordinator._send_heartbeat_request, coordinator._process_sync_group_response  # noqa: SLF001

    async def beating() -> Any:
        try:
            answer = await beat()
        except RebalanceInProgressError:
            hooks.known()
            raise
        except FencedInstanceIdError as error:
            if hooks.refused():
                raise
            # The client would never send a heartbeat again.
            raise CoordinatorNotAvailableError(str(error)) from error
        hooks.known()
        return answer

    def answering(response: Any, asked_at: float) -> Any:
        assignment = answered(response, asked_at)
        hooks.known()
        hooks.synced(coordinator._generation.member_id, asked_at)  # noqa: SLF001
        return assignment

    coordinator._send_heartbeat_request = beating  # noqa: SLF001
    coordinator._process_sync_group_response = answering  # noqa: SLF001


def tell_out_of_range(consumer: Any, tell: Callable[[TopicPartition], None]) -> None:
    """Calls ``tell`` with a partition whose position lies outside its log, in the client's thread.

    The client would go to the log's beginning or end, by its own setting and without a word.
    """
    consumer._subscription.request_offset_reset = lambda tp, _strategy=None: tell(tp)  # noqa: SLF001 - no other way


def confirm(consumer: Any) -> None:
    """Asks the group at once whether it knows this member, in the consumer's thread. Raises KafkaError where not."""
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python beats by itself only
    try:
        consumer._net.run(coordinator._send_heartbeat_request)  # noqa: SLF001
    except RebalanceInProgressError:
        return  # said to members only


def unstable_offsets(consumer: Any, partitions: list[TopicPartition], timeout_ms: int) -> Any:
    """What the group has committed of these, by partition, though transactions are about to commit more."""
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python asks for one at a time, and for stable ones
    stable, coordinator._isolation_level = coordinator._isolation_level, _READ_UNCOMMITTED  # noqa: SLF001
    try:
        return coordinator.fetch_committed_offsets(partitions, timeout_ms)
    finally:
        coordinator._isolation_level = stable  # noqa: SLF001


def speak_for(consumer: Any, member: Member, seconds: float) -> None:
    """Lets a consumer that is no member ask in the name of ours, by a connection of its own: see ``confirm``.

    Raises KafkaError where no coordinator is found within ``seconds``.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python joins by itself only
    coordinator.ensure_coordinator_ready(timeout_ms=round(seconds * 1000))
    coordinator._generation = Generation(member.generation, member.member_id, None)  # noqa: SLF001
    coordinator.config["group_instance_id"] = member.static_id


def heartbeats(consumer: Any) -> Heartbeats:
    """When the last one was sent, and when the last answer came."""
    heartbeat = consumer._coordinator.heartbeat  # noqa: SLF001 - kafka-python tells of heartbeats nowhere else
    return Heartbeats(heartbeat.last_send, heartbeat.last_receive)
