"""What commands share: options and consoles."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration. Default: $CONTRIBD_CONFIG, then /etc/contribd/contribd.yaml.",
        show_default=False,
    ),
]
"""Hand it to ``contribd.config.load.load``, which knows the defaults."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]


def output() -> Console:
    """For results: coloured on a terminal, plain text in a pipe, lines never wrapped."""
    return _console(stderr=False)


def diagnostics() -> Console:
    """The same for whatever is not the result."""
    return _console(stderr=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout, indented for people."""
    # Not through a console: whoever reads JSON wants no colours, on a terminal either.
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)
