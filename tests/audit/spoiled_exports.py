"""Exports of simulated topics, and what somebody may do to them."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from tests.audit.simulated import PARTITIONS, Topics, rules_of

from contribd.audit.book import Book
from contribd.audit.evidence import Unread
from contribd.audit.export_check import check_files, read_export
from contribd.audit.export_columns import RawRecord
from contribd.audit.export_evidence import ExportedTopic, open_export
from contribd.audit.export_folder import manifests_in, named, opened_folder
from contribd.audit.export_notes import signed
from contribd.audit.export_run import Circumstances, desks_by, run_export
from contribd.audit.exported import Export
from contribd.audit.exporting import LogRange, positions
from contribd.audit.findings import Finding
from contribd.audit.manifest import Asked, Kind, Manifest, written
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.notes import PrivateKey
from contribd.audit.seals import Trusted
from contribd.audit.steps import Steps, Terms
from contribd.audit.store import ClaimStore
from contribd.audit.verification import Verified, verify
from contribd.mapping.mapper import Mapper

AT = datetime(2026, 11, 30, tzinfo=UTC)
KEY, NEWER = (PrivateKey(f"audit.example.com/{number}", bytes([number] * 32)) for number in (1, 2))
TRUST = [Trusted(KEY.public), Trusted(NEWER.public, since=AT + timedelta(days=30))]
_DAY_MS = 24 * 3600 * 1000


@dataclass
class SimulatedLogs:
    """``Logs`` over topics, a batch at a time."""

    topics: Topics
    left_out: tuple[Unread, ...] = ()
    ends_after: int | None = None
    """So many batches, and then it fails."""

    def read(self, log: LogRange) -> Iterator[list[RawRecord]]:
        """Some at a time."""
        records = [each for each in self._all(log) if log.first <= each.offset < log.end]
        for start in range(0, len(records), 10):
            if self.ends_after is not None:
                self.ends_after -= 1
                if self.ends_after < 0:
                    raise ConnectionError("the connection is gone")
            yield records[start : start + 10]

    def unread(self, log: LogRange) -> list[Unread]:
        """What a test says."""
        return [each for each in self.left_out if log.kind is Kind.PRICES and log.first <= each.first < log.end]

    def _all(self, log: LogRange) -> list[RawRecord]:
        if log.kind is Kind.PRICES:
            return [_price(each) for each in self.topics.records[log.partition]]
        return [
            # Stamps of results go back and forth over some days, as those of no broker do.
            RawRecord(each.offset, _stamp(each.offset), "LogAppendTime", each.key, each.value, each.headers)
            for each in self.topics.results[log.partition]
        ]


def _stamp(offset: int) -> int:
    return round(AT.timestamp() * 1000) + offset * 3_600_000 + offset * 7919 % 3 * _DAY_MS


def _price(record: Any) -> RawRecord:
    at = record.surroundings
    key = None if at.key is None else at.key.encode()
    return RawRecord(at.offset, -1 if at.timestamp is None else at.timestamp, "CreateTime", key, record.value, ())


class Rules:
    """Those of a simulated run; each as a document with nothing but its digest."""

    def __init__(self, topics: Topics) -> None:
        self._plan = topics.plan

    def document(self, digest: str) -> Mapping[str, Any] | None:
        """Of what the run has."""
        return None if self.mapper(digest) is None else {"digest": digest}

    def mapper(self, digest: str) -> Mapper | None:
        """By these rules."""
        return rules_of(self._plan, digest)


def export(
    topics: Topics,
    folder: Path,
    *,
    share: float = 1.0,
    at: datetime = AT,
    key: PrivateKey | None = KEY,
    logs: SimulatedLogs | None = None,
) -> Manifest:
    """One run, from where the last one ended up to a share of each log."""
    with opened_folder(folder) as opened:
        before = manifests_in(folder)
        came_to = {
            place: log.end for place, log in positions(log for each in before for log in each.manifest.logs).items()
        }
        about = Circumstances(at, "0", "host", "user", "contribd", "results", PARTITIONS, Asked())
        ranges = list(_ranges(topics, came_to, share))
        made = run_export(logs or SimulatedLogs(topics), ranges, before, Rules(topics), opened.staging, about)
        opened.commit(made, signed(named(made), made, written(made), [] if key is None else [key]))
    return made


def _ranges(topics: Topics, came_to: Mapping[tuple[str, int], int], share: float) -> Iterator[LogRange]:
    for each in topics.stretches:
        end = each.first + round((each.end - each.first) * share)
        first = came_to.get((each.topic, each.partition), each.first)
        yield LogRange(Kind.PRICES, each.topic, None, each.partition, first, end, each.first, "the end of the log")
    for number, (first, end) in topics.bounds.results.items():
        began = came_to.get(("results", number), first)
        yield LogRange(Kind.RESULTS, "results", "id2", number, began, round(end * share), first, "the end of the log")


@dataclass
class Judged:
    """What came of an export: findings about it, and what a verification makes of what is in it."""

    export: Export | None
    unlike: list[Finding]
    verified: Verified
    found: list[Finding]

    @property
    def all(self) -> list[str]:
        """Every finding, as people see it."""
        return [str(each) for each in (*self.unlike, *self.found)]


def judged(topics: Topics, folder: Path, trust: list[Trusted] | None = None) -> Judged:
    """What ``contribd audit verify --export`` makes of it."""
    read, unlike = read_export(folder, trust)
    if read is None:
        return Judged(None, unlike, Verified([], {}, 0), [])
    rules = Rules(topics)
    unlike += check_files(read, desks_by(rules.mapper))
    found: list[Finding] = []
    with ClaimStore(Path(":memory:")) as store, open_export(read) as (evidence, bounds):
        book, terms = Book(store, found.append), Terms((PARTITIONS,), "0", whole=True)
        verified = verify(bounds, book, Steps(evidence, book, rules.mapper, terms).do_all)
    return Judged(read, unlike, verified, found)


def sealed_results(folder: Path) -> ExportedTopic:
    """Its results, for seals."""
    read, _ = read_export(folder, None)
    assert read is not None
    return ExportedTopic(read)


# What somebody may do


def files_of(folder: Path, kind: str = "results") -> list[Path]:
    """The Parquet files of a kind."""
    return sorted((folder / kind).rglob("*.parquet"))


def change_row(path: Path, column: str, change: Callable[[Any], Any]) -> int:
    """Writes a file anew with one row changed; its offset."""
    table = parquet.read_table(path, partitioning=None)
    number = table.num_rows // 2
    values = table.column(column).to_pylist()
    values[number] = change(values[number])
    at = table.schema.get_field_index(column)
    changed = table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))
    parquet.write_table(changed, path, compression="zstd")
    return int(table.column("offset")[number].as_py())


def forge(folder: Path, *, roots: bool, key: PrivateKey | None = None, which: int = -1) -> Path:
    """Makes a manifest say what the files are now; with ``roots`` those, too, and signed anew with ``key``."""
    path = sorted(folder.glob("manifest-*.json"))[which]
    document = json.loads(path.read_bytes())
    for file in document["files"]:
        if (folder / file["path"]).exists():
            there = (folder / file["path"]).read_bytes()
            file |= {"bytes": len(there), "sha256": hashlib.sha256(there).hexdigest()}
    read = Export(folder, manifests_in(folder))
    for log in document["logs"] if roots else ():
        place = next(each for each in read.parts if (each.topic, each.partition) == (log["topic"], log["partition"]))
        tree = Tree()
        for record in read.records(place, log["first"], log["end"]):
            tree.append(leaf_of(record))
        log |= {"root": base64.b64encode(tree.root()).decode(), "records": tree.size}
    write_manifest(path, document)
    if key is not None:
        found = next(each for each in manifests_in(folder) if each.name == path.name)
        note = signed(path.name, found.manifest, found.text, [key])
        path.with_name(path.name + ".note").write_text(note or "")
    return path


def write_manifest(path: Path, document: dict[str, Any]) -> None:
    """With its own digest made anew, as whoever knows the form would."""
    rest = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_text(json.dumps(rest | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))
