"""Offsets of a transaction that failed never come back with a later one."""

import threading
import time
from queue import SimpleQueue

from kafka import KafkaAdminClient, TopicPartition
from tests.integration.rigs.broker_rig import KafkaBroker, unique

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.ops.progress import Pulse
from contribd.streams.client.cluster import connect
from contribd.streams.client.port import Member
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.fencing import Fencing
from contribd.streams.runtime import THREADS
from contribd.streams.sink import Sink
from contribd.streams.transaction import Write

RESULT = Encoded(b"EUR=", b"{}", [])


def test_a_refused_commit_leaves_nothing_behind_for_the_next(kafka: KafkaBroker) -> None:
    prices, results, group = unique("prices"), unique("results"), unique("group")
    kafka.create_topic(prices, 2)
    kafka.create_topic(results, 1)
    settings = KafkaSettings((kafka.bootstrap,), group, (prices,), results, None, "earliest", "test")
    events: SimpleQueue[Event] = SimpleQueue()
    pulse = Pulse("sink", 60.0, time.monotonic())
    sink = Sink(settings, connect(settings), runtime=THREADS, emit=events.put, pulse=pulse, fencing=Fencing())
    thread = threading.Thread(target=sink.run, daemon=True)
    thread.start()
    expelled = Member(7, "a member the group has never had")
    nobody = Member(-1, "")

    sink.write(Write(1, [RESULT], [], {Partition(prices, 0): Commit(5, "")}, expelled))
    assert events.get(timeout=60) == NotCommitted(1)
    sink.write(Write(2, [RESULT], [], {Partition(prices, 1): Commit(9, "")}, nobody))
    assert events.get(timeout=60) == Committed(2)
    sink.stop()
    thread.join(20)

    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    partitions = [TopicPartition(prices, 0), TopicPartition(prices, 1)]
    offsets = admin.list_group_offsets({group: partitions})[group]
    admin.close()
    assert [offsets[partition].offset for partition in partitions] == [-1, 9]
