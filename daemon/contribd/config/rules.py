"""The rules of a configuration: what a digest stands for, ready to map by, and to be handed on to another process."""

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from contribd.config.digest import plain
from contribd.mapping.mapper import Mapper


class KeptFiles(NamedTuple):
    """The texts that rules were read from, compressed, by absolute path; not that of the configuration itself."""

    mapping_files: tuple[str, ...]
    """In the order in which they are tried."""
    dictionary: tuple[str, ...]
    """The dictionary's fields, and its enumerated types; none, one or both."""
    texts: Mapping[str, bytes]
    """Those, and what mapping files include or take tables from."""


class Rules(NamedTuple):
    """``name``: where they come from, for people."""

    name: str
    digest: str
    settings: dict[str, Any]
    """Without secrets."""
    mappings: tuple[Mapping[str, Any], ...]
    """As they come out, in the order in which they are tried."""
    tables: Mapping[str, str]
    """Digests by name."""
    mapper: Mapper
    files: KeptFiles
    version: str | None = None
    """Of the contribd that handed them on; None where they were read here."""
    notes: tuple[str, ...] = ()
    """What must be known of how they came to be here."""


def written_mappings(data: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    """The mappings in what mapping files come to."""
    lists = (each["mappings"] if isinstance(each, Mapping) else each for each in data)
    return tuple(mapping for each in lists for mapping in each)


def written_tables(data: Iterable[Any]) -> dict[str, str]:
    """The digests of the tables in what mapping files come to, by name."""
    return {name: digest for each in data if isinstance(each, Mapping) for name, digest in each["tables"].items()}


def kept_files(
    configuration: Path, mapping_files: Iterable[Path], dictionary: Iterable[Path], read: Mapping[Path, bytes]
) -> KeptFiles:
    """What was read, less the configuration, which may hold secrets."""
    texts = {str(path): zlib.compress(text) for path, text in read.items() if str(path) != _plain_path(configuration)}
    return KeptFiles(tuple(map(_plain_path, mapping_files)), tuple(map(_plain_path, dictionary)), texts)


def _plain_path(file: Path) -> str:
    """Absolute, and without any dots: as what was read is kept."""
    return os.path.normpath(file.absolute())


def rules_document(rules: Rules, version: str) -> str:
    """The rules as JSON, to be handed on by a contribd of this version."""
    document = {
        "instance": rules.settings["instance"],
        "version": version,
        "digest": rules.digest,
        "settings": rules.settings,
        "mapping_files": rules.files.mapping_files,
        "dictionary": rules.files.dictionary,
        "files": {path: b64encode(text).decode() for path, text in rules.files.texts.items()},
    }
    return json.dumps(document, default=plain)


def unpacked(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The texts in what was handed on, by path. Raises ValueError, KeyError."""
    try:
        return {str(path): zlib.decompress(b64decode(text)) for path, text in document["files"].items()}
    except (zlib.error, AttributeError, TypeError) as error:
        raise ValueError(str(error)) from error
