"""Errors of the Kafka client as sentences for people: who was refused what, by whom, and what cures it.

One function each: ``explain`` for what a client raises, ``explain_connection`` for a connection that failed. No name of
a class and no number of the protocol gets through where there are words for it, and never a password.
"""

import errno
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kafka import errors as kafka

from contribd.streams.client.errors import PlainError, StepTimeout
from contribd.streams.client.refusals import told_by
from contribd.streams.client.settings import KafkaSettings

RIGHTS: Final = "(docs/operations.md, What Kafka must allow)"
REACHING: Final = "(docs/operations.md, Reaching Kafka)"

_Sentence: TypeAlias = Callable[[BaseException, KafkaSettings], str]


def explain(error: BaseException, settings: KafkaSettings) -> str:
    """What went wrong and what cures it, in a line."""
    if isinstance(error, PlainError):
        return _NUMBERED.sub(lambda found: _of_number(int(found[1]), settings), str(error))
    for kind in (*type(error).__mro__, type(told_by(error, None))):
        if kind in _SENTENCES:
            return _SENTENCES[kind](error, settings)
    return _in_general(error)


def topics_missing(topics: list[str], operation: str, settings: KafkaSettings) -> str:
    """Topics that do not exist, or that may not be seen: a broker does not tell the two apart."""
    names = ", ".join(topics)
    return (
        f"no topic {names}, or {settings.principal} may not see it: create it, or allow {operation} on Topic {names} "
        f"{RIGHTS}"
    )


def explain_connection(
    address: str, error: BaseException, settings: KafkaSettings, *, was_made: bool, offers: Sequence[str] = ()
) -> str:
    """Why a connection to the broker at ``address`` failed.

    ``was_made``: after it had been let in; ``offers``: the mechanisms by which this broker takes logins.
    """
    text = ", ".join(offers) if isinstance(error, kafka.UnsupportedSaslMechanismError) else _own_text(error)
    for kind, sentence in _LOGINS.items():
        if isinstance(error, kind):
            return f"broker {address} {sentence(text, settings)} {REACHING}"
    if isinstance(error, ssl.SSLError | FileNotFoundError | PermissionError) and "SSL" in _protocol(settings):
        files = "ssl_cafile, ssl_certfile, ssl_keyfile and ssl_crlfile"
        return f"a file that kafka.client names for TLS cannot be used ({text}): see {files} {REACHING}"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"{_certificate(address, text)} {REACHING}"
    if (said := _tls(text, settings)) or (said := _no_tls(error, text, settings, was_made=was_made)):
        return f"broker {address} {said} {REACHING}"
    return f"broker {address} {_network(error, text)}"


# What a client raises


def _no_topic_right(error: BaseException, settings: KafkaSettings) -> str:
    given = f"{error.args} {getattr(error, 'topic', '')}"
    named = [topic for topic in dict.fromkeys(settings.topics) if topic in given]
    if not named:
        return (
            f"{settings.principal} may not use one of the topics: it needs Read on {', '.join(settings.prices)} and "
            f"Write on {', '.join(settings.written)} {RIGHTS}"
        )
    verb = "read" if named[0] in settings.prices else "write"
    topics = ", ".join(named)
    return f"{settings.principal} may not {verb} topic {topics}: it needs {verb.title()} on Topic {topics} {RIGHTS}"


def _no_group_right(_error: BaseException, settings: KafkaSettings) -> str:
    group = settings.group_id
    return f"{settings.principal} may not use consumer group {group}: it needs Read on Group {group} {RIGHTS}"


def _no_transaction_right(_error: BaseException, settings: KafkaSettings) -> str:
    name, prefix = settings.transactional_id, f"{settings.group_id}-"
    return (
        f"{settings.principal} may not use transactional.id {name}: it needs Write on the TransactionalIds that begin "
        f"with {prefix} {RIGHTS}"
    )


def _no_cluster_right(_error: BaseException, settings: KafkaSettings) -> str:
    return (
        f"{settings.principal} may not write with a producer that is idempotent: brokers before 2.8 need "
        f"IdempotentWrite on Cluster {RIGHTS}"
    )


