"""Claims on disk, in the order of the records that they are of, so that a verification needs little memory.

Theory of operation
===================

Results lie in the order in which they were settled, spread over partitions by their RICs; records lie in the order in
which they came. To lay one beside the other, all claims are first put into an SQLite file, ordered by the place of
their record; then the records are read, partition by partition, with their claims beside them.

Everything that is found or counted is in the same file, written in one transaction with how far the reading has come:
a verification that was ended goes on from there.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from contribd.audit.claim import Claim, Place, Placed, packed, unpacked
from contribd.audit.findings import Finding

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS said (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    source INTEGER, offset INTEGER, part INTEGER, at_partition INTEGER, at_offset INTEGER, body BLOB,
    PRIMARY KEY (source, offset, part, at_partition, at_offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS carried (
    carrier INTEGER, carrier_offset INTEGER, carrier_part INTEGER, source INTEGER, offset INTEGER, part INTEGER,
    PRIMARY KEY (carrier, carrier_offset, carrier_part, source, offset, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings (number INTEGER PRIMARY KEY, body TEXT);
"""

_CACHE_KIB: Final = 64 * 1024
"""Of the file in memory."""


class Rows(NamedTuple):
    """Claims as the file has them, for whoever may write it.

    ``sources``: the partitions of prices that they name, by their place in this list.
    """

    sources: list[tuple[str, int]]
    claims: list[tuple[int, int, int, int, int, bytes]]
    carried: list[tuple[int, int, int, int, int, int]]


def rows_of(placed: Iterable[Placed]) -> Rows:
    """Those of claims; of a withdrawal there is none."""
    codes: dict[tuple[str, int], int] = {}
    claims, carried = [], []
    for place, claim in placed:
        if place is None:
            continue
        code = codes.setdefault((place.topic, place.partition), len(codes))
        claims.append((code, place.offset, place.part, *claim.at, packed(claim)))
        if (carrier := claim.carrier) is not None:
            by = codes.setdefault((carrier.topic, carrier.partition), len(codes))
            carried.append((by, carrier.offset, carrier.part, code, place.offset, place.part))
    return Rows(list(codes), claims, carried)


class ClaimStore:
    """One verification's file. Every change becomes durable with ``keep``.

    One process writes it. Others may read it meanwhile, each with a store of its own; what they see of it is what was
    durable when they opened theirs, or newer.
    """

    def __init__(self, file: Path, *, only_read: bool = False) -> None:
        """Raises ``sqlite3.Error`` where the file is none of ours, or cannot be written."""
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if only_read:
            self._db.execute("PRAGMA query_only=1")
        else:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        self._sources: dict[tuple[str, int], int] = {
            (topic, number): code for code, (topic, number) in enumerate(self.recall("sources", []))
        }
        if not only_read:
            self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    # What is remembered of the verification itself

    def recall(self, name: str, default: Any) -> Any:
        """What was noted under this name; ``default`` where nothing was."""
        found = self._db.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
        return default if found is None else json.loads(found[0])

    def note(self, name: str, value: Any) -> None:
        """Notes it, as JSON."""
        self._db.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, json.dumps(value)))

    def keep(self) -> None:
        """All changes are durable from now on."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    # Claims

    def add(self, rows: Rows) -> None:
        """These claims, each at most once however often it is added."""
        codes = [self._code(*source) for source in rows.sources]
        self._db.executemany(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)",
            [(codes[source], *claim) for source, *claim in rows.claims],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO carried VALUES (?, ?, ?, ?, ?, ?)",
            [(codes[by], at, part, codes[source], *place) for by, at, part, source, *place in rows.carried],
        )

    def _code(self, topic: str, partition: int) -> int:
        code = self._sources.get((topic, partition))
        if code is None:
            code = self._sources[topic, partition] = len(self._sources)
            self.note("sources", [list(each) for each in self._sources])
        return code

    @property
    def partitions(self) -> list[tuple[str, int]]:
        """The partitions of prices that there are claims of, or of their carriers."""
        return list(self._sources)

    def of_partition(self, topic: str, partition: int, first: int, end: int) -> Iterator[tuple[int, list[Claim]]]:
        """The claims of the records from ``first`` on and below ``end``: each offset that has any, in order."""
        code = self._sources.get((topic, partition))
        if code is None:
            return
        rows = self._db.execute(
            "SELECT offset, body FROM claims WHERE source = ? AND offset >= ? AND offset < ? ORDER BY offset, part",
            (code, first, end),
        )
        for offset, group in groupby(rows, key=lambda row: int(row[0])):
            yield offset, [unpacked(body) for _, body in group]

    def first(self, topic: str, partition: int, start: int) -> int | None:
        """The lowest offset from ``start`` on of a record that has a claim; None where none has."""
        code = self._sources.get((topic, partition), -1)
        found = self._db.execute(
            "SELECT min(offset) FROM claims WHERE source = ? AND offset >= ?", (code, start)
        ).fetchone()
        return None if found[0] is None else int(found[0])

    def at(self, place: Place) -> list[Claim]:
        """The claims of one post of a record."""
        code = self._sources.get((place.topic, place.partition), -1)
        rows = self._db.execute(
            "SELECT body FROM claims WHERE source = ? AND offset = ? AND part = ?", (code, place.offset, place.part)
        )
        return [unpacked(body) for (body,) in rows]

    def carried_by(self, place: Place) -> list[tuple[Place, Claim]]:
        """The claims that name this post as their carrier, older records of a partition first."""
        code = self._sources.get((place.topic, place.partition), -1)
        rows = self._db.execute(
            "SELECT k.source, k.offset, k.part, c.body FROM carried k JOIN claims c"
            " ON c.source = k.source AND c.offset = k.offset AND c.part = k.part"
            " WHERE k.carrier = ? AND k.carrier_offset = ? AND k.carrier_part = ? ORDER BY k.source, k.offset, k.part",
            (code, place.offset, place.part),
        ).fetchall()
        names = list(self._sources)
        return [
            (Place(names[source][0], names[source][1], offset, part), unpacked(body))
            for source, offset, part, body in rows
        ]

    # Findings

    def report(self, finding: Finding) -> None:
        """One more finding."""
        self._db.execute("INSERT INTO findings (body) VALUES (?)", (json.dumps(finding.document()),))

    def findings(self) -> Iterator[Finding]:
        """All of them, in the order in which they were found."""
        for (body,) in self._db.execute("SELECT body FROM findings ORDER BY number"):
            yield Finding.of(json.loads(body))
