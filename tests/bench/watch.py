"""A bare consumer with a clock: ``python -m tests.bench.watch BOOTSTRAP TOPIC PARTITIONS RECORDS FILE``.

Writes, for each record, its number (see ``feed``; from a result, its ``BIDSIZE``) and the time the poll that gave it
returned (nanoseconds). The settings are contribd's own.
"""

import re
import sys
import time
from array import array
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from contribd.streams.client.settings import CONSUMER_DEFAULTS, CONSUMER_OWN

NUMBER = re.compile(rb'"(?:sizes":\[\{"bid|BIDSIZE)":(\d+)')


def watch(bootstrap: str, topic: str, partitions: int, records: int, file: Path) -> None:
    """Polls until every record has come."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, **{**CONSUMER_DEFAULTS, **CONSUMER_OWN})
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(tps)
    consumer.seek_to_end(*tps)
    for tp in tps:
        consumer.position(tp)
    print("watching", flush=True)  # noqa: T201 - its parent waits for it
    seen = array("q")
    while len(seen) < 2 * records:
        polled = consumer.poll(timeout_ms=50)
        now = time.time_ns()
        for found in polled.values():
            for record in found:
                match = NUMBER.search(record.value)
                if match is not None:
                    seen.extend((int(match[1]), now))
    file.write_bytes(seen.tobytes())
    print("done", flush=True)  # noqa: T201 - its parent waits for it
    consumer.close(autocommit=False)


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
