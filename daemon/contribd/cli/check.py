"""``contribd check``: is the configuration right, with all its mapping files, and do Kafka and the ADS take it?"""

import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from contribd.cli import EXIT_CONFIG, EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, output, print_json
from contribd.cli.environment import look_around
from contribd.cli.problems import Format, FormatOption, print_problems, problem_json
from contribd.config.failed_tests import failed_tests
from contribd.config.load import Inspected, inspect
from contribd.config.show import show as show_mapping
from contribd.dictionary.dictionary import Dictionary

app = typer.Typer(add_completion=False, rich_markup_mode=None)

NoEnvOption = Annotated[
    bool,
    typer.Option(
        "--no-env",
        help="Look at nothing outside the configuration and its mappings: variables, secrets and certificates count "
        "as present and right. For a build server that has none of them.",
        show_default=False,
    ),
]

ConnectOption = Annotated[
    bool,
    typer.Option(
        "--connect",
        help="Also reach Kafka and log in to every ADS endpoint. Posts and writes nothing.",
        show_default=False,
    ),
]

ShowOption = Annotated[
    str | None,
    typer.Option(
        "--show",
        metavar="NAME",
        help="Print a mapping with what its file's defaults and includes add to it, and the file and line of each "
        "part.",
        show_default=False,
    ),
]


@app.command()
def check(
    config: ConfigOption = None,
    no_env: NoEnvOption = False,
    connect: ConnectOption = False,
    show: ShowOption = None,
    as_json: JsonOption = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Validate configuration and mappings and run their tests; all errors at once, each with file, line and column."""
    _refuse_together(no_env=no_env, connect=connect, show=show is not None, as_json=as_json)
    inspected = inspect(config, lenient=no_env)
    if show is not None:
        _show(inspected, show)
        return
    summary = _summary(inspected)
    loaded = None if inspected.problems or no_env else inspected.loaded()
    problems = inspected.problems if loaded is None else [*failed_tests(loaded)]
    if loaded is not None:
        summary["digest"] = loaded.digest
    surroundings = look_around(loaded) if connect and loaded is not None else None
    if as_json or form is Format.JSON:
        document = {"valid": not problems, **summary, "problems": [*map(problem_json, problems)]}
        print_json(document if surroundings is None else {**document, **surroundings.document()})
    elif problems or form is Format.SARIF:
        print_problems(problems, form)
    else:
        _print(summary)
        if surroundings is not None:
            surroundings.print()
    if problems:
        raise typer.Exit(EXIT_CONFIG)
    if surroundings is not None and surroundings.problems:
        raise typer.Exit(EXIT_FAILED)


def _refuse_together(*, no_env: bool, connect: bool, show: bool, as_json: bool) -> None:
    if connect and no_env:
        raise typer.BadParameter("--connect needs what --no-env does not look at")
    if show and (connect or as_json):
        raise typer.BadParameter("--show prints one mapping; it goes neither with --connect nor with --json")


def _show(inspected: Inspected, name: str) -> None:
    """One mapping; what is wrong with the configuration is said all the same."""
    text = show_mapping(inspected.mappings.documents, name, inspected.settings.ads.service)
    if text is not None:
        sys.stdout.write(text)
    if inspected.problems:
        print_problems(inspected.problems)
        raise typer.Exit(EXIT_CONFIG)
    if text is None:
        names = [mapping.name for mapping in inspected.mappings.compiled]
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise typer.BadParameter(f"no mapping is named {name}; {hint}", param_hint="--show")


def _summary(inspected: Inspected) -> dict[str, Any]:
    mappings = inspected.mappings
    return {
        "files": [str(file) for file in inspected.files],
        "mappings": [mapping.name for mapping in mappings.compiled],
        "tests": len(mappings.cases),
        "dictionary": _dictionary(inspected.dictionary.dictionary),
        "digest": None,
    }


def _dictionary(dictionary: Dictionary | None) -> dict[str, int] | None:
    return None if dictionary is None else {"fields": len(dictionary.fields), "tables": dictionary.tables}


def _print(summary: dict[str, Any]) -> None:
    console = output()
    console.print("valid", style="bold green")
    console.print(f"files     {', '.join(summary['files'])}")
    console.print(f"mappings  {', '.join(summary['mappings'])}")
    passed = "passed" if summary["digest"] else "(run them with contribd test)"
    console.print(f"tests     {summary['tests']} {passed}")
    if known := summary["dictionary"]:
        console.print(f"fields    {known['fields']} in the dictionary, {known['tables']} tables of enumerated values")
    else:
        console.print("fields    names and types are not checked: no dictionary is configured (dictionary.fields)")
    if summary["digest"]:
        console.print(f"digest    {summary['digest']}")
    else:
        console.print("digest    not told: variables and secrets were not looked at")
