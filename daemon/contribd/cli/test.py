"""``contribd test``: the test cases written in the mapping files."""

import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED, EXIT_OK, coverage_views, junit
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output, print_json
from contribd.cli.problems import print_problems
from contribd.cli.suite import Ran, Wanted, by_themselves, explained, measured, read_groups, run_group
from contribd.cli.suite_views import Explained, plain, show_failures, show_summary
from contribd.cli.watching import state, wait_for_change
from contribd.config.errors import ConfigError

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
CoverageOption = Annotated[
    bool,
    typer.Option(
        "--coverage",
        help="Tell what of the mappings no test tries, each with its place and the record that would try it.",
        show_default=False,
    ),
]
FailUnderOption = Annotated[
    str | None,
    typer.Option(
        "--fail-under",
        metavar="PERCENT",
        help="Exit with 1 where less is covered: 100 for all of it. Takes --coverage with it.",
        show_default=False,
    ),
]
JunitOption = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Also write the results as JUnit XML, for a build server.", show_default=False
    ),
]
WatchOption = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Run again whenever a file changes: configuration, mappings, tables. Ctrl-C ends it.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Options:
    """How the outcome is to be told."""

    as_json: bool
    coverage: bool
    fail_under: Decimal | None
    junit: Path | None


@app.command(name="test")
def run_tests(
    files: FilesArgument = None,
    config: ConfigOption = None,
    service: ServiceOption = "SERVICE",
    coverage: CoverageOption = False,
    fail_under: FailUnderOption = None,
    junit_file: JunitOption = None,
    watch: WatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the test cases written in the mapping files; a diff for each failure, and its cause.

    Exit code 1: a test failed, or less is covered than --fail-under asks for.
    """
    if watch and as_json:
        raise typer.BadParameter("--watch is for people: it goes without --json")
    percent = _percent(fail_under)
    wanted = Wanted(tuple(files or ()), config, service)
    options = Options(as_json, coverage or percent is not None, percent, junit_file)
    if watch:
        _watch(wanted, options)
    if code := _run(wanted, options, set()):
        raise typer.Exit(code)


def _percent(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        percent = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        percent = Decimal(-1)
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise typer.BadParameter(f"--fail-under takes a percentage from 0 to 100, not {text}")
    return percent


def _run(wanted: Wanted, options: Options, seen: set[Path]) -> int:
    """The exit code. Raises ConfigError; even then ``seen`` gets all files that it depends on."""
    try:
        groups = read_groups(wanted, seen)
    except ConfigError as error:
        if options.junit is not None:
            _write(junit.problem_report(error.problems), options.junit)
        raise
    ran = [one for number, group in enumerate(groups) for one in run_group(number, group)]
    failed = [one for one in ran if not one.result.passed]
    why = explained(failed, wanted)
    found = coverage_views.report(measured(wanted)) if options.coverage else None
    if options.junit is not None:
        _write(junit.report(ran, why), options.junit)
    _tell(ran, why, found, as_json=options.as_json)
    if by_themselves(wanted):
        text = f"without a configuration: the service is {wanted.service}, and no field's type is known; see --config"
        diagnostics().print(text, style="dim")
    short = found is not None and options.fail_under is not None and not found.reaches(options.fail_under)
    if short:
        diagnostics().print(f"less than {options.fail_under} % is covered", style="bold red")
    return EXIT_FAILED if failed or short else EXIT_OK


def _tell(ran: list[Ran], why: Explained, found: coverage_views.Report | None, *, as_json: bool) -> None:
    failed = [one for one in ran if not one.result.passed]
    passed = len(ran) - len(failed)
    if as_json:
        covered = {} if found is None else {"coverage": found.plain()}
        tests = [plain(one, why) for one in ran]
        print_json({"passed": passed, "failed": len(failed), "tests": tests, **covered})
        return
    console = output()
    show_failures(console, failed, why)
    show_summary(console, len(failed), passed)
    if found is not None:
        coverage_views.show(console, found)


def _write(content: bytes, file: Path) -> None:
    try:
        junit.write(content, file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}") from None


def _watch(wanted: Wanted, options: Options) -> None:
    """Again and again; a mistake in the files is told, and waited over."""
    while True:
        seen = set(wanted.files)
        before = state(seen)
        if sys.stdout.isatty():
            sys.stdout.write("\033[2J\033[3J\033[H")
        try:
            _run(wanted, options, seen)
        except ConfigError as error:
            print_problems(error.problems)
        diagnostics().print(f"watching {len(seen)} files", style="dim")
        wait_for_change(state(seen) | before)
