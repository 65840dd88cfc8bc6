"""``contribd skip``: what it asks of the daemon, and what it says."""

import json
from collections.abc import Iterator

import pytest
from tests.cli.answering import Answering
from typer.testing import CliRunner

from contribd.cli import app
from contribd.engine.records.offsets import Partition
from contribd.orders import Answer, SkipOrder

CONFIG = """\
instance: host
kafka: {bootstrap_servers: "127.0.0.1:1", client: {sasl_plain_password: "${credential:of-the-daemon-alone}"}}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
control: {socket: %s}
mappings: [nowhere.yaml]
"""


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    answer = Answer(True, "prices:3:1812 is skipped")
    with Answering(tmp_path_factory.mktemp("d"), answer, CONFIG).listening() as made:
        yield made


def test_it_asks_the_daemon_of_the_configuration_and_says_what_was_done(daemon: Answering) -> None:
    assert daemon.run("skip", "prices:3:1812", "--reason", " a disk ") == (0, "prices:3:1812 is skipped\n", "")
    assert daemon.orders == [SkipOrder(Partition("prices", 3), 1812, "a disk")]


def test_what_was_not_done_is_exit_1_and_says_why(daemon: Answering) -> None:
    daemon.answer = Answer(False, "nothing waits there")
    assert daemon.run("skip", "prices:3:1812", "--reason", "a disk") == (1, "", "nothing waits there\n")
    code, out, _ = daemon.run("skip", "prices:3:1812", "--reason", "a disk", "--json")
    assert (code, json.loads(out)) == (1, {"done": False, "text": "nothing waits there"})


def test_without_a_daemon_it_says_where_it_looked(daemon: Answering) -> None:
    daemon.server.close()
    code, _, said = daemon.run("skip", "prices:3:1812", "--reason", "a disk")
    assert code == 1
    assert "is it running?" in said
    assert str(daemon.socket) in said


def test_another_socket_needs_no_configuration(daemon: Answering) -> None:
    daemon.config.unlink()
    assert daemon.run("skip", "prices:3:1812", "--reason", "a disk", "--socket", str(daemon.socket))[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("prices:3", "--reason", "x"),
        ("prices:3:x", "--reason", "x"),
        ("prices:3:-1", "--reason", "x"),
        ("prices:3:1", "--reason", "  "),
        ("prices:3:1", "--reason", "two\nlines"),
        ("prices:3:1",),
    ],
)
def test_a_wrong_usage_is_exit_2_and_nothing_is_asked(daemon: Answering, arguments: tuple[str, ...]) -> None:
    assert daemon.run("skip", *arguments)[0] == 2
    assert daemon.orders == []


def test_what_is_wrong_with_its_own_part_of_the_configuration_is_told(daemon: Answering) -> None:
    daemon.config.write_text(CONFIG % "relative")
    done = CliRunner().invoke(app, ["skip", "prices:3:1", "--reason", "x", "-c", str(daemon.config)])
    assert done.exit_code != 0
    assert "control.socket: expected auto, or an absolute path" in str(done.exception) + done.stderr
