"""``contribd rules show``: the rules that a result names, as they were in force."""

import sys
from random import SystemRandom
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.config.load import Loaded, load
from contribd.config.rules import rules_document, unpacked
from contribd.ops import log

app = typer.Typer(
    help="The rules that results name.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

LEAST: int = 6
"""Characters of a digest that are enough where no other begins with them."""


@app.callback()
def _rules() -> None:
    """The rules that results name."""


@app.command(short_help="Show rules by their digest.")
def show(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="As in a result's config; its beginning will do.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the rules that a result's config names, as they were in force: settings and files, secrets masked.

    They are looked for in this configuration, then in its rules_topic. With --json: one document that audit verify
    --rules takes. Exit code 1: nobody has them.
    """
    if len(digest) < LEAST or digest.strip("0123456789abcdef"):
        raise typer.BadParameter(f"expected at least {LEAST} hexadecimal digits, as in a result's config")
    loaded = load(config)
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    document = _found(loaded, digest)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    else:
        _print(document)


def _found(loaded: Loaded, digest: str) -> dict[str, Any]:
    from contribd import __version__, build
    from contribd.audit.rules_book import RulesError, document_of, read_documents

    if loaded.digest.startswith(digest):
        return document_of(rules_document(loaded.rules, __version__).encode(), str(loaded.files[0]))
    topic = loaded.settings.rules_topic
    if topic is None:
        _fail(f"rules {digest} are not those of {loaded.files[0]}, and it has no rules_topic that keeps others")
    try:
        documents = read_documents(build.kafka(loaded, SystemRandom()), topic)
        found = {each["digest"]: each for each in documents if each["digest"].startswith(digest)}
    except RulesError as error:
        _fail(str(error))
    if len(found) > 1:
        _fail(f"several rules begin with {digest}: {', '.join(sorted(found))}")
    if not found:
        _fail(f"topic {topic} has no rules {digest}")
    return next(iter(found.values()))


def _fail(text: str) -> NoReturn:
    diagnostics().print(text, style="red")
    raise typer.Exit(EXIT_FAILED)


def _print(document: dict[str, Any]) -> None:
    out = output()
    out.print(f"rules {document['digest']}", style="bold")
    out.print(f"in force in {document['instance']}, contribd {document['version']}")
    out.print("\nsettings", style="bold")
    out.print(msgspec.yaml.encode(document["settings"]).decode().rstrip())
    for path, text in unpacked(document).items():
        out.print(f"\n{path}", style="bold")
        out.print(text.decode(errors="replace").rstrip())
