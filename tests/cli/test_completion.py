"""``contribd completion``: what shells offer while somebody types."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from contribd.cli import COMMANDS, app
from contribd.cli.completion_shells import bash, fish, zsh
from contribd.cli.completion_tree import Kind, Node, tree

STATUSES = ["ACK", "CONFLATED", "ERROR", "EXPIRED", "IGNORED", "NAK", "REJECTED", "SUPPRESSED", "UNANSWERED"]


@pytest.fixture(scope="module")
def nodes() -> list[Node]:
    return tree()


def completed(script: str, lines: Sequence[Sequence[str]], folder: Path, program: str = "contribd") -> list[list[str]]:
    """What bash offers for each line, whose last word is at the cursor."""
    calls = "\n".join(
        f'COMP_WORDS=({shlex.join([program, *line])}); COMP_CWORD={len(line)}; _contribd; echo "${{COMPREPLY[*]}}"'
        for line in lines
    )
    ran = subprocess.run(
        ["bash", "-c", f"{script}\n{calls}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.stderr == ""
    return [line.split() for line in ran.stdout.splitlines()]


def test_bash_offers_commands_options_values_and_files(nodes: list[Node], tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").touch()
    (tmp_path / "folder").mkdir()
    cases: list[tuple[list[str], list[str]]] = [
        (["re"], ["reload", "results", "resubmit", "resume", "republish"]),
        (["audit", ""], ["export", "key", "seal", "verify"]),
        (["--v"], ["--version"]),
        (["results", "--status", "N"], ["NAK"]),
        (["results", "--status", ""], STATUSES),
        (["results", "--status", "=", "E"], ["ERROR", "EXPIRED"]),
        (["audit", "verify", "--se"], ["--seal"]),
        (["check", "-c", "d"], ["desk.yaml"]),
        (["check", "--config", "=", "d"], ["desk.yaml"]),
        (["map", "d"], ["desk.yaml"]),
        (["init", "f"], ["folder"]),
        (["init", "--auth", ""], ["user", "password-grant", "client-credentials"]),
        (["schema", "c"], ["config"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        # A value is no command: run is the file here.
        (["check", "-c", "run", "--no"], ["--no-env"]),
        (["pause", "--reason", "check", "--al"], ["--all"]),
        (["pause", "--reason", ""], []),
    ]
    offered = completed(bash(nodes), [line for line, _ in cases], tmp_path)
    assert [(line, sorted(found)) for (line, _), found in zip(cases, offered, strict=True)] == [
        (line, sorted(expected)) for line, expected in cases
    ]


def test_bash_asks_for_mappings_and_desks_of_the_configuration_that_is_named(nodes: list[Node], tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["init", str(tmp_path / "desk")]).exit_code == 0
    mapping = tmp_path / "desk/mappings/quotes.yaml"
    mapping.write_text(mapping.read_text().replace("    when: type", "    desk: fx desk\n    when: type", 1))
    program = tmp_path / "contribd"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m contribd "$@"\n')
    program.chmod(0o755)
    config = str(tmp_path / "desk/contribd.yaml")
    lines = [["pause", "-c", config, "--mapping", "q"], ["pause", "-c", config, "--desk", ""], ["check", "--show", ""]]
    offered = completed(bash(nodes), lines, tmp_path, str(program))
    assert offered == [["quotes"], ["fx\\", "desk"], []]


def test_every_command_and_option_is_offered(nodes: list[Node]) -> None:
    assert {node.words[0] for node in nodes if node.words} == set(COMMANDS)
    root = get_command(app)
    context = typer.Context(root)
    for node in nodes:
        command = root
        for word in node.words:
            command = command.get_command(context, word)  # type: ignore[attr-defined]  # groups have it
        names = {name for each in command.get_params(context) for name in each.opts if name.startswith("-")}
        assert names <= {name for option in node.options for name in option.names}, node.name


def test_values_are_known_where_there_are_some_to_know(nodes: list[Node]) -> None:
    known = {
        (node.name, option.names[0]): option.takes.kind
        for node in nodes
        for option in node.options
        if option.takes is not None and option.takes.kind is not Kind.ANYTHING
    }
    assert known["results", "--status"] is Kind.WORDS
    assert known["check", "--format"] is Kind.WORDS
    assert known["audit verify", "--work"] is Kind.FOLDERS
    assert known["test", "--junit"] is Kind.FILES
    assert known["resume", "--mapping"] is Kind.MAPPINGS


@pytest.mark.parametrize(("shell", "made"), [("zsh", zsh), ("fish", fish)])
def test_the_other_shells_take_it(nodes: list[Node], shell: str, made: object, tmp_path: Path) -> None:
    assert callable(made)
    script = made(nodes)
    for node in nodes:
        assert all(name in script for name, _ in node.below)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")
    file = tmp_path / "contribd"
    file.write_text(script)
    subprocess.run([shell, "-n", file], check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed: apt-get install fish")
def test_fish_offers_commands_options_and_values(nodes: list[Node], tmp_path: Path) -> None:
    (tmp_path / "c.fish").write_text(fish(nodes))
    lines = ["contribd audit ", "contribd results --status N", "contribd check -c run --no-", "contribd pause --al"]
    asked = "; ".join(f'complete -C "{line}" | cut -f1 | string join " "' for line in lines)
    ran = subprocess.run(
        ["fish", "--no-config", "-c", f"source c.fish; {asked}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == ["export key seal verify", "NAK", "--no-env", "--all"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed: apt-get install zsh")
def test_zsh_offers_commands_options_and_values(nodes: list[Node], tmp_path: Path) -> None:
    # What zsh has for completions, so far as it is used: each prints what it is given.
    stubs = 'compdef() { :; }; _describe() { print -r -- "${(@)list%%:*}"; }; _files() { print files; }'
    stubs += '; compadd() { print -r -- "$@"; }; _message() { print; }'
    lines = [["audit", ""], ["results", "--status", ""], ["check", "-c", "run", "--no"], ["map", ""]]
    calls = "\n".join(f"words=(contribd {shlex.join(line)}); CURRENT={len(line) + 1}; _contribd" for line in lines)
    ran = subprocess.run(
        ["zsh", "-f", "-c", f"{stubs}\n{zsh(nodes)}\n{calls}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    offered = [line.split() for line in ran.stdout.splitlines()]
    assert offered[:2] == [["export", "key", "seal", "verify"], offered[1]]
    assert sorted(offered[1]) == STATUSES
    assert "--no-env" in offered[2]
    assert offered[3] == ["files"]


def test_a_shell_or_names_must_be_asked_for() -> None:
    for arguments in ([], ["bash", "--names", "desks"]):
        assert CliRunner().invoke(app, ["completion", *arguments]).exit_code == 2
    made = CliRunner().invoke(app, ["completion", "bash"])
    assert made.stdout.endswith("complete -F _contribd contribd\n")