def _transaction_timeout(_error: BaseException, settings: KafkaSettings) -> str:
    given = settings.producer()["transaction_timeout_ms"]
    return (
        f"kafka.client.transaction_timeout_ms is {given}, more than the brokers allow (their transaction.max.timeout.ms"
        "): lower it"
    )


def _session_timeout(_error: BaseException, settings: KafkaSettings) -> str:
    given = settings.consumer()["session_timeout_ms"]
    return (
        f"kafka.client.session_timeout_ms is {given}, outside of what the brokers allow (their group.min.session."
        "timeout.ms and group.max.session.timeout.ms)"
    )


def _written_topic(error: BaseException, settings: KafkaSettings) -> str:
    """The one that an error is about, where that is known."""
    return getattr(error, "topic", None) or " or ".join(settings.written)


def _too_large(error: BaseException, settings: KafkaSettings) -> str:
    topics = _written_topic(error, settings)
    return f"a record is larger than topic {topics} takes: raise its max.message.bytes"


def _metadata_too_large(_error: BaseException, _settings: KafkaSettings) -> str:
    return "what is committed with an offset is larger than the brokers take: raise their offset.metadata.max.bytes"


def _too_few_replicas(_error: BaseException, settings: KafkaSettings) -> str:
    topics = " or ".join(settings.written)
    return (
        f"too few replicas are in sync for topic {topics}, or for the brokers' own: it goes on once as many "
        "brokers are back as min.insync.replicas says"
    )


def _group_of_others(_error: BaseException, settings: KafkaSettings) -> str:
    group = settings.group_id
    return f"consumer group {group} has members of another kind than contribd: use a kafka.group_id of its own"


def _group_full(_error: BaseException, settings: KafkaSettings) -> str:
    return f"consumer group {settings.group_id} has as many members as the brokers allow (their group.max.size)"


def _topic_gone(_error: BaseException, settings: KafkaSettings) -> str:
    return f"the brokers know no such topic just now, or {settings.principal} may not see it: {_all_topics(settings)}"


def _new_generation(_error: BaseException, settings: KafkaSettings) -> str:
    return (
        f"consumer group {settings.group_id} has a new generation meanwhile: whoever has the partitions now does it "
        "again"
    )


def _another_member(_error: BaseException, settings: KafkaSettings) -> str:
    return f"consumer group {settings.group_id} says that another process has the name {settings.static_id}"


def _another_producer(_error: BaseException, settings: KafkaSettings) -> str:
    return f"another producer was opened under transactional.id {settings.transactional_id}"


def _coordinator_moves(_error: BaseException, _settings: KafkaSettings) -> str:
    return "the broker in charge of it is not there just now: another takes over"


def _no_answer(error: BaseException, settings: KafkaSettings) -> str:
    text = _own_text(error)
    if isinstance(error, StepTimeout) and error.refusal is not None:
        return f"{text}; what was refused meanwhile: {explain(error.refusal, settings)}"
    if text.startswith("no answer"):
        return text
    return "no answer from the brokers in time" + (f" ({text})" if text else "")


def _broken(error: BaseException, _settings: KafkaSettings) -> str:
    return f"a broker {_network(error, _own_text(error))}"


def _no_codec(_error: BaseException, _settings: KafkaSettings) -> str:
    return "a broker does not take this compression: see kafka.client.compression_type and the topic's compression.type"


def _no_key(error: BaseException, settings: KafkaSettings) -> str:
    topics = _written_topic(error, settings)
    return f"topic {topics} refuses a record: where its cleanup.policy is compact, it takes none without a key"


def _too_old(_error: BaseException, _settings: KafkaSettings) -> str:
    return "a broker is too old for what contribd asks of it"


def _all_topics(settings: KafkaSettings) -> str:
    return ", ".join(settings.topics)


