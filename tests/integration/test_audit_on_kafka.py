"""On real Kafka and the vendor's provider: a daemon leaves what a verification needs; what is spoiled is found."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.schemas import checked, checked_event, checked_result

from contribd.audit.events import EventKind, decode_event

MAPPING = {"mappings": [{"name": "plain", "ric": "{ric}", "fields": {"BID": "bid"}}]}
OTHER = {"mappings": [{"name": "plain", "ric": "{ric}", "fields": {"BID": "bid * 2"}}]}
RECORDS = 300


def _contribd(*arguments: str) -> tuple[int, str]:
    """Exit code and what it printed."""
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "contribd", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    return done.returncode, done.stdout + done.stderr


class Audited:
    """One daemon that keeps its rules and its events."""

    def __init__(self, folder: Path, kafka: KafkaBroker, provider: Provider) -> None:
        self._kafka = kafka
        self.prices, self.results = (kafka.create_topic(unique(name), 2) for name in ("prices", "results"))
        self.rules = kafka.create_topic(unique("rules"), 1, cleanup_policy="compact")
        self.events = kafka.create_topic(unique("events"), 1)
        self.daemon = Daemon(
            folder,
            kafka=kafka.bootstrap,
            endpoints=[provider.url],
            topics=(self.prices, self.results),
            group=unique("group"),
            mapping=MAPPING,
        )
        config = yaml.safe_load(self.daemon.config.read_text())
        config |= {"rules_topic": self.rules, "events_topic": self.events}
        config["control"] = {"socket": str(folder / "contribd.sock")}
        self.daemon.config.write_text(yaml.safe_dump(config))
        self.producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)

    def contribute(self, first: int) -> None:
        """One run of the daemon, with so many records, an order and a reload."""
        self.daemon.start()
        for number in range(first, first + RECORDS):
            value = b'{"ric":"R%d=","bid":%d}' % (number % 7, number)
            self.producer.send(self.prices, partition=number % 2, value=value)
        self.producer.flush(60)
        eventually(lambda: len(self.all_of(self.results, 2)) == first + RECORDS, within=60, what="all results")
        for order in (("pause", "ZZ*", "--reason", "a test"), ("reload",)):
            code, text = _contribd(*order, "-c", str(self.daemon.config))
            assert code == 0, text
        assert self.daemon.stop() == 0

    def all_of(self, topic: str, partitions: int = 1) -> list[Any]:
        """The records of a topic."""
        consumer = KafkaConsumer(bootstrap_servers=self._kafka.bootstrap, isolation_level="read_committed")
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends, found = consumer.end_offsets(places), []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found += records
        consumer.close()
        return found


def test_what_a_daemon_leaves_is_verified_and_what_is_spoiled_is_found(
    tmp_path: Path, kafka: KafkaBroker, provider: Provider
) -> None:
    audited = Audited(tmp_path / "d", kafka, provider)
    config = ("-c", str(audited.daemon.config))
    audited.contribute(0)
    first_digest = json.loads(audited.all_of(audited.results, 2)[0].value)["config"]
    (audited.daemon.directory / "mapping.yaml").write_text(yaml.safe_dump(OTHER))
    audited.contribute(RECORDS)

    code, text = _contribd("audit", "verify", "--json", "--jobs", "2", *config)
    assert code == 0, text
    summary = json.loads(text)["summary"]
    assert summary["wrong"] == {}
    assert summary["counts"]["records"] == summary["counts"]["mapped anew"] == 2 * RECORDS
    code, text = _contribd("rules", "show", first_digest[:12], *config)
    assert code == 0, text
    assert "BID: bid\n" in text
    events = [decode_event(checked_event(record.value)) for record in audited.all_of(audited.events)]
    kinds = [each.event for each in events if each.event is not EventKind.CLOCK]
    assert kinds == [EventKind.START, EventKind.ORDER, EventKind.RELOAD, EventKind.STOP] * 2
    by = {each.by for each in events if each.event in {EventKind.ORDER, EventKind.RELOAD}}
    assert by == {f"{pwd.getpwuid(os.getuid()).pw_name} (uid {os.getuid()})"}

    for record in audited.all_of(audited.results, 2):
        checked_result(record.value)
    seals = _sealed(tmp_path, config)
    code, text = _contribd("audit", "verify", *seals, *config)
    assert code == 0, text
    assert "the seals hold" in text
    _exported(tmp_path, config, seals)

    record = audited.all_of(audited.results, 2)[7]
    said = json.loads(record.value)
    for value in (record.value, json.dumps(said | {"fields": {"BID": 4711}}).encode()):
        audited.producer.send(audited.results, key=record.key, value=value, headers=record.headers)
    audited.producer.flush(60)
    code, text = _contribd("audit", "verify", *config)
    assert code == 1
    at = f"{audited.prices}:{said['source']['partition']}:{said['source']['offset']}"
    assert text.count(f"{at}: doubled: it has its result twice") == 2, text
    assert f"{at}: other-rules: field BID: the rules give" in text
    code, text = _contribd("audit", "verify", *seals, *config)
    assert "2 offsets are newer than the newest seal" in text, text


def _exported(folder: Path, config: tuple[str, ...], seals: tuple[str, ...]) -> None:
    """Exports it, and reads that without Kafka and without a configuration."""
    export = folder / "export"
    code, text = _contribd("audit", "export", "--out", str(export), "--key", str(folder / "seal.key"), *config)
    assert code == 0, text
    code, again = _contribd("audit", "export", "--out", str(export), *config)
    assert code == 0, again
    assert "there is nothing new to export" in again
    code, text = _contribd("audit", "verify", "--json", "--export", str(export), *seals)
    assert code == 0, text
    for path in export.glob("manifest-*.json"):
        checked("manifest", path.read_bytes())
    summary = json.loads(text)["summary"]
    assert (summary["wrong"], summary["export"], summary["seals"]["wrong"]) == ({}, 0, 0)
    assert summary["counts"]["records"] == summary["counts"]["mapped anew"] == 2 * RECORDS
    with duckdb.connect() as database:
        statuses = "SELECT status, count(*) FROM read_parquet($1) GROUP BY status"
        counted = database.execute(statuses, [f"{export}/results/**/*.parquet"]).fetchall()
        stops = "SELECT count(*) FROM read_parquet($1) WHERE event = 'stop'"
        events = database.execute(stops, [f"{export}/events/**/*.parquet"]).fetchone()
    assert dict(counted) == summary["statuses"]
    assert events == (2,)


def _sealed(folder: Path, config: tuple[str, ...]) -> tuple[str, ...]:
    """Seals the results topic; the options that verify it."""
    key, seals, trust = folder / "seal.key", folder / "seals", folder / "trusted"
    code, public = _contribd("audit", "key", "audit.example.com/1", "--out", str(key))
    assert code == 0, public
    trust.write_text(public)
    code, text = _contribd("audit", "seal", "--key", str(key), "--out", str(seals), *config)
    assert code == 0, text
    assert f"{2 * RECORDS} records in 2 partitions sealed" in text
    return "--seal", str(seals), "--trust", str(trust)
