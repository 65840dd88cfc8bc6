"""``contribd audit`` and ``contribd resubmit``: what they refuse before they reach Kafka, and keys."""

import io
from pathlib import Path

import pytest
from tests.ops.conftest import written
from typer.testing import CliRunner

from contribd.audit.notes import parse_private, parse_public
from contribd.cli import app

CONFIG = """
kafka: {bootstrap_servers: "127.0.0.1:1", results: my-results}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
mappings: [fx.yaml]
"""
MAPPING = """
mappings:
  - {name: fx, ric: "{pair}=TRCC", fields: {BID: bid}}
"""


__all__ = ["written"]


@pytest.fixture(autouse=True)
def _log_left_as_it_was(written: io.StringIO) -> None:
    """These commands set up the log, which is the process's."""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "fx.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    return str(tmp_path / "contribd.yaml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["audit", "verify", "--seal", "."], "--seal needs --trust"),
        (["audit", "verify", "--trust", __file__], "--trust needs --seal or --export"),
        (["audit", "verify", "--export", ".", "--since", "1d"], "leave out --since, --until, --offset and --topic"),
        (["audit", "export", "--out", "x", "--offset", "prices:0:1", "--until", "1d"], "leave out --since"),
        (["audit", "export", "--out", "x", "--topic", "other"], "other is no topic of kafka.prices"),
        (["audit", "verify", "--offset", "prices:0:1", "--since", "1d"], "leave out --since"),
        (["audit", "verify", "--topic", "prices", "--since", "1d"], "leave out --since with --topic"),
        (["audit", "verify", "--since", "yesterday"], "expected ISO 8601"),
        (["audit", "verify", "--offset", "prices"], "prices"),
        (["rules", "show", "xyz"], "expected at least 6 hexadecimal digits"),
        (["resubmit"], "say which results"),
        (["resubmit", "--status", "maybe"], "expected one of ACK"),
    ],
)
def test_wrong_usage_is_told_and_exits_2(config: str, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, [*arguments, "-c", config])
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.stderr.split())


def test_rules_that_nobody_has_are_told(config: str) -> None:
    done = CliRunner().invoke(app, ["rules", "show", "abcdef", "-c", config])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "it has no rules_topic that keeps others" in " ".join(done.stderr.split())


def test_the_rules_at_hand_are_shown_by_the_beginning_of_their_digest(config: str) -> None:
    checked = CliRunner().invoke(app, ["check", "-c", config]).stdout
    digest = next(line for line in checked.splitlines() if line.startswith("digest")).split()[1]
    done = CliRunner().invoke(app, ["rules", "show", digest[:12], "-c", config])
    assert done.exit_code == 0, done.output
    assert 'ric: "{pair}=TRCC"' in done.stdout


def test_a_key_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    done = CliRunner().invoke(app, ["audit", "key", "audit.example.com/1", "--out", str(file)])
    assert done.exit_code == 0, done.output
    private = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert parse_private(private.strip()).public == parse_public(done.stdout.strip())
    again = CliRunner().invoke(app, ["audit", "key", "other", "--out", str(file)])
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert file.read_text() == private


def test_a_key_that_others_can_read_seals_nothing(config: str, tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    CliRunner().invoke(app, ["audit", "key", "k", "--out", str(file)])
    file.chmod(0o644)
    done = CliRunner().invoke(app, ["audit", "seal", "-c", config, "--key", str(file), "--out", str(tmp_path / "s")])
    assert done.exit_code == 1
    assert "can be read by others than its owner" in " ".join(done.stderr.split())
    assert not (tmp_path / "s").exists()
