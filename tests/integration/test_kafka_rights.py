"""The table *What Kafka must allow* of docs/operations.md, row by row, on a broker with logins and ACLs."""

from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.guarded_broker import GuardedBroker, Right

from contribd.checks.kafka import inspect_kafka
from contribd.streams.client.settings import KafkaSettings


def test_each_right_that_is_missing_is_named(guarded_kafka: GuardedBroker) -> None:
    prices, results = guarded_kafka.create_topic(unique("prices")), guarded_kafka.create_topic(unique("results"))
    broker, login, group = guarded_kafka.listener("SASL_PLAINTEXT"), guarded_kafka.login(), unique("group")
    settings = KafkaSettings((broker,), group, (prices,), results, None, "latest", "test", login)
    rights = {
        f"READ topic {prices}": Right("topic", prices, "read"),
        f"WRITE topic {results}": Right("topic", results, "write"),
        f"Read on Group {group}": Right("group", group, "read"),
        f"begin with {group}-": Right("transactional_id", f"{group}-", "write", prefixed=True),
    }
    looks = [Right("topic", topic, "describe") for topic in (prices, results)]
    guarded_kafka.allow([*rights.values(), *looks, Right("group", group, "describe")])
    found = inspect_kafka(settings)
    assert (found.problems, found.limits_known) == ([], False)
    for named, right in rights.items():
        guarded_kafka.forbid([right])
        (said,) = inspect_kafka(settings).problems
        assert named in said
        guarded_kafka.allow([right])
    guarded_kafka.forbid_all()
