"""``contribd audit``: whether the results topic is complete, single, and true to its input and its rules."""

import sqlite3
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer

from contribd.audit.findings import MEANINGS, Wrong
from contribd.cli import EXIT_FAILED, audit_export, audit_seal
from contribd.cli.audit_options import (
    ExportOption,
    JobsOption,
    PartitionsOption,
    RulesOption,
    SealOption,
    SinceOption,
    TimestampTrustOption,
    TopicOption,
    TrustOption,
    WorkOption,
)
from contribd.cli.audit_seal import Sealed, fail, verify_seals
from contribd.cli.audit_spans import settings_for, span_of
from contribd.cli.audit_verifying import Asked, Options, run
from contribd.cli.audit_views import summary_document, summary_lines
from contribd.cli.common import ConfigOption, JsonOption, output
from contribd.cli.span_options import OffsetOption, UntilOption
from contribd.config.load import Loaded, load
from contribd.ops import log
from contribd.streams.span import Span

if TYPE_CHECKING:
    from contribd.audit.rules_book import RulesBook
    from contribd.audit.verification import Verified
    from contribd.streams.client.settings import KafkaSettings

app = typer.Typer(
    help="Whether the results topic is complete, single, and true to its input and its rules.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

app.command("export", short_help="Export results, and all that is behind them, to files.")(audit_export.export)
app.command("key", short_help="Make a key that signs seals and exports.")(audit_seal.key)
app.command("seal", short_help="Seal what was written since the last seal.")(audit_seal.seal)


@app.callback()
def _audit() -> None:
    """Whether the results topic is complete, single, and true to its input and its rules."""


class _Outcome(NamedTuple):
    """``notes``: what must be said of rules, and of an export; ``sealed``: None where no seals were given;
    ``unlike_manifests``: findings about an export itself; ``not_verified``: what of it was not looked at, in a
    sentence."""

    verified: "Verified"
    notes: Sequence[str]
    sealed: Sealed | None
    unlike_manifests: int = 0
    not_verified: str = ""

    @property
    def is_off(self) -> bool:
        """Whether anything is, or there was nothing to look at."""
        by_seals = self.sealed is not None and self.sealed.wrong > 0
        return self.verified.wrong > 0 or self.verified.is_empty or by_seals or self.unlike_manifests > 0


@app.command(short_help="Verify that every record has its one result, a true one.")
def verify(
    config: ConfigOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    topic: TopicOption = None,
    rules: RulesOption = None,
    partitions: PartitionsOption = None,
    work: WorkOption = None,
    export: ExportOption = None,
    seal: SealOption = None,
    trust: TrustOption = None,
    timestamp_trust: TimestampTrustOption = None,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that every record has its one result, made of this very record, by the rules that it names.

    Reads prices and results and writes nothing to Kafka; with --export it reads files and needs neither Kafka nor a
    configuration. Each finding is a line. Exit code: 0 nothing is off, 1 something is, or there was nothing to look
    at.
    """
    span = span_of(since, until, offset, topic)
    lists = tuple(rules or ()), tuple(partitions or ()), work, tuple(seal or ())
    options = Options(*lists, trust, jobs, as_json, timestamp_trust)
    if seal and trust is None:
        raise typer.BadParameter("--seal needs --trust, the keys that seals must be signed by")
    if timestamp_trust is not None and not seal:
        raise typer.BadParameter("--timestamp-trust needs --seal, the seals whose time stamps are verified")
    if export is None:
        if trust is not None and not seal:
            raise typer.BadParameter("--trust needs --seal or --export, of which it says who must have signed it")
        given = {"--since": since, "--until": until, "--offset": offset, "--topic": topic}
        outcome = _of_kafka(config, span, given, options)
    else:
        if since or until or offset or topic:
            raise typer.BadParameter(
                "leave out --since, --until, --offset and --topic with --export: all of it is read"
            )
        outcome = _of_export(export, config, options)
    _show(outcome, as_json=as_json)
    if outcome.is_off:
        raise typer.Exit(EXIT_FAILED)


def _of_kafka(config: Path | None, span: Span, given: dict[str, Any], options: Options) -> _Outcome:
    from contribd.audit.jobs import JobLost
    from contribd.audit.kafka_evidence import kafka_opener
    from contribd.audit.kafka_seal import open_sealed_topic
    from contribd.audit.rules_book import RulesError
    from contribd.streams.traffic import TrafficError

    loaded = load(config)
    quiet = partial(log.configure, "error", "console", secrets=sorted(loaded.secrets))
    quiet()
    settings = settings_for(loaded, given["--topic"])
    given |= {"--partitions": list(options.partitions), "--rules": list(map(str, options.rules))}
    given |= {
        "brokers": list(settings.bootstrap_servers),
        "group": settings.group_id,
        "prices": list(settings.prices),
        "results": settings.results,
    }
    since = None if span.since is None else round(span.since.timestamp() * 1000)
    asked = Asked(given, span.since is None and not span.offsets, since, options.partitions)
    try:
        known = _rules_book(loaded, settings, options.rules)
        verified = run(kafka_opener(settings, span), known, asked, options, quiet)
        sealed = verify_seals(lambda: open_sealed_topic(settings), options)
    except (TrafficError, RulesError, JobLost, sqlite3.Error, OSError) as error:
        fail(str(error))
    return _Outcome(verified, known.notes, sealed)


def _of_export(folder: Path, config: Path | None, options: Options) -> _Outcome:
    from contribd.cli.audit_exported import checked, verified_export

    export = checked(folder, config, options)
    verified, sealed = verified_export(export, options)
    unsigned = "" if options.trust is not None else "the signatures of the export were not verified (no --trust)"
    return _Outcome(verified, export.notes, sealed, export.wrong, unsigned)


def _rules_book(loaded: Loaded, settings: "KafkaSettings", files: Sequence[Path]) -> "RulesBook":
    from contribd.audit.rules_book import RulesBook, read_documents, read_file

    book = RulesBook([loaded.rules])
    if settings.rules_topic is not None:
        for document in read_documents(settings, settings.rules_topic, book.notes.append):
            book.add(document)
    for file in files:
        book.add(read_file(file))
    return book


def _show(outcome: _Outcome, *, as_json: bool) -> None:
    sealed = outcome.sealed
    if as_json:
        document = summary_document(outcome.verified, outcome.notes)
        document["notes"] += [outcome.not_verified] if outcome.not_verified else []
        document["export"] = outcome.unlike_manifests
        document["seals"] = None if sealed is None else sealed._asdict()
        sys.stdout.write(msgspec.json.encode({"summary": document}).decode() + "\n")
        return
    if outcome.unlike_manifests:
        output().print(f"{outcome.unlike_manifests} x export: {MEANINGS[Wrong.EXPORT]}")
    if sealed is not None:
        for note in sealed.notes:
            output().print(note, soft_wrap=True)
        output().print("the seals hold" if not sealed.wrong else f"{sealed.wrong} x seal: {MEANINGS[Wrong.SEAL]}")
    for line in summary_lines(outcome.verified, outcome.notes, outcome.not_verified):
        output().print(line)
