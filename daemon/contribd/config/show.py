"""A mapping as it comes out, with its file's defaults and what the file includes, as YAML that says where it stands."""

import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from contribd.config.document import Document
from contribd.config.nodes import DataPath
from contribd.config.scalars import Doubtful, NumberError, resolve

_PLAIN: Final = re.compile(r"[A-Za-z_(](?:[^,\[\]{}#:]*[^,\[\]{}#: ])?")
"""Text that YAML takes as it is, inside brackets too."""
_GAP: Final = 4
_FURTHEST: Final = 90
"""Comments stand in one column, unless a line is longer."""


def show(documents: list[Document], name: str, service: str) -> str | None:
    """The mapping called ``name``; None where there is none. ``service``: where it names none."""
    for document in documents:
        data = document.data.get("mappings") if isinstance(document.data, dict) else None
        for at, mapping in enumerate(data if isinstance(data, list) else ()):
            if isinstance(mapping, dict) and mapping.get("name") == name:
                return _lined_up(list(_mapping(document, ("mappings", at), mapping, service)))
    return None


def _mapping(document: Document, path: DataPath, mapping: dict[str, Any], service: str) -> Iterator[tuple[str, str]]:
    """Each line with its comment."""
    order = ("name", "when", "ignore", "let", "ric", "service", "post", "fields", "checks")
    keys = [*(key for key in order if key in mapping), *(key for key in mapping if key not in order)]
    if "service" not in mapping and "ignore" not in mapping:
        keys.insert(keys.index("ric") + 1 if "ric" in keys else 1, "service")
    for key in keys:
        value = mapping.get(key, service)
        where = _where(document, (*path, key)) if key in mapping else "ads.service"
        if isinstance(value, dict) and value:
            yield f"{_scalar(key)}:", ""
            for name, inner in value.items():
                yield f"  {_scalar(name)}: {_flow(inner)}", _where(document, (*path, key, name))
        elif isinstance(value, list) and value:
            yield f"{_scalar(key)}:", ""
            for at, inner in enumerate(value):
                yield f"  - {_flow(inner)}", _where(document, (*path, key, at))
        else:
            yield f"{_scalar(key)}: {_flow(value)}", where


def _where(document: Document, path: DataPath) -> str:
    home = document.home(path)
    line, _ = home.document.position(home.path, key=isinstance(home.path[-1], str))
    return f"{_relative(home.document.file, document.file)}:{line}"


def _relative(file: Path, to: Path) -> str:
    return os.path.relpath(file, to.parent)


def _lined_up(lines: list[tuple[str, str]]) -> str:
    width = min(_FURTHEST, max(len(text) for text, _ in lines)) + _GAP
    gap = " " * _GAP
    return "".join(f"{text + gap:<{width}}# {where}\n" if where else f"{text}\n" for text, where in lines)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else _scalar(str(value))


def _scalar(text: str) -> str:
    """Text as YAML takes it back: plain where that is safe, else in quotes."""
    try:
        value = resolve(text)
    except NumberError:
        value = None
    plain = isinstance(value, str) and not isinstance(value, Doubtful)
    if plain and text.isprintable() and _PLAIN.fullmatch(text):
        return text
    if '"' in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)
