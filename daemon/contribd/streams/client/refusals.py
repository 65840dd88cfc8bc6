"""What can be done about a transaction that failed, and what the brokers told where the client tells something else."""

from enum import Enum, auto
from typing import Any, Final

from kafka import errors

from contribd.streams.client.errors import KafkaError


class Cure(Enum):
    """What can be done about a transaction that failed."""

    AGAIN = auto()
    """Nothing but to try again: brokers move, members come and go."""
    SHORTEN = auto()
    """A record is larger than its topic takes: what can be left out of it is."""
    NARROW = auto()
    """The metadata of an offset is longer than the brokers take: partitions run less far ahead of it."""
    KEY = auto()
    """The topic takes no record without a key: each has one from then on."""
    HELP = auto()
    """Somebody has to change a right or a setting: it is tried again ever more rarely until that is done."""


_CURES: Final = {
    "MessageSizeTooLargeError": Cure.SHORTEN,
    "RecordListTooLargeError": Cure.SHORTEN,
    "OffsetMetadataTooLargeError": Cure.NARROW,
    "InvalidCommitOffsetSizeError": Cure.NARROW,
    "InvalidRecordError": Cure.KEY,
    **dict.fromkeys(
        (
            "TopicAuthorizationFailedError",
            "GroupAuthorizationFailedError",
            "TransactionalIdAuthorizationFailedError",
            "ClusterAuthorizationFailedError",
            "InvalidTimestampError",
            "UnsupportedForMessageFormatError",
            "UnsupportedCompressionTypeError",
            "UnsupportedCodecError",
            "UnsupportedVersionError",
            "InvalidTransactionTimeoutError",
            "PolicyViolationError",
            "InvalidTopicError",
            "InvalidGroupIdError",
            "InvalidRequiredAcksError",
            "InvalidRequestError",
            "InvalidConfigurationError",
            "SecurityDisabledError",
        ),
        Cure.HELP,
    ),
}
"""By the name of the error: releases of the client differ in the classes. What is not listed passes."""


def cure_of(error: BaseException) -> Cure:
    """What can be done about it."""
    return _CURES.get(type(error).__name__, Cure.AGAIN)


def told_by(error: BaseException, last: BaseException | None) -> BaseException:
    """What the brokers told, where the client raises something of its own about it.

    kafka-python (3.0.12) names the true error in a text, or keeps it as its last one.
    """
    if type(error) is not KafkaError:
        return error
    if last is not None and type(last) is not KafkaError:
        return last
    for word in str(error).replace("'", " ").replace("(", " ").replace(":", " ").split():
        kind: Any = getattr(errors, word, None) if word.endswith("Error") else None
        if isinstance(kind, type) and issubclass(kind, KafkaError) and kind is not KafkaError:
            told: BaseException = kind()
            return told
    return error
