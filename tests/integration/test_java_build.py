"""Jars are fetched and compiled once for each state of the sources, however many sessions ask at once."""

import os
import threading
from pathlib import Path

import pytest
from tests.integration.rigs import java_build as build
from tests.integration.rigs.java_build import BuildError, built

COUNTING = "#!/bin/sh\necho ran >> ../runs\nsleep 0.2\necho made > made\n"
FAILING = "#!/bin/sh\necho no such artifact\nexit 1\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pom.xml").write_text("<project/>")
    return folder


def maven(tmp_path: Path, script: str) -> None:
    program = tmp_path / "bin" / "mvn"
    program.write_text(script)
    program.chmod(0o755)


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "cache" / "runs").read_text().splitlines())


def test_several_at_once_build_once(tmp_path: Path, source: Path) -> None:
    maven(tmp_path, COUNTING)
    made: list[bool] = []
    askers = [threading.Thread(target=lambda: made.append((built(source, ["x"]) / "made").exists())) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert made == [True] * 4
    assert runs(tmp_path) == 1


def test_changed_sources_and_other_goals_are_built_anew(tmp_path: Path, source: Path) -> None:
    maven(tmp_path, COUNTING)
    first = built(source, ["x"])
    (source / "pom.xml").write_text("<project><name>other</name></project>")
    assert built(source, ["x"]) != first
    built(source, ["y"])
    assert runs(tmp_path) == 3


def test_a_failed_build_says_why_and_is_done_again(tmp_path: Path, source: Path) -> None:
    maven(tmp_path, FAILING)
    with pytest.raises(BuildError, match="no such artifact"):
        built(source, ["x"])
    maven(tmp_path, COUNTING)
    assert (built(source, ["x"]) / "made").exists()
