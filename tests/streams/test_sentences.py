"""What the Kafka client raises, as people read it."""

import re
import ssl
from typing import Any

import pytest
from kafka import errors as kafka

from contribd.streams.client.errors import GroupUnseen, NoBroker, StepTimeout
from contribd.streams.client.sentences import explain, explain_connection, topics_missing
from contribd.streams.client.settings import KafkaSettings

INTERNAL = re.compile(r"[a-z][A-Z]\w*(Error|Exception)\b|\b[A-Z]\w+Error\b|0x[0-9a-f]|\[Error|\bnode_id\b|<|>")
"""What belongs to the client's inside."""

EVERY_ERROR = [
    kind
    for kind in vars(kafka).values()
    if isinstance(kind, type) and issubclass(kind, kafka.KafkaError) and kind is not kafka.LogTruncationError
]


def settings(**client: Any) -> KafkaSettings:
    named = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "desk"}
    return KafkaSettings(("k1:9092",), "fx", ("prices",), "results", "rejects", "latest", "host", {**named, **client})


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: str(kind.__name__))
def test_no_error_names_what_only_the_client_knows(kind: type[BaseException]) -> None:
    for error in (kind(), kind("FindCoordinatorResponse error"), kind(kafka.KafkaConnectionError("lost"))):
        for said in (explain(error, settings()), explain_connection("k1:9092", error, settings(), was_made=False)):
            assert said
            assert not INTERNAL.search(said), said


def test_what_the_client_wraps_in_a_text_is_told_as_what_it_is() -> None:
    answer = "Unexpected error in TxnOffsetCommitResponse: [Error 29] TopicAuthorizationFailedError"
    said = explain(kafka.KafkaError(answer), settings())
    assert said.startswith("user desk may not use one of the topics: it needs Read on prices and Write on results")
    unknown = explain(kafka.KafkaError("in an answer: [Error 87] InvalidRecordError"), settings())
    assert "refuses a record" in unknown
    assert not INTERNAL.search(explain(kafka.KafkaError("odd: [Error 9999] NobodyKnowsError"), settings()))


def test_a_step_that_took_too_long_names_what_was_refused_meanwhile() -> None:
    assert explain(StepTimeout(15.0, None), settings()) == "no answer within 15 s"
    said = explain(StepTimeout(15.0, kafka.NotEnoughReplicasError()), settings())
    assert said.startswith("no answer within 15 s; what was refused meanwhile: too few replicas are in sync for topic")
    assert not INTERNAL.search(said)


@pytest.mark.parametrize("number", range(-1, 140))
def test_what_a_broker_said_within_an_error_of_ours_is_told_in_words(number: int) -> None:
    said = explain(GroupUnseen(f"group fx cannot be looked at: {kafka.for_code(number)()}"), settings())
    assert said.startswith("group fx cannot be looked at: ")
    assert not INTERNAL.search(said)
    assert "None" not in said


def test_a_coordinator_that_loads_is_no_name_of_an_error() -> None:
    said = explain(GroupUnseen(f"group fx cannot be looked at: {kafka.for_code(14)()}: None"), settings())
    assert said == "group fx cannot be looked at: the broker in charge of it is not there just now: another takes over"


