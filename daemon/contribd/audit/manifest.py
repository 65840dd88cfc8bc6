"""Manifests of an export: one for each run, each following the one before. The types, and the JSON Schema.

Theory of operation
===================

A manifest says which offsets of which partition a run has read, the number of records there and the RFC 6962 root over
them (``merkle``: the same leaves as a seal's), and for each file its size and SHA-256. So what is in the files can be
held against the manifest, and a seal against what is in the files.

Nobody can change a manifest by mistake: ``sha256`` is over all the rest of it. Nobody can change one on purpose where
it is signed (a note beside it, ``notes``), or where the next one names it by the SHA-256 of its file.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

FORMAT: Final = 1
_DIGEST: Final = "^[0-9a-f]{64}$"

_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Time = Annotated[datetime, Meta(tz=True, description="UTC")]
_Sha256 = Annotated[str, Meta(pattern=_DIGEST, description="In hexadecimal")]
_Path = Annotated[str, Meta(description="Below the folder of the export, with slashes", pattern=r"^(?!.*\.\.)[^/].*$")]


class Kind(StrEnum):
    """What the records of a topic are."""

    RESULTS = "results"
    PRICES = "prices"
    EVENTS = "events"


class NotExported(Struct, frozen=True):
    """Offsets that are in no file, and why."""

    first: _Count
    last: _Count
    what: str


class ExportedLog(Struct, frozen=True):
    """What one run has read of one partition."""

    kind: Kind
    topic: str
    topic_id: Annotated[str | None, Meta(description="Kafka's id of the topic; null where the broker has none")]
    partition: _Count
    first: Annotated[_Count, Meta(description="The first offset; where the run before ended")]
    end: Annotated[_Count, Meta(description="The first offset that was not read any more")]
    log_start: Annotated[_Count, Meta(description="The oldest offset that the log had then")]
    why: Annotated[str, Meta(description="Why it ended there")]
    records: Annotated[_Count, Meta(description="How many records there were: offsets may have none")]
    root: Annotated[str, Meta(description="Of the Merkle tree (RFC 6962) over the records, as in seals; base64")]
    not_exported: tuple[NotExported, ...] = ()


class DataFile(Struct, frozen=True):
    """A Parquet file: records of one partition and one day."""

    path: _Path
    kind: Kind
    topic: str
    partition: _Count
    day: Annotated[str | None, Meta(description="Of the records' Kafka timestamps, in UTC; null: they have none")]
    first: Annotated[_Count, Meta(description="The first record's offset")]
    last: Annotated[_Count, Meta(description="The last record's offset")]
    records: Annotated[int, Meta(ge=1)]
    bytes: _Count
    sha256: _Sha256


class RulesFile(Struct, frozen=True):
    """Rules that results name, as ``contribd rules show --json`` shows them."""

    digest: Annotated[str, Meta(description="As in a result's config")]
    path: _Path
    bytes: _Count
    sha256: _Sha256


class Previous(Struct, frozen=True):
    """The manifest before."""

    name: str
    sha256: Annotated[_Sha256, Meta(description="Of its file")]


class Asked(Struct, frozen=True):
    """Which records of the prices topics were asked for. All where nothing is said."""

    since: _Time | None = None
    until: _Time | None = None
    offsets: tuple[str, ...] = ()


class Manifest(Struct, frozen=True):
    """Of one run of ``contribd audit export``."""

    format: Annotated[int, Meta(ge=1)]
    exported_at: _Time
    version: Annotated[str, Meta(description="contribd's version")]
    host: str
    user: Annotated[str, Meta(description="Who ran it on that host")]
    group: Annotated[str, Meta(description="The consumer group whose settled offsets end the records of prices")]
    results_topic: str
    results_partitions: Annotated[int, Meta(ge=1, description="How many the results topic had then")]
    asked: Asked
    previous: Annotated[Previous | None, Meta(description="null: this is the first one of its folder")]
    logs: tuple[ExportedLog, ...]
    files: tuple[DataFile, ...]
    rules: tuple[RulesFile, ...]
    unknown_rules: Annotated[
        tuple[str, ...], Meta(description="Rules that exported results name, and that were nowhere to be found")
    ]
    sha256: Annotated[
        str,
        Meta(
            description="Over all the rest: as JSON without this member, with sorted names and without spaces, in UTF-8"
        ),
    ] = ""


class ManifestError(ValueError):
    """A manifest that is none, or is not what it was; the text says why."""


_encode: Final = msgspec.json.Encoder().encode
_convert: Final = msgspec.json.Decoder(Manifest).decode


def written(manifest: Manifest) -> bytes:
    """As it stands in its file, whatever its ``sha256`` says."""
    document = json.loads(_encode(manifest))
    document["sha256"] = _digest(document)
    return msgspec.json.format(_encode(document), indent=1) + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """What is in such a file. Raises ``ManifestError``."""
    try:
        manifest = _convert(text)
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"it is no manifest: {error}") from None
    if manifest.format != FORMAT:
        raise ManifestError(f"it has format {manifest.format}, and this version of contribd knows format {FORMAT}")
    if manifest.sha256 != _digest(document):
        raise ManifestError("it was altered: its SHA-256 is not that of what it says")
    return manifest


def _digest(document: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a manifest."""
    (reference,), definitions = msgspec.json.schema_components([Manifest], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "contribd manifest",
        **reference,
        "$defs": definitions,
    }
