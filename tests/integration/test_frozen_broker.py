"""A broker that stops answering in the middle of a transaction holds the sink up for a bounded time."""

import threading
import time
from queue import SimpleQueue

import pytest
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.prices import read_results
from tests.integration.rigs.wait import eventually

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.ops.progress import Pulse
from contribd.streams import sink as sinks
from contribd.streams.client.cluster import connect
from contribd.streams.client.port import Member
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.runtime import THREADS
from contribd.streams.sink import Sink
from contribd.streams.transaction import Write

RESULT = (
    b'{"status":"ACK","ric":"EUR=","service":"TRCC","mapping":"m","fields":{},"code":null,"text":null,'
    b'"source":{"topic":"t","partition":0,"offset":0,"timestamp":null,"key":null},"carried_by":null,"posts":[],'
    b'"consumed_at":"2026-11-20T10:15:30.000000Z","settled_at":"2026-11-20T10:15:30.000000Z",'
    b'"instance":"i","version":"0","config":"c"}'
)


def test_the_sink_gives_a_transaction_up_and_its_outcome_is_known_afterwards(
    own_kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "STEP_SECONDS", 2.0)
    prices, results, group = unique("prices"), unique("results"), unique("group")
    own_kafka.create_topic(prices, 1)
    own_kafka.create_topic(results, 1)
    events: SimpleQueue[Event] = SimpleQueue()
    settings = KafkaSettings((own_kafka.bootstrap,), group, (prices,), results, None, "earliest", "test")
    pulse = Pulse("sink", 60.0, time.monotonic())
    sink = Sink(settings, connect(settings), runtime=THREADS, emit=events.put, pulse=pulse, fencing=Fencing())
    thread = threading.Thread(target=sink.run, daemon=True)
    thread.start()
    eventually(lambda: sink.connected, within=30, what="the sink connected")

    def write(number: int) -> Write:
        result = Encoded(b"EUR=", RESULT, [])
        return Write(number, [result], [], {Partition(prices, 0): Commit(number, "")}, Member(-1, ""))

    sink.write(write(1))
    assert events.get(timeout=30) == Committed(1)
    own_kafka.pause()
    sink.write(write(2))
    eventually(lambda: sink.failure is not None, within=20, what="the sink says that it cannot write")
    own_kafka.resume()
    outcome = events.get(timeout=60)
    assert outcome in {Committed(2), NotCommitted(2)}
    if outcome == NotCommitted(2):
        sink.write(write(3))
        assert events.get(timeout=60) == Committed(3)
    sink.stop()
    thread.join(20)
    assert len(read_results(own_kafka, results)) == 2