def test_a_password_is_never_in_it() -> None:
    given = settings(sasl_plain_password="hunter2")  # noqa: S106 - it is what must not be seen
    for kind in EVERY_ERROR:
        assert "hunter2" not in explain(kind(), given) + explain_connection("k", kind(), given, was_made=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            kafka.GroupAuthorizationFailedError("FindCoordinatorResponse error"),
            (
                "user desk may not use consumer group fx: it needs Read on Group fx "
                "(docs/operations.md, What Kafka must allow)"
            ),
        ),
        (
            kafka.TopicAuthorizationFailedError({"prices"}),
            (
                "user desk may not read topic prices: it needs Read on Topic prices "
                "(docs/operations.md, What Kafka must allow)"
            ),
        ),
        (
            kafka.TopicAuthorizationFailedError("results"),
            (
                "user desk may not write topic results: it needs Write on Topic results "
                "(docs/operations.md, What Kafka must allow)"
            ),
        ),
        (
            kafka.TransactionalIdAuthorizationFailedError(),
            (
                "user desk may not use transactional.id fx-host: it needs Write on the TransactionalIds that begin "
                "with fx- (docs/operations.md, What Kafka must allow)"
            ),
        ),
        (
            kafka.InvalidTransactionTimeoutError(),
            (
                "kafka.client.transaction_timeout_ms is 901000, more than the brokers allow "
                "(their transaction.max.timeout.ms): lower it"
            ),
        ),
        (kafka.KafkaTimeoutError("no answer within 15 s"), "no answer within 15 s"),
        (kafka.KafkaTimeoutError(None), "no answer from the brokers in time"),
        (kafka.KafkaConnectionError("socket disconnected"), "a broker has ended the connection"),
        (NoBroker("said already"), "said already"),
        (OSError(24, "Too many open files"), "Too many open files"),
        (ValueError("'Odd' is not a state"), "'Odd' is not a state"),
        (kafka.PolicyViolationError(), "Request parameters do not satisfy the configured policy"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_it_says_who_needs_what(error: BaseException, said: str) -> None:
    assert explain(error, settings(transaction_timeout_ms=901_000)) == said


def test_a_topic_that_may_not_be_seen_is_as_one_that_does_not_exist() -> None:
    assert topics_missing(["a", "b"], "Read", settings()) == (
        "no topic a, b, or user desk may not see it: create it, or allow Read on Topic a, b "
        "(docs/operations.md, What Kafka must allow)"
    )


@pytest.mark.parametrize(
    ("client", "who"),
    [
        ({}, "user desk"),
        ({"security_protocol": "PLAINTEXT"}, "user ANONYMOUS"),
        ({"security_protocol": "SSL"}, "user ANONYMOUS"),
        ({"security_protocol": "SSL", "ssl_certfile": "/etc/desk.pem"}, "the owner of certificate /etc/desk.pem"),
        ({"sasl_plain_username": None}, "the user of this login"),
    ],
)
def test_it_says_as_whom(client: dict[str, Any], who: str) -> None:
    assert settings(**client).principal == who


REFUSED = kafka.KafkaConnectionError("111 ECONNREFUSED")


@pytest.mark.parametrize(
    ("protocol", "was_made", "error", "said"),
    [
        ("PLAINTEXT", False, REFUSED, "broker k1:9092 refuses connections: it does not run, or listens elsewhere"),
        ("PLAINTEXT", False, kafka.KafkaConnectionError("DNS Resolution failure"), "its host's name is not known"),
        ("PLAINTEXT", False, kafka.KafkaTimeoutError("Connection timed out"), "broker k1:9092 does not answer"),
        ("PLAINTEXT", False, kafka.InvalidReceiveError("Invalid frame length: 352518912"), "speaks TLS on this port"),
        ("PLAINTEXT", False, kafka.KafkaConnectionError("socket disconnected"), "as one does that wants TLS"),
        ("PLAINTEXT", True, kafka.KafkaConnectionError("socket disconnected"), "as one does that wants a login"),
        ("SASL_PLAINTEXT", True, kafka.KafkaConnectionError("socket disconnected"), "has ended the connection"),
        ("SSL", False, kafka.KafkaConnectionError("Handshake failed: [SSL: WRONG_VERSION_NUMBER] w"), "speaks no TLS"),
        ("SSL", False, ssl.SSLError(1, "[X509] PEM lib"), "a file that kafka.client names for TLS cannot be used"),
        (
            "SSL",
            True,
            kafka.KafkaConnectionError(ssl.SSLError(1, "[SSL] tlsv13 alert certificate required")),
            "wants a certificate of contribd's",
        ),
        (
            "SSL",
            False,
            kafka.KafkaConnectionError(
                "Handshake failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
                "(_ssl.c:1006)"
            ),
            "the certificate of broker k1:9092 is not valid (certificate has expired)",
        ),
    ],
)
def test_it_says_why_a_connection_failed(protocol: str, was_made: bool, error: BaseException, said: str) -> None:
    assert said in explain_connection("k1:9092", error, settings(security_protocol=protocol), was_made=was_made)


def test_a_login_that_is_offered_and_refused_all_the_same_is_not_said_to_be_offered_by_others() -> None:
    settings = KafkaSettings((), "g", (), "r", None, "latest", "i", {"sasl_mechanism": "PLAIN"})
    error = kafka.UnsupportedSaslMechanismError()
    said = explain_connection("k:1", error, settings, was_made=False, offers=["PLAIN", "GSSAPI"])
    assert said.startswith("broker k:1 offers logins by PLAIN and takes none: ")
    said = explain_connection("k:1", error, settings, was_made=False, offers=["GSSAPI"])
    assert said.startswith("broker k:1 offers no login by PLAIN, but by GSSAPI: ")
