"""The errors of Kafka that contribd tells apart. The real client raises them, and so does a simulated one."""

from typing import Final

from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OffsetMetadataTooLargeError,
    ProducerFencedError,
    RebalanceInProgressError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnknownMemberIdError,
)

__all__ = [
    "NEW_GENERATION",
    "CommitFailedError",
    "FencedInstanceIdError",
    "GroupAuthorizationFailedError",
    "GroupUnseen",
    "IllegalGenerationError",
    "InvalidRecordError",
    "KafkaError",
    "KafkaTimeoutError",
    "LoginRefused",
    "MessageSizeTooLargeError",
    "NoBroker",
    "OffsetMetadataTooLargeError",
    "PlainError",
    "ProducerFencedError",
    "RebalanceInProgressError",
    "StepTimeout",
    "TopicAuthorizationFailedError",
    "TopicMissing",
    "TransactionalIdAuthorizationFailedError",
    "UnknownMemberIdError",
]


class PlainError(KafkaError):  # type: ignore[misc]  # the client has no types
    """An error of ours. Its text is a sentence for people."""

    def __str__(self) -> str:
        return str(self.args[0])


class GroupUnseen(PlainError):
    """A group that may not be looked at."""


class TopicMissing(PlainError):
    """A topic that does not exist, or that may not be seen."""


class NoBroker(PlainError):
    """No broker can be used."""


class LoginRefused(NoBroker):
    """Nor is one asked for a while: the brokers refuse our login."""


class StepTimeout(KafkaTimeoutError):  # type: ignore[misc]  # the client has no types
    """A step of a transaction that took too long. ``refusal``: what the brokers refused meanwhile, None: nothing."""

    def __init__(self, seconds: float, refusal: BaseException | None) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.refusal = refusal


NEW_GENERATION: Final = CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError
"""The group has rebalanced since, as it does in the normal course of things: what was refused is done again."""
