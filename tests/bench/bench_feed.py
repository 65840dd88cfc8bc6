"""Records at a steady rate: ``python -m tests.bench.bench_feed BOOTSTRAP TOPIC RECORDS RATE INSTRUMENTS FILE``.

The record's number travels in its bid size. ``FILE`` gets the time each was handed to the producer (nanoseconds).
"""

import sys
import time
from array import array
from pathlib import Path

from kafka import KafkaProducer

WARM_UP = 0.3
"""Seconds the producer gets before the first record: connecting is not what is measured."""


def record(number: int, instrument: int) -> bytes:
    """A record that carries its number."""
    return (
        b'{"asset":"FX","tenor":"SP","pair":"P%06d","bid":1.08412,"ask":1.08415,'
        b'"sizes":[{"bid":%d}],"quoted_at":"2026-11-20T10:15:30.123456Z"}' % (instrument, number)
    )


def feed(bootstrap: str, topic: str, records: int, rate: float, instruments: int, file: Path) -> None:
    """Every record at its time: one that is late does not shift those after it."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    producer.partitions_for(topic)
    times = array("q")
    start = time.monotonic() + WARM_UP
    for number in range(records):
        ahead = start + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        value = record(number, number % instruments)
        times.append(time.time_ns())
        producer.send(topic, value=value, key=b"P%06d" % (number % instruments))
    producer.flush(60)
    file.write_bytes(times.tobytes())
    producer.close()


if __name__ == "__main__":
    feed(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6]))
