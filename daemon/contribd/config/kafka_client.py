"""``kafka.client``: settings handed on to kafka-python, less those that contribd's promises rest on."""

import difflib
import hashlib
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
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
        "kafka_client",
        "key_deserializer",
        "key_serializer",
        "metric_group_prefix",
        "metric_reporters",
        "partition_assignment_strategy",
        "sasl_oauth_token_provider",
        "selector",
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
    "client_dns_lookup": ("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"),
    "sasl_mechanism": ("PLAIN", "GSSAPI", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM", None),
}
_PACKAGES: Mapping[str, tuple[str, str]] = {
    "snappy": ("snappy", "python-snappy"),
    "lz4": ("lz4", "lz4"),
    "zstd": ("zstandard", "zstandard"),
    "GSSAPI": ("gssapi", "gssapi"),
    "AWS_MSK_IAM": ("botocore", "botocore"),
}
"""The module that a codec or a mechanism needs, and the package that it comes with."""
_LARGEST = 2**31 - 1
"""Kafka's own numbers have 32 bits, and so have the times that the client hands to the system."""
_RANGES: Mapping[str, tuple[int, int]] = {
    "batch_size": (0, _LARGEST),
    "fetch_max_wait_ms": (0, _LARGEST),
    "linger_ms": (0, _LARGEST),
    "reconnect_backoff_ms": (0, _LARGEST),
    "retry_backoff_ms": (0, 60_000),
    "receive_message_max_bytes": (65_536, _LARGEST),
    "request_timeout_ms": (100, _LARGEST),
    "max_block_ms": (100, _LARGEST),
    "bootstrap_timeout_ms": (100, _LARGEST),
    "max_in_flight_requests_per_connection": (1, 5),
}
"""The least and the most of numbers that are not any from 1 on. Outside of them the client never connects, never
fetches, or raises in the middle of its work; transactions take five requests in flight at most."""
_LESS_THAN = (
    ("heartbeat_interval_ms", "session_timeout_ms"),
    ("fetch_max_wait_ms", "request_timeout_ms"),
    ("request_timeout_ms", "connections_max_idle_ms"),
)
"""Of each two the client wants the first to be the smaller one."""
_PROXIES: Mapping[str, tuple[str, ...]] = {
    "proxy_url": ("socks5://", "socks5h://", "http://"),
    "socks5_proxy": ("socks5://", "socks5h://"),
}
_NUMBERS = ("receive_buffer_bytes", "send_buffer_bytes")
"""Whole numbers whose default is none."""


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
    wrong = {name: text for name, value in client.items() if (text := _problem(name, value, known))}
    for name, text in [*wrong.items(), *(() if wrong else _contradictions(client, known))]:
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
        return _unchosen(name, value)
    return _misfit(name, value, known[name])


def _unchosen(name: str, value: Any) -> str | None:
    """What is wrong with one of a few."""
    if value not in _CHOICES[name]:
        return f"expected {_listed(_CHOICES[name])}"
    if value is not None and (package := missing_package(value)):
        return f"{value} needs the Python package {package}, which is not installed: install it beside contribd"
    return None


def missing_package(choice: str) -> str | None:
    """The package that a codec or a mechanism needs and that is not installed; None where nothing is missing."""
    module, package = _PACKAGES.get(choice, ("", ""))
    return package if module and importlib.util.find_spec(module) is None else None


def package_of(choice: str) -> str:
    """The package that a codec or a mechanism comes with; empty for what is always there."""
    return _PACKAGES.get(choice, ("", ""))[1]


def _misfit(name: str, value: Any, default: Any) -> str | None:
    """What is wrong with any other value."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "expected true or false"
    if (isinstance(default, int | float) or name in _NUMBERS) and not (value is None and default is None):
        return _out_of_range(name, value)
    if value is None and default is None:
        return None
    if not isinstance(value, str) or not value:
        return "expected text; write a number in quotes"
    if name in _PROXIES and not value.startswith(_PROXIES[name]):
        return f"expected an address that begins with {_listed(_PROXIES[name])}"
    return None


def _out_of_range(name: str, value: Any) -> str | None:
    """What is wrong with a number."""
    if not isinstance(value, int) or isinstance(value, bool):
        return "expected a whole number"
    least, most = _RANGES.get(name, (1, _LARGEST))
    return None if least <= value <= most else f"expected a whole number from {least} to {most}"


def _contradictions(client: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of which the client says only when it is made that they do not go together."""
    given = {**known, **client}
    for less, more in _LESS_THAN:
        if not client.keys().isdisjoint((less, more)) and given[less] >= given[more]:
            name = less if less in client else more
            yield name, f"{less} ({given[less]}) must be less than {more} ({given[more]})"
    for name in ("delivery_timeout_ms", "request_timeout_ms", "linger_ms"):
        if name in client:
            if given["linger_ms"] + given["request_timeout_ms"] > given["delivery_timeout_ms"]:
                yield name, "linger_ms and request_timeout_ms must be no more than delivery_timeout_ms together"
            return


def _listed(choices: Sequence[str | None]) -> str:
    *most, last = [choice or "null" for choice in choices]
    return f"{', '.join(most)} or {last}"
