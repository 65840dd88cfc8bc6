"""How contribd uses Kafka: every setting its promises rest on, and where it departs from a default, why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contribd.config.kafka_client import static_id
from contribd.config.types import start_time
from contribd.streams.client.partitioner import KeyPartitioner

CONSUMER_OWN: Mapping[str, Any] = {
    # Offsets are part of the results' transaction.
    "enable_auto_commit": False,
    # Only a read_committed consumer asks for stable offsets (KIP-447); others may read those before a transaction
    # that is still completing.
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
}

CLIENT_DEFAULTS: Mapping[str, Any] = {
    # The client's own 30 s each would leave an unreachable broker untold for half a minute, and one that is back
    # unnoticed for as long.
    "bootstrap_timeout_ms": 5_000,
    "reconnect_backoff_max_ms": 2_000,
}

CONSUMER_DEFAULTS: Mapping[str, Any] = {
    **CLIENT_DEFAULTS,
    "max_poll_records": 2000,
    # A fetch is answered as soon as there is anything; this is how long an idle one stays open. What else is asked of
    # its broker waits behind it: the client's 500 ms are more than an answer on the ends of logs may take (see lags).
    "fetch_max_wait_ms": 200,
    "session_timeout_ms": 45_000,
    "heartbeat_interval_ms": 3_000,
    # New partitions, and a topic that was made anew, are found within this. The client's five minutes would leave what
    # is produced to a new partition waiting for as long; a request for one topic's metadata costs next to nothing.
    "metadata_max_age_ms": 5_000,
}

PRODUCER_OWN: Mapping[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "allow_auto_create_topics": False,
    "partitioner": KeyPartitioner(),
}

PRODUCER_DEFAULTS: Mapping[str, Any] = {
    **CLIENT_DEFAULTS,
    # A dead process's open transaction holds back every read_committed reader for this long, and up to ten seconds
    # more, where no other instance is there to end it.
    "transaction_timeout_ms": 10_000,
    # What a transaction waits when the one before is still completing: 100 ms, the client's default, allows 35 small
    # transactions a second, 5 ms allows 157.
    "retry_backoff_ms": 5,
    # A broker that is away is told of within seconds, not after the client's minute.
    "max_block_ms": 15_000,
    "linger_ms": 0,
    "batch_size": 128 * 1024,
    "max_request_size": 16 * 1024 * 1024,
}

NAME_LEASE: Final = 10.0
"""Seconds. How long a static member's heartbeat lets it post, at most, and a process that takes its name over waits: a
heartbeat interval, a rebalance that waits for answers (no heartbeats are sent meanwhile), and a margin."""


def login_wait(refusals: int) -> float:
    """As long as the session with the ADS waits by default after a login that is refused."""
    return float(min(10.0 * 2 ** min(refusals - 1, 10), 600.0))


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What the source and the sink need. ``client``: further kafka-python settings, by its own names.

    ``start_from``: latest, earliest, refuse, or a time in ISO 8601 with its zone.
    """

    bootstrap_servers: tuple[str, ...]
    group_id: str
    prices: tuple[str, ...]
    results: str
    rejects: str | None
    start_from: str
    instance: str
    client: Mapping[str, Any] = field(default_factory=dict)
    reread: Callable[[], Mapping[str, Any]] = dict
    """What of ``client`` stands in files or credentials, as it is there now."""
    rules: str | None = None
    """What commits name the rules in force by, where they make several posts of a record."""
    remembering: frozenset[str] = frozenset()
    """The mappings that ask what was last posted."""
    login_wait: Callable[[int], float] = login_wait
    """Seconds until a login that the brokers refused is tried again, after so many in a row."""

    control: str | None = None
    """The topic that keeps orders; None where there is none."""

    rules_topic: str | None = None
    """The topic that keeps the rules behind each digest; None where there is none."""

    events_topic: str | None = None
    """The topic of events; None where there is none."""

    @property
    def audited(self) -> tuple[str, ...]:
        """The topics that the audit has beside the results."""
        return tuple(topic for topic in (self.rules_topic, self.events_topic) if topic is not None)

    @property
    def written(self) -> tuple[str, ...]:
        """The topics that are written."""
        return (self.results,) if self.rejects is None else (self.results, self.rejects)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics."""
        return (*self.prices, *self.written, *(() if self.control is None else (self.control,)), *self.audited)

    @property
    def principal(self) -> str:
        """Who this process is to the brokers, for people."""
        protocol = str(self.client.get("security_protocol", "PLAINTEXT"))
        if "SASL" in protocol:
            name = self.client.get("sasl_plain_username")
            return f"user {name}" if name else "the user of this login"
        certificate = self.client.get("ssl_certfile") if protocol == "SSL" else None
        return f"the owner of certificate {certificate}" if certificate else "user ANONYMOUS"

    @property
    def start_time(self) -> int | None:
        """Where ``start_from`` is a time: milliseconds since 1970; else None."""
        when = start_time(self.start_from)
        return None if when is None else int(when.timestamp() * 1000)

    @property
    def session_timeout(self) -> float:
        """Seconds after which the group gives a silent member's partitions to others."""
        return float(self.consumer()["session_timeout_ms"]) / 1000

    @property
    def static_id(self) -> str | None:
        """The name the group knows this process by whichever run it is (KIP-345); None: every run is a new member."""
        given: str | None = self.client.get("group_instance_id", static_id(self.instance))
        return given

    @property
    def lease_seconds(self) -> float:
        """How long after a heartbeat nobody who was given this member's partitions will use them.

        Those of a static member go to a new process of its name at once, which then waits for this long itself.
        """
        if self.static_id is None:
            return self.session_timeout
        return min(self.session_timeout, max(NAME_LEASE, 3 * self.heartbeat_interval))

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between two heartbeats of this process's member."""
        return float(self.consumer()["heartbeat_interval_ms"]) / 1000

    @property
    def answer_timeout(self) -> float:
        """Seconds after which the consumer gives up a request."""
        from kafka import KafkaConsumer

        default = KafkaConsumer.DEFAULT_CONFIG["request_timeout_ms"]
        return float(self.consumer().get("request_timeout_ms", default)) / 1000

    @property
    def transaction_timeout(self) -> float:
        """Seconds after which the broker ends a transaction by itself."""
        return float(self.producer()["transaction_timeout_ms"]) / 1000

    @property
    def transactional_id(self) -> str:
        """One for each instance of the group, so that a restart ends the transaction its predecessor left open."""
        return f"{self.group_id}-{self.instance}"

    def consumer(self) -> dict[str, Any]:
        """Arguments of a ``KafkaConsumer`` that joins no group, though it may read a group's offsets."""
        from kafka import KafkaConsumer

        return {
            **CONSUMER_DEFAULTS,
            **_known(self.client, KafkaConsumer.DEFAULT_CONFIG),
            **CONSUMER_OWN,
            "group_instance_id": None,
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": client_id(self.instance),
            "group_id": self.group_id,
            # Never used: positions are ours to set. Without any, one offset out of range would fail every poll.
            "auto_offset_reset": "latest",
        }

    def member(self) -> dict[str, Any]:
        """Arguments of the ``KafkaConsumer`` that is this process's member of the group."""
        return {**self.consumer(), "group_instance_id": self.static_id}

    def producer(self) -> dict[str, Any]:
        """Arguments of ``KafkaProducer``."""
        from kafka import KafkaProducer

        return {
            **_known(PRODUCER_DEFAULTS, KafkaProducer.DEFAULT_CONFIG),
            **_known(self.client, KafkaProducer.DEFAULT_CONFIG),
            **_known(PRODUCER_OWN, KafkaProducer.DEFAULT_CONFIG),
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": client_id(self.instance),
            "transactional_id": self.transactional_id,
        }

    def order_producer(self) -> dict[str, Any]:
        """Arguments of the ``KafkaProducer`` of the control topic, which writes single records at once."""
        own = {"transactional_id": None, "max_block_ms": 5_000, "request_timeout_ms": 5_000}
        return {**self.producer(), **own, "partitioner": None}

    def admin(self) -> dict[str, Any]:
        """Arguments of ``KafkaAdminClient``."""
        from kafka import KafkaAdminClient

        return {
            **CLIENT_DEFAULTS,
            **_known(self.client, KafkaAdminClient.DEFAULT_CONFIG),
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": client_id(self.instance),
        }


CLIENT_PREFIX: Final = "contribd-"


def client_id(instance: str) -> str:
    """What the broker knows an instance's clients by, in its group and in its log."""
    return f"{CLIENT_PREFIX}{instance}"


def _known(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in defaults}
