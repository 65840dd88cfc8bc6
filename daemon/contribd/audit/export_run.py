"""A run of an export from its beginning to its end: what is read, the rules behind it, and the manifest."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from contribd.audit.export_columns import DeskOf
from contribd.audit.export_folder import RULES, WrittenManifest
from contribd.audit.exporting import LogRange, Logs, export_log
from contribd.audit.manifest import FORMAT, Asked, DataFile, ExportedLog, Manifest, Previous, RulesFile
from contribd.mapping.mapper import Mapper


class Circumstances(NamedTuple):
    """When, where, by whom and of what an export is made."""

    at: datetime
    version: str
    host: str
    user: str
    group: str
    results_topic: str
    results_partitions: int
    asked: Asked


class KnownRules(Protocol):
    """Rules by their digests, None where they are not known: a ``RulesBook`` of documents."""

    def document(self, digest: str) -> Mapping[str, Any] | None:
        """As it is exported."""

    def mapper(self, digest: str) -> Mapper | None:
        """By these rules."""


def run_export(
    logs: Logs,
    ranges: Iterable[LogRange],
    before: Sequence[WrittenManifest],
    book: KnownRules,
    folder: Path,
    about: Circumstances,
    tick: Callable[[int], None] = lambda _offsets: None,
) -> Manifest:
    """Writes all files below ``folder`` and gives back what the manifest is to say. ``before``: oldest first."""
    exported, files, configs = list[ExportedLog](), list[DataFile](), set[str]()
    desk_of = desks_by(book.mapper)
    for each in ranges:
        log, made = export_log(logs, each, folder, desk_of, configs, tick)
        exported.append(log)
        files += made
    rules, unknown = _rules(book, configs, before, folder)
    last = before[-1] if before else None
    return Manifest(
        format=FORMAT,
        exported_at=about.at,
        version=about.version,
        host=about.host,
        user=about.user,
        group=about.group,
        results_topic=about.results_topic,
        results_partitions=about.results_partitions,
        asked=about.asked,
        previous=None if last is None else Previous(last.name, sha256(last.text).hexdigest()),
        logs=tuple(exported),
        files=tuple(files),
        rules=tuple(rules),
        unknown_rules=tuple(unknown),
    )


def desks_by(mapper_of: Callable[[str], Mapper | None]) -> DeskOf:
    """The desk of a mapping by the rules of a digest; None where nobody has them."""

    @lru_cache(maxsize=1024)
    def desk_of(config: str, mapping: str | None) -> str | None:
        mapper = None if mapping is None else mapper_of(config)
        return None if mapper is None or mapping is None else mapper.desks.get(mapping)

    return desk_of


def _rules(
    book: KnownRules, configs: set[str], before: Sequence[WrittenManifest], folder: Path
) -> tuple[list[RulesFile], list[str]]:
    """Writes those that are not in the export yet; also which nobody has."""
    there = {each.digest for written in before for each in written.manifest.rules}
    wanted = configs.union(*(written.manifest.unknown_rules for written in before)) - there
    made, unknown = list[RulesFile](), list[str]()
    for digest in sorted(wanted):
        document = book.document(digest)
        if document is None:
            unknown.append(digest)
            continue
        text = json.dumps(document).encode()
        name = f"{RULES}/{sha256(digest.encode()).hexdigest() if _is_odd(digest) else digest}.json"
        (folder / RULES).mkdir(exist_ok=True)
        (folder / name).write_bytes(text)
        made.append(RulesFile(digest, name, len(text), sha256(text).hexdigest()))
    return made, unknown


def _is_odd(digest: str) -> bool:
    """Whether it can be no name of a file: results may say anything."""
    return len(digest) > 64 or not digest.isascii() or not digest.isalnum()
