"""``contribd tap`` from its command line to its output, on the embedded broker."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer
from tests.results.made_results import SOURCE, result_headers, result_value
from typer.testing import CliRunner

from contribd.cli import app

CONFIG = """
kafka: {{bootstrap_servers: "{broker}", prices: {prices}, results: {results}}}
ads: {{endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}}
mappings: [fx.yaml]
"""
MAPPING = 'mappings: [{name: fx, ric: "{pair}=TRCC", fields: {BID: bid}}]'
NAK = {"status": "NAK", "ric": "TRY=TRCC", "code": "DeniedBySrc", "text": "[500]: Unknown Item"}


class Desk:
    """Topics, a configuration, and results that go on being written."""

    def __init__(self, folder: Path, broker: str, new_topic: Callable[..., str]) -> None:
        self.prices, self.results = new_topic(), new_topic()
        self.config = folder / "contribd.yaml"
        self.config.write_text(CONFIG.format(broker=broker, prices=self.prices, results=self.results))
        (folder / "fx.yaml").write_text(MAPPING)
        self._producer = KafkaProducer(bootstrap_servers=broker)
        self._producer.send(self.prices, b'{"pair": "EUR", "bid": 1}', timestamp_ms=1795342530123).get(10)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        source = {**SOURCE, "topic": self.prices, "partition": 0, "offset": 0}
        values = [result_value(source=source)] * 20 + [result_value(source=source, **NAK)]
        while not self._stop.wait(0.05):
            for value in values:
                self._producer.send(self.results, value, headers=result_headers(value))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.close()

    def lines(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "contribd", "tap", "-c", str(self.config), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def desk(tmp_path: Path, broker: str, new_topic: Callable[..., str]) -> Iterator[Desk]:
    made = Desk(tmp_path, broker, new_topic)
    yield made
    made.close()


def test_in_a_pipe_it_is_a_line_a_result_what_went_wrong_first_and_says_what_was_left_out(desk: Desk) -> None:
    lines = desk.lines("--rate", "8", "-n", "24")
    shown = [line.split()[1] for line in lines if not line.startswith("…")]
    assert len(shown) == 24
    assert "NAK" in shown
    told = [line for line in lines if line.startswith("…")]
    assert told
    assert "ACK" in told[0]


def test_with_json_it_is_the_result_as_it_is_stored_and_the_record(desk: Desk) -> None:
    found = [json.loads(line) for line in desk.lines("--ric", "TRY*", "--json", "--input", "-n", "2")]
    results = [each for each in found if "left_out" not in each]
    assert [(each["status"], each["ric"]) for each in results] == [("NAK", "TRY=TRCC")] * 2
    assert results[0]["stored"]["topic"] == desk.results
    assert results[0]["input"]["@value"] == {"pair": "EUR", "bid": 1}
    assert results[0]["input"]["@topic"] == desk.prices


def test_a_topic_that_is_not_there_is_said_and_the_exit_code_is_1(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log is the process's; it is not under test here.
    monkeypatch.setattr("contribd.cli.tap.configure", lambda *args, **kwargs: None)  # noqa: ARG005 - any arguments
    config = tmp_path / "contribd.yaml"
    config.write_text(CONFIG.format(broker=broker, prices="none", results="no-such-topic"))
    (tmp_path / "fx.yaml").write_text(MAPPING)
    done = CliRunner().invoke(app, ["tap", "-c", str(config), "-n", "1"])
    assert done.exit_code == 1
    assert "there is no topic no-such-topic" in done.stderr
