"""Reading the files of a configuration, and keeping what was read: the disk may have changed since."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

_kept: Final = ContextVar[dict[Path, bytes] | None]("kept", default=None)
"""Of the configuration that is being read, if any is."""


def read_file(path: Path, most: int = -1) -> bytes:
    """What is in a file, ``most`` bytes of it where it is longer. Raises OSError, ValueError."""
    with path.open("rb") as file:
        content = file.read(most)
    kept = _kept.get()
    if kept is not None:
        kept[Path(os.path.normpath(path.absolute()))] = content
    return content


def why_not_read(error: OSError | ValueError) -> str:
    """The words of what ``read_file`` raises."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


@contextmanager
def keeping() -> Iterator[dict[Path, bytes]]:
    """All that is read meanwhile, by absolute path."""
    kept: dict[Path, bytes] = {}
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def changed_since(read: Mapping[Path, bytes]) -> Path | None:
    """A file that is not as it was read any more; None: there was a moment at which all were so."""
    return next((path for path, content in read.items() if not _holds(path, content)), None)


def _holds(path: Path, content: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(content)) == content and not file.read(1)
    except OSError:
        return False