_SENTENCES: Final[Mapping[type[BaseException], _Sentence]] = {
    kafka.TopicAuthorizationFailedError: _no_topic_right,
    kafka.GroupAuthorizationFailedError: _no_group_right,
    kafka.TransactionalIdAuthorizationFailedError: _no_transaction_right,
    kafka.ClusterAuthorizationFailedError: _no_cluster_right,
    kafka.InvalidTransactionTimeoutError: _transaction_timeout,
    kafka.InvalidSessionTimeoutError: _session_timeout,
    kafka.MessageSizeTooLargeError: _too_large,
    kafka.RecordListTooLargeError: _too_large,
    kafka.OffsetMetadataTooLargeError: _metadata_too_large,
    kafka.InvalidCommitOffsetSizeError: _metadata_too_large,
    kafka.NotEnoughReplicasError: _too_few_replicas,
    kafka.NotEnoughReplicasAfterAppendError: _too_few_replicas,
    kafka.InconsistentGroupProtocolError: _group_of_others,
    kafka.GroupMaxSizeReachedError: _group_full,
    kafka.UnknownTopicOrPartitionError: _topic_gone,
    kafka.UnknownTopicIdError: _topic_gone,
    kafka.CommitFailedError: _new_generation,
    kafka.IllegalGenerationError: _new_generation,
    kafka.UnknownMemberIdError: _new_generation,
    kafka.RebalanceInProgressError: _new_generation,
    kafka.FencedInstanceIdError: _another_member,
    kafka.ProducerFencedError: _another_producer,
    kafka.InvalidProducerEpochError: _another_producer,
    kafka.CoordinatorNotAvailableError: _coordinator_moves,
    kafka.CoordinatorLoadInProgressError: _coordinator_moves,
    kafka.NotCoordinatorError: _coordinator_moves,
    kafka.BrokerNotAvailableError: _coordinator_moves,
    kafka.KafkaTimeoutError: _no_answer,
    kafka.RequestTimedOutError: _no_answer,
    kafka.NodeNotReadyError: _no_answer,
    kafka.KafkaConnectionError: _broken,
    kafka.NetworkExceptionError: _broken,
    kafka.UnsupportedCompressionTypeError: _no_codec,
    kafka.InvalidRecordError: _no_key,
    kafka.UnsupportedVersionError: _too_old,
}


_NUMBERED: Final = re.compile(r"\[Error (-?\d+)\] \w+(?:: None)?")
"""How kafka-python writes an answer of a broker into a text."""


def _of_number(number: int, settings: KafkaSettings) -> str:
    """What a broker's error number means, within a sentence of ours."""
    error = kafka.for_code(number)()
    sentence = _SENTENCES.get(type(error))
    return sentence(error, settings) if sentence else _in_general(error)


def _in_general(error: BaseException) -> str:
    """Kafka's own description, where it has one; never the name of a class."""
    description = getattr(error, "description", None)
    text = _NUMBERED.sub("refused", _own_text(error))
    if description:
        said = " ".join(str(description).split()).rstrip(".")
        return f"{said} ({text})" if text else said
    return text or "the Kafka client failed and says no more"


# A connection that failed


def _wrong_login(text: str, settings: KafkaSettings) -> str:
    said = f" ({text})" if text else ""
    return (
        f"refuses the login of {settings.principal} by {_mechanism(settings)}{said}: see kafka.client."
        "sasl_plain_username and sasl_plain_password"
    )


def _no_mechanism(offers: str, settings: KafkaSettings) -> str:
    mechanism = _mechanism(settings)
    if mechanism in offers.split(", "):
        return (
            f"offers logins by {mechanism} and takes none: it is set up for it in part only, see "
            "sasl.enabled.mechanisms and the JAAS settings of this listener, or use another one "
            "(kafka.client.sasl_mechanism)"
        )
    said = f", but by {offers}" if offers else ""
    return f"offers no login by {mechanism}{said}: see kafka.client.sasl_mechanism"


def _no_login(_text: str, settings: KafkaSettings) -> str:
    without = "SSL" if "SSL" in _protocol(settings) else "PLAINTEXT"
    return (
        f"takes no login on this port: set kafka.client.security_protocol to {without}, or name a port that takes one"
    )


_LOGINS: Final[Mapping[type[BaseException], Callable[[str, KafkaSettings], str]]] = {
    kafka.SaslAuthenticationFailedError: _wrong_login,
    kafka.UnsupportedSaslMechanismError: _no_mechanism,
    kafka.IllegalSaslStateError: _no_login,
}

LOGIN_REFUSALS: Final = tuple(_LOGINS)
"""Errors by which a broker refuses whoever logs in."""


