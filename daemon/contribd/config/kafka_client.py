"""``kafka.client``: settings handed on to kafka-python, less those that contribd's promises rest on."""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contribd.config.nodes import DataPath

_OWN = {
    "bootstrap_servers": "set kafka.bootstrap_servers",
    "group_id": "set kafka.group_id",
    "auto_offset_reset": "set kafka.start_from",
    "enable_auto_commit": "offsets are committed with their results, in one transaction",
    "auto_commit_interval_ms": "offsets are committed with their results, in one transaction",
    "isolation_level": "it is read_committed, or a restart could read offsets of a transaction still completing",
    "client_id": "it is made from instance",
    "allow_auto_create_topics": "a topic misspelt would come into being; create topics beforehand",
    "transactional_id": "it is made from group_id and instance",
    "enable_idempotence": "transactions need it",
    "acks": "transactions need all",
    "retries": "transactions need it unlimited; set delivery_timeout_ms",
    "partitioner": "a RIC's results are in the partition that Kafka clients choose for its key",
    "consumer_timeout_ms": "contribd polls with its own timeout",
}
_OBJECTS = frozenset(
    {
        "api_version",
        "default_offset_commit_callback",
        "key_deserializer",
        "key_serializer",
        "metric_group_prefix",
        "metric_reporters",
        "partition_assignment_strategy",
        "sasl_oauth_token_provider",
        "socket_options",
        "ssl_context",
        "value_deserializer",
        "value_serializer",
    }
)
"""They take Python objects, or decide what contribd writes."""
FILES = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile")
SECRETS = frozenset({"sasl_plain_password", "ssl_password", "proxy_url", "socks5_proxy"})
"""Settings that hold secrets; a proxy's address may carry a password."""
_CHOICES = {
    "security_protocol": ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    "compression_type": ("gzip", "snappy", "lz4", "zstd", None),
    "sasl_mechanism": ("PLAIN", "GSSAPI", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM", None),
}
_TEXTS = (
    "sasl_plain_password",
    "sasl_plain_username",
    "ssl_ciphers",
    "ssl_password",
    *FILES,
)


_STATIC_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}\Z")
_STATIC_ID_EXPECTED = (
    "expected text of letters, digits, '.', '_' and '-', at most 249; null: every run is a new member of the group"
)


def static_id(instance: str) -> str:
    """``instance`` as a ``group.instance.id``: as it is where Kafka takes it, else made legal and kept apart by a hash.

    The rule is that of topic names (KIP-345).
    """
    if is_static_id(instance):
        return instance
    legal = re.sub(r"[^A-Za-z0-9._-]", "_", instance)[:230]
    return f"{legal}-{hashlib.sha256(instance.encode()).hexdigest()[:12]}"


def is_static_id(value: Any) -> bool:
    """Whether Kafka takes it as a ``group.instance.id``: letters, digits, ``._-``, at most 249, not ``.`` or ``..``."""
    return isinstance(value, str) and _STATIC_ID.match(value) is not None


def known_settings() -> dict[str, Any]:
    """Every setting that kafka-python's consumer or producer takes, with its default."""
    # Imported here: most configurations name none, and kafka-python takes a while to load.
    from kafka import KafkaConsumer, KafkaProducer

    return {**KafkaConsumer.DEFAULT_CONFIG, **KafkaProducer.DEFAULT_CONFIG}


def client_settings(client: Mapping[str, Any], user: Any) -> dict[str, Any]:
    """Those that a class of kafka-python takes: KafkaConsumer, KafkaProducer or KafkaAdminClient."""
    return {name: value for name, value in client.items() if name in user.DEFAULT_CONFIG}


def client_problems(client: Mapping[str, Any]) -> Iterator[tuple[DataPath, str]]:
    """What is wrong with ``kafka.client``."""
    known = known_settings() if client else {}
    for name, value in client.items():
        if text := _problem(name, value, known):
            yield ("kafka", "client", name), text


def _problem(name: str, value: Any, known: Mapping[str, Any]) -> str | None:
    if name in _OWN:
        return f"contribd decides this itself: {_OWN[name]}"
    if name in _OBJECTS:
        return "cannot be set from a file"
    if name not in known:
        near = difflib.get_close_matches(name, [key for key in known if key not in _OWN and key not in _OBJECTS], 1)
        return f"kafka-python has no such setting{f'; did you mean {near[0]}?' if near else ''}"
    if name == "group_instance_id":
        return None if value is None or is_static_id(value) else _STATIC_ID_EXPECTED
    if name in _CHOICES:
        return None if value in _CHOICES[name] else f"expected {_listed(_CHOICES[name])}"
    return None if _fits(value, "" if name in _TEXTS else known[name]) else f"expected {_kind(name, known[name])}"


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, int | str) or value is None


def _kind(name: str, default: Any) -> str:
    if name in _TEXTS or isinstance(default, str):
        return "text; write a number in quotes"
    if isinstance(default, bool):
        return "true or false"
    return "a whole number" if isinstance(default, int | float) else "text or a whole number"


def _listed(choices: tuple[str | None, ...]) -> str:
    *most, last = [choice or "null" for choice in choices]
    return f"{', '.join(most)} or {last}"
