"""docs/session.md names every reason with its factor, and only tests that exist."""

import ast
import re
from pathlib import Path

from contribd.engine.session.endpoints import FACTORS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "session.md").read_text()


def names(file: Path) -> set[str]:
    """Classes, functions, and methods as ``Class::method``."""
    found = {file.name}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


def test_every_reason_is_there_with_its_factor() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| .* \| (\d+) \|$", TEXT, re.MULTILINE)
    assert dict(rows) == {failure.value: f"{factor:g}" for failure, factor in FACTORS.items()}


def test_every_test_it_names_exists() -> None:
    table = TEXT.partition("| the server | contribd | test |")[2]
    suite = names(ROOT / "tests/conformance/conformance_suite.py")
    named = 0
    last_class = ""
    for reference in re.findall(r"`([^`]+)`", table):
        place, _, test = reference.partition("::")
        if place.startswith("Test") or place == "…":
            last_class = place if place != "…" else last_class
            assert f"{last_class}::{test}" in suite, reference
        elif place.endswith(".py"):
            file = ROOT / place if "/" in place else ROOT / "tests/ads" / place
            assert file.exists(), reference
            assert not test or test in names(file), reference
        else:
            continue
        named += 1
    assert named > 35
