"""An export as it lies in a folder: what its manifests say, and the records in its files, in order."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from contribd.audit.export_columns import RawRecord
from contribd.audit.export_folder import WrittenManifest
from contribd.audit.manifest import DataFile, ExportedLog, Kind, Manifest
from contribd.audit.parquet_files import DamagedFile, read_batches


class Part(NamedTuple):
    """What one manifest says of a partition; ``number``: of the manifest, from 0."""

    number: int
    manifest: str
    log: ExportedLog


class Place(NamedTuple):
    """A partition of an exported topic."""

    kind: Kind
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}"


class Export:
    """Of these manifests, oldest first. ``damaged``: files that are not read, and why."""

    def __init__(self, folder: Path, manifests: Sequence[WrittenManifest]) -> None:
        self.folder, self.manifests = folder, tuple(manifests)
        self.damaged: dict[str, str] = {}
        self.parts: dict[Place, list[Part]] = defaultdict(list)
        self._files: dict[Place, list[DataFile]] = defaultdict(list)
        for number, (name, manifest, _) in enumerate(manifests):
            for log in manifest.logs:
                self.parts[Place(log.kind, log.topic, log.partition)].append(Part(number, name, log))
            for file in manifest.files:
                self._files[Place(file.kind, file.topic, file.partition)].append(file)

    @property
    def first(self) -> Manifest:
        """The oldest manifest."""
        return self.manifests[0].manifest

    @property
    def last(self) -> Manifest:
        """The newest one."""
        return self.manifests[-1].manifest

    @property
    def results_topic(self) -> str:
        """Its name."""
        return self.last.results_topic

    def places(self, kind: Kind) -> list[Place]:
        """The partitions of a kind, in order."""
        return sorted(place for place in self.parts if place.kind is kind)

    def bounds(self, place: Place) -> tuple[int, int]:
        """First offset and end of what was exported of a partition; nothing where there is none."""
        parts = self.parts.get(place)
        return (parts[0].log.first, parts[-1].log.end) if parts else (0, 0)

    def files(self, place: Place) -> list[DataFile]:
        """Of a partition, in the order of their first records."""
        return sorted(self._files[place], key=lambda each: (each.first, each.path))

    def records(
        self,
        place: Place,
        first: int,
        end: int,
        read: Callable[[Path, DataFile], Iterator[tuple[list[RawRecord], Any]]] | None = None,
    ) -> Iterator[RawRecord]:
        """Those from ``first`` on and below ``end``, in order; what is in damaged files is passed over.

        ``read``: reads a file and looks at it, by default as ``read_batches`` does.
        """
        wanted = [each for each in self.files(place) if each.last >= first and each.first < end]
        for beside in _overlapping(wanted):
            runs = [self._of_file(each, read) for each in beside]
            merged = runs[0] if len(runs) == 1 else heapq.merge(*runs, key=attrgetter("offset"))
            for record in merged:
                if first <= record.offset < end:
                    yield record

    def _of_file(
        self, file: DataFile, read: Callable[[Path, DataFile], Iterator[tuple[list[RawRecord], Any]]] | None
    ) -> Iterator[RawRecord]:
        if file.path in self.damaged:
            return
        path = self.folder / file.path
        try:
            for records, _ in read_batches(path, file.kind) if read is None else read(path, file):
                yield from records
        except DamagedFile as error:
            self.damaged[file.path] = str(error)


def _overlapping(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    """Files that lie side by side, and so are merged; in the order of their first records."""
    group, last = list[DataFile](), -1
    for file in files:
        if group and file.first > last:
            yield group
            group = []
        group.append(file)
        last = max(last, file.last) if len(group) > 1 else file.last
    if group:
        yield group
