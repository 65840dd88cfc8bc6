"""``contribd completion``: what a shell needs to complete commands, options and their values."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contribd.cli.common import ConfigOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Shell(StrEnum):
    """The shells that there is a completion for, and what they ask for while somebody types."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


class Names(StrEnum):
    """What stands in the configuration and nowhere else."""

    MAPPINGS = "mappings"
    DESKS = "desks"


NamesOption = Annotated[
    Names | None,
    typer.Option(
        "--names",
        help="Instead: the mappings or desks of the configuration, a line each; what a shell asks where one is typed.",
        show_default=False,
    ),
]


@app.command()
def completion(
    shell: Annotated[Shell | None, typer.Argument(help="bash, zsh or fish", show_default=False)] = None,
    names: NamesOption = None,
    config: ConfigOption = None,
) -> None:
    """Print the completion for a shell: commands, options, files, statuses, and the mappings of the configuration.

    bash: contribd completion bash > ~/.local/share/bash-completion/completions/contribd
    zsh: contribd completion zsh > a folder of $fpath, named _contribd
    fish: contribd completion fish > ~/.config/fish/completions/contribd.fish
    """
    if (shell is None) == (names is None):
        raise typer.BadParameter("expected bash, zsh or fish")
    if names is not None:
        typer.echo("".join(f"{each}\n" for each in _of_configuration(names, config)), nl=False)
        return
    from contribd.cli import completion_shells
    from contribd.cli.completion_tree import tree

    made = {Shell.BASH: completion_shells.bash, Shell.ZSH: completion_shells.zsh, Shell.FISH: completion_shells.fish}
    typer.echo(made[Shell(shell or "")](tree()), nl=False)


def _of_configuration(names: Names, config: Path | None) -> list[str]:
    """As far as it can be read: nobody wants to hear of mistakes while typing."""
    from contribd.config.load import inspect

    mappings = inspect(config, lenient=True).mappings.compiled
    if names is Names.MAPPINGS:
        return [mapping.name for mapping in mappings]
    return list(dict.fromkeys(mapping.desk for mapping in mappings if mapping.desk))
