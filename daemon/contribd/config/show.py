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
_ORDER: Final = (
    "name", "when", "ignore", "each", "all_or_nothing", "let", "ric", "service", "post", "fields", "checks", "withdraw",
    "desk",
)  # fmt: skip
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
    """Each line with its comment: of a mapping, or of one of its posts."""
    posts = mapping.get("posts")
    keys = sorted(mapping, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    if posts is None and "service" not in mapping and "ignore" not in mapping:
        keys.insert(keys.index("ric") + 1 if "ric" in keys else 1, "service")
    for key in keys:
        if key == "posts" and isinstance(posts, list):
            yield "posts:", ""
            for at, post in enumerate(posts):
                yield from _post(document, (*path, key, at), post, service)
        elif key in mapping:
            yield from _entry(document, (*path, key), mapping[key])
        else:
            yield f"{key}: {_flow(service)}", "ads.service"


def _entry(document: Document, path: DataPath, value: Any) -> Iterator[tuple[str, str]]:
    """A key with what stands behind it, or below it."""
    key = _scalar(str(path[-1]))
    if not isinstance(value, dict | list) or not value:
        yield f"{key}: {_flow(value)}", _where(document, path)
        return
    yield f"{key}:", ""
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (
            f"  {'-' if isinstance(step, int) else f'{_scalar(step)}:'} {_flow(inner)}",
            _where(document, (*path, step)),
        )


def _post(document: Document, path: DataPath, post: Any, service: str) -> Iterator[tuple[str, str]]:
    if not isinstance(post, dict):
        yield f"  - {_flow(post)}", _where(document, path)
        return
    for number, (text, where) in enumerate(_mapping(document, path, post, service)):
        yield f"  {' ' if number else '-'} {text}", where


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
