"""The folder of an export: manifests and files in their places, whole or not at all, and nothing ever written over.

Theory of operation
===================

A run writes everything into ``.unfinished``. Once that is complete and on the disk, with the manifest, each file is
moved to its place, and the manifest last of all. A run that ends before that leaves a folder that the next one clears;
one that ends in the middle of the moving is completed by the next one. So what a manifest names is there, and what is
there is named by one.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from contribd.audit.manifest import Kind, Manifest, ManifestError, read_manifest, written
from contribd.audit.parquet_files import ExportError

UNFINISHED: Final = ".unfinished"
LOCK: Final = ".lock"
RULES: Final = "rules"
NOTE: Final = ".note"
"""Follows a manifest's name: its signatures."""
MANIFESTS: Final = "manifest-*.json"
KEPT: Final = (*(kind.value for kind in Kind), RULES)
"""The folders that hold what manifests name."""


class WrittenManifest(NamedTuple):
    """One as it lies there."""

    name: str
    manifest: Manifest
    text: bytes


def manifests_in(folder: Path) -> list[WrittenManifest]:
    """All of a folder, oldest first. Raises ``ManifestError``, with the name, where one cannot be read, and OSError."""
    found = []
    for path in sorted(folder.glob(MANIFESTS)):
        text = path.read_bytes()
        try:
            found.append(WrittenManifest(path.name, read_manifest(text), text))
        except ManifestError as error:
            raise ManifestError(f"{path.name}: {error}") from None
    return sorted(found, key=lambda each: each.manifest.exported_at)


def named(manifest: Manifest) -> str:
    """The name of its file."""
    return f"manifest-{manifest.exported_at:%Y%m%dT%H%M%SZ}.json"


class ExportFolder:
    """One, for one run."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.staging = place / UNFINISHED
        self.staging.mkdir()

    def commit(self, manifest: Manifest, note: str | None) -> Path:
        """Gives everything its place. Raises ``ExportError`` where something is there already, and OSError."""
        name = named(manifest)
        if (self.place / name).exists():
            raise ExportError(f"{self.place / name} is there already: an export a second is enough")
        if note is not None:
            (self.staging / f"{name}{NOTE}").write_text(note)
        for path in self.staging.rglob("*"):
            if path.is_file():
                _to_disk(path)
        passing = self.staging / "manifest.part"
        passing.write_bytes(written(manifest))
        _to_disk(passing)
        passing.rename(self.staging / name)
        _to_disk(self.staging)
        return _publish(self.place, name, manifest)


@contextmanager
def opened_folder(place: Path) -> Iterator[ExportFolder]:
    """The folder, for one run at a time; what an earlier one has begun is completed or cleared.

    Raises ``ExportError`` and OSError.
    """
    place.mkdir(parents=True, exist_ok=True)
    with (place / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportError(f"another export into {place} is at work") from None
        _complete(place)
        folder = ExportFolder(place)
        try:
            yield folder
        finally:
            if not any(folder.staging.glob(MANIFESTS)):  # else it was moving, and the next run completes that
                shutil.rmtree(folder.staging, ignore_errors=True)


def _complete(place: Path) -> None:
    """What an earlier run has left in the middle."""
    staging = place / UNFINISHED
    for path in staging.glob(MANIFESTS):
        try:
            _publish(place, path.name, read_manifest(path.read_bytes()))
        except ManifestError as error:
            raise ExportError(f"{path}: {error}; move {staging} away") from None
    if staging.exists():
        shutil.rmtree(staging)


def _publish(place: Path, name: str, manifest: Manifest) -> Path:
    staging = place / UNFINISHED
    paths = [*(each.path for each in manifest.files), *(each.path for each in manifest.rules), f"{name}{NOTE}", name]
    clashing = [each for each in paths if (staging / each).exists() and (place / each).exists()]
    if clashing:
        raise ExportError(f"{place / clashing[0]} is there already, and is never written over: name another folder")
    folders = {place}
    for path in paths:
        if (staging / path).exists():  # else it was moved before
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            if path == name:
                _all_to_disk(folders)
            (staging / path).rename(place / path)
            folders.add((place / path).parent)
    _to_disk(place)
    return place / name


def _all_to_disk(folders: set[Path]) -> None:
    for folder in folders:
        _to_disk(folder)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def strange_files(place: Path, manifests: Sequence[Manifest], names: Sequence[str]) -> Iterator[str]:
    """What lies among the files of an export and is in none of its manifests."""
    known = {each.path for manifest in manifests for each in manifest.files}
    known |= {each.path for manifest in manifests for each in manifest.rules}
    for kept in KEPT:
        for path in sorted((place / kept).rglob("*")):
            relative = path.relative_to(place).as_posix()
            if not path.is_dir() and relative not in known:
                yield relative
    for path in sorted(place.glob(f"{MANIFESTS}{NOTE}")):
        if path.name.removesuffix(NOTE) not in names:
            yield path.name
