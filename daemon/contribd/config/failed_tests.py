"""Tests of mappings that fail: nothing is put in force, and nothing is started, by files that contradict themselves."""

from collections.abc import Iterator

from contribd.config.errors import Problem
from contribd.config.load import Loaded
from contribd.mapping.cases import CaseResult, run_case


def failed_tests(loaded: Loaded) -> Iterator[Problem]:
    """A problem for each test that fails; all tests are run."""
    for case in loaded.cases:
        result = run_case(case.test, loaded.mapper, f"line {case.line}")
        if not result.passed:
            yield Problem(case.file, case.line, 1, "tests", _told(result), cure="See what contribd test says")


def _told(result: CaseResult) -> str:
    wrong = (f"{each.name} is {each.got}, expected {each.expected}" for each in result.differences)
    return f"test {result.name} fails: {', '.join(wrong)}"
