"""What the commands with a live view share on the command line."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import diagnostics

if TYPE_CHECKING:
    from contribd.terminal.picture import View

LimitOption = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help="In a pipe: stop after this many lines.", show_default=False)
]


def in_terminal(*, as_json: bool) -> bool:
    """Whether people look: a live view for them, lines for everything else."""
    return not as_json and sys.stdin.isatty() and sys.stdout.isatty()


def show(command: str, make: "Callable[[], View]") -> None:
    """The live view, until it is left. Raises ``typer.Exit`` where textual is not installed."""
    try:
        from contribd.terminal.live_app import LiveApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        diagnostics().print(
            f"contribd {command} shows its live view by textual, which is not installed: "
            f"pip install 'contribd[top]'; without it there are lines: contribd {command} | cat",
            style="red",
        )
        raise typer.Exit(EXIT_FAILED) from None
    LiveApp(make()).run()
