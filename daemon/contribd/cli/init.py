"""``contribd init``: a configuration, a mapping with its tests and a table to begin with."""

import json
from collections.abc import Iterator
from importlib.resources import files as files_of
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import diagnostics, output
from contribd.config.json_schema import config_schema, mapping_schema

app = typer.Typer(add_completion=False, rich_markup_mode=None)

DirArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", file_okay=False, help="Where to write; it is made where there is none."),
]


@app.command()
def init(directory: DirArgument = Path()) -> None:
    """Write a commented starting configuration, a mapping with its tests, a table, and schemas for editors.

    Nothing that is there is overwritten: where a file of these is there already, nothing is written at all.
    """
    contents = {directory / name: content for name, content in starting_files().items()}
    if there := [str(file) for file in contents if file.exists() or file.is_symlink()]:
        diagnostics().print(f"nothing was written, there is already {', '.join(there)}", style="red")
        raise typer.Exit(EXIT_FAILED)
    try:
        for file, content in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as stream:
                stream.write(content)
    except OSError as error:
        diagnostics().print(f"{error.filename} cannot be written: {error.strerror}", style="red")
        raise typer.Exit(EXIT_FAILED) from None
    _tell(directory, list(contents))


def starting_files() -> dict[str, str]:
    """Every file by its path, with what is in it."""
    starter = dict(_walk(files_of("contribd") / "starter"))
    schemas = {"config": config_schema(), "mapping": mapping_schema()}
    made = {f"schemas/{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}
    return {**starter, **made}


def _walk(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")


def _tell(directory: Path, made: list[Path]) -> None:
    console = output()
    for file in made:
        console.print(str(file))
    config = directory / "contribd.yaml"
    console.print("\nNext:", style="bold")
    for command, why in (
        (f"contribd check -c {config}", "is it right?"),
        (f"contribd test -c {config} --coverage", "do the mappings do what their tests say?"),
        (f"contribd map -c {config} {directory / 'records.jsonl'} --explain", "what is posted, and why"),
    ):
        console.print(f"  {command}   # {why}")
    console.print(f"Then name your Kafka, ADS and service in {config}, and write your mappings.")
