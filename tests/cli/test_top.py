"""``contribd top`` from its command line to its output, on a daemon's own HTTP endpoint."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ops.samples import snapshot
from typer.testing import CliRunner, Result

from contribd.cli import app
from contribd.ops.http import HttpServer
from contribd.ops.progress import Progress

CONFIG = """
kafka: {{bootstrap_servers: "kafka1:9092"}}
ads: {{endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}}
mappings: [nowhere.yaml]
http: {{listen: {listen}}}
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """``host:port`` of a daemon's endpoint."""
    server = HttpServer("127.0.0.1:0", snapshot, Progress([]))
    server.start()
    yield server.address
    server.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["top", *arguments])


def configured(folder: Path, listen: str) -> str:
    file = folder / "contribd.yaml"
    file.write_text(CONFIG.format(listen=listen))
    return str(file)


def test_in_a_pipe_it_is_a_line_each_time_that_it_asks(address: str) -> None:
    done = run("--url", f"http://{address}", "--interval", "0.25", "-n", "2")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert "outstanding 7 of 500  waiting 12" in lines[0]


def test_with_json_it_is_a_document_a_line(address: str) -> None:
    [line] = run("--url", f"http://{address}", "--json", "-n", "1").stdout.splitlines()
    document = json.loads(line)
    assert (document["answers"], document["instance"]) == (True, "pricing-host-1")


def test_without_an_address_it_asks_where_the_configuration_says(address: str, tmp_path: Path) -> None:
    done = run("-c", configured(tmp_path, f'"0.0.0.0:{address.rpartition(":")[2]}"'), "-n", "1")
    assert done.exit_code == 0, done.output
    assert "outstanding 7 of 500" in done.stdout


def test_a_daemon_without_an_endpoint_is_said_so(tmp_path: Path) -> None:
    done = run("-c", configured(tmp_path, "null"), "-n", "1")
    assert done.exit_code == 2
    assert "http.listen is null" in done.stderr


def test_what_is_no_address_is_said_so() -> None:
    done = run("--url", "pricing-host-1:9820")
    assert done.exit_code == 2
    assert "expected http://host:port" in " ".join(done.stderr.split())


def test_a_daemon_that_does_not_answer_is_said_so_and_the_exit_code_is_1() -> None:
    done = run("--url", "http://127.0.0.1:1", "-n", "1")
    assert done.exit_code == 1
    assert "NO ANSWER yet; asked since" in done.stdout
    assert "connection refused" in done.stdout


def test_without_textual_one_line_says_what_to_install(address: str) -> None:
    code = "import sys; sys.modules['textual'] = None; from contribd.cli import main; main()"
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, "top", "--url", f"http://{address}"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=100,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "pip install 'contribd[top]'" in line
