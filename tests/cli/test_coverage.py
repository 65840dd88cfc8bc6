"""``contribd test --coverage``: counts in whole things, each with its place, whatever the layout of the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contribd.cli import app

MAPPING = """
mappings:
  - name: only
    when: asset == "FX" and not closed
    ric: '{base if cross else pair}='
    fields:
      BID: bid
      ASK: {from: ask, missing: skip}
    checks: [bid > 0]
tests:
  - record: {asset: FX, closed: false, cross: false, pair: EUR, bid: 1}
    post: {ric: EUR=, fields: {BID: 1}}
"""
SAME_LAID_OUT_OTHERWISE = """
tests: [{post: {fields: {BID: 1}, ric: EUR=},
    record: {bid: 1, cross: no_, asset: FX, pair: EUR, closed: false}}]
mappings: [{checks: ["(bid   > 0)"], fields: {"BID": "bid",   # a price
    ASK: {"missing": "skip", "from": "ask"}}, ric: "{base   if cross else (pair)}=", name: "only",
    when: "((asset == 'FX') and\\n  not (closed))"}]
""".replace("no_", "false")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CONTRIBD_CONFIG", raising=False)
    path = tmp_path / "only.yaml"
    path.write_text(MAPPING)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["test", *map(str, arguments)])


def coverage(file: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(invoke(file, "--coverage", "--json").stdout)["coverage"]
    return report


def test_each_thing_that_no_test_tries_is_named_with_its_place(file: Path) -> None:
    result = invoke(file, "--coverage")
    assert result.exit_code == 0
    whole = 'asset == "FX" and not closed'
    takes = "needs a record that only takes,"
    assert result.stdout.splitlines() == [
        "1 passed",
        f"{file}:4:11: only: {whole} is never false; needs a record for which {whole} is false",
        f'{file}:4:11: only: asset == "FX" is never false; needs a record for which asset == "FX" is false',
        f"{file}:4:29: only: not closed is never false; needs a record for which not closed is false",
        f"{file}:5:20: only: cross is never true; {takes} for which cross is true",
        f"{file}:8:7: only: ASK is never posted; {takes} with all that ASK needs",
        f"{file}:9:14: only: the check bid > 0 never fails; {takes} for which bid > 0 is false",
        "coverage: 8 of 14",
    ]


def test_counts_do_not_depend_on_the_layout(file: Path) -> None:
    before = coverage(file)
    file.write_text(SAME_LAID_OUT_OTHERWISE)
    after = coverage(file)
    assert (after["covered"], after["total"]) == (before["covered"], before["total"]) == (8, 14)
    assert {(each["what"], each["needs"]) for each in after["uncovered"]} == {
        (each["what"], each["needs"]) for each in before["uncovered"]
    }


@pytest.mark.parametrize(("percent", "code"), [("57", 0), ("57%", 0), ("57.15", 1), ("100", 1), ("0", 0)])
def test_less_than_asked_for_fails_and_nothing_is_rounded(file: Path, percent: str, code: int) -> None:
    result = invoke(file, "--fail-under", percent)
    assert result.exit_code == code
    assert "coverage: 8 of 14" in result.stdout
    assert ("% is covered" in result.stderr) is bool(code)


@pytest.mark.parametrize("percent", ["101", "-1", "all", "nan"])
def test_what_is_no_percentage_is_a_mistake_of_usage(file: Path, percent: str) -> None:
    assert invoke(file, f"--fail-under={percent}").exit_code == 2


def test_failed_test_covers_what_it_tries(file: Path) -> None:
    file.write_text(MAPPING.replace("BID: 1}", "BID: 2}"))
    result = invoke(file, "--coverage")
    assert result.exit_code == 1
    assert "coverage: 8 of 14" in result.stdout


def test_of_a_configuration_only_the_files_asked_for_are_measured(file: Path) -> None:
    config = file.parent / "contribd.yaml"
    config.write_text(
        'kafka: {bootstrap_servers: "localhost:9092"}\n'
        'ads: {endpoints: ["ws://localhost:15000/WebSocket"], service: TRCC, user: u}\n'
        "mappings: [only.yaml, more.yaml]\n"
    )
    more = file.parent / "more.yaml"
    more.write_text(
        "mappings: [{name: more, ric: X=, fields: {BID: bid}}]\n"
        "tests: [{record: {bid: 1}, post: {ric: X=, fields: {BID: 1}}}]"
    )
    assert "coverage: 10 of 16" in invoke("-c", config, "--coverage").stdout
    assert invoke("-c", config, more, "--coverage").stdout == "1 passed\ncoverage: 2 of 2\n"
