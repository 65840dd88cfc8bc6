"""Whether the kafka-python that is installed has what ``streams/client`` relies on."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from contribd.streams.client.private_names import PRIVATE_NAMES, Attribute, Method, PrivateName, Wired


def problems() -> list[str]:
    """What is missing or of another shape, one line each."""
    return [problem for name in PRIVATE_NAMES if (problem := problem_of(name)) is not None]


def problem_of(name: PrivateName) -> str | None:
    """What is wrong with one, None where nothing is."""
    where = f"{name.owner}.{name.name} (for: {name.use})"
    try:
        owner = _owner(name.owner)
    except (ImportError, AttributeError) as error:
        return f"{where}: {error}"
    found = _wrong(owner, name)
    return found and f"{where}: {found}"


def _owner(path: str) -> type:
    module, _, inner = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in inner.split("."):
        found = getattr(found, part)
    assert isinstance(found, type)
    return found


def _wrong(owner: type, name: PrivateName) -> str | None:
    match name:
        case Method():
            return _wrong_method(owner, name)
        case Attribute():
            return _wrong_attribute(owner, name)
        case Wired():
            made = getattr(owner, "DEFAULT_CONFIG", {}).get(name.name)
            return None if callable(made) else "no such setting, or none that makes anything"


def _wrong_method(owner: type, name: Method) -> str | None:
    found = getattr(owner, name.name, None)
    if not callable(found):
        return "no such method"
    parameters = tuple(inspect.signature(found).parameters)
    wanted = ("self", *name.parameters)
    return None if parameters[: len(wanted)] == wanted else f"takes {parameters}, not {wanted}"


def _wrong_attribute(owner: type, name: Attribute) -> str | None:
    made = [kind for each in owner.__mro__ for assigned, kind in _assigned(each) if assigned == name.name]
    if not made:
        return "not set by __init__"
    return None if not name.kind or name.kind in made else f"a {' or '.join(made)}, not a {name.kind}"


def _assigned(owner: type) -> Iterator[tuple[str, str]]:
    """The attributes that ``__init__`` sets, each with the class that is called for it, or nothing."""
    if "__init__" not in vars(owner) or owner is object:
        return
    try:
        source = inspect.getsource(owner.__init__)  # type: ignore[misc]  # of this very class
    except (OSError, TypeError):
        return
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.Assign):
            kind = (
                node.value.func.id if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) else ""
            )
            yield from ((target.attr, kind) for target in node.targets if isinstance(target, ast.Attribute))
