"""A root folder with the host's release of Debian, and in it what packages of contribd need: made once, then kept."""

import platform
import shutil
import subprocess
from pathlib import Path

from tests.integration.rigs.java_build import CACHE, locked

WHAT_IS_IN_IT = ("systemd", "init-system-helpers", "python3", "rpm")
"""``rpm`` installs into a database of its own there: a root folder of a distribution that uses it is not to be had."""
FASTER = (
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")),
    '--aptopt=Acquire::Languages "none"',
)
LIMIT_SECONDS = 400


def clean_root() -> Path:
    """The folder. RuntimeError with what mmdebstrap printed where it could not be made."""
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    folder = CACHE / f"root-{codename}"
    done = folder.with_suffix(".done")
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / "root.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(codename, folder)
            done.touch()
    return folder


def _make(codename: str, folder: Path) -> None:
    include = f"--include={','.join(WHAT_IS_IN_IT)}"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", *FASTER, include, codename, str(folder)]
    made = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    if made.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed with {made.returncode}:\n{made.stdout[-4000:]}")
