"""Which settings of brokers and topics stand in the daemon's way: the rules of ``contribd check --connect``.

What keeps results from being written is a problem; what costs something is a warning. Where a setting may not be seen,
nothing is said of it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

from contribd.streams.client.admin import Topic
from contribd.streams.client.settings import KafkaSettings

Role: TypeAlias = Literal["prices", "results", "rejects", "orders", "rules", "events"]
Values: TypeAlias = Mapping[str, str]

RESULT_BYTES: Final = 64 * 1024
"""A result holds the values of a record's fields and the answers to its posts: of a full message some 60 KiB."""

METADATA_BYTES: Final = 4096
"""Kafka's own default of what is kept with an offset: there stands which records beyond it are settled."""


def topic_problems(role: Role, name: str, topic: Topic, values: Values) -> Iterator[str]:
    """What keeps this topic from being used as it must."""
    if topic.leaderless:
        yield f"{topic.leaderless} of the {topic.partitions} partitions of {name} have no leader: a broker is away"
    if role == "prices":
        return
    least = int(values.get("min.insync.replicas", "1"))
    if topic.replicas and min(topic.replicas) < least:
        yield (
            f"topic {name} has {min(topic.replicas)} replicas and min.insync.replicas={least}: nothing can ever be "
            "written to it. Lower that, or add replicas"
        )
    elif topic.in_sync and (short := sum(count < least for count in topic.in_sync)):
        yield (
            f"{short} of the {topic.partitions} partitions of {name} have fewer than min.insync.replicas={least} "
            "replicas in sync: nothing can be written to them before a broker is back"
        )
    if role == "orders":
        yield from _not_only_compacted(name, values, "a pause that is older than its retention would be forgotten")
    elif role == "rules":
        yield from _not_only_compacted(name, values, "results would name rules that are gone")
    elif "compact" in values.get("cleanup.policy", ""):
        yield (
            f"topic {name} is compacted (cleanup.policy={values['cleanup.policy']}): of all results with one key Kafka "
            "keeps the last alone. Set cleanup.policy=delete"
        )


def _not_only_compacted(name: str, values: Values, consequence: str) -> Iterator[str]:
    policy = values.get("cleanup.policy", "compact")
    if policy != "compact":
        yield f"topic {name} has cleanup.policy={policy}: {consequence}. Set cleanup.policy=compact"


def topic_warnings(role: Role, name: str, values: Values, prices: Mapping[str, Values]) -> Iterator[str]:
    """What costs something. ``prices``: the settings of the topics of ``kafka.prices``."""
    size = _bytes(values)
    if role == "prices":
        if "compact" in values.get("cleanup.policy", ""):
            yield f"topic {name} is compacted: a price that Kafka removes before it is read has no result"
    elif role == "results":
        if size is not None and size < RESULT_BYTES:
            yield f"topic {name} takes records of {size} bytes: parts of larger results are left out"
    elif role == "rejects":
        largest = max((found for each in prices.values() if (found := _bytes(each)) is not None), default=0)
        if size is not None and size < largest:
            yield f"topic {name} takes records of {size} bytes, and those of the prices may have {largest}"


def broker_problems(brokers: Values, settings: KafkaSettings) -> Iterator[str]:
    """What the brokers do not allow."""
    timeout = settings.producer()["transaction_timeout_ms"]
    if timeout > (longest := int(brokers.get("transaction.max.timeout.ms", timeout))):
        yield (
            f"kafka.client.transaction_timeout_ms is {timeout}, and the brokers allow {longest} "
            "(transaction.max.timeout.ms): lower it"
        )
    session = settings.consumer()["session_timeout_ms"]
    for end, name in (("least", "group.min.session.timeout.ms"), ("most", "group.max.session.timeout.ms")):
        limit = int(brokers.get(name, session))
        if session < limit if end == "least" else session > limit:
            yield f"kafka.client.session_timeout_ms is {session}, and the brokers allow {limit} at {end} ({name})"


def broker_warnings(brokers: Values) -> Iterator[str]:
    """What costs something."""
    size = int(brokers.get("offset.metadata.max.bytes", METADATA_BYTES))
    if size < METADATA_BYTES:
        yield (
            f"the brokers keep {size} bytes with an offset (offset.metadata.max.bytes; usual are {METADATA_BYTES}): "
            "while one record waits, fewer after it can be settled"
        )


def _bytes(values: Values) -> int | None:
    size = values.get("max.message.bytes")
    return None if size is None else int(size)
