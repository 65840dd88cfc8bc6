"""A second reader of results: what docs/results.md says, in Python's own json, and nothing of the daemon's code.

It knows of three faults: a record without a result, one with two, and a result that is of other input. Of an export it
knows the roots.
"""

import base64
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb


def faults_in(topics: Any) -> list[tuple[str, str]]:
    """Places and what is wrong there, sorted. ``topics`` has ``records`` and ``results``, each by partition."""
    seen: Counter[tuple[int, int, int]] = Counter()
    posts: dict[tuple[int, int], int] = {}
    digests: dict[tuple[int, int], set[str]] = {}
    for result in (each for log in topics.results.values() for each in log):
        source = json.loads(result.value)["source"]
        if source is None:
            continue
        at = source["partition"], source["offset"]
        seen[(*at, source.get("part", 0))] += 1
        posts[at] = source.get("parts", 1)
        digests.setdefault(at, set()).add(source["sha256"])
    return sorted(_faults(topics, seen, posts, digests))


def _faults(
    topics: Any,
    seen: Counter[tuple[int, int, int]],
    posts: dict[tuple[int, int], int],
    digests: dict[tuple[int, int], set[str]],
) -> list[tuple[str, str]]:
    found = []
    for number, log in topics.records.items():
        for record in log:
            at = number, record.surroundings.offset
            place = f"prices:{at[0]}:{at[1]}"
            numbers = [seen[(*at, part)] for part in range(posts.get(at, 1))]
            found += [(place, "missing")] * (0 in numbers)
            found += [(place, "doubled")] * any(count > 1 for count in numbers)
            found += [(place, "other-input")] * (
                digests.get(at, {hashlib.sha256(record.value).hexdigest()})
                != {hashlib.sha256(record.value).hexdigest()}
            )
    return found


def faults_in_export(folder: Path) -> list[str]:
    """Partitions whose records are not those of which a manifest has the root; read by DuckDB."""
    faults = []
    with duckdb.connect() as database:
        for path in folder.glob("manifest-*.json"):
            for log in json.loads(path.read_bytes())["logs"]:
                rows = _rows(database, folder, log)
                if (len(rows), base64.b64encode(_root([_leaf(*row) for row in rows])).decode()) != (
                    log["records"],
                    log["root"],
                ):
                    faults.append(f"{log['topic']}:{log['partition']}:{log['first']}..{log['end'] - 1}")
    return faults


def _rows(database: Any, folder: Path, log: dict[str, Any]) -> list[tuple[Any, ...]]:
    inner = f"topic={log['topic']}/" if log["kind"] == "prices" else ""
    files = list((folder / log["kind"]).glob(f"{inner}day=*/partition={log['partition']}/*.parquet"))
    if not files:
        return []
    rows: list[tuple[Any, ...]] = database.execute(
        'SELECT "offset", key, value, headers FROM read_parquet($1, hive_partitioning = false)'
        ' WHERE "offset" >= $2 AND "offset" < $3 ORDER BY "offset"',
        [list(map(str, files)), log["first"], log["end"]],
    ).fetchall()
    return rows


def _leaf(offset: int, key: bytes | None, value: bytes | None, headers: list[dict[str, Any]]) -> bytes:
    """docs/audit.md, Seals."""
    texts = [key, value, *(text for each in headers for text in (each["name"].encode(), each["value"]))]
    sized = [b"\xff\xff\xff\xff" if text is None else len(text).to_bytes(4, "big") + text for text in texts]
    return offset.to_bytes(8, "big") + sized[0] + sized[1] + len(headers).to_bytes(4, "big") + b"".join(sized[2:])


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return hashlib.sha256(b"\x01" + _root(leaves[:left]) + _root(leaves[left:])).digest()
