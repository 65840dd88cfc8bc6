"""Wheel and sdist: the same bytes from the same sources, and what is in them."""

import hashlib
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.integration.rigs.packages import copy_of_the_sources, script

WHEN = "1790000000"


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, of a copy of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    sources = copy_of_the_sources(folder / "sources")
    script("dist.sh", folder / "dist", sources=sources, environment={"SOURCE_DATE_EPOCH": WHEN})
    return folder / "dist"


def test_another_folder_other_dates_and_another_umask_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    sources = copy_of_the_sources(tmp_path / "elsewhere" / "deep" / "in here")
    for path in sources.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    (sources / "daemon/contribd/__pycache__").mkdir(mode=0o700)
    (sources / "daemon/contribd/__pycache__/left.cpython-311.pyc").write_bytes(b"of a run before")
    umask = os.umask(0o077)
    try:
        script("dist.sh", tmp_path / "dist", sources=sources, environment={"SOURCE_DATE_EPOCH": WHEN})
    finally:
        os.umask(umask)
    assert digests(tmp_path / "dist") == digests(built)
    assert {name.rpartition(".")[2] for name in digests(built)} == {"whl", "gz"}


def test_the_sdist_gives_the_same_wheel_without_being_told_a_date(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (sources,) = tmp_path.iterdir()
    environment = {"SOURCE_DATE_EPOCH": ""}
    script("dist.sh", tmp_path / "dist", sources=sources, environment=environment)
    assert digests(tmp_path / "dist") == digests(built)


def test_a_checkout_takes_its_date_from_its_commit(tmp_path: Path) -> None:
    sources = copy_of_the_sources(tmp_path / "sources")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(sources)]
    environment = {**os.environ, "GIT_COMMITTER_DATE": f"{WHEN} +0000"}
    for command in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "x"]):
        subprocess.run([*git, *command], env=environment, check=True, timeout=60)
    script("dist.sh", tmp_path / "dist", sources=sources, environment={"SOURCE_DATE_EPOCH": ""})
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 9, 21, 14, 13, 20)}


def test_the_wheel_has_the_program_and_its_examples_alone(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "contribd/example/contribd.yaml" in names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"contribd"}
    assert not [name for name in names if "__pycache__" in name]
