"""``contribd test``: the test cases written in the mapping files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, output, print_json
from contribd.config.errors import ConfigError
from contribd.config.load import DEFAULT_FILE, ENVIRONMENT, Loaded, load
from contribd.config.mappings import Case, read_mapping_file
from contribd.mapping.cases import CaseResult, run_case
from contribd.mapping.mapper import Mapper

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Only the tests of these mapping files. A file that the configuration does not list, or any where there "
        "is no configuration, is tried by itself.",
        show_default=False,
    ),
]
ServiceOption = Annotated[
    str,
    typer.Option(
        "--service",
        metavar="NAME",
        help="The service where a mapping names none and there is no configuration.",
    ),
]


@dataclass(frozen=True, slots=True)
class Ran:
    """A test case that was run."""

    case: Case
    result: CaseResult


@app.command(name="test")
def run_tests(
    files: FilesArgument = None,
    config: ConfigOption = None,
    service: ServiceOption = "SERVICE",
    as_json: JsonOption = False,
) -> None:
    """Run the test cases written in the mapping files; a diff for each failure. Exit code 1: one failed."""
    ran = [
        Ran(case, run_case(case.test, mapper, f"line {case.line}")) for case, mapper in _cases(files, config, service)
    ]
    failed = [one for one in ran if not one.result.passed]
    if as_json:
        print_json({"passed": len(ran) - len(failed), "failed": len(failed), "tests": [_plain(one) for one in ran]})
    else:
        _show(failed, len(ran) - len(failed))
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _cases(files: list[Path] | None, config: Path | None, service: str) -> Iterator[tuple[Case, Mapper]]:
    """The cases to run, each with the mappings that it is to be run against."""
    if not files:
        loaded = load(config)
        yield from ((case, loaded.mapper) for case in loaded.cases)
        return
    there_is_one = config is not None or os.environ.get(ENVIRONMENT) or DEFAULT_FILE.is_file()
    configured = load(config) if there_is_one else None
    for file in files:
        yield from _of_file(file, configured, service)


def _of_file(file: Path, configured: Loaded | None, service: str) -> Iterator[tuple[Case, Mapper]]:
    if configured is not None and any(file.samefile(other) for other in configured.files[1:]):
        yield from ((case, configured.mapper) for case in configured.cases if file.samefile(case.file))
        return
    alone = read_mapping_file(file, configured.settings.ads.service if configured is not None else service)
    if alone.problems:
        raise ConfigError(alone.problems)
    mapper = Mapper(alone.compiled)
    yield from ((case, mapper) for case in alone.cases)


def _show(failed: list[Ran], passed: int) -> None:
    console = output()
    for one in failed:
        head = Text("FAILED ", style="bold red")
        console.print(head.append(f"{one.case.file}:{one.case.line}: {one.result.name}", style="not bold default"))
        width = max(len(difference.what) for difference in one.result.differences)
        for difference in one.result.differences:
            line = Text(f"    {difference.what.ljust(width)}  expected ")
            line.append(difference.expected, style="green").append(", got ").append(difference.got, style="red")
            console.print(line)
    if not failed and not passed:
        console.print("no tests; write some below tests: in a mapping file", style="yellow")
        return
    summary = f"{len(failed)} failed, {passed} passed" if failed else f"{passed} passed"
    console.print(summary, style="bold red" if failed else "bold green")


def _plain(one: Ran) -> dict[str, Any]:
    return {
        "file": str(one.case.file),
        "line": one.case.line,
        "name": one.result.name,
        "passed": one.result.passed,
        "differences": [
            {"what": each.what, "expected": each.expected, "got": each.got} for each in one.result.differences
        ],
    }
