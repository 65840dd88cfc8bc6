"""What ``streams/client`` uses of kafka-python (3.0.12) that its documentation does not promise.

The tests hold each of these against the release that is installed before anything else is run, and that no other
private name is used here. Nothing of the client is imported for it: a release may lack whole modules.
"""

from typing import Final, NamedTuple


class Method(NamedTuple):
    """A function of a class, by ``module:class``, with these parameters first, after ``self``."""

    owner: str
    name: str
    parameters: tuple[str, ...]
    use: str


class Attribute(NamedTuple):
    """What ``__init__`` of a class sets; ``kind``: the class it makes for it, empty where that does not matter."""

    owner: str
    name: str
    kind: str
    use: str


class Wired(NamedTuple):
    """A class that is made by way of a setting, ``DEFAULT_CONFIG[name]``."""

    owner: str
    name: str
    use: str


PrivateName = Method | Attribute | Wired

_PRODUCER = "kafka.producer.kafka:KafkaProducer"
_TRANSACTIONS = "kafka.producer.transaction_manager:TransactionManager"
_SENDER = "kafka.producer.sender:Sender"
_ADMIN = "kafka.admin:KafkaAdminClient"
_CONSUMER = "kafka.consumer.group:KafkaConsumer"
_COORDINATOR = "kafka.coordinator.consumer:ConsumerCoordinator"
_HEARTBEAT = "kafka.coordinator.heartbeat:Heartbeat"
_CONNECTION = "kafka.net.connection:KafkaConnection"
_RECORDS = "kafka.consumer.fetcher:Fetcher.PartitionRecords"

