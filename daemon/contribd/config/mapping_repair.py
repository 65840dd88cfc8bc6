"""What is right in a mapping file that has mistakes in its shape: looked at all the same, to tell its others too."""

import copy
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pydantic import ValidationError

from contribd.config.document import Document
from contribd.config.nodes import DataPath
from contribd.config.validate import Validation
from contribd.mapping.rules import MappingFile, PartSpec


def usable(document: Document, outcome: Validation[MappingFile]) -> tuple[MappingFile | None, list[int]]:
    """The model with stand-ins for what is wrong in it, and which of the tests it has.

    So a mistake in the shape of one place does not hide the mistakes in the expressions of another.
    """
    lists, bad = written_lists(document), outcome.bad
    wrong = {path[1] for path in bad if path[:1] == ("tests",) and len(path) > 1}
    tests = [at for at in range(len(lists["tests"])) if at not in wrong]
    if () in bad:
        return None, []
    if outcome.model is not None and not bad:
        return outcome.model, tests
    try:
        kept = [lists["tests"][at] for at in tests]
        return MappingFile.model_validate({"mappings": _repaired(lists["mappings"], bad), "tests": kept}), tests
    except ValidationError:
        return None, []


def _repaired(mappings: list[Any], bad: AbstractSet[DataPath]) -> list[Any]:
    """The mappings with something right in each place that is wrong, so that nothing more is said about it."""
    made = list(mappings)
    for path in sorted(bad, key=len):
        at = path[1] if path[:1] == ("mappings",) and len(path) > 1 else None
        if not isinstance(at, int):
            continue
        name = f"mapping {at + 1}"
        if len(path) == 2:
            made[at] = {"name": name, "when": _ANYTHING, "ignore": True}
        elif isinstance(made[at], dict):
            made[at] = copy.deepcopy(made[at]) if made[at] is mappings[at] else made[at]
            _mend(made[at], name, path[2:])
    return made


_ANYTHING: Final = '["?"]'
"""An expression of which nothing is known."""


def _ric(of: str) -> str:
    """A RIC of which no more is known than that it is no other's."""
    return f'{{["? {of}"]}}'


def _mend(mapping: dict[str, Any], name: str, path: DataPath) -> None:
    """Puts something right at the place of a mapping, or nothing where nothing may be missed."""
    key, *inside = path
    held = mapping.get(str(key))
    if key == "posts":
        _mend_posts(mapping, name, inside)
        return
    if key in {"when", "ric", "name"}:
        mapping[str(key)] = {"when": _ANYTHING, "ric": _ric(name), "name": name}[str(key)]
    elif key == "fields" and isinstance(held, dict) and inside[1:] in (["round"], ["missing"]):
        if isinstance(field := held.get(str(inside[0])), dict):
            field.pop(str(inside[1]), None)  # and its expression is still looked at
    elif inside and isinstance(held, dict | list) and key in {"fields", "let", "checks"}:
        held[inside[0]] = _ANYTHING  # type: ignore[index] # a name in a section, an index in a list
    elif key == "fields":
        mapping["fields"] = {"?": _ANYTHING}
    else:
        mapping.pop(str(key), None)


def _mend_posts(mapping: dict[str, Any], name: str, inside: list[str | int]) -> None:
    posts = mapping["posts"]
    if len(inside) > 1 and isinstance(posts[inside[0]], dict):
        _mend(posts[inside[0]], f"{name}, post {inside[0]}", tuple(inside[1:]))
        return
    anything = {"ric": _ric(f"{name}, post {inside}"), "fields": {"?": _ANYTHING}}
    if inside and isinstance(posts, list):
        posts[int(inside[0])] = anything
    else:
        for beside in PartSpec.model_fields:
            mapping.pop(beside, None)
        mapping["posts"] = [anything]


def written_lists(document: Document) -> dict[str, list[Any]]:
    """The mappings and the tests that a file has."""
    data = document.data if isinstance(document.data, dict) else {}
    return {name: data[name] if isinstance(data.get(name), list) else [] for name in ("mappings", "tests")}
