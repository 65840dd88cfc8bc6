"""``contribd init``: a configuration, a mapping with its tests, and what belongs to them, to begin with."""

import json
import sys
from collections.abc import Iterator
from importlib.resources import files as files_of
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli import init_options as options
from contribd.cli.common import diagnostics, output
from contribd.cli.init_asking import asked
from contribd.cli.init_files import NotWritten, there, write
from contribd.cli.init_sample import CONFIG, MAPPING, RECORDS, made_of, samples_of
from contribd.cli.init_settings import Told, configured, problems_of
from contribd.cli.problems import print_problems
from contribd.config.errors import ConfigError
from contribd.config.json_schema import config_schema, mapping_schema
from contribd.drafting.draft import Wanted
from contribd.drafting.samples import SampleError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def init(
    directory: options.Directory = Path(),
    sample: options.Sample = None,
    from_kafka: options.FromKafka = False,
    ric: options.Ric = None,
    field: options.Fields = None,
    kafka: options.Kafka = None,
    prices: options.Prices = None,
    results: options.Results = None,
    group: options.Group = None,
    ads: options.Ads = None,
    service: options.Service = None,
    user: options.User = None,
    auth: options.Auth = None,
    token_url: options.TokenUrl = None,
    client_id: options.ClientId = None,
    username: options.Username = None,
    force: options.Force = False,
) -> None:
    """Write a commented configuration, a mapping with its tests, sample records, and schemas for editors.

    With --sample or --from-kafka the mapping is made of records of yours: read it, what is not sure is marked as a
    guess. On a terminal and without options it asks. Secrets are never written: the file names a variable instead.
    """
    told = Told(kafka, prices, results, group, tuple(ads or ()), service, user, auth, token_url, client_id, username)
    wanted = Wanted(ric, options.pairs(field or []))
    if sample is not None and from_kafka:
        raise typer.BadParameter("--sample and --from-kafka give the same in two ways: leave one out")
    if not (told.anything or sample or from_kafka or ric or field) and _terminal():
        _refuse_what_is_there(directory, sampled=False, force=force)
        told = asked(_ask, _starter()[CONFIG], output().print)
        sample, from_kafka = _asked_sample()
    if (ric or field) and not (sample or from_kafka):
        raise typer.BadParameter("--ric and --field are about samples: give some with --sample or --from-kafka")
    sampled = bool(sample or from_kafka)
    _refuse_what_is_there(directory, sampled=sampled, force=force)
    files = _made(told, sample, wanted) if sampled else _started(told)
    _write({directory / name: content for name, content in files.items()}, force=force)
    _tell(directory, told, sampled=sampled)


def starting_files() -> dict[str, str]:
    """Every file by its path, with what is in it, where nothing was said."""
    return {**_starter(), **_schemas()}


def _starter() -> dict[str, str]:
    return dict(_walk(files_of("contribd") / "starter"))


def _schemas() -> dict[str, str]:
    schemas = {"config": config_schema(), "mapping": mapping_schema()}
    return {f"schemas/{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


def _walk(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: str, default: str | None) -> str:
    return str(typer.prompt(question, default=default))


def _asked_sample() -> tuple[Path | None, bool]:
    """The file of samples, or whether they are to be read from Kafka."""
    question = "A file with records of yours (JSON), kafka to read the newest ones there, nothing for an example"
    while True:
        answer = _ask(question, "").strip()
        if not answer or answer == "kafka":
            return None, answer == "kafka"
        if (file := Path(answer).expanduser()).is_file():
            return file, False
        output().print(f"{answer} is no file")


def _names(*, sampled: bool) -> list[str]:
    return [CONFIG, MAPPING, RECORDS, *_schemas()] if sampled else [*starting_files()]


def _refuse_what_is_there(directory: Path, *, sampled: bool, force: bool) -> None:
    found = there(directory / name for name in _names(sampled=sampled))
    if found and not force:
        _fail(f"nothing was written, there is already {', '.join(map(str, found))}; --force replaces them")


def _started(told: Told) -> dict[str, str]:
    files = starting_files()
    return {**files, CONFIG: _configuration(files[CONFIG], told, None)}


def _made(told: Told, sample: Path | None, wanted: Wanted) -> dict[str, str]:
    """The files with a mapping made of samples; ``sample`` None: of those in Kafka."""
    config = _configuration(_starter()[CONFIG], told, MAPPING)
    try:
        return {**made_of(samples_of(sample, config), wanted, config), **_schemas()}
    except SampleError as error:
        _fail(f"nothing was written: {error}")
    except ConfigError as error:
        print_problems(error.problems)
        said = wanted.ric is not None or wanted.fields
        reason = "such is the mapping that --ric and --field ask for" if said else "a fault of contribd: report it"
        _fail(f"nothing was written: {reason}")


def _configuration(starter: str, told: Told, mapping: str | None) -> str:
    config = configured(starter, told, mapping)
    problems = problems_of(config)
    if missing := [option for option, problem in problems if problem.text.startswith("is missing")]:
        raise typer.BadParameter(f"{told.auth} needs {', '.join(missing)}, too", param_hint="--auth")
    for option, problem in problems:
        raise typer.BadParameter(f"{problem.text}; {problem.cure}", param_hint=option or problem.path)
    return config


def _write(contents: dict[Path, str], *, force: bool) -> None:
    replaced = there(contents)
    try:
        write(contents, force=force)
    except NotWritten as error:
        _fail(str(error))
    for file in contents:
        output().print(f"{file} (replaced)" if file in replaced else str(file))


def _fail(text: str) -> NoReturn:
    diagnostics().print(text, style="red")
    raise typer.Exit(EXIT_FAILED)


def _tell(directory: Path, told: Told, *, sampled: bool) -> None:
    console, config = output(), directory / CONFIG
    console.print("\nNext:", style="bold")
    if sampled:
        console.print(f"  $EDITOR {directory / MAPPING}   # read it: what says guess was guessed")
    if told.secret is not None:
        console.print(f"  export {told.secret}=...   # the secret of the login, which stands in no file")
    for command, why in (
        (f"contribd check -c {config}", "is it right?"),
        (f"contribd test -c {config} --coverage", "do the mappings do what their tests say?"),
        (f"contribd map -c {config} {directory / RECORDS} --explain", "what is posted, and why"),
    ):
        console.print(f"  {command}   # {why}")
    if todo := _left_to_do(told, sampled=sampled):
        console.print(f"Then {todo} in {config}, and:")
    console.print(f"  contribd check -c {config} --connect   # do Kafka and the ADS take it? Posts nothing")
    console.print(f"  contribd run -c {config}   # the daemon")


def _left_to_do(told: Told, *, sampled: bool) -> str:
    """What nobody has said yet."""
    said = (("Kafka", told.kafka), ("ADS", told.ads), ("service", told.service))
    unsaid = [word for word, value in said if not value]
    names = f"name your {', '.join(unsaid)}" if unsaid else ""
    return names if sampled else f"{names}, write your mappings, name them".removeprefix(", ")
