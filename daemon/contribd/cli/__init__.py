"""The command line: one module a command, each loaded only when it is asked for."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from contribd import __version__
from contribd.config.errors import ConfigError

COMMANDS = {
    "run": "The daemon: posts prices from Kafka to the ADS and writes each answer to the results topic.",
    "check": "Validate configuration and mappings; all errors at once.",
    "map": "Print the exact post for each record (JSON lines), or why there is none.",
    "test": "Run the test cases written in the mapping files.",
    "plan": "Show what would change if this configuration replaced the one in force, over real traffic.",
    "reload": "Have the running daemon take its files anew, and say what is in force then.",
    "results": "Read the results topic.",
    "resubmit": "Put the records of selected results back into their prices topic, where nothing newer came.",
    "audit": "Verify that every record has its one result, true to its input and its rules.",
    "rules": "The rules that results name, as they were in force.",
    "tap": "Records going in and what became of them, live and at a bounded rate.",
    "top": "A running daemon, live: rates, latencies, partitions, what is wrong.",
    "pause": "Post nothing of some RICs, a mapping, a desk or everything, until it is resumed.",
    "resume": "Post again what was paused.",
    "withdraw": "Post blanks in place of quotes in the market, whichever instance has posted them.",
    "republish": "Post the values in the market once more, after an ADS has lost them.",
    "skip": "Go on behind what cannot be read, by an operator's decision.",
    "init": "Write a configuration, a mapping of your own records and its tests, to begin with.",
    "schema": "Print the JSON Schema of the configuration, a mapping file or a result.",
    "completion": "Print what bash, zsh or fish need to complete commands and options.",
    "demo": "Show everything on this machine, with nothing to install.",
    "simulate": "The parts of the demo by themselves: a broker, an ADS, a pricing engine.",
}

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_INTERRUPTED = 0, 1, 2, 78, 130


class _Commands(TyperGroup):
    """Knows every command's name and summary, and imports a command's module when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"contribd.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.short_help = COMMANDS[cmd_name]
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer does, which knows no command that is not loaded."""
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], COMMANDS, n=1):
                ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """As typer does, without the word for the class of an error that pydantic puts before some texts."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    name="contribd",
    cls=_Commands,
    help="Contributes prices from a Kafka topic to LSEG Real-Time through an ADS, and audits every answer.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"contribd {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 failed, 2 usage, 78 configuration, 130 interrupted."""
    try:
        app()
    except ConfigError as error:
        from contribd.cli.problems import print_problems

        print_problems(error.problems)
        sys.exit(EXIT_CONFIG)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone: nothing may be flushed to it at exit
        sys.exit(EXIT_OK)
