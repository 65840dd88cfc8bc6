"""The scripts of packages and bundle: what a shell finds wrong with them, and what they refuse."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.rigs.packages import script

ROOT = Path(__file__).parents[2]
SCRIPTS = [*sorted((ROOT / "packaging").glob("*.sh")), *sorted((ROOT / "packaging").glob("*/*"))]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_shell_can_read_it(path: Path) -> None:
    read = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False, timeout=60)
    assert (read.returncode, read.stderr) == (0, "")
    assert path.suffix != ".sh" or os.access(path, os.X_OK)


def test_sources_without_a_date_are_refused(tmp_path: Path) -> None:
    for folder in ("packaging", "daemon/contribd"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("dist.sh", "settings.sh"):
        shutil.copy2(ROOT / "packaging" / name, tmp_path / "packaging")
    shutil.copy2(ROOT / "daemon/contribd/__init__.py", tmp_path / "daemon/contribd")
    with pytest.raises(RuntimeError, match="neither a git checkout nor an unpacked sdist: set SOURCE_DATE_EPOCH"):
        script("dist.sh", tmp_path / "dist", sources=tmp_path, environment={"SOURCE_DATE_EPOCH": ""})


def test_a_bundle_for_another_python_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    shutil.copy2(ROOT / "packaging/bundle-install.sh", tmp_path / "install.sh")
    (tmp_path / "pythons").write_text("3.1 3.2\n")
    environment = {**os.environ, "PYTHON": sys.executable, "PREFIX": str(tmp_path / "prefix")}
    done = subprocess.run(
        [tmp_path / "install.sh"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert re.search(r"these wheels are for Python 3\.1 3\.2, and .* is 3\.\d+; say PYTHON=", done.stderr)
    assert not (tmp_path / "prefix").exists()


def test_units_and_configuration_are_put_in_place_and_a_configuration_stays(tmp_path: Path) -> None:
    environment = {**os.environ, "DESTDIR": str(tmp_path), "PREFIX": "/srv/contribd"}

    def place() -> None:
        subprocess.run([ROOT / "packaging/place.sh", ROOT], env=environment, check=True, timeout=60)

    place()
    units = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    assert units == {path.name for path in (ROOT / "systemd").iterdir()}
    assert "/opt/contribd" not in (tmp_path / "etc/systemd/system/contribd.service").read_text()
    config = tmp_path / "etc/contribd/contribd.yaml"
    assert config.read_text() == (ROOT / "config/contribd.yaml").read_text()
    config.write_text("mine: true\n")
    (tmp_path / "etc/contribd/mappings/fx-spot.yaml").unlink()
    place()
    assert config.read_text() == "mine: true\n"
    assert not (tmp_path / "etc/contribd/mappings/fx-spot.yaml").exists()


def test_wheels_are_fetched_once_and_again_where_one_is_not_as_it_was(tmp_path: Path) -> None:
    """A stand-in for pip notes what it is asked, and leaves the wheel of a dependency."""
    tools, folder, calls = tmp_path / "tools", tmp_path / "wheelhouse", tmp_path / "calls"
    tools.mkdir()
    (tools / "python").write_text(
        f'#!/bin/sh\necho "$@" >> "{calls}"\necho wheel > "{folder}/some-1-py3-none-any.whl"\n'
    )
    (tools / "python").chmod(0o755)
    own = tmp_path / "contribd-0-py3-none-any.whl"
    own.write_text("contribd's")

    def asked(*pythons: str) -> int:
        calls.write_text("")
        script(
            "wheelhouse.sh", folder, own, *pythons, environment={"TOOLS": str(tools), "SYSTEM_PYTHON": sys.executable}
        )
        assert {path.name for path in folder.glob("*.whl")} == {"some-1-py3-none-any.whl", own.name}
        return len(calls.read_text().splitlines())

    assert [asked(), asked()] == [1, 0]
    own.write_text("contribd's next")
    assert asked() == 0
    assert (folder / own.name).read_text() == "contribd's next"
    (folder / "some-1-py3-none-any.whl").write_text("altered")
    assert [asked(), asked()] == [1, 0]
    (folder / "some-1-py3-none-any.whl").unlink()
    assert [asked(), asked()] == [1, 0]
    assert [asked("3.12"), asked("3.12")] == [2, 0]
