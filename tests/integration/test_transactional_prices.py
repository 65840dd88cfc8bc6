"""A pricing engine that produces in transactions: its markers take offsets, and hold nobody up."""

from collections.abc import Callable
from pathlib import Path

from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import read_results, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually

BATCH = 20


def test_a_log_that_ends_in_a_marker_is_caught_up_with(
    tmp_path: Path, kafka: KafkaBroker, new_provider: Callable[..., Provider]
) -> None:
    prices, results = unique("prices"), unique("results")
    kafka.create_topic(prices, 1)
    kafka.create_topic(results, 1)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=unique("engine"))
    producer.init_transactions()

    def produce(*, commit: bool = True) -> None:
        producer.begin_transaction()
        for record in records(BATCH, poison=0.0, unmapped=0.0):
            producer.send(prices, key=record.key, value=record.value)
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)()

    daemon = Daemon(
        tmp_path / "daemon",
        kafka=kafka.bootstrap,
        endpoints=[new_provider().url],
        topics=(prices, results),
        group=unique("group"),
    )
    produce()
    produce(commit=False)
    daemon.start()
    eventually(lambda: daemon.results() == BATCH, within=30, what="the first batch")
    assert daemon.stop() == 0
    produce()
    produce(commit=False)
    daemon.start()
    eventually(lambda: daemon.results() == BATCH, within=30, what="the second batch")
    produce()
    eventually(lambda: daemon.results() == 2 * BATCH, within=30, what="the third batch")
    eventually(lambda: daemon.status()["partitions"][0]["waiting"] == 0, within=30, what="everything settled")
    assert daemon.stop() == 0
    producer.close()
    assert len(read_results(kafka, results)) == 3 * BATCH
