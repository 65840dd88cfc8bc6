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
    "TopicMissing",
]


class GroupUnseen(KafkaError):  # type: ignore[misc]  # the client has no types
    """A group that may not be looked at."""


class TopicMissing(KafkaError):  # type: ignore[misc]  # the client has no types
    """A topic that does not exist, or that may not be seen."""

    def __str__(self) -> str:
        return str(self.args[0])
