"""Fetching jars and compiling with Maven, once for each state of the sources, whoever asks first."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
CACHE = REPOSITORY / ".cache" / "integration"
MAVEN_LIMIT_SECONDS = 600  # a first build downloads 50 MB over whatever network there is


class BuildError(Exception):
    """Maven failed; the text holds the end of what it printed."""


def built(source: Path, goals: Sequence[str]) -> Path:
    """The folder with a copy of ``source`` in which the Maven ``goals`` have succeeded.

    Safe with several test sessions at once: the folder is named after the content of ``source``, a file lock guards
    the build, and a build that was interrupted is done again.
    """
    folder = CACHE / f"{source.name}-{_fingerprint(source, goals)}"
    done = folder / ".built"
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{source.name}.lock"):
        if not done.exists():
            _build(source, folder, goals)
            done.touch()
    return folder


def _build(source: Path, folder: Path, goals: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    command = ["mvn", "--batch-mode", "--quiet", "--no-transfer-progress", *goals]
    run = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=MAVEN_LIMIT_SECONDS,
    )
    if run.returncode != 0:
        raise BuildError(f"{' '.join(command)} in {folder} failed with {run.returncode}:\n{run.stdout[-4000:]}")


def _fingerprint(source: Path, goals: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(goals).encode())
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(source)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits until no other test session is inside with the same ``path``."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
