"""Whether an export is what its manifests say: the manifests themselves, the files, and what is in them.

Theory of operation
===================

First the manifests: each is whole, signed where that is asked for, follows the one before, and goes on where that
ended. Then the files: each is there, has its size and its SHA-256, and no other is. Then what is in them: the records
of each partition are read in order, once; the columns made of a record are made again and compared, and the roots are
computed anew. A file that was changed and given its new SHA-256 in a manifest shows in the root, and one whose root was
changed as well, in the manifest's own SHA-256, its signature, and the manifest that follows.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from contribd.audit.differences import cut
from contribd.audit.export_columns import DeskOf, RawRecord, row_of
from contribd.audit.export_folder import MANIFESTS, WrittenManifest, strange_files
from contribd.audit.export_notes import why_not_trusted
from contribd.audit.exported import Export, Part, Place
from contribd.audit.exporting import day_of, folder_of
from contribd.audit.findings import Finding, Wrong
from contribd.audit.manifest import DataFile, ManifestError, RulesFile, read_manifest
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.parquet_files import batch_of, digest_of_file, read_batches, schema_of
from contribd.audit.seals import Trusted

SHOWN: Final = 1_000
"""Findings in the files of one run and partition that are told one by one."""


def read_export(folder: Path, trust: Sequence[Trusted] | None) -> tuple[Export | None, list[Finding]]:
    """The export of a folder, and what is off about its manifests; None where there is not one that can be read.

    ``trust``: the keys of which one must have signed each; None: nobody need have. Raises OSError.
    """
    manifests, findings = list[WrittenManifest](), list[Finding]()
    for path in sorted(folder.glob(MANIFESTS)):
        text = path.read_bytes()
        try:
            manifests.append(WrittenManifest(path.name, read_manifest(text), text))
        except ManifestError as error:
            findings.append(Finding(Wrong.EXPORT, path.name, str(error)))
    manifests.sort(key=lambda each: (each.manifest.exported_at, each.name))
    for each in manifests if trust is not None else ():
        if (why := why_not_trusted(folder, each, trust or ())) is not None:
            findings.append(Finding(Wrong.EXPORT, each.name, why))
    findings += _breaks(manifests)
    if not manifests:
        findings.append(Finding(Wrong.EXPORT, str(folder), "there is no manifest of an export"))
        return None, findings
    export = Export(folder, manifests)
    for place in sorted(export.parts):
        findings += _gaps(place, export.parts[place])
    return export, findings


def _breaks(manifests: Sequence[WrittenManifest]) -> Iterator[Finding]:
    if manifests and (before := manifests[0].manifest.previous) is not None:
        yield Finding(Wrong.EXPORT, manifests[0].name, f"it follows {before.name}, which is not here")
    for older, newer in pairwise(manifests):
        previous = newer.manifest.previous
        if previous is None or previous.sha256 != sha256(older.text).hexdigest():
            names = "none" if previous is None else previous.name
            text = f"it follows another manifest ({names}) than {older.name} as it is now: one was altered or removed"
            yield Finding(Wrong.EXPORT, newer.name, text)


def _gaps(place: Place, parts: Sequence[Part]) -> Iterator[Finding]:
    for older, newer in pairwise(parts):
        at, first = older.log.end, newer.log.first
        gone = any((each.first, each.last) == (at, first - 1) for each in newer.log.not_exported)
        if at != first and not gone:
            text = f"{place} was exported up to {at} and goes on at {first}"
            yield Finding(Wrong.EXPORT, newer.manifest, text)


def check_files(
    export: Export,
    desk_of: DeskOf,
    tick: Callable[[int], None] = lambda _offsets: None,
) -> Iterator[Finding]:
    """What is off about its files; ``export`` learns which are damaged. ``desk_of``: by the rules in the export."""
    manifests = [each.manifest for each in export.manifests]
    for name in strange_files(export.folder, manifests, [each.name for each in export.manifests]):
        yield Finding(
            Wrong.EXPORT, name, "it is in no manifest that can be read: it was added, or its manifest is not there"
        )
    for manifest in manifests:
        for file in manifest.files:
            yield from _checked_file(export, file)
        for rules in manifest.rules:
            yield from _checked_rules(export, rules)
    for place in sorted(export.parts):
        yield from _Content(export, place, desk_of, tick).check()


def _checked_file(export: Export, file: DataFile) -> Iterator[Finding]:
    expected = folder_of(file.kind, file.topic, file.day, file.partition)
    if file.path != f"{expected}/{file.first:020}-{file.last:020}.parquet":
        yield Finding(Wrong.EXPORT, file.path, f"its manifest says it is of {expected}, {file.first} to {file.last}")
    if (why := _other_than(export.folder / file.path, file.bytes, file.sha256)) is not None:
        yield Finding(Wrong.EXPORT, file.path, why)
        if not (export.folder / file.path).exists():
            export.damaged[file.path] = why


def _checked_rules(export: Export, file: RulesFile) -> Iterator[Finding]:
    if (why := _other_than(export.folder / file.path, file.bytes, file.sha256)) is not None:
        export.damaged[file.path] = why
        yield Finding(Wrong.EXPORT, file.path, why)


def _other_than(path: Path, size: int, digest: str) -> str | None:
    """In what a file is not what its manifest says; None: in nothing."""
    try:
        if path.stat().st_size != size:
            return f"it has {path.stat().st_size} bytes, its manifest says {size}"
        found = digest_of_file(path)
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if found == digest else f"its SHA-256 is {found}, its manifest says {digest}"


class _Content:
    """What is in the files of one partition."""

    def __init__(self, export: Export, place: Place, desk_of: DeskOf, tick: Callable[[int], None]) -> None:
        self._export, self._place, self._tick = export, place, tick
        self._known_since = {
            each.digest: number for number, written in enumerate(export.manifests) for each in written.manifest.rules
        }
        self._all_desks, self._number = desk_of, 0
        self._found: list[Finding] = []
        self._unsaid = 0
        self._schema = schema_of(place.kind)

    def check(self) -> Iterator[Finding]:
        """Reads all of it."""
        before = set(self._export.damaged)
        for part in self._export.parts[self._place]:
            log, tree, self._number = part.log, Tree(), part.number
            for record in self._export.records(self._place, log.first, log.end, self._read):
                tree.append(leaf_of(record))
            self._tick(log.end - log.first)
            yield from self._take_found()
            if (tree.size, b64encode(tree.root()).decode()) != (log.records, log.root):
                yield self._other_root(part, tree.size)
        for path in sorted(set(self._export.damaged) - before):
            yield Finding(Wrong.EXPORT, path, self._export.damaged[path])

    def _take_found(self) -> Iterator[Finding]:
        yield from self._found
        if self._unsaid:
            text = f"{self._unsaid} more things are off in its files, as those before"
            yield Finding(Wrong.EXPORT, str(self._place), text)
        self._found, self._unsaid = [], 0

    def _desk_of(self, config: str, mapping: str | None) -> str | None:
        """By the rules that the run had which wrote the row: later ones may have found more."""
        known = self._known_since.get(config, self._number + 1) <= self._number
        return self._all_desks(config, mapping) if known else None

    def _other_root(self, part: Part, records: int) -> Finding:
        log = part.log
        text = "the records are not those that were exported: one was altered, removed, added or exchanged"
        if records != log.records:
            text += f" (there are {records}, {log.records} were exported)"
        return Finding(Wrong.EXPORT, f"{self._place}:{log.first}..{log.end - 1}", text, part.manifest)

    def _read(self, path: Path, file: DataFile) -> Iterator[tuple[list[RawRecord], Any]]:
        """The records of a file, each of which is looked at."""
        at, count = file.first - 1, 0
        for records, batch in read_batches(path, file.kind, whole=True):
            for record in records:
                self._look(file, record, at)
                at = record.offset
            count += len(records)
            self._compare(file, records, batch)
            yield records, batch
        if count != file.records:
            self._report(file.path, f"it has {count} records, its manifest says {file.records}")

    def _look(self, file: DataFile, record: RawRecord, before: int) -> None:
        if not before < record.offset <= file.last:
            self._report(f"{self._place}:{record.offset}", f"it is out of its order in {file.path}")
        if day_of(record.timestamp) != file.day:
            self._report(f"{self._place}:{record.offset}", f"it is of {day_of(record.timestamp)}, and in {file.path}")

    def _compare(self, file: DataFile, records: Sequence[RawRecord], batch: Any) -> None:
        """The columns that are made of a record, beside those that are there."""
        made = [row_of(file.kind, record, self._desk_of)[0] for record in records]
        anew = batch_of(made, self._schema)
        names = [name for name in self._schema.names if not anew.column(name).equals(batch.column(name))]
        for number, record in enumerate(records if names else ()):
            self._compare_row(file, record, anew.slice(number, 1), batch.slice(number, 1), names)

    def _compare_row(self, file: DataFile, record: RawRecord, anew: Any, row: Any, names: Sequence[str]) -> None:
        for name in names:
            if not anew.column(name).equals(row.column(name)):
                made, there = (str(each.column(name)[0]) for each in (anew, row))
                text = f"column {name} of {file.path} says {cut(there)}, and its record {cut(made)}"
                self._report(f"{self._place}:{record.offset}", text)

    def _report(self, place: str, text: str) -> None:
        if len(self._found) < SHOWN:
            self._found.append(Finding(Wrong.EXPORT, place, text))
        else:
            self._unsaid += 1
