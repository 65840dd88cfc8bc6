"""The rig with logins, TLS and ACLs lets in whom it should, and nobody else."""

from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaError
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.guarded_broker import PASSWORD, GuardedBroker, Right

WRONG, ANOTHER = "wrong", "another"


def enters(broker: GuardedBroker, protocol: str, **client: Any) -> bool:
    settings = {"security_protocol": protocol, "bootstrap_timeout_ms": 2000, **client}
    try:
        KafkaAdminClient(bootstrap_servers=broker.listener(protocol), **settings).close()
    except KafkaError:
        return False
    return True


def test_each_listener_takes_who_speaks_its_protocol(guarded_kafka: GuardedBroker) -> None:
    trusted, login = {"ssl_cafile": str(guarded_kafka.ca_file)}, guarded_kafka.login()
    assert enters(guarded_kafka, "PLAINTEXT")
    assert enters(guarded_kafka, "SASL_PLAINTEXT", **login)
    assert enters(guarded_kafka, "SASL_PLAINTEXT", **guarded_kafka.login("SCRAM-SHA-256"))
    assert enters(guarded_kafka, "SSL", **trusted)
    assert enters(guarded_kafka, "SASL_SSL", **{**login, "security_protocol": "SASL_SSL"}, **trusted)


def test_a_wrong_password_is_refused_and_counted(guarded_kafka: GuardedBroker) -> None:
    before = guarded_kafka.refused_logins()
    assert not enters(guarded_kafka, "SASL_PLAINTEXT", **guarded_kafka.login(password=WRONG))
    assert guarded_kafka.refused_logins() > before


def test_a_password_can_be_changed(guarded_kafka: GuardedBroker) -> None:
    guarded_kafka.change_password(ANOTHER)
    assert enters(guarded_kafka, "SASL_PLAINTEXT", **guarded_kafka.login("SCRAM-SHA-256", password=ANOTHER))
    guarded_kafka.change_password(PASSWORD)
    assert not enters(guarded_kafka, "SASL_PLAINTEXT", **guarded_kafka.login("SCRAM-SHA-256", password=ANOTHER))


def test_rights_are_given_and_taken_while_it_runs(guarded_kafka: GuardedBroker) -> None:
    topic = guarded_kafka.create_topic(unique("prices"))
    right = Right("topic", topic, "read")

    def sees() -> bool:
        client = {"bootstrap_servers": guarded_kafka.listener("SASL_PLAINTEXT"), **guarded_kafka.login()}
        with closing(KafkaConsumer(**client)) as consumer:
            return bool(consumer.partitions_for_topic(topic))

    assert not sees()
    guarded_kafka.allow([right])
    assert sees()
    guarded_kafka.forbid([right])
    assert not sees()
    guarded_kafka.allow([right])
    guarded_kafka.forbid_all()
    assert not sees()


@pytest.fixture(autouse=True)
def nothing_allowed(guarded_kafka: GuardedBroker) -> None:
    guarded_kafka.forbid_all()
