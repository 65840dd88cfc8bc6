"""JSON Schemas (2020-12) of what users write: for editors, and for whoever generates configurations."""

from collections.abc import Callable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contribd.config.answers import AnswersFile
from contribd.config.model import Settings
from contribd.mapping.durations import DURATION_PATTERN, duration_text
from contribd.mapping.rules import MappingFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTERPOLATED = "Interpolated"


class _SchemaGenerator(GenerateJsonSchema):
    schema_dialect = DIALECT


def config_schema() -> dict[str, Any]:
    """Of the configuration file, before interpolation."""
    schema = Settings.model_json_schema(schema_generator=_SchemaGenerator)
    _adjust(schema, _written_durations)
    _adjust(schema, _or_interpolated)
    schema["$defs"][_INTERPOLATED] = {
        "type": "string",
        "pattern": r"\$\{",
        "description": "${NAME}, ${NAME:-default}, ${NAME:?message}, ${file:/path} or ${credential:name}",
    }
    return {"$schema": DIALECT, **schema, "title": "contribd configuration"}


def mapping_schema() -> dict[str, Any]:
    """Of a mapping file."""
    schema = MappingFile.model_json_schema(schema_generator=_SchemaGenerator)
    _tidy(schema)
    for section, keys in _SAID.items():
        for key in keys:
            made = schema["$defs"][section]
            _without_null((made if "properties" in made else made["anyOf"][-1])["properties"][key])
    return {"$schema": DIALECT, **schema, "title": "contribd mapping file"}


def answers_schema() -> dict[str, Any]:
    """Of a file of known answers."""
    schema = AnswersFile.model_json_schema(schema_generator=_SchemaGenerator)
    _tidy(schema)
    schema["$defs"]["AnswerSpec"]["anyOf"] = [{"required": ["code"]}, {"required": ["text"]}]
    return {"$schema": DIALECT, **schema, "title": "contribd known answers"}


_SAID = {
    "FieldSpec": ("from", "round", "as", "lookup"),
    "MappingSpec": ("when", "ignore", "each", "posts"),
    "PostSpec": ("when", "each"),
}
"""Keys that may be left out, but not be followed by nothing."""


def _without_null(field: dict[str, Any]) -> None:
    kept = [choice for choice in field.pop("anyOf") if choice != {"type": "null"}]
    field.update(kept[0] if len(kept) == 1 else {"anyOf": kept})


def _tidy(schema: Any) -> None:
    """Without what says nothing to whoever writes a file: names made of keys, and that what is left out is null."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item)
    elif isinstance(schema, dict):
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
            if field.get("default", "") is None:
                del field["default"]
        for inner in schema.values():
            _tidy(inner)


def _adjust(schema: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Apply a change to every section's keys."""
    for section in (schema, *schema.get("$defs", {}).values()):
        for field in section.get("properties", {}).values():
            field.pop("title", None)
            change(field)


def _written_durations(field: dict[str, Any]) -> None:
    if field.get("pattern") == DURATION_PATTERN and isinstance(field.get("default"), float):
        field["default"] = duration_text(field["default"])


def _or_interpolated(field: dict[str, Any]) -> None:
    """Any scalar may be a variable instead, those in lists too."""
    if "$ref" in field or "const" in field or "discriminator" in field or field.get("type") == "object":
        return
    for choice in field.get("anyOf", []):
        if "items" in choice:
            _or_interpolated(choice["items"])
    if "items" in field:
        _or_interpolated(field["items"])
    inner = dict(field)
    about: dict[str, Any] = {name: inner.pop(name) for name in ("description", "default") if name in inner}
    field.clear()
    field.update(about, anyOf=[*inner.pop("anyOf", [inner]), {"$ref": f"#/$defs/{_INTERPOLATED}"}])
