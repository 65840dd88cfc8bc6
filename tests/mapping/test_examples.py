"""The examples: each is valid, its tests pass and try all of it, and its sample comes to what is said of it."""

import runpy
from pathlib import Path

import pytest

from contribd.cli.coverage_views import report
from contribd.cli.suite import Wanted, measured
from contribd.config.load import load
from contribd.mapping.cases import run_cases
from contribd.mapping.inputs import from_line
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Ignored, Mapped, PartOutcome, parts_of

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
DESKS = sorted(file.parent.name for file in EXAMPLES.glob("*/contribd.yaml"))
EIGHT = ["bonds", "commodities", "deposits", "derivatives", "fx", "instruments", "page", "swaps"]


def configuration(desk: str) -> Path:
    return EXAMPLES / desk / "contribd.yaml"


def test_there_are_eight_and_the_readme_names_each() -> None:
    assert DESKS == EIGHT
    readme = (EXAMPLES / "README.md").read_text()
    assert all(f"[{desk}]({desk}/mappings.yaml)" in readme for desk in DESKS)


@pytest.mark.parametrize("desk", DESKS)
def test_example_is_valid_and_its_tests_pass(desk: str) -> None:
    loaded = load(configuration(desk), environ={})
    assert len(loaded.cases) >= 10
    results = run_cases([case.test for case in loaded.cases], loaded.mapper)
    assert {result.name: result.differences for result in results if not result.passed} == {}


@pytest.mark.parametrize("desk", DESKS)
def test_the_tests_of_an_example_try_all_of_it(desk: str) -> None:
    found = report(measured(Wanted((), configuration(desk), "SERVICE")))
    assert [(str(each.at), each.point.what) for each in found.uncovered] == []
    assert found.total >= 25


@pytest.mark.parametrize("desk", DESKS)
def test_sample_of_an_example_comes_to_what_is_said_of_it(desk: str) -> None:
    mapper = load(configuration(desk), environ={}).mapper
    lines = (EXAMPLES / desk / "records.jsonl").read_bytes().splitlines()
    said = (EXAMPLES / desk / "outcomes.txt").read_text().splitlines()
    assert [came_to(mapper, line, number) for number, line in enumerate(lines, 1)] == said
    assert len(said) >= 6


def came_to(mapper: Mapper, line: bytes, number: int) -> str:
    record = from_line(line, number)
    return " ".join(map(part_came_to, parts_of(mapper.map(record.value, record.surroundings))))


def part_came_to(outcome: PartOutcome) -> str:
    if isinstance(outcome, Mapped):
        return outcome.ric
    return f"ignored by {outcome.mapping}" if isinstance(outcome, Ignored) else str(outcome.code)


def test_table_of_instruments_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(EXAMPLES / "instruments" / "make_instruments.py"))
    lines = (EXAMPLES / "instruments" / "instruments.csv").read_text().splitlines()
    assert lines == [made["HEADER"], *made["rows"]()]
    assert len(lines) == 5001
    assert made["isin"](3_886_335) == "CH0038863350"
