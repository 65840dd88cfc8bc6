"""What is said of a value that is not what it should be. Never shows a secret, nor a value that was interpolated."""

import json
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import ErrorDetails

from contribd.config.codes import FileCode
from contribd.config.cures import Finding, misfit, split
from contribd.config.document import Document, located
from contribd.config.nodes import DataPath
from contribd.config.scalars import Doubtful, kind

_SECRET_WORDS = ("password", "secret", "token", "credential")
_LONGEST = 60
_CREDENTIALS = re.compile(r"[:/].*@")


def _words(listed: str) -> str:
    return listed.replace("'", "")


def _items(count: int, ctx: dict[str, Any]) -> str:
    one, several = ("key", "keys") if ctx.get("field_type") == "Dictionary" else ("item", "items")
    return f"one {one}" if count == 1 else f"{count} {several}"


_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "expected": lambda ctx: f"expected {ctx['text']}",
    "literal_error": lambda ctx: f"expected {_words(ctx['expected'])}",
    "union_tag_invalid": lambda ctx: f"expected a type of {_words(ctx['expected_tags'])}",
    "union_tag_not_found": lambda ctx: f"expected a section with the key {_words(ctx['discriminator'])}",
    "string_type": lambda _: "expected text",
    "string_sub_type": lambda _: "expected text",
    "int_type": lambda _: "expected a whole number",
    "bool_type": lambda _: "expected true or false",
    "greater_than_equal": lambda ctx: f"expected a number of at least {ctx['ge']}",
    "less_than_equal": lambda ctx: f"expected a number of at most {ctx['le']}",
    "too_short": lambda ctx: f"expected at least {_items(ctx['min_length'], ctx)}",
    "too_long": lambda ctx: f"expected at most {_items(ctx['max_length'], ctx)}",
    "none_required": lambda _: "expected null",
    "string_pattern_mismatch": lambda _: "not in the form expected",
}
for _type in ("model_type", "model_attributes_type", "dict_type", "dataclass_type"):
    _TEXTS[_type] = lambda _: "expected a section (key: value)"
for _type in ("list_type", "tuple_type"):
    _TEXTS[_type] = lambda _: "expected a list"


def wrong_value(document: Document, path: DataPath, value: Any, error: ErrorDetails) -> Finding:
    """What is said of one error at a value."""
    if isinstance(value, Doubtful) and not document.sources(path):
        return doubtful(document, path, value)
    wanted = _TEXTS[error["type"]](error.get("ctx", {})) if error["type"] in _TEXTS else _reworded(error["msg"])
    if not wanted.startswith("expected"):
        return split(wanted, FileCode.VALUE, "write something else")
    if error["type"] in {"too_short", "too_long"}:
        return misfit(wanted, "", None, path)
    hidden = bool(document.sources(path)) or is_secret(path)
    whole = error["type"] == "expected" and isinstance(value, dict)
    return misfit(wanted, "" if whole else shown(document, path, value), None if hidden else value, path)


def doubtful(document: Document, path: DataPath, value: Doubtful) -> Finding:
    """What is said of an unquoted YAML 1.1 boolean where none is meant."""
    if names := document.sources(path):
        text = f"{' '.join(names)} is a boolean in YAML 1.1"
        return Finding(text, FileCode.BOOLEAN, "write the value in quotes, or set it to true or false")
    cure = f'write "{value}" in quotes, or true or false where that is meant'
    return Finding(f"{value} is a boolean in YAML 1.1", FileCode.BOOLEAN, cure)


def told(document: Document, path: DataPath, text: str) -> str:
    """A finding about what stands at a place, with the value where it may be shown."""
    value = located(document.data, path)[1]
    if text.startswith("expected"):
        return f"{text}, got {shown(document, path, value)}"
    return f"{shown(document, path, value)} {text}" if text.startswith("cannot be read") else text


def shown(document: Document, path: DataPath, value: Any) -> str:
    """A value as messages may show it."""
    if names := document.sources(path):
        return f"the value of {' '.join(names)}"
    if isinstance(value, dict | list) or is_secret(path):
        return kind(value)
    return _text(value) if isinstance(value, str) else json.dumps(value, default=str).strip('"')


def _text(value: str) -> str:
    if _CREDENTIALS.search(value):
        return "text with a user in it"
    return json.dumps(value if len(value) <= _LONGEST else value[:_LONGEST] + "…", ensure_ascii=False)


def is_secret(path: DataPath) -> bool:
    """Whether what stands there is nobody's business; an unknown key may be a secret misplaced."""
    return any(word in str(step).lower() for step in path for word in _SECRET_WORDS)


def _reworded(text: str) -> str:
    for prefix in ("Value error, ", "Assertion failed, "):
        text = text.removeprefix(prefix)
    for start in ("Input should be a valid ", "Input should be ", "Value should ", "String should "):
        if text.startswith(start):
            return f"expected {'to ' if start[0] in 'VS' else ''}{text.removeprefix(start)}"
    return text[:1].lower() + text[1:] if text[:2].istitle() else text
