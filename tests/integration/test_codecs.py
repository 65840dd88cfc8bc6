"""Every codec of Kafka, both ways: prices that come compressed, and results that are written so and read back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.record.memory_records import MemoryRecords
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import FedRecords, assert_one_each, read_results, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.streams.stream_suite import SinkProcess, Topics, no_member

from contribd.engine.records.commit_metadata import Commit

CODECS = ("gzip", "snappy", "lz4", "zstd")
EACH = 100


def written_in(broker: KafkaBroker, topic: str) -> Iterator[str]:
    """The codecs of the batches of a topic with one partition, transaction markers aside."""
    [file] = (broker.directory / "data" / f"{topic}-0").glob("*.log")
    for batch in MemoryRecords(file.read_bytes()):
        if not batch.is_control_batch:
            yield ("none", *CODECS)[batch.compression_type]


def test_prices_in_every_codec_get_their_results_and_these_are_read_back(
    tmp_path: Path, kafka: KafkaBroker, provider: Provider
) -> None:
    prices, results = unique("prices"), unique("results")
    kafka.create_topic(prices, len(CODECS))
    kafka.create_topic(results, 1)
    fed = FedRecords()
    for number, codec in enumerate(CODECS):
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=codec, linger_ms=20)
        made = records(EACH, seed=number)
        sent = [producer.send(prices, key=each.key, value=each.value, partition=number) for each in made]
        fed.records |= {(prices, number, future.get(30).offset): one for future, one in zip(sent, made, strict=True)}
        producer.close()
    daemon = Daemon(
        tmp_path,
        kafka=kafka.bootstrap,
        endpoints=[provider.url],
        topics=(prices, results),
        group=unique("group"),
    )
    text = daemon.config.read_text().replace("kafka:\n", "kafka:\n  client: {compression_type: zstd}\n")
    daemon.config.write_text(text)
    daemon.start()
    try:
        eventually(lambda: daemon.results() >= len(fed.records), within=60, what="a result for each")
    finally:
        assert daemon.stop() == 0
    assert_one_each(read_results(kafka, results), fed)
    assert set(written_in(kafka, results)) == {"zstd"}
    command = [sys.executable, "-m", "contribd", "results", "--json", "-c", str(daemon.config)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    shown = [json.loads(line)["source"] for line in run.stdout.splitlines()]
    assert {(each["topic"], each["partition"], each["offset"]) for each in shown} == set(fed.records)


@pytest.mark.parametrize("codec", CODECS)
def test_results_are_written_in_every_codec(kafka: KafkaBroker, codec: str) -> None:
    topics = Topics(kafka)
    settings = replace(topics.settings(), client={**topics.settings().client, "compression_type": codec})
    writer = SinkProcess(settings)
    written = [b"%d %s" % (number, b"x" * 500) for number in range(50)]
    assert writer.write(1, written, {topics.partition(): Commit(1, "")}, no_member(), [b"bad"])
    writer.stop()
    assert topics.read(topics.results) == written
    assert set(written_in(kafka, topics.results)) == {codec}
