"""Waiting until files change.

By looking at them again and again: it works on every file system, in containers and over a network as well, and needs
no library. Some dozen files twice a second cost next to nothing.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

INTERVAL: Final = 0.5
"""Seconds between two looks."""

State: TypeAlias = dict[Path, tuple[int, int, int] | None]


def state(files: Iterable[Path]) -> State:
    """What is to be compared: of the files, and of their folders, where a file may be new or gone."""
    return state_of({path.absolute() for file in files for path in (file, file.absolute().parent)})


def wait_for_change(before: State, sleep: Callable[[float], None] = time.sleep) -> None:
    """Returns once something is not as it was, and has been the same for two looks: a save may take a moment."""
    while (now := state_of(before)) == before:
        sleep(INTERVAL)
    while True:
        sleep(INTERVAL / 5)
        if (again := state_of(before)) == now:
            return
        now = again


def state_of(paths: Iterable[Path]) -> State:
    """These paths, now."""
    return {path: _state(path) for path in paths}


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
