"""Makes docs/commands.md, and so contribd(1), of the command line itself: ``python -m tests.cli.commands_page``."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from contribd import cli

PAGE: Final = Path(__file__).parents[2] / "docs" / "commands.md"

EXITS: Final = {
    "EXIT_OK": "done",
    "EXIT_FAILED": "it ran, and something failed: a test, a rejected record, a daemon that is not there",
    "EXIT_USAGE": "wrong usage; of `contribd plan` alone also: the change makes a difference",
    "EXIT_CONFIG": "the configuration or a mapping file is wrong; systemd does not try again",
    "EXIT_INTERRUPTED": "interrupted (Ctrl-C)",
}
"""By the names that the code has for them."""

TAKES: Final = {
    "<list[str]>": "TEXT",
    "<str>": "TEXT",
    "<int range>": "NUMBER",
    "<int>": "NUMBER",
    "<float range>": "NUMBER",
    "<float>": "NUMBER",
    "<list[Path]>": "",
    "<path>": "FILE",
    "<dir>": "",
    "FILE FILE": "FILE",
}
"""What the command line calls them, and what people do."""

_HEAD: Final = """\
# Commands

## Synopsis

`contribd` `COMMAND` `[OPTION…]` `[ARGUMENT…]`

`contribd --version`, `contribd --help`; `--help` behind any command

`python -m contribd` is the same. This page is made of the command line itself: `--help` says what it says.

## Description

{description}

The daemon is `contribd run`. All other commands look at its files, its topics or the daemon itself, and end.

Results go to stdout, everything else to stderr. On a terminal there are colours, in a pipe there are none. `--json`
prints one JSON document, or JSON lines, for programs.

The configuration is `--config FILE`, else `$CONTRIBD_CONFIG`, else `/etc/contribd/contribd.yaml`. `-c`, `--config` is
the same in every command that has it, and so are `--json` and `-h`, `--help`.

{summary}

## Exit status

| code | means |
|---|---|
{exits}

What `contribd run` ends with under systemd: [operations.md](operations.md#under-systemd).

## Environment

| variable | |
|---|---|
| `CONTRIBD_CONFIG` | the configuration file where `--config` names none |
| `CREDENTIALS_DIRECTORY` | where `${{credential:name}}` is found; systemd sets it |
| `RUNTIME_DIRECTORY`, `XDG_RUNTIME_DIR` | where the control socket is, with `control.socket: auto` |
| `http_proxy`, `https_proxy`, `no_proxy` | proxies, where `ads.proxy` says nothing |

And whatever the configuration names as `${{NAME}}` ([configuration.md](configuration.md#variables-and-secrets)).

## Files

| file | |
|---|---|
| `/etc/contribd/contribd.yaml` | the configuration ([configuration.md](configuration.md)), contribd.yaml(5) |
| `/etc/contribd/mappings/*.yaml` | mapping files ([mapping.md](mapping.md)), contribd-mapping(5) |
| `/etc/contribd/contribd.env` | variables, as `NAME=value`, under systemd |
| `/run/contribd/*.sock` | the control socket, under systemd |
"""

_FOOT: Final = """
## See also

contribd.yaml(5), contribd-mapping(5), contribd-results(5), contribd-errors(7), contribd-operations(7),
contribd-runbook(7)
"""


def page() -> str:
    """The page as it has to be."""
    group: Any = get_command(cli.app)
    summary = [f"- [`contribd {name}`](#contribd-{name}): {text}" for name, text in cli.COMMANDS.items()]
    exits = [f"| {getattr(cli, name)} | {text} |" for name, text in EXITS.items()]
    head = _HEAD.format(description=group.help, summary="\n".join(summary), exits="\n".join(exits))
    sections = [text for name in cli.COMMANDS for text in _sections(group.get_command(None, name), f"contribd {name}")]
    return head + "".join(sections) + _FOOT


def _sections(command: Any, name: str) -> Iterator[str]:
    """Of a command, and of those below it."""
    subcommands = getattr(command, "commands", {})
    with command.context_class(command, info_name=name) as context:
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        yield f"\n## {name}\n\n{_paragraphs(command.help)}\n\n`{usage}`\n"
        if lines := [_line(parameter, context) for parameter in command.params if _is_told(parameter)]:
            yield "\n" + "\n".join(lines) + "\n"
    for word, below in subcommands.items():
        yield from _sections(below, f"{name} {word}")


def _is_told(parameter: Any) -> bool:
    """Not ``--help``, and an argument only where there is something to say of it."""
    return not getattr(parameter, "hidden", False) and bool(getattr(parameter, "help", None))


def _line(parameter: Any, context: Any) -> str:
    """As ``--help`` says it: names and what it takes, its text, and in brackets default, bounds, required."""
    names, text = parameter.get_help_record(context)
    text, _, more = text.rpartition("  [") if text.endswith("]") else (text, "", "")
    facts = "".join(f" {_fact(each)}." for each in more.removesuffix("]").split("; ") if each)
    for type_, word in TAKES.items():
        names = names.replace(type_, word).rstrip()
    return f"- `{names}`: {' '.join(text.split()).rstrip('.')}.{facts}"


def _fact(text: str) -> str:
    name, colon, value = text.partition(": ")
    if colon:
        return f"{name.capitalize()}: `{value}`"
    return text.capitalize() if text.isalpha() else f"`{text}`"


def _paragraphs(text: str | None) -> str:
    """Each paragraph in one line, code as it is written in sentences."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


if __name__ == "__main__":
    PAGE.write_text(page())
