"""``contribd audit export``: results, and all that is behind them, in files that stand by themselves."""

import os
import pwd
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contribd import __version__
from contribd.cli.audit_options import SinceOption, TopicOption
from contribd.cli.audit_seal import fail, private_key
from contribd.cli.audit_spans import settings_for, span_of
from contribd.cli.audit_verifying import bar
from contribd.cli.common import ConfigOption, JsonOption, output, print_json
from contribd.cli.span_options import OffsetOption, UntilOption
from contribd.config.load import Loaded, load
from contribd.ops import log
from contribd.streams.span import OffsetRange, Span

if TYPE_CHECKING:
    from contribd.audit.export_folder import ExportFolder, WrittenManifest
    from contribd.audit.manifest import Manifest
    from contribd.audit.notes import PrivateKey
    from contribd.audit.rules_book import RulesBook
    from contribd.streams.client.settings import KafkaSettings


def export(
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", file_okay=False, help="Where the files go; an export there is gone on with."
        ),
    ],
    config: ConfigOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    topic: TopicOption = None,
    keys: Annotated[
        list[Path] | None,
        typer.Option(
            "--key",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A private key that signs the manifest, as contribd audit key makes one. May be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Export results, the records that they are of, the rules behind them, and events: Parquet files by day and
    partition, with a manifest.

    Reads up to what the group has settled, and writes nothing to Kafka. What is there already is never written over:
    the next run goes on where the last one ended. contribd audit verify --export reads it without Kafka.
    """
    from contribd.audit.export_folder import manifests_in, opened_folder
    from contribd.audit.manifest import ManifestError
    from contribd.audit.notes import NoteError
    from contribd.audit.parquet_files import ExportError, arrow
    from contribd.audit.rules_book import RulesError
    from contribd.streams.traffic import TrafficError

    span = span_of(since, until, offset, topic)
    loaded = load(config)
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    settings = settings_for(loaded, topic)
    try:
        arrow()
        signers = [private_key(file) for file in keys or ()]
        with opened_folder(out) as folder:
            before = manifests_in(out)
            if before and (since or offset):
                raise typer.BadParameter(
                    f"leave out --since and --offset: the next run into {out} goes on from the last"
                )
            made = _exported(loaded, settings, span, folder, before)
            place = _committed(folder, made, signers) if any(each.records for each in made.logs) else None
    except (ExportError, ManifestError, NoteError, RulesError, TrafficError, OSError) as error:
        fail(str(error))
    if as_json:
        print_json(_document(made, place))
    else:
        _show(made, place, before)


def _exported(
    loaded: Loaded, settings: "KafkaSettings", span: Span, folder: "ExportFolder", before: "Sequence[WrittenManifest]"
) -> "Manifest":
    from contribd.audit.export_run import Circumstances, run_export
    from contribd.audit.exporting import positions
    from contribd.audit.kafka_export import open_kafka_logs
    from contribd.audit.manifest import Asked

    book = _rules_book(loaded, settings)
    asked = Asked(span.since, span.until, tuple(map(_range, span.offsets)))
    came_to = positions(log for each in before for log in each.manifest.logs)
    with open_kafka_logs(settings, span, came_to) as logs:
        about = Circumstances(
            at=datetime.now(UTC),
            version=__version__,
            host=socket.gethostname(),
            user=_user(),
            group=settings.group_id,
            results_topic=settings.results,
            results_partitions=logs.results_partitions,
            asked=asked,
        )
        with bar("exporting", sum(each.end - each.first for each in logs.ranges)) as tick:
            return run_export(logs, logs.ranges, before, book, folder.staging, about, tick)


def _committed(folder: "ExportFolder", made: "Manifest", signers: "Sequence[PrivateKey]") -> Path:
    from contribd.audit.export_folder import named
    from contribd.audit.export_notes import signed
    from contribd.audit.manifest import written

    return folder.commit(made, signed(named(made), made, written(made), signers))


def _rules_book(loaded: Loaded, settings: "KafkaSettings") -> "RulesBook":
    """As documents, for these are what is exported."""
    from contribd.audit.rules_book import RulesBook, document_of, read_documents
    from contribd.config.rules import rules_document

    book = RulesBook()
    if settings.rules_topic is not None:
        for document in read_documents(settings, settings.rules_topic, book.notes.append):
            book.add(document)
    book.add(document_of(rules_document(loaded.rules, __version__).encode(), str(loaded.files[0])))
    return book


def _range(each: OffsetRange) -> str:
    """As ``--offset`` takes it."""
    return f"{each.partition}:{each.first}..{'' if each.last is None else each.last}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _document(made: "Manifest", place: Path | None) -> dict[str, object]:
    """As JSON has it."""
    return {
        "manifest": None if place is None else str(place),
        "records": {str(kind): sum(each.records for each in made.logs if each.kind == kind) for kind in _kinds(made)},
        "files": len(made.files) if place is not None else 0,
        "bytes": sum(each.bytes for each in made.files),
        "unknown_rules": list(made.unknown_rules),
        "covered": [
            {"topic": each.topic, "partition": each.partition, "first": each.first, "end": each.end, "why": each.why}
            for each in made.logs
        ],
    }


def _kinds(made: "Manifest") -> list[str]:
    return list(dict.fromkeys(each.kind.value for each in made.logs))


def _show(made: "Manifest", place: Path | None, before: "Sequence[WrittenManifest]") -> None:
    for each in made.logs:
        output().print(
            f"{each.topic}:{each.partition}: offsets {each.first} to {each.end} ({each.why}), {each.records} records",
            soft_wrap=True,
        )
        for left in each.not_exported:
            output().print(f"  {left.first}..{left.last} is not in the export: {left.what}", soft_wrap=True)
    for digest in made.unknown_rules:
        output().print(f"rules {digest} are nowhere to be found: results that name them cannot be mapped anew")
    if place is None:
        there = f": {before[-1].name} is the last manifest" if before else ""
        output().print(f"nothing is written, for there is nothing new to export{there}", soft_wrap=True)
        return
    records = sum(each.records for each in made.logs)
    output().print(f"{place}: {records} records in {len(made.files)} files", soft_wrap=True)
