"""Where commands find the running daemon."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from contribd.config.errors import ConfigError
from contribd.config.load import inspect
from contribd.control.place import possible_sockets

SocketOption = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="PATH",
        help="The daemon's control socket. Default: where control.socket says.",
        show_default=False,
    ),
]


def sockets_of(config: Path | None) -> Iterator[Path]:
    """Where the configuration says. What else is wrong with it here, such as a secret that only the daemon may read,
    does not matter."""
    found = inspect(config)
    if problems := [each for each in found.problems if each.path.partition(".")[0] in ("", "instance", "control")]:
        raise ConfigError(problems)
    return possible_sockets(found.settings.control.socket, found.settings.instance, os.environ)
