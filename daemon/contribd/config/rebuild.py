"""The rules of another process, put together again from what it handed on.

Its files are laid out anew in a folder of their own, each at its place below it, so that they find each other as they
did. Absolute paths in them are led there too.
"""

import glob
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from contribd.config.digest import digest_of
from contribd.config.errors import ConfigError
from contribd.config.load import inspect
from contribd.config.rules import Rules, unpacked


class NotRules(Exception):
    """What was handed on cannot be put together; the text says why."""


def rebuilt(document: Mapping[str, Any], name: str) -> Rules:
    """The rules of a document of ``rules.rules_document``. Raises ``NotRules``."""
    try:
        texts = unpacked(document)
        with tempfile.TemporaryDirectory(prefix="contribd-rules-") as folder:
            configuration = _laid_out(document, texts, Path(folder))
            inspected = inspect(configuration, environ={})
            found = inspected.loaded().rules
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise NotRules(f"what it answered cannot be read: {error}") from error
    except ConfigError as error:
        first = error.problems[0]
        text = f"its rules are not valid for this version of contribd: {first.path}: {first.text}"
        raise NotRules(f"{text}; it runs version {document.get('version')}") from error
    settings, digest, version = document["settings"], str(document["digest"]), str(document["version"])
    notes = (
        ()
        if digest_of(settings, inspected.mappings.data, inspected.dictionary.digest) == digest
        else (_NOT_ITS_DIGEST,)
    )
    return found._replace(name=name, digest=digest, version=version, settings=settings, notes=notes)


_NOT_ITS_DIGEST: Final = (
    "the rules that the daemon sent have another digest here: files that name others by absolute paths, or another "
    "version of contribd"
)


def _laid_out(document: Mapping[str, Any], texts: Mapping[str, bytes], folder: Path) -> Path:
    """The configuration that names the files, of which nothing but the rules is meant."""
    for path in texts:
        if not os.path.isabs(path) or os.path.normpath(path) != path:  # noqa: PTH117 - PurePath keeps the dots
            raise ValueError(f"{path!r} is no path of a file")
    moved = {path: str(folder) + path for path in sorted(texts, key=len, reverse=True)}
    for path, text in texts.items():
        place = Path(moved[path])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_led(text, moved))
    settings = document["settings"]
    dictionary = dict(zip(("fields", "enums"), (moved[path] for path in document["dictionary"]), strict=False))
    configuration = folder / "contribd.yaml"
    content = {
        "kafka": {"bootstrap_servers": "nowhere:9092"},
        "ads": {"endpoints": ["ws://nowhere:15000/"], **_said(settings["ads"], "service", "rmtes_escape")},
        "contribution": _said(settings.get("contribution", {}), "conflate"),
        "mappings": [glob.escape(moved[path]) for path in document["mapping_files"]],
        "dictionary": dictionary,
    }
    configuration.write_text(json.dumps(content))
    return configuration


def _said(section: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a mapping is compiled with, as far as it is said."""
    return {name: section[name] for name in names if section.get(name) is not None}


def _led(text: bytes, moved: Mapping[str, str]) -> bytes:
    if not moved:
        return text
    # In one go, the longest first: what was led already may hold another path.
    anyone = re.compile(b"|".join(re.escape(path.encode()) for path in moved))
    return anyone.sub(lambda match: moved[match[0].decode()].encode(), text)
