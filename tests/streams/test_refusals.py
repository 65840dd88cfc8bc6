"""What an error of a transaction means, and what the brokers told where the client tells something else."""

import pytest
from kafka import errors

from contribd.streams.client import refusals
from contribd.streams.client.errors import KafkaError
from contribd.streams.client.refusals import Cure, cure_of, told_by


def test_every_error_that_has_a_cure_is_one_of_the_client_s() -> None:
    assert [name for name in refusals._CURES if not hasattr(errors, name)] == []


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (errors.MessageSizeTooLargeError(), Cure.SHORTEN),
        (errors.OffsetMetadataTooLargeError(), Cure.NARROW),
        (errors.InvalidRecordError(), Cure.KEY),
        (errors.TopicAuthorizationFailedError(), Cure.HELP),
        (errors.GroupAuthorizationFailedError(), Cure.HELP),
        (errors.KafkaTimeoutError(), Cure.AGAIN),
        (errors.NotCoordinatorError(), Cure.AGAIN),
        (OSError(), Cure.AGAIN),
    ],
)
def test_what_can_be_done(error: Exception, cure: Cure) -> None:
    assert cure_of(error) is cure


def test_the_true_error_is_found_in_a_text_or_is_the_last_one() -> None:
    text = "Unexpected error in TxnOffsetCommitResponse: OffsetMetadataTooLargeError()"
    assert type(told_by(KafkaError(text), None)) is errors.OffsetMetadataTooLargeError
    last = errors.TopicAuthorizationFailedError({"results"})
    assert told_by(KafkaError("Cannot execute transactional method"), last) is last
    own = errors.KafkaTimeoutError("no answer")
    assert told_by(own, last) is own
    unknown = KafkaError("SomeError of KafkaError")
    assert told_by(unknown, None) is unknown
