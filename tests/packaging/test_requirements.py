"""What packages and bundle install: every dependency, of the pinned version, by its hashes."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NOT_FOR_HOSTS = {"docs", "demo", "dev", "release"}
"""Extras that neither packages nor bundle have."""
ENTRY = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.]+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)


def hashed() -> dict[str, tuple[str, int, str]]:
    """Version, number of hashes and marker, by name."""
    found: dict[str, tuple[str, int, str]] = {}
    for entry in ENTRY.finditer((ROOT / "packaging/requirements.txt").read_text()):
        marker = re.search(r";\s*([^\\\n]+?)\s*\\", entry["rest"])
        hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry["rest"]))
        found[canonicalize_name(entry["name"])] = (entry["version"], hashes, marker[1] if marker else "")
    return found


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_one_has_hashes_and_the_version_that_was_tested() -> None:
    found = hashed()
    assert [name for name, (_, count, _) in found.items() if count == 0] == []
    here = {name: version for name, (version, _, marker) in found.items() if "win32" not in marker}
    assert here.items() <= pinned().items()


def test_every_dependency_of_the_program_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra, more in project["optional-dependencies"].items():
        wanted += more if extra not in NOT_FOR_HOSTS else []
    found = hashed()
    for requirement in map(Requirement, wanted):
        version = found[canonicalize_name(requirement.name)][0]
        assert requirement.specifier.contains(version), f"{requirement}: {version} is what packages would install"
