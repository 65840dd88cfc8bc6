"""What ``contribd init`` writes: never half of it, never over what is there unless that is asked for."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile


class NotWritten(Exception):
    """A file cannot be written; the text says which and why."""


def there(files: Iterable[Path]) -> list[Path]:
    """Those that are there already, be it as links that lead nowhere."""
    return [file for file in files if file.exists() or file.is_symlink()]


def write(contents: Mapping[Path, str], *, force: bool) -> None:
    """All of them. With ``force`` what is there is replaced, a link by the file. Raises NotWritten."""
    for file, content in contents.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, content) if force else _create(file, content)
        except OSError as error:
            raise NotWritten(f"{error.filename or file} cannot be written: {error.strerror}") from None


def _create(file: Path, content: str) -> None:
    with file.open("x", encoding="utf-8") as stream:
        stream.write(content)


def _replace(file: Path, content: str) -> None:
    if file.is_dir() and not file.is_symlink():
        raise IsADirectoryError(None, "it is a folder", str(file))
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as stream:
        stream.write(content)
    made = Path(stream.name)
    try:
        made.chmod(0o666 & ~_umask())
        made.replace(file)
    except OSError:
        made.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
