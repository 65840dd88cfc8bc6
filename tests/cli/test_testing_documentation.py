"""docs/testing.md: its files pass, and what it shows is what is printed."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contribd.cli import app
from contribd.mapping.case_expectations import ExpectedPart, ExpectedPost
from contribd.mapping.case_specs import CaseSpec, RawValue

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
FILE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
FAILURE, COVERAGE, EXPLANATION = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
CONFIG = """
kafka: {bootstrap_servers: "localhost:9092"}
ads: {endpoints: ["ws://localhost:15000/WebSocket"], service: TRCC, user: u, position: 10.0.0.1/net}
mappings: [spot.yaml]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTRIBD_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("contribd.yaml").write_text(CONFIG)
    Path("spot.yaml").write_text(FILE)


def printed(*arguments: str, given: str = "") -> str:
    return CliRunner().invoke(app, arguments, input=given).stdout


def test_coverage_is_printed_so() -> None:
    assert printed("test", "spot.yaml", "--coverage") == COVERAGE


def test_failure_is_printed_so() -> None:
    Path("spot.yaml").write_text(FILE.replace("ask: 1.0843", "ask: 1.0845", 1))
    assert printed("test", "spot.yaml") == FAILURE


def test_explanation_is_printed_so() -> None:
    record = EXPLANATION.splitlines()[1].strip()
    assert printed("map", "-c", "contribd.yaml", "--explain", given=record) == EXPLANATION


def test_everything_that_a_test_can_say_is_described() -> None:
    for model in (CaseSpec, ExpectedPost, ExpectedPart, RawValue):
        for name in model.model_fields.keys() - {"name"}:
            assert re.search(rf"`{name}\b|\{{{name}: ", PAGE), name