PRIVATE_NAMES: Final[tuple[PrivateName, ...]] = (
    # producer.py
    Attribute(_PRODUCER, "_transaction_manager", "TransactionManager", "append; waits that end"),
    Attribute(_PRODUCER, "_accumulator", "RecordAccumulator", "append"),
    Attribute(_PRODUCER, "_sender", "Sender", "append; waits that end; discard"),
    Method(_TRANSACTIONS, "maybe_add_partition_to_transaction", ("topic_partition",), "append"),
    Method(_TRANSACTIONS, "send_offsets_to_transaction", ("offsets", "group_metadata"), "a wait that ends"),
    Method(_TRANSACTIONS, "begin_commit", (), "a wait that ends"),
    Method("kafka.producer.transaction_manager:TransactionalRequestResult", "wait", ("timeout_ms",), "waits that end"),
    Method(
        "kafka.producer.record_accumulator:RecordAccumulator",
        "append",
        ("tp", "timestamp_ms", "key", "value", "headers"),
        "append",
    ),
    Method(_SENDER, "wakeup", (), "append; waits that end"),
    Method(_SENDER, "_dispatch_error", ("batch", "exception", "partition_response"), "errors: of which topic"),
    Method(_TRANSACTIONS, "has_error", (), "waits that end"),
    Attribute(_TRANSACTIONS, "_last_error", "", "errors: what the brokers told"),
    Method(_SENDER, "force_close", (), "discard"),
    Method(_SENDER, "join", ("timeout",), "discard"),
    # producer_faults.py
    Attribute(_SENDER, "_client", "", "keep_requests"),
    Method("kafka.net.compat:KafkaNetClient", "await_ready", ("node_id", "timeout_ms"), "keep_requests"),
    Method(_TRANSACTIONS, "bump_producer_id_and_epoch", (), "fail_for_good"),
    Method(_TRANSACTIONS, "transition_to_fatal_error", ("exc",), "fail_for_good"),
    # admin.py
    Method(_ADMIN, "_process_acl_operations", ("obj",), "members: answers that the client does not know"),
    # workarounds.py
    Wired(_PRODUCER, "kafka_client", "opened: what a constructor that fails leaves behind"),
    Wired(_ADMIN, "kafka_client", "opened"),
    Wired(_CONSUMER, "kafka_client", "opened"),
    Attribute("kafka.net.compat:KafkaNetClient", "_manager", "", "opened"),
    Attribute("kafka.net.manager:KafkaConnectionManager", "_net", "", "opened"),
    Method("kafka.net.transport:KafkaTCPTransport", "_sock_recv", (), "read_to_the_end"),
    Method("kafka.net.transport:KafkaSSLTransport", "_sock_recv", (), "read_to_the_end"),
    Method("kafka.net.transport:KafkaSSLTransport", "handshake", (), "close_where_refused"),
    Attribute("kafka.net.transport:KafkaTCPTransport", "_sock", "", "close_where_refused"),
    # access.py
    Attribute("kafka.net.manager:KafkaConnectionManager", "_conns", "", "which brokers are connected"),
    Method("kafka.net.manager:KafkaConnectionManager", "get_connection", ("node_id",), "admits connections"),
    Method("kafka.net.manager:KafkaConnectionManager", "connection_delay", ("node_id",), "refused logins wait"),
    Method(_CONNECTION, "_send_request", ("request",), "the mechanisms that a broker offers"),
    Method("kafka.net.selector:NetworkSelector", "stop", (), "opened"),
    Method(
        "kafka.net.inet:KafkaNetSocket",
        "sock_connect",
        ("net", "sock", "sockaddr", "timeout_at"),
        "close_where_refused",
    ),
    # rebootstrap.py
    Attribute("kafka.net.manager:KafkaConnectionManager", "_backoff", "", "which brokers do not answer"),
    Method("kafka.cluster:ClusterMetadata", "refresh_metadata", ("node_id",), "begin_again"),
    # consumer.py, membership.py
    Attribute(_CONSUMER, "_coordinator", "ConsumerCoordinator", "membership, heartbeats, joins"),
    Attribute(_CONSUMER, "_subscription", "SubscriptionState", "position; tell_out_of_range"),
    Attribute(_CONSUMER, "_net", "", "confirm; refresh"),
    Method("kafka.net.selector:NetworkSelector", "run", ("coro",), "confirm"),
    Attribute("kafka.consumer.subscription_state:SubscriptionState", "assignment", "", "position"),
    Method(
        "kafka.consumer.subscription_state:SubscriptionState",
        "request_offset_reset",
        ("partition", "offset_reset_strategy"),
        "tell_out_of_range",
    ),
    Attribute(_COORDINATOR, "_generation", "", "watch; speak_for"),
    Attribute(_COORDINATOR, "_isolation_level", "", "unstable_offsets"),
    Method("kafka.coordinator.base:Generation", "__init__", ("generation_id", "member_id", "protocol"), "speak_for"),
    Method(_COORDINATOR, "ensure_coordinator_ready", ("timeout_ms",), "speak_for"),
    Method(_COORDINATOR, "_send_heartbeat_request", (), "watch; confirm"),
    Method(_COORDINATOR, "_process_sync_group_response", ("response", "send_time"), "watch"),
    Attribute(_COORDINATOR, "heartbeat", "Heartbeat", "heartbeats"),
    Attribute(_HEARTBEAT, "last_send", "", "heartbeats"),
    Attribute(_HEARTBEAT, "last_receive", "", "heartbeats"),
    Method(_COORDINATOR, "fetch_committed_offsets", ("partitions", "timeout_ms"), "committed_among"),
    # topic_metadata.py
    Attribute(_CONSUMER, "_cluster", "", "topics_of; refresh"),
    Attribute(_CONSUMER, "_manager", "", "refresh"),
    Method("kafka.cluster:ClusterMetadata", "topic_id", ("topic_name",), "topics_of"),
    Method("kafka.cluster:ClusterMetadata", "request_update", (), "refresh"),
    Method("kafka.net.manager:KafkaConnectionManager", "wait_for", ("future", "timeout_ms"), "refresh"),
    # consumer_faults.py
    Attribute(_CONSUMER, "_fetcher", "Fetcher", "release_buffered"),
    Attribute("kafka.consumer.fetcher:Fetcher", "_next_partition_records", "", "release_buffered"),
    Method(_RECORDS, "__bool__", (), "release_buffered: whether a batch is drained"),
    # fetch_faults.py
    Method("kafka.consumer.fetcher:Fetcher", "_parse_fetched_data", ("completed_fetch",), "keep_apart"),
    Method(
        _RECORDS,
        "__init__",
        ("fetch_offset", "tp", "records", "key_deserializer", "value_deserializer", "check_crcs"),
        "keep_apart: a class of its own in its place",
    ),
    Method(_RECORDS, "take", ("n",), "keep_apart"),
    Method(_RECORDS, "drain", (), "keep_apart"),
    Attribute(_RECORDS, "next_fetch_offset", "", "keep_apart"),
    Attribute(_RECORDS, "fetch_offset", "", "keep_apart"),
    Method("kafka.consumer.subscription_state:SubscriptionState", "is_fetchable", ("partition",), "keep_apart"),
    Method("kafka.record.memory_records:MemoryRecords", "next_batch", (), "keep_apart"),
    # consumer.py, consumer_faults.py
    Method(_COORDINATOR, "request_rejoin", (), "rejoin"),
    Attribute(_COORDINATOR, "_join_task", "", "finish_join; is_joining"),
    Attribute(_COORDINATOR, "rejoin_needed", "", "finish_join"),
    Attribute(_COORDINATOR, "rejoining", "", "lose_what_is_lost"),
    Method(_COORDINATOR, "reset_generation", (), "lose_what_is_lost"),
    Method(_COORDINATOR, "is_dynamic_member", (), "leave_though_static"),
)
