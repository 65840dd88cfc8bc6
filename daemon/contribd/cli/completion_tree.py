"""Commands, options and what they take, as shells complete them. Read from the commands themselves."""

import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import typer
from typer.main import get_command

from contribd.cli import app
from contribd.cli.init_settings import AUTHS


class Kind(StrEnum):
    """What may stand where a value does."""

    WORDS = "words"
    FILES = "files"
    FOLDERS = "folders"
    MAPPINGS = "mappings"
    DESKS = "desks"
    ANYTHING = "anything"


class Takes(NamedTuple):
    """A value. ``words``: all there are, of the kind that is so called."""

    kind: Kind
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """One option. ``takes`` None: it has no value."""

    names: tuple[str, ...]
    about: str
    takes: Takes | None


class Node(NamedTuple):
    """A command by its words, as ``audit verify``; the program itself has none. ``below``: its commands."""

    words: tuple[str, ...]
    below: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    argument: Takes | None

    @property
    def name(self) -> str:
        return " ".join(self.words)


_STATUSES: Final = ("ACK", "NAK", "ERROR", "UNANSWERED", "CONFLATED", "EXPIRED", "REJECTED", "SUPPRESSED", "IGNORED")
_KNOWN: Final = {
    "--status": Takes(Kind.WORDS, _STATUSES),
    "--mapping": Takes(Kind.MAPPINGS),
    "--desk": Takes(Kind.DESKS),
    "--show": Takes(Kind.MAPPINGS),
    "--auth": Takes(Kind.WORDS, AUTHS),
}
"""Of options that take text: what this text can be."""
_HARMLESS: Final = str.maketrans(":[]", ",()", "'`\"$\\")


def tree() -> list[Node]:
    """The program, then every command."""
    return list(_nodes(get_command(app), ()))


def _nodes(command: Any, words: tuple[str, ...]) -> Iterator[Node]:
    context = typer.Context(command, info_name=words[-1] if words else "contribd")
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    below = [(name, command.get_command(context, name)) for name in names]
    hints = _hints(command)
    options = [each for each in command.get_params(context) if each.param_type_name == "option"]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    yield Node(
        words,
        tuple((name, _sentence(each.short_help or each.help)) for name, each in below),
        tuple(_option(each, hints) for each in options),
        _takes(arguments[0], hints) if arguments else None,
    )
    for name, each in below:
        yield from _nodes(each, (*words, name))


def _hints(command: Any) -> dict[str, Any]:
    """What the function behind a command says of each parameter: typer itself keeps that in ever other places."""
    return {} if command.callback is None else get_type_hints(inspect.unwrap(command.callback), include_extras=True)


def _option(parameter: Any, hints: Mapping[str, Any]) -> Option:
    names = tuple(sorted([*parameter.opts, *parameter.secondary_opts], key=len, reverse=True))
    flag = parameter.is_flag or parameter.count or parameter.name not in hints
    return Option(names, _sentence(parameter.help), None if flag else _takes(parameter, hints))


def _takes(parameter: Any, hints: Mapping[str, Any]) -> Takes:
    known = next((_KNOWN[name] for name in parameter.opts if name in _KNOWN), None)
    if known is not None:
        return known
    parts = list(_parts(hints[parameter.name]))
    words = [str(each.value) for part in parts for each in getattr(part, "__members__", {}).values()]
    if words:
        return Takes(Kind.WORDS, tuple(words))
    if Path in parts:
        return Takes(Kind.FOLDERS if any(getattr(each, "file_okay", True) is False for each in parts) else Kind.FILES)
    return Takes(Kind.ANYTHING)


def _parts(hint: Any) -> Iterator[Any]:
    """Every type that an annotation is made of, and what stands beside them."""
    yield hint
    for each in (*get_args(hint), *getattr(hint, "__metadata__", ())):
        yield from _parts(each)


def _sentence(text: str | None) -> str:
    """The first sentence, on one line, without what shells would read as theirs."""
    first = " ".join((text or "").split()).partition(". ")[0].rstrip(".")
    return first.translate(_HARMLESS)
