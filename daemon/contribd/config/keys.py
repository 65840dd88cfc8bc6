"""Which keys a section may have, read from the models: for the nearest valid key, and for where a key belongs."""

import difflib
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contribd.config.document import dotted
from contribd.config.nodes import DataPath


def unknown_key(model: type[BaseModel], path: DataPath, data: Any) -> str:
    """What to say of a key that is not one; ``path`` ends with it."""
    *section, key = path
    names = sorted(fields_at(model, tuple(section), data))
    if near := difflib.get_close_matches(str(key), names, 1):
        return f"unknown key; did you mean {near[0]}?"
    homes = list(dict.fromkeys(home for home, name in _everywhere(model, ()) if name == key))
    belongs = f"; it belongs in {' or '.join(homes)}" if homes else ""
    return f"unknown key{belongs}; expected one of {', '.join(names)}" if names else f"unknown key{belongs}"


def fields_at(model: type[BaseModel], path: DataPath, data: Any) -> dict[str, FieldInfo]:
    """The fields, by the name they have in the file, of the section at ``path``; of every one it may be."""
    models: list[Any] = [model]
    for step in path:
        models = [inner for outer in models for inner in _into(outer, step)]
        data = _step(data, step)
    found: dict[str, FieldInfo] = {}
    for outer in models:
        for candidate in _unfold(outer):
            if _is_model(candidate) and _fits(candidate, data):
                found |= {field.alias or name: field for name, field in candidate.model_fields.items()}
    return found


def _step(data: Any, step: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _fits(model: type[BaseModel], data: Any) -> bool:
    """Whether the section's ``type`` allows this model, where there is one."""
    field = model.model_fields.get("type")
    given = data.get("type") if isinstance(data, dict) else None
    return field is None or given is None or given in typing.get_args(field.annotation)


def _into(annotation: Any, step: str | int) -> Iterator[Any]:
    for candidate in _unfold(annotation):
        if _is_model(candidate):
            yield from (
                field.annotation for name, field in candidate.model_fields.items() if step in (name, field.alias)
            )
        elif arguments := typing.get_args(candidate):
            yield arguments[0] if typing.get_origin(candidate) in (list, tuple) else arguments[-1]


def _unfold(annotation: Any) -> Iterator[Any]:
    """The members of unions, without Annotated."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _unfold(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _unfold(member)
    else:
        yield annotation


def _is_model(candidate: Any) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _everywhere(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every section reached without passing through a list, with its keys."""
    for name, field in model.model_fields.items():
        yield dotted(path) or "the top level", field.alias or name
        for candidate in _unfold(field.annotation):
            if _is_model(candidate):
                yield from _everywhere(candidate, (*path, field.alias or name))
