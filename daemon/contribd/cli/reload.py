"""``contribd reload``: asks the running daemon to take its files anew, and waits for the answer."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output, print_json
from contribd.cli.daemon_socket import SocketOption, sockets_of
from contribd.config.errors import ConfigError
from contribd.control.client import Unreachable, ask
from contribd.control.place import own_sockets
from contribd.orders import Answer
from contribd.reloads import Planned, ReloadOrder

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PlanOption = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="What contribd plan --out wrote. Nothing changes unless the daemon's files are those that were planned, "
        "and the rules in force those that the plan compared with.",
        show_default=False,
    ),
]


@app.command()
def reload(
    config: ConfigOption = None,
    plan: PlanOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the running daemon take its files anew: mappings, tables, dictionary, tests, settings.

    The daemon reads its own files, as it was started with them, checks them, and runs the tests of the mappings. Only
    if all is well they are in force, from one record to the next. The answer says what is in force now, and which
    settings differ and wait for a restart (docs/reload.md). Exit code 1: nothing changed, and the answer says why.
    """
    order = ReloadOrder(None if plan is None else _planned(plan))
    try:
        answer = ask(order, [socket] if socket is not None else list(_sockets(config)))
    except Unreachable as error:
        answer = Answer(False, str(error))
    if as_json:
        print_json({"done": answer.done, "text": answer.text, **answer.details})
    else:
        _show(answer)
    if not answer.done:
        raise typer.Exit(EXIT_FAILED)


def _show(answer: Answer) -> None:
    console = output() if answer.done else diagnostics()
    for problem in answer.details.get("problems", ()):
        console.print(str(problem))
    console.print(answer.text)


def _sockets(config: Path | None) -> Iterator[Path]:
    """Where the configuration says; and where a service manager says that the daemon is that is meant, whatever has
    become of the configuration: it may be what is wrong."""
    own = own_sockets(os.environ)
    try:
        yield from sockets_of(config)
    except ConfigError:
        if not own:
            raise
    yield from own


def _planned(file: Path) -> Planned:
    """What was planned. Raises ``typer.BadParameter`` (exit code 2)."""
    try:
        document = msgspec.json.decode(file.read_bytes())
        candidate, against = document["candidate"], document["against"]
        return Planned(_text(candidate["digest"]), _text(against["digest"]), _text(candidate["version"]))
    except (msgspec.DecodeError, UnicodeDecodeError, OSError, TypeError, KeyError):
        text = f"{file} is no plan: expected what contribd plan --out FILE writes"
        raise typer.BadParameter(text, param_hint="--plan") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
