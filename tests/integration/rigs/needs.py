"""What the integration tests need of the machine, and what becomes of a test where it is missing."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

JAVA_VERSION = 17
INSTALL_JAVA = "Java 17 or newer and Maven are needed: apt-get install openjdk-17-jdk-headless maven"
INSTALL_SYSTEMD = (
    "systemd and root that may make namespaces are needed: apt-get install systemd util-linux, run as root"
)
INSTALL_PROMETHEUS = "Prometheus and promtool are needed: apt-get install prometheus"
INSTALL_CHROMIUM = "Chromium and its driver are needed: apt-get install chromium chromium-driver"
INSTALL_PACKAGING = (
    "Debian 12 or a later one, its own Python 3.11 or newer with venv, mmdebstrap and root are needed: "
    "apt-get install python3 python3-venv mmdebstrap, run as root"
)
SYSTEMD = Path("/lib/systemd/systemd")


def required() -> bool:
    """True where a missing tool is a failure: in CI, or on request."""
    return os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("CONTRIBD_REQUIRE_INTEGRATION") == "1"


def _missing(text: str) -> NoReturn:
    # One place for both: pytest folds skips by the line they come from.
    if required():
        pytest.fail(f"{text} (skipped instead where neither CI=true nor CONTRIBD_REQUIRE_INTEGRATION=1)", pytrace=False)
    pytest.skip(text)


@functools.cache
def java_version() -> int:
    """The major version of ``java``; 0 where there is none that answers."""
    java = shutil.which("java")
    if java is None:
        return 0
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r'version "(\d+)', shown.stderr)
    return int(found[1]) if found else 0


def java_and_maven() -> None:
    """Skips or fails the test where Java 17, its compiler or Maven is missing."""
    if java_version() < JAVA_VERSION or not shutil.which("javac") or not shutil.which("mvn"):
        _missing(INSTALL_JAVA)


@functools.cache
def _namespaces() -> bool:
    """Whether namespaces can be made: root in an ordinary container may not."""
    command = ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "true"]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def prometheus() -> None:
    """Skips or fails the test where there is no Prometheus to run."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        _missing(INSTALL_PROMETHEUS)


def root_and_systemd() -> None:
    """Skips or fails the test where it cannot boot a systemd in namespaces of its own."""
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "systemctl"))
    if os.geteuid() != 0 or not SYSTEMD.exists() or not tools or not _namespaces():
        _missing(INSTALL_SYSTEMD)


@functools.cache
def _own_python() -> bool:
    """Whether the distribution's own interpreter can be what packages are made for."""
    look = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    python = Path("/usr/bin/python3")
    return python.exists() and subprocess.run([python, "-c", look], check=False, timeout=60).returncode == 0


def what_packages_need() -> None:
    """Skips or fails the test where packages cannot be built, or there is no clean root to install them into."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap") or not _own_python() or not _namespaces():
        _missing(INSTALL_PACKAGING)


def chromium() -> None:
    """Skips or fails the test where Chromium or its driver is missing."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        _missing(INSTALL_CHROMIUM)
