"""``contribd check``, as it is run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "contribd.yaml"
BAD = "kafka: {bootstrap_servers: 'a:1', result: x}\nads: {endpoints: ['ws://a:1'], service: '${SERVICE}'}\n"


def contribd(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONTRIBD_", "SERVICE"))}
    return subprocess.run(
        [sys.executable, "-m", "contribd", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean, **environ},
    )


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    return file


def test_a_right_configuration_is_summed_up_on_stdout() -> None:
    run = contribd("check", "-c", EXAMPLE)
    assert run.returncode == 0
    assert run.stderr == ""
    assert run.stdout.splitlines()[0] == "valid"
    assert "fx-spot, fx-spot-open" in run.stdout
    assert (
        "\nfields    names and types are not checked: no dictionary is configured (dictionary.fields)\n" in run.stdout
    )
    assert "\x1b" not in run.stdout


def test_every_problem_is_told_on_stderr_with_its_line_and_the_exit_code_is_78(bad: Path) -> None:
    run = contribd("check", "-c", bad)
    assert run.returncode == 78
    assert run.stdout == ""
    assert run.stderr.splitlines() == [
        f'{bad}:1:1: mappings: "mappings/*.yaml", the default, matches no file in {bad.parent} [C112]',
        "  = write the path of a mapping file, or a pattern of several, relative to the configuration file",
        f"{bad}:1:35: kafka.result: unknown key; did you mean results? [C101]",
        "1 | kafka: {bootstrap_servers: 'a:1', result: x}",
        "  |                                   ^^^^^^",
        "  = write results",
        f"{bad}:2:41: ads.service: ${{SERVICE}} is not set [C110]",
        "2 | ads: {endpoints: ['ws://a:1'], service: '${SERVICE}'}",
        "  |                                         ^^^^^^^^^^^^",
        "  = set it in the environment, or write ${SERVICE:-default}",
        "3 problems",
    ]
    assert "\x1b" not in run.stderr


@pytest.mark.parametrize("command", ["run", "map", "test"])
def test_other_commands_tell_them_in_the_same_way(bad: Path, command: str) -> None:
    run = contribd(command, "-c", bad)
    assert (run.returncode, run.stderr) == (78, contribd("check", "-c", bad).stderr)


FAILING = """\
mappings:
  - {name: fx, ric: "{pair}=", fields: {BID: bid}}
tests:
  - {record: {pair: EUR, bid: 1}, post: {ric: EUR=, fields: {BID: 1}}}
  - {record: {pair: EUR, bid: 2}, post: {ric: EUR=, fields: {BID: 1}}}
"""


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A configuration that is right, but for what a test expects."""
    (tmp_path / "fx.yaml").write_text(FAILING)
    file = tmp_path / "contribd.yaml"
    file.write_text(
        "kafka: {bootstrap_servers: 'a:1'}\nads: {endpoints: ['ws://a:1'], service: S}\nmappings: [fx.yaml]\n"
    )
    return file


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_test_that_fails_is_a_problem(failing: Path, command: str) -> None:
    run = contribd(command, "-c", failing)
    assert (run.returncode, run.stdout) == (78, "")
    assert run.stderr.splitlines()[0] == (
        f"{failing.parent}/fx.yaml:5:1: tests: test line 5 fails: fields.BID is 2, expected 1"
    )


def test_a_test_that_fails_is_told_as_json(failing: Path) -> None:
    told = json.loads(contribd("check", "-c", failing, "--json").stdout)
    assert (told["valid"], told["tests"], [each["line"] for each in told["problems"]]) == (False, 2, [5])


def test_without_the_environment_no_test_is_run(failing: Path) -> None:
    run = contribd("check", "--no-env", "-c", failing)
    assert run.returncode == 0
    assert "tests     2 (run them with contribd test)" in run.stdout


def test_a_line_each_for_editors(bad: Path) -> None:
    run = contribd("check", "-c", bad, "--format", "gnu")
    assert run.returncode == 78
    assert run.stderr.splitlines()[1] == f"{bad}:1:35: error: kafka.result: unknown key; did you mean results? [C101]"


def test_sarif_of_a_right_configuration_has_no_results() -> None:
    run = contribd("check", "-c", EXAMPLE, "--format", "sarif")
    assert run.returncode == 0
    assert json.loads(run.stdout)["runs"][0]["results"] == []


def test_json_has_the_same_on_stdout(bad: Path) -> None:
    run = contribd("check", "-c", bad, "--json")
    told = json.loads(run.stdout)
    assert run.returncode == 78
    assert told["valid"] is False
    assert [(problem["line"], problem["column"], problem["path"]) for problem in told["problems"]] == [
        (1, 1, "mappings"),
        (1, 35, "kafka.result"),
        (2, 41, "ads.service"),
    ]
    right = json.loads(contribd("check", "-c", EXAMPLE, "--json").stdout)
    assert right["valid"] is True
    assert right["problems"] == []
    assert right["mappings"] == ["fx-spot", "fx-spot-open"]
    assert len(right["digest"]) == 64


def test_without_the_environment_variables_count_as_present(bad: Path) -> None:
    run = contribd("check", "-c", bad, "--no-env")
    assert run.returncode == 78
    assert "SERVICE" not in run.stderr
    assert "did you mean results?" in run.stderr
    bad.write_text(BAD.replace(", result: x", "") + f"mappings: '{EXAMPLE.parent}/mappings/*.yaml'\n")
    run = contribd("check", "-c", bad, "--no-env")
    assert (run.returncode, run.stderr) == (0, "")


def test_the_configuration_is_found_by_the_environment() -> None:
    assert contribd("check", CONTRIBD_CONFIG=str(EXAMPLE)).returncode == 0
    run = contribd("check", CONTRIBD_CONFIG="/nonexistent/c.yaml")
    assert run.returncode == 78
    assert "/nonexistent/c.yaml:1:1: there is no such file [Y101]\n  = name another with --config FILE" in run.stderr
