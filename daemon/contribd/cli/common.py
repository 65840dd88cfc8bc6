"""What commands share: options, consoles, and how problems with the configuration are shown."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from contribd.config.errors import Problem

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


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem with the configuration as plain data."""
    return {
        "file": str(problem.file),
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "text": problem.text,
    }


def print_problems(problems: Sequence[Problem]) -> None:
    """Each problem on its line, as ``file:line:column: path: text``, on stderr; then how many there are."""
    console = diagnostics()
    for problem in problems:
        line = Text(f"{problem.file}:{problem.line}:{problem.column}: ", style="bold")
        if problem.path:
            line.append(f"{problem.path}: ", style="cyan")
        console.print(line.append(problem.text, style="not bold"))
    console.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", style="bold red")


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)
