"""``contribd map``: what each record would be posted as, without a network."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from contribd import build
from contribd.cli import EXIT_FAILED, explain_views
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.map_records import STDIN, Labelled, Unreadable, from_kafka, lines
from contribd.config.load import Loaded, inspect
from contribd.config.mappings import MappingFiles
from contribd.config.model import Settings
from contribd.mapping.encode import ENCODER
from contribd.mapping.explain import explain
from contribd.mapping.inputs import Input, milliseconds
from contribd.mapping.judging import InARow
from contribd.mapping.noted import NotedMapper
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PartOutcome, Rejected, Several, Suppressed, parts_of
from contribd.mapping.tape import Tape, recording
from contribd.omm.post import PostEncoder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _readable(file: Path | None) -> Path | None:
    """typer's own check of existence knows no ``-``."""
    if file is None or file == STDIN or file.is_file():
        return file
    name = str(file)
    raise typer.BadParameter(f"file {name!r} is a directory." if file.is_dir() else f"file {name!r} does not exist.")


FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        callback=_readable,
        help="Records as JSON lines; - or nothing: standard input. A line whose keys all begin with @ gives a record "
        'with its metadata: {"@key": "EURUSD", "@headers": {}, "@timestamp": 1780000000000, "@value": {}}.',
        show_default=False,
    ),
]
OffsetOption = Annotated[
    str | None,
    typer.Option(
        "--offset",
        metavar="TOPIC:PARTITION:OFFSET",
        help="This record of Kafka's instead; prices:3:1812..1900 for several.",
        show_default=False,
    ),
]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Explain each step: why a mapping did not match, each expression with its values, each conversion.",
        show_default=False,
    ),
]


AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="When records arrive, for publish rules: 2026-11-30T08:00:00Z. Default: when each is stamped, or now.",
        show_default=False,
    ),
]


