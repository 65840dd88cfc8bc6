"""The errors of Kafka that contribd tells apart. The real client raises them, and so does a simulated one."""

from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    ProducerFencedError,
    RebalanceInProgressError,
)

__all__ = [
    "CommitFailedError",
    "FencedInstanceIdError",
    "GroupAuthorizationFailedError",
    "GroupUnseen",
    "KafkaError",
    "KafkaTimeoutError",
    "ProducerFencedError",
    "RebalanceInProgressError",
]


class GroupUnseen(KafkaError):  # type: ignore[misc]  # the client has no types
    """A group that may not be looked at."""
