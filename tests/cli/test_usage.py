"""What is mistyped on the command line: an error of one sentence, in the same words whichever the command."""

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contribd.cli import app

CONFIG = """\
kafka: {bootstrap_servers: "127.0.0.1:1"}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
"""
MAPPING = """\
mappings:
  - name: two
    when: bid > 0
    posts: [{ric: A, fields: {BID: bid}}, {ric: B, fields: {BID: bid}}]
  - {name: none, ignore: true}
"""


def invoke(*arguments: object, text: str = "") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=text)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/a.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    return tmp_path / "contribd.yaml"


def refused(*arguments: object) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 2
    return result.stderr.splitlines()[-1]


def test_a_mistyped_command_is_told_with_the_one_that_is_meant() -> None:
    assert refused("chek") == "Error: No such command 'chek'. Did you mean 'check'?"
    assert refused("xyzzy") == "Error: No such command 'xyzzy'."


@pytest.mark.parametrize("arguments", [("schema", "foo"), ("check", "--format", "foo"), ("completion", "foo")])
def test_a_wrong_choice_is_told_in_plain_words(arguments: tuple[str, ...]) -> None:
    said = refused(*arguments)
    assert "'foo' is not one of '" in said
    assert "Value error" not in said


def test_a_file_that_is_not_there_is_told_in_the_same_words(config: Path) -> None:
    for name in ("nix", str(config.parent)):
        assert refused("map", "-c", config, name) == refused("test", "-c", config, name)


@pytest.mark.parametrize("command", [("results",), ("resubmit",), ("plan",), ("audit", "verify")])
def test_an_end_before_the_beginning_is_refused(config: Path, command: tuple[str, ...]) -> None:
    said = refused(*command, "-c", config, "--since", "1h", "--until", "1d")
    assert said.endswith("--until 1d is before --since 1h: there is nothing between them")


def test_a_dry_run_that_would_put_nothing_back_ends_with_that(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fates = Counter(superseded=2)
    resubmit = import_module("contribd.cli.resubmit")
    monkeypatch.setattr(resubmit, "_put_back", lambda *_, **__: fates)
    monkeypatch.setattr(resubmit, "configure", lambda *_, **__: None)  # it is the process's
    arguments = ("resubmit", "-c", config, "--status", "nak", "--dry-run")
    assert invoke(*arguments).stderr == "2 superseded\nnothing would be put back\n"
    fates["would be resubmitted"] = 1
    assert invoke(*arguments).stderr == "2 superseded, 1 would be resubmitted\n"


def test_no_summary_of_a_command_is_cut() -> None:
    for command in ((), ("audit",), ("simulate",), ("rules",)):
        commands = invoke(*command, "--help").stdout.partition("Commands:")[2]
        assert commands
        assert "..." not in commands


def test_a_record_that_is_ignored_makes_no_post(config: Path) -> None:
    result = invoke("map", "-c", config, text='{"bid": 1}\n{"x": 1}\n')
    assert result.stderr.splitlines()[-1] == "2 records with 2 posts: 2 posted, 0 rejected, 1 ignored"
