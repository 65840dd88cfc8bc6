"""The practical limit: a bare kafka-python loop, consume → produce in transactions, with contribd's own settings.

``python -m tests.bench.bare BOOTSTRAP PRICES RESULTS GROUP RECORDS BATCH BYTES``: copies ``RECORDS`` records in
transactions of at most ``BATCH``, each padded to a result's ``BYTES``, and prints its CPU seconds.
"""

import sys
import time

from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata

from contribd.streams.client.settings import CONSUMER_DEFAULTS, CONSUMER_OWN, PRODUCER_DEFAULTS, PRODUCER_OWN

HEADERS = [("status", b"ACK"), ("ric", b"P000000=TRCC"), ("service", b"TRCC"), ("source", b"prices:0:1812")]


def copy(bootstrap: str, prices: str, results: str, group: str, records: int, batch: int, size: int) -> None:
    """What contribd does, less everything but Kafka."""
    consumer = KafkaConsumer(
        prices,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        **{**CONSUMER_DEFAULTS, **CONSUMER_OWN, "max_poll_records": batch},
    )
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=group, **{**PRODUCER_DEFAULTS, **PRODUCER_OWN}
    )
    producer.init_transactions()
    done = 0
    while done < records:
        polled = consumer.poll(timeout_ms=100)
        if not polled:
            continue
        producer.begin_transaction()
        for found in polled.values():
            for record in found:
                producer.send(results, value=record.value.ljust(size), key=record.key, headers=HEADERS)
            done += len(found)
        offsets = {tp: OffsetAndMetadata(found[-1].offset + 1, "", -1) for tp, found in polled.items()}
        producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
        producer.commit_transaction()
    print(time.process_time(), flush=True)  # noqa: T201 - its parent reads it
    producer.close()
    consumer.close(autocommit=False)


if __name__ == "__main__":
    copy(*sys.argv[1:5], *(int(argument) for argument in sys.argv[5:8]))  # type: ignore[arg-type]