def _certificate(address: str, text: str) -> str:
    reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0].rstrip(".")
    if "mismatch" in reason:
        return (
            f"the certificate of broker {address} is for another name ({reason}): name the brokers as it does, in "
            "kafka.bootstrap_servers and in their advertised.listeners"
        )
    if "issuer" in reason or "self-signed" in reason or "self signed" in reason:
        return (
            f"the certificate of broker {address} is of an authority that is not trusted ({reason}): name its file as "
            "kafka.client.ssl_cafile"
        )
    return f"the certificate of broker {address} is not valid ({reason})"


def _tls(text: str, settings: KafkaSettings) -> str | None:
    """What is wrong where TLS was spoken."""
    if "SSL" not in _protocol(settings):
        return None
    if re.search(
        r"alert (certificate required|bad certificate|unknown ca|certificate unknown|handshake failure)", text
    ):
        return "wants a certificate of contribd's, or another one: see kafka.client.ssl_certfile and ssl_keyfile"
    if re.search(r"UNEXPECTED_EOF|WRONG_VERSION_NUMBER|RECORD_LAYER|HTTP_REQUEST", text):
        plain = "SASL_PLAINTEXT" if "SASL" in _protocol(settings) else "PLAINTEXT or SASL_PLAINTEXT"
        return (
            f"speaks no TLS on this port, or ended the handshake: set kafka.client.security_protocol to {plain}, or "
            "name a port that speaks it"
        )
    return None


def _no_tls(error: BaseException, text: str, settings: KafkaSettings, *, was_made: bool) -> str | None:
    """What is wrong where something else is spoken on the port than was spoken to it."""
    protocol, ended = _protocol(settings), "socket disconnected" in text
    tls = "set kafka.client.security_protocol to " + ("SASL_SSL" if "SASL" in protocol else "SSL or SASL_SSL")
    if isinstance(error, kafka.InvalidReceiveError):
        return f"speaks TLS on this port, or is no Kafka broker: {tls}, or name a port without it"
    if not ended or (was_made and "SASL" in protocol):
        return None
    if was_made:
        login = "SASL_SSL" if "SSL" in protocol else "SASL_PLAINTEXT"
        return (
            f"ends the connection at the first request, as one does that wants a login: set kafka.client."
            f"security_protocol to {login}, or name a port that wants none"
        )
    return (
        f"ends the connection before it answers, as one does that wants TLS: {tls}" if "SSL" not in protocol else None
    )


_NETWORK: Final = {
    "ECONNREFUSED": "refuses connections: it does not run, or listens elsewhere",
    "EHOSTUNREACH": "cannot be reached: there is no way to its host",
    "ENETUNREACH": "cannot be reached: there is no way to its network",
    "ECONNRESET": "has broken the connection",
    "EPIPE": "has broken the connection",
    "ETIMEDOUT": "does not answer",
    "DNS": "cannot be reached: its host's name is not known",
    "socket disconnected": "has ended the connection",
    "timed out": "does not answer",
    "Timeout": "does not answer",
}


def _network(error: BaseException, text: str) -> str:
    if isinstance(error, OSError) and error.errno:
        text = f"{errno.errorcode.get(error.errno, '')} {text}".strip()
    if isinstance(error, kafka.KafkaTimeoutError | kafka.RequestTimedOutError):
        text = "timed out"
    for sign, said in _NETWORK.items():
        if sign in text:
            return said
    return f"cannot be used: {text}" if text else "has ended the connection"


def _protocol(settings: KafkaSettings) -> str:
    return str(settings.client.get("security_protocol", "PLAINTEXT"))


def _mechanism(settings: KafkaSettings) -> str:
    return str(settings.client.get("sasl_mechanism", "SASL"))


def _own_text(error: BaseException) -> str:
    """An error's own text in a line, without names of classes in front of it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    given: Any = error.args[0] if error.args and error.args[0] is not None else ""
    text = " ".join(str(_own_text(given) if isinstance(given, BaseException) else given).split())
    return re.sub(r"^(?:\[Error -?\d+\] )?(?:[A-Z]\w*(?:Error|Exception): )+", "", text)
