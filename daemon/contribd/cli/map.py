"""``contribd map``: what each record would be posted as, without a network."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
from rich.text import Text

from contribd import build
from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.config.load import load
from contribd.mapping.encode import ENCODER
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Ignored, Mapped, Outcome
from contribd.omm.post import PostEncoder

app = typer.Typer(add_completion=False, rich_markup_mode=None)

STDIN = Path("-")


def _readable(file: Path | None) -> Path | None:
    """typer's own check of existence knows no ``-``."""
    if file is None or file == STDIN or file.is_file():
        return file
    raise typer.BadParameter(f"{file} is not a file")


FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        callback=_readable,
        help="Records as JSON lines; - or nothing: standard input.",
        show_default=False,
    ),
]


@app.command(name="map")
def map_(file: FileArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the exact post for each record (JSON lines), or why it has none. Exit code 1: one would be rejected.

    Posts are numbered from 1; a running daemon goes on from its last PostID.
    """
    loaded = load(config)
    show = _show_json if as_json else _show
    encoder = PostEncoder(build.post_user(loaded.settings))
    posts = ignored = rejections = 0
    for line, outcome in outcomes(loaded.mapper, file):
        if isinstance(outcome, Mapped):
            posts += 1
            show(line, outcome, encode(encoder, posts, outcome))
        else:
            ignores = isinstance(outcome, Ignored)
            ignored, rejections = ignored + ignores, rejections + (not ignores)
            show(line, outcome, b"")
    if not as_json:
        count = f"{posts + ignored + rejections} records: {posts} posted, {rejections} rejected"
        diagnostics().print(f"{count}, {ignored} ignored" if ignored else count)
    if rejections:
        raise typer.Exit(EXIT_FAILED)


def outcomes(mapper: Mapper, file: Path | None) -> Iterator[tuple[int, Outcome]]:
    """Each line that is not blank: its number from 1, and what it comes to."""
    if file is None or file == STDIN:
        yield from _map_lines(mapper, sys.stdin.buffer)
    else:
        with file.open("rb") as stream:
            yield from _map_lines(mapper, stream)


def encode(encoder: PostEncoder, post_id: int, post: Mapped) -> bytes:
    """The message as the daemon sends it."""
    return encoder.encode(post_id, ric=post.ric, service=post.service, post_type=post.type, fields=post.fields)


def _map_lines(mapper: Mapper, stream: BinaryIO) -> Iterator[tuple[int, Outcome]]:
    for number, line in enumerate(stream, 1):
        if record := line.strip():
            yield number, mapper.map(record)


def _show(line: int, outcome: Outcome, message: bytes) -> None:
    text = Text(f"{line}: ", style="dim")
    if isinstance(outcome, Mapped):
        text.append(message.decode(), style="not dim")
    elif isinstance(outcome, Ignored):
        text.append("IGNORED: ", style="not dim bold").append(outcome.text, style="not dim")
    else:
        text.append(f"REJECTED {outcome.code}: ", style="not dim bold red")
        text.append(outcome.text, style="not dim")
        known = [part for part in (outcome.mapping, outcome.ric) if part is not None]
        text.append(f" [{', '.join(known)}]" if known else "")
    output().print(text)


def _show_json(line: int, outcome: Outcome, message: bytes) -> None:
    shown: dict[str, Any] = {"line": line}
    if isinstance(outcome, Mapped):
        shown["post"] = msgspec.Raw(message)
    elif isinstance(outcome, Ignored):
        shown["ignored"] = {"text": outcome.text, "mapping": outcome.mapping}
    else:
        shown["rejected"] = {
            "code": outcome.code,
            "text": outcome.text,
            "ric": outcome.ric,
            "service": outcome.service,
            "mapping": outcome.mapping,
            "fields": outcome.fields,
        }
    sys.stdout.write(ENCODER.encode(shown).decode() + "\n")
    sys.stdout.flush()
