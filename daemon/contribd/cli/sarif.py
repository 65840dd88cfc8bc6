"""Problems as a SARIF log (2.1.0): what code hosts show beside a change."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contribd import __version__
from contribd.config.codes import meanings
from contribd.config.errors import Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """The log of one run. File names stay as they were given where they are relative, so that a host finds them."""
    known = meanings()
    codes = sorted({problem.code for problem in problems if problem.code})
    rules = [{"id": code, "shortDescription": {"text": known.get(code, code)}} for code in codes]
    driver = {"name": "contribd", "version": __version__, "rules": rules}
    results = [_result(problem) for problem in problems]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _result(problem: Problem) -> dict[str, Any]:
    text = problem.said + (f"\n{problem.cure}" if problem.cure else "")
    region = {"startLine": problem.line, "startColumn": problem.column}
    if problem.end:
        region |= {"endLine": problem.end[0], "endColumn": problem.end[1]}
    artifact = {"uri": _uri(problem.file)}
    place = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    rule = {"ruleId": problem.code} if problem.code else {}
    return {**rule, "level": "error", "message": {"text": text}, "locations": [place]}


def _uri(file: Path) -> str:
    return file.as_uri() if file.is_absolute() else file.as_posix()
