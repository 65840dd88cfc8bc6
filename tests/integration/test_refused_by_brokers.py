"""What a real broker refuses, in plain words; and how few logins it sees."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.guarded_broker import PASSWORD, USER, GuardedBroker, Right
from tests.integration.rigs.wait import eventually

from contribd.results.reader import AuditError, read_results
from contribd.streams.client.access import Access
from contribd.streams.client.admin import open_admin
from contribd.streams.client.errors import NoBroker
from contribd.streams.client.settings import KafkaSettings

NOBODY = "ws://127.0.0.1:1/WebSocket"
WRONG = "wrong"
REFUSED = f"refuses the login of user {USER}"


def said(bootstrap: str, client: Mapping[str, Any]) -> str:
    """Why no client can be opened. A busy broker is given more time."""
    text = _said(bootstrap, client, 500)
    return _said(bootstrap, client, 20_000) if "does not answer" in text else text


def _said(bootstrap: str, client: Mapping[str, Any], milliseconds: int) -> str:
    given = {"bootstrap_timeout_ms": milliseconds, **client}
    settings = KafkaSettings((bootstrap,), "group", ("prices",), "results", None, "latest", "host", given)
    with pytest.raises(NoBroker) as raised:
        open_admin(Access(settings), settings)
    assert WRONG not in str(raised.value)
    return str(raised.value)


def test_each_misunderstanding_has_its_words(guarded_kafka: GuardedBroker) -> None:
    broker, ca = guarded_kafka, {"security_protocol": "SSL", "ssl_cafile": str(guarded_kafka.ca_file)}
    sasl, tls, plain = broker.listener("SASL_PLAINTEXT"), broker.listener("SSL"), broker.listener("PLAINTEXT")
    for mechanism in ("PLAIN", "SCRAM-SHA-256"):
        assert f"{REFUSED} by {mechanism}" in said(sasl, broker.login(mechanism, WRONG))
    assert "no login by SCRAM-SHA-512, but by PLAIN, SCRAM-SHA-256" in said(sasl, broker.login("SCRAM-SHA-512"))
    assert "as one does that wants a login" in said(sasl, {})
    assert "takes no login on this port" in said(plain, broker.login())
    assert "speaks no TLS on this port" in said(plain, ca)
    assert "speaks no TLS on this port" in said(sasl, ca)
    assert "speaks TLS on this port" in said(tls, {})
    assert "speaks TLS on this port" in said(tls, broker.login())
    assert "an authority that is not trusted" in said(tls, {"security_protocol": "SSL"})
    assert "is for another name" in said(broker.listener("SSL", "localhost"), ca)
    assert "as one does that wants a login" in said(broker.listener("SASL_SSL"), ca)
    assert "takes no login" in said(tls, {**broker.login(), **ca, "security_protocol": "SASL_SSL"})


def test_who_reads_results_is_told_as_well(guarded_kafka: GuardedBroker) -> None:
    broker, topic = guarded_kafka, guarded_kafka.create_topic(unique("results"))
    sasl, right = broker.listener("SASL_PLAINTEXT"), Right("topic", topic, "describe")

    def read(**client: Any) -> None:
        list(read_results(sasl, topic, client_settings={"bootstrap_timeout_ms": 2_000, **client}))

    with pytest.raises(AuditError, match=f"{REFUSED} by PLAIN.*check kafka.bootstrap_servers"):
        read(**broker.login(password=WRONG))
    with pytest.raises(AuditError, match=f"no topic {topic}, or it may not be read"):
        read(**broker.login())
    broker.allow([right])
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap)) as producer:
        producer.send(topic, b"{}")
    with pytest.raises(AuditError, match=f"user {USER} may not read topic {topic}: it needs Read on Topic {topic}"):
        read(**broker.login())
    broker.forbid([right])


class _Guarded(Daemon):
    """A daemon that logs in with the password that stands in a file."""

    def __init__(self, folder: Path, broker: GuardedBroker, *, mechanism: str = "PLAIN") -> None:
        topics = broker.create_topic(unique("prices")), broker.create_topic(unique("results"))
        group = unique("group")
        super().__init__(
            folder, kafka=broker.listener("SASL_PLAINTEXT"), endpoints=[NOBODY], topics=topics, group=group
        )
        self.secret = folder / "secret"
        config = yaml.safe_load(self.config.read_text())
        config["kafka"]["client"] = broker.login(mechanism, f"${{file:{self.secret}}}")
        config["ads"]["reconnect"] = {"first": "1s", "max": "60s"}
        self.config.write_text(yaml.safe_dump(config))
        broker.allow(
            [
                Right("topic", topics[0], "read"),
                Right("topic", topics[1], "write"),
                Right("group", group, "read"),
                Right("transactional_id", group, "write", prefixed=True),
            ]
        )

    def reasons(self) -> str:
        return " ".join(self.status()["not_ready"])

    def connected(self) -> bool:
        reasons = self.reasons()
        return "consuming:" not in reasons and "writing results:" not in reasons


@pytest.fixture
def daemon(tmp_path: Path, guarded_kafka: GuardedBroker) -> Iterator[_Guarded]:
    one = _Guarded(tmp_path, guarded_kafka)
    yield one
    one.kill()


def test_a_wrong_password_is_tried_once_in_ten_seconds_and_the_right_one_at_once(
    guarded_kafka: GuardedBroker, daemon: _Guarded
) -> None:
    before = guarded_kafka.refused_logins()
    daemon.secret.write_text(WRONG)
    daemon.start(ready=False)
    eventually(lambda: guarded_kafka.refused_logins() > before, within=30, what="a refused login")
    began = time.monotonic()
    eventually(lambda: daemon.reasons().count(REFUSED) == 2, within=10, what="the reason, of source and sink")
    time.sleep(max(0.0, 5 - (time.monotonic() - began)))  # the first wait is at least that long
    assert guarded_kafka.refused_logins() == before + 1
    daemon.secret.write_text(PASSWORD)
    eventually(daemon.connected, within=15, what="Kafka with the right password")
    assert guarded_kafka.refused_logins() <= before + 2
    assert WRONG not in daemon.log.read_text().replace("wrong port", "")


def test_a_password_that_changes_while_it_runs(guarded_kafka: GuardedBroker, tmp_path: Path) -> None:
    daemon = _Guarded(tmp_path, guarded_kafka, mechanism="SCRAM-SHA-256")
    daemon.secret.write_text(PASSWORD)
    daemon.start(ready=False)
    try:
        eventually(lambda: _answers(daemon) and daemon.connected(), within=30, what="Kafka")
        guarded_kafka.change_password("another")
        before = guarded_kafka.refused_logins()
        guarded_kafka.restart()  # and all connections with it
        eventually(lambda: REFUSED in daemon.reasons(), within=30, what="the reason")
        # Each client's own connection once, before one of them knows; not a storm of them.
        assert guarded_kafka.refused_logins() <= before + 4
        # What opens a client tells of it once it has failed more than once.
        eventually(lambda: REFUSED in daemon.log.read_text(), within=30, what="the reason in the log")
        daemon.secret.write_text("another")
        eventually(daemon.connected, within=30, what="Kafka with the new password")
        events = [json.loads(line)["event"] for line in daemon.log.read_text().splitlines()]
        # A client that is opened just then may be the only one that is refused: what opens it says so in its own line.
        assert sum("a login was refused" in event for event in events) <= 1
        assert events.count("the brokers take the login again") <= 1
    finally:
        guarded_kafka.change_password(PASSWORD)
        daemon.kill()


def _answers(daemon: Daemon) -> bool:
    try:
        daemon.status()
    except OSError:
        return False
    return True
