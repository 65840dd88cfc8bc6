"""Batches that cannot be read, on real Kafka: their partitions wait, the others do not, and an operator decides."""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import FedRecords, assert_one_each, read_results, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually
from tests.streams.bad_batches import with_codec, with_garbage, with_wrong_checksum

from contribd.control.client import ask
from contribd.engine.records.offsets import Partition
from contribd.orders import Answer, SkipOrder
from contribd.results.result import Result

BEFORE, BAD, AFTER = 3, 5, 4
"""Records of each partition: before the batch that is spoilt, in it, and behind it."""

SPOILT: dict[int, Callable[[bytes], bytes]] = {
    1: with_wrong_checksum,
    2: lambda good: with_codec(good, 5),
    3: with_garbage,
}
"""What is done to which partition; 0 is left as it is."""

HEALTHY = 400
REASON = "the disk of broker 2"


@contextmanager
def producing(broker: KafkaBroker, topic: str, fed: FedRecords) -> Iterator[Callable[[int, int, int], None]]:
    """What produces to a partition so many records of a seed, as a batch of its own."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=1_000, compression_type="zstd")

    def produce(number: int, count: int, seed: int) -> None:
        made = records(count, seed=seed, poison=0.0, unmapped=0.0)
        sent = [producer.send(topic, key=each.key, value=each.value, partition=number) for each in made]
        producer.flush(30)
        fed.records |= {(topic, number, f.get(30).offset): each for f, each in zip(sent, made, strict=True)}

    yield produce
    producer.close()


def spoil(broker: KafkaBroker, topic: str, number: int, how: Callable[[bytes], bytes]) -> None:
    """Alters the second batch on the disk of a broker that is stopped."""
    [file] = (broker.directory / "data" / f"{topic}-{number}").glob("*.log")
    content = file.read_bytes()
    begin = 12 + struct.unpack_from(">i", content, 8)[0]
    end = begin + 12 + struct.unpack_from(">i", content, begin + 8)[0]
    file.write_bytes(content[:begin] + how(content[begin:end]) + content[end:])


def skip(daemon: Daemon, place: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "contribd", "skip", place, "--reason", REASON, "-c", str(daemon.config), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prepared(broker: KafkaBroker, prices: str) -> FedRecords:
    """Records in every partition, one batch of each spoilt on the disk."""
    fed = FedRecords()
    broker.create_topic(prices, 1 + len(SPOILT))
    with producing(broker, prices, fed) as produce:
        for number in range(1 + len(SPOILT)):
            for part, count in enumerate((BEFORE, BAD, AFTER)):
                produce(number, count, 10 * number + part)
    broker.stop()
    for number, how in SPOILT.items():
        spoil(broker, prices, number, how)
    broker.start()
    return fed


def test_the_others_go_on_at_full_speed_and_it_goes_on_once_somebody_decides(
    tmp_path: Path, own_kafka: KafkaBroker, provider: Provider
) -> None:
    prices, results = unique("prices"), unique("results")
    own_kafka.create_topic(results, 2)
    fed = prepared(own_kafka, prices)
    daemon = Daemon(
        tmp_path / "daemon",
        kafka=own_kafka.bootstrap,
        endpoints=[provider.url],
        topics=(prices, results),
        group=unique("group"),
        contribution={"conflate": False},
        control={"socket": str(tmp_path / "s")},
    )
    daemon.start(ready=False)
    try:
        readable = BEFORE + BAD + AFTER + BEFORE * len(SPOILT)
        eventually(lambda: settled(daemon) == readable, within=60, what="what can be read")
        assert_reasons(daemon.status()["not_ready"], prices)
        cpu, began = cpu_seconds(daemon.pid), time.monotonic()
        with producing(own_kafka, prices, fed) as produce:
            produce(0, HEALTHY, 99)
        eventually(lambda: settled(daemon) == readable + HEALTHY, within=10, what="the healthy partition's")
        time.sleep(max(0.0, began + 3.0 - time.monotonic()))  # not a wait for something: what it costs to wait
        assert cpu_seconds(daemon.pid) - cpu < 0.5 * (time.monotonic() - began)
        skip_all(daemon, tmp_path / "s", prices)
        eventually(lambda: settled(daemon) == len(fed.records), within=30, what="all there is")
        eventually(daemon.ready, within=10, what="ready")
    finally:
        assert daemon.stop() == 0
    found = read_results(own_kafka, results)
    assert_one_each(found, fed)
    assert_says_why([each for each in found if each.status == "REJECTED"], prices)
    log = daemon.log.read_text()
    assert log.count("a partition cannot be read and waits; the others go on") == len(SPOILT)
    assert log.count("by order: ") == len(SPOILT)


def settled(daemon: Daemon) -> int:
    try:
        return daemon.results()
    except OSError:
        return 0


def assert_reasons(reasons: list[str], prices: str) -> None:
    """Why it is not ready: a sentence for each partition, with what to do."""
    assert [reason.partition(" ")[0] for reason in reasons] == [f"{prices}:{number}" for number in SPOILT]
    assert "its checksum is wrong" in reasons[0]
    assert "its codec, number 5, is none that Kafka has" in reasons[1]
    assert "zstd cannot be decompressed" in reasons[2]
    assert all(f"contribd skip {prices}:{n}:{BEFORE} --reason TEXT" in reasons[n - 1] for n in SPOILT)


def skip_all(daemon: Daemon, socket: Path, prices: str) -> None:
    """First at the wrong place, then each, then one of them again."""
    refused = skip(daemon, f"{prices}:1:0")
    assert refused.returncode == 1
    assert f"{prices}:1 does not wait at offset 0" in refused.stderr
    assert f"{prices}:2 cannot be read at offset {BEFORE}" in refused.stderr
    done = skip(daemon, f"{prices}:1:{BEFORE}")
    assert (done.returncode, done.stdout) == (0, f"{prices}:1:{BEFORE} to {BEFORE + BAD - 1} is skipped\n"), done
    for number in (2, 3):
        order = SkipOrder(Partition(prices, number), BEFORE, REASON)
        answer = ask(order, [socket])
        assert answer == Answer(True, f"{prices}:{number}:{BEFORE} to {BEFORE + BAD - 1} is skipped")
    again = json.loads(skip(daemon, f"{prices}:1:{BEFORE}", "--json").stdout)
    assert again == {"done": True, "text": f"{prices}:1:{BEFORE} to {BEFORE + BAD - 1} was skipped before"}


def assert_says_why(rejected: list[Result], prices: str) -> None:
    """Each offset of the spoilt batches, by whom it was skipped, why, and what was wrong."""
    by_source = {str(each.source): each for each in rejected}
    assert by_source.keys() == {f"{prices}:{n}:{offset}" for n in SPOILT for offset in range(BEFORE, BEFORE + BAD)}
    assert {each.code for each in rejected} == {"BadRecord"}
    text = by_source[f"{prices}:1:4"].text or ""
    assert text.startswith("skipped by ")
    assert f"(uid {os.getuid()}): {REASON} ({prices}:1:3 to 7 could not be read: its checksum" in text
