"""``contribd test --junit``: read back by a parser that is not ours."""

from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite
from typer.testing import CliRunner

from contribd.cli import app, junit
from contribd.config.errors import ConfigError

MAPPING = """
mappings:
  - name: only
    ric: "{pair}="
    fields: {BID: bid}
tests:
  - {name: good, record: {pair: EUR, bid: 1}, post: {ric: EUR=, fields: {BID: 1}}}
  - {name: "<bad> & worse", value: "x\\0é", post: {ric: EUR=, fields: {BID: 1}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "only.yaml"
    path.write_text(MAPPING)
    return path


def written(file: Path) -> tuple[list[TestSuite], int]:
    run = CliRunner().invoke(app, ["test", str(file), "--junit", str(file.parent / "report.xml")])
    suites = list(JUnitXml.fromfile(str(file.parent / "report.xml")))
    return suites, run.exit_code


def cases(suite: TestSuite) -> list[TestCase]:
    return list(suite)


def test_each_test_is_a_case_with_its_place(file: Path) -> None:
    (suite,), code = written(file)
    assert code == 1
    assert (suite.name, suite.tests, suite.failures, suite.errors) == (str(file), 2, 1, 0)
    good, bad = cases(suite)
    assert (good.name, good.classname, good.is_passed) == ("good", str(file), True)
    assert bad.name == "<bad> & worse"
    assert not bad.is_passed


def test_failure_says_what_was_expected_and_what_xml_cannot_carry_is_written_out(file: Path) -> None:
    (suite,), _ = written(file)
    (failure,) = cases(suite)[1].result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("outcome: expected a post to EUR=, got BadRecord")
    assert f"{file}:8" in failure.text
    assert "record: x\\x00é" in failure.text


def test_configuration_that_is_wrong_is_an_error_in_the_report_not_one_of_last_time(file: Path) -> None:
    written(file)
    file.write_text(MAPPING.replace("BID: bid", "BID: bid +"))
    run = CliRunner().invoke(app, ["test", str(file), "--junit", str(file.parent / "report.xml")])
    assert isinstance(run.exception, ConfigError)
    (suite,) = JUnitXml.fromfile(str(file.parent / "report.xml"))
    (case,) = cases(suite)
    (error,) = case.result
    assert isinstance(error, Error)
    assert str(file) in error.text
    assert suite.errors == 1


def test_report_that_cannot_be_written_is_a_mistake_of_usage(file: Path) -> None:
    run = CliRunner().invoke(app, ["test", str(file), "--junit", str(file.parent / "no" / "report.xml")])
    assert run.exit_code == 2
    assert "cannot be written" in run.stderr


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x00b", "a\\x00b"), ("\ud800", "\\xd800"), ("\ufffe", "\\xfffe"), ("é", "é")]
)
def test_every_text_is_fit_for_xml(text: str, shown: str) -> None:
    assert junit.clean(text) == shown


def test_failure_names_the_post_that_differs(tmp_path: Path) -> None:
    file = tmp_path / "curve.yaml"
    file.write_text("""
mappings:
  - {name: curve, each: points, ric: "{item.ric}", fields: {BID: item.bid}}
tests:
  - name: a curve
    record: {points: [{ric: A=, bid: 1}, {ric: B=, bid: 2}]}
    posts: [{ric: A=, fields: {BID: 1}}, {ric: B=, fields: {BID: 3}}]
""")
    ((case,),), code = written(file)
    [failure] = case.result
    assert code == 1
    assert failure.message == "B= fields.BID: expected 3, got 2"
    assert "B= fields.BID: expected 3, got 2" in failure.text
    assert "A=" not in failure.text.partition("record: ")[2].partition("\n")[2]
