"""Test results as JUnit XML, the form that build servers read."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from contribd.cli.suite import Ran
from contribd.cli.suite_views import Explained, cause_lines, record_text
from contribd.config.errors import Problem

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(ran: list[Ran], explained: Explained) -> bytes:
    """One suite a file, one case a test."""
    suites = []
    for file, group in groupby(ran, key=lambda one: str(one.case.file)):
        cases = list(group)
        failed = sum(not one.result.passed for one in cases)
        suite = _suite(file, len(cases), failures=failed, seconds=sum(one.seconds for one in cases))
        for one in cases:
            suite.append(_case(one, explained))
        suites.append(suite)
    return _document(suites)


def problem_report(problems: Iterable[Problem]) -> bytes:
    """Of a configuration that is wrong: no test could run, and a build server must not show those of last time."""
    suites = []
    for file, group in groupby(sorted(problems), key=lambda problem: str(problem.file)):
        found = list(group)
        suite = _suite(file, len(found), errors=len(found))
        for problem in found:
            name = f"{problem.line}:{problem.column}: {problem.path}"
            case = ET.SubElement(suite, "testcase", _attributes(classname=file, name=name, time="0"))
            ET.SubElement(case, "error", _attributes(type="configuration", message=problem.text)).text = clean(
                str(problem)
            )
        suites.append(suite)
    return _document(suites)


def write(content: bytes, file: Path) -> None:
    """As a whole or not at all: a build server may be reading."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(content)
    new.replace(file)


def _case(one: Ran, explained: Explained) -> ET.Element:
    attributes = _attributes(classname=str(one.case.file), name=one.result.name, time=f"{one.seconds:.6f}")
    case = ET.Element("testcase", {**attributes, "file": clean(str(one.case.file)), "line": str(one.case.line)})
    if not one.result.passed:
        first = one.result.differences[0]
        message = f"{first.name}: expected {first.expected}, got {first.got}"
        failure = ET.SubElement(case, "failure", _attributes(type="difference", message=message))
        failure.text = clean("\n".join(_failure(one, explained)))
    return case


def _failure(one: Ran, explained: Explained) -> Iterator[str]:
    yield f"{one.case.file}:{one.case.line}"
    yield f"record: {record_text(one.case.test)}"
    for each in one.result.differences:
        yield f"{each.name}: expected {each.expected}, got {each.got}"
    for line in cause_lines(one, explained):
        yield f"because {line}"


def _suite(name: str, tests: int, *, failures: int = 0, errors: int = 0, seconds: float = 0) -> ET.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    return ET.Element("testsuite", {"name": clean(name), **counts, "time": f"{seconds:.6f}"})


def _document(suites: list[ET.Element]) -> bytes:
    counts = {name: str(sum(int(suite.get(name, 0)) for suite in suites)) for name in ("tests", "failures", "errors")}
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    root = ET.Element("testsuites", {"name": "contribd test", **counts, "time": f"{seconds:.6f}"})
    root.extend(suites)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _attributes(**values: str) -> dict[str, str]:
    return {name: clean(value) for name, value in values.items()}


def clean(text: str) -> str:
    """``text`` without what XML cannot carry: a NUL becomes ``\\x00``."""
    return _NOT_XML.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
