"""Which keys a section may have, read from the models: for the nearest valid key, and for where a key belongs."""

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contribd.config.cures import FOREIGN, Finding, about_key
from contribd.config.document import dotted
from contribd.config.nearest import nearest
from contribd.config.nodes import DataPath


def unknown_key(model: type[BaseModel], path: DataPath, data: Any) -> Finding:
    """What to say of a key that is not one; ``path`` ends with it."""
    *section, key = path
    names = sorted(fields_at(model, tuple(section), data))
    given = _at(data, tuple(section))
    meant = [name for name in names if str(key) in FOREIGN.get(name, ()) and name not in given]
    homes = list(dict.fromkeys(home for home, name in _everywhere(model) if name == key))
    if "posts" in section:
        homes.sort(key=lambda home: home != _ONE_OF["mappings"])  # the nearest is meant
    near = nearest(str(key), names)
    if near and not meant and not (homes and near in given):
        return about_key(f"unknown key; did you mean {near}?", near, [], "")
    belongs = f"; it belongs in {' or '.join(homes)}" if homes else ""
    expected = f"; expected one of {', '.join(names)}" if names else ""
    return about_key(f"unknown key{belongs}{expected}", "", homes, meant[0] if meant else "")


def _at(data: Any, path: DataPath) -> Any:
    for step in path:
        data = _step(data, step)
    return data if isinstance(data, dict) else {}


def fields_at(model: type[BaseModel], path: DataPath, data: Any) -> dict[str, FieldInfo]:
    """The fields, by the name they have in the file, of the section at ``path``; of every one it may be."""
    models: list[Any] = [model]
    for step in path:
        models = [inner for outer in models for inner in _into(outer, step)]
        data = _step(data, step)
    found: dict[str, FieldInfo] = {}
    for outer in models:
        for candidate in members(outer):
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
    for candidate in members(annotation):
        if _is_model(candidate):
            yield from (
                field.annotation for name, field in candidate.model_fields.items() if step in (name, field.alias)
            )
        elif arguments := typing.get_args(candidate):
            yield arguments[0] if typing.get_origin(candidate) in (list, tuple) else arguments[-1]


def field_annotations(annotation: Any, name: str) -> list[Any]:
    """What stands under a key of a section."""
    return list(_into(annotation, name))


def members(annotation: Any) -> Iterator[Any]:
    """The members of unions, without Annotated."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from members(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from members(member)
    else:
        yield annotation


def _is_model(candidate: Any) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _everywhere(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Every section with its keys; one of a list is named by the list (``a field``), once."""
    pending: list[tuple[type[BaseModel], str, tuple[str, ...]]] = [(model, "the top level", ())]
    seen: set[tuple[type[BaseModel], str]] = set()
    while pending:
        outer, place, at = pending.pop(0)
        if (outer, place) in seen:
            continue
        seen.add((outer, place))
        for name, field in outer.model_fields.items():
            yield place, field.alias or name
            for inner, listed in _models(field.annotation):
                below = (*at, field.alias or name)
                home = _ONE_OF.get(field.alias or name, dotted(below)) if listed else dotted(below)
                pending.append((inner, home, below))


_ONE_OF = {"mappings": "a mapping", "posts": "a post", "fields": "a field", "checks": "a check", "tests": "a test"}


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models right below, and whether they are items of a list or values of a section."""
    for candidate in members(annotation):
        if _is_model(candidate):
            yield candidate, False
        elif typing.get_origin(candidate) in (list, dict):
            yield from ((inner, True) for inner, _ in _models(typing.get_args(candidate)[-1]))