@app.command(name="map")
def map_(
    file: FileArgument = None,
    config: ConfigOption = None,
    offset: OffsetOption = None,
    explained: ExplainOption = False,
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the exact post for each record (JSON lines), or why there is none. Exit code 1: one would be rejected.

    Publish rules are asked as if each post before had been accepted; before the first record nothing is known.

    A record with several posts has a line for each, which says which one it is: 0/3 is the first of three. Posts are
    numbered from 1; a running daemon goes on from its last PostID.
    """
    if offset is not None and file is not None:
        raise typer.BadParameter("--offset takes a record from Kafka: leave out FILE")
    tape = Tape()
    with recording(tape) if explained else nullcontext():
        inspected = inspect(config)
    loaded = inspected.loaded()
    records = from_kafka(loaded, offset) if offset is not None else lines(file, loaded.settings.kafka.prices[0])
    encoder = build.encoder(loaded.settings)
    desk = _Desk(loaded.settings, _moment(at))
    if explained:
        told = _explained(inspected.mappings, tape, records, encoder, desk, as_json)
    else:
        told = _plainly(loaded, records, encoder, desk, as_json)
    mapped, counts = 0, Counter[type[PartOutcome]]()
    try:
        for outcome in told:
            mapped += 1
            counts.update(map(type, parts_of(outcome)))
    except Unreadable as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
    if not as_json:
        diagnostics().print(_summary(mapped, counts))
    if counts[Rejected]:
        raise typer.Exit(EXIT_FAILED)


def _summary(records: int, counts: Counter[type[PartOutcome]]) -> str:
    made = counts.total() - counts[Ignored]  # an ignored record is no post
    posts = f" with {made} posts" if counts.total() > records else ""
    text = f"{records} records{posts}: {counts[Mapped]} posted, {counts[Rejected]} rejected"
    text += f", {counts[Suppressed]} suppressed" if counts[Suppressed] else ""
    return f"{text}, {counts[Ignored]} ignored" if counts[Ignored] else text


class _Desk:
    """Asks the publish rules of one record after the other."""

    def __init__(self, settings: Settings, at: int | None) -> None:
        """``at``: when all of them arrive, in milliseconds since 1970; None: when each is stamped, else now."""
        self._at = at
        self.rules = InARow(conflate=settings.contribution.conflate)

    def next(self, record: Input) -> InARow:
        """For one more record."""
        stamped = record.surroundings.timestamp if self._at is None else self._at
        self.rules.arrive(time.time_ns() // 1000 if stamped is None else stamped * 1000)
        return self.rules


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    if (found := milliseconds(text)) is None:
        raise typer.BadParameter(f"--at takes a time with its zone such as 2026-11-30T08:00:00Z, not {text!r}")
    return found


def _plainly(
    loaded: Loaded, records: Iterator[Labelled], encoder: PostEncoder, desk: _Desk, as_json: bool
) -> Iterator[Outcome]:
    """Shows each and gives its outcome."""
    messages = Messages(encoder)
    for label, record in records:
        rules = desk.next(record)
        outcome = rules.judge(loaded.mapper.map(record.value, record.surroundings, rules.view))
        for place, part in enumerate(parts_of(outcome)):
            if as_json:
                _write_json(_plain(label, outcome, place, part, messages.of(part)))
            else:
                _show(f"{label}{_of_several(outcome, place)}", part, messages.of(part))
        yield outcome


def _explained(
    files: MappingFiles, tape: Tape, records: Iterator[Labelled], encoder: PostEncoder, desk: _Desk, as_json: bool
) -> Iterator[Outcome]:
    """The same with the way there; the ``files`` were compiled while ``tape`` recorded."""
    mapper = NotedMapper(files.compiled, files.sites, tape)
    messages = Messages(encoder)
    for label, record in records:
        found = explain(mapper, record.value, record.surroundings, desk.next(record))
        outcome = found.outcome
        made = [messages.of(part) for part in parts_of(outcome)]
        if as_json:
            for place, (part, message) in enumerate(zip(parts_of(outcome), made, strict=True)):
                way = explain_views.plain(found, place, files)
                _write_json({**_plain(label, outcome, place, part, message), **way})
        else:
            explain_views.show(output(), str(label), record, found, made, files)
        yield outcome


class Messages:
    """The messages as the daemon sends them, numbered from 1."""

    def __init__(self, encoder: PostEncoder) -> None:
        self._encoder = encoder
        self._posts = 0

    def of(self, part: PartOutcome) -> bytes:
        """Empty where nothing is posted.

        A bare ESC, which ``ads.rmtes_escape: raw`` sends, is written as JSON has it: it is no JSON, and terminals obey
        it.
        """
        if not isinstance(part, Mapped):
            return b""
        self._posts += 1
        message = self._encoder.encode(
            self._posts, ric=part.ric, service=part.service, post_type=part.type, fields=part.fields
        )
        return message.replace(b"\x1b", b"\\u001b")


def _show(label: str, part: PartOutcome, message: bytes) -> None:
    text = Text(f"{label}: ", style="dim")
    if isinstance(part, Mapped):
        text.append(message.decode(), style="not dim")
    elif isinstance(part, Ignored):
        text.append("IGNORED: ", style="not dim bold").append(part.text, style="not dim")
    else:
        word, colour = ("SUPPRESSED", "yellow") if isinstance(part, Suppressed) else ("REJECTED", "red")
        text.append(f"{word} {part.code}: ", style=f"not dim bold {colour}")
        text.append(part.text, style="not dim")
        known = [each for each in (part.mapping, part.ric) if each is not None]
        text.append(f" [{', '.join(known)}]" if known else "")
    output().print(text)


def _of_several(outcome: Outcome, place: int) -> str:
    """Which post of the record it is, as its result says it: the first of three is 0/3."""
    return f" {place}/{len(outcome.parts)}" if isinstance(outcome, Several) else ""


def _plain(label: str | int, outcome: Outcome, place: int, part: PartOutcome, message: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = {"line": label} if isinstance(label, int) else {"source": label}
    if isinstance(outcome, Several):
        shown |= {"part": place, "parts": len(outcome.parts)}
    if isinstance(part, Mapped):
        shown["post"] = msgspec.Raw(message)
    elif isinstance(part, Ignored):
        shown["ignored"] = {"text": part.text, "mapping": part.mapping}
    else:
        shown["suppressed" if isinstance(part, Suppressed) else "rejected"] = {
            "code": part.code,
            "text": part.text,
            "ric": part.ric,
            "service": part.service,
            "mapping": part.mapping,
            "fields": part.fields,
        }
    return shown


def _write_json(shown: dict[str, Any]) -> None:
    sys.stdout.write(ENCODER.encode(shown).decode() + "\n")
    sys.stdout.flush()
