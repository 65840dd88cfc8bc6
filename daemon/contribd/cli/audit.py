"""``contribd audit``: whether the results topic is complete, single, and true to its input and its rules."""

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from contribd import __version__
from contribd.audit.findings import MEANINGS, Finding, Wrong
from contribd.cli import EXIT_FAILED, audit_seal
from contribd.cli.audit_options import (
    PartitionsOption,
    RulesOption,
    SealOption,
    SinceOption,
    TopicOption,
    TrustOption,
    WorkOption,
)
from contribd.cli.audit_views import summary_document, summary_lines
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.span_options import OffsetOption, UntilOption
from contribd.config.load import Loaded, load
from contribd.ops import log
from contribd.ops.lines import printable
from contribd.results.filters import FilterError, parse_time
from contribd.streams.span import Span, parse_offsets

if TYPE_CHECKING:
    from contribd.audit.evidence import Bounds
    from contribd.audit.rules_book import RulesBook
    from contribd.audit.store import ClaimStore
    from contribd.audit.verification import Verified
    from contribd.streams.client.settings import KafkaSettings

app = typer.Typer(
    help="Whether the results topic is complete, single, and true to its input and its rules.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

WORK_FILE = "verification.sqlite"

app.command("key")(audit_seal.key)
app.command("seal")(audit_seal.seal)


@app.callback()
def _audit() -> None:
    """Whether the results topic is complete, single, and true to its input and its rules."""


@app.command()
def verify(
    config: ConfigOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    topic: TopicOption = None,
    rules: RulesOption = None,
    partitions: PartitionsOption = None,
    work: WorkOption = None,
    seal: SealOption = None,
    trust: TrustOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that every record has its one result, made of this very record, by the rules that it names.

    Reads prices and results and writes nothing to Kafka. Each finding is a line. Exit code: 0 nothing is off, 1
    something is, or there was nothing to look at.
    """
    if offset and (since or until or topic):
        raise typer.BadParameter("leave out --since, --until and --topic with --offset")
    if topic and since:
        raise typer.BadParameter("leave out --since with --topic: it is read from its beginning")
    if bool(seal) != bool(trust):
        raise typer.BadParameter("--seal and --trust belong together")
    span = _span(since, until, offset)
    loaded = load(config)
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    settings = _settings(loaded, topic)
    given = {"--since": since, "--until": until, "--offset": offset, "--topic": topic, "--partitions": partitions}
    given |= {"--rules": list(map(str, rules or ())), "brokers": list(settings.bootstrap_servers)}
    given |= {"group": settings.group_id, "prices": list(settings.prices), "results": settings.results}
    asked = _Asked(span, tuple(rules or ()), tuple(partitions or ()), given)
    with _work_folder(work) as folder:
        verified, book = _verified(loaded, settings, asked, folder, as_json=as_json)
    sealed = _seals(settings, seal, trust, as_json=as_json)
    _show(verified, book, sealed, as_json=as_json)
    if verified.wrong or verified.is_empty or (sealed is not None and sealed.wrong):
        raise typer.Exit(EXIT_FAILED)


def _span(since: str | None, until: str | None, offsets: list[str] | None) -> Span:
    """Of the prices topics. Raises ``typer.BadParameter`` (exit code 2)."""
    now = datetime.now(UTC)
    try:
        given = tuple(map(parse_offsets, offsets or ()))
        return Span(parse_time(since, now) if since else None, parse_time(until, now) if until else None, given)
    except (FilterError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _settings(loaded: Loaded, topics: Sequence[str] | None) -> "KafkaSettings":
    # Heavy: the Kafka client takes longer to load than everything else here.
    from dataclasses import replace

    from contribd import build

    settings = build.kafka(loaded, SystemRandom())
    if unknown := [topic for topic in topics or () if topic not in settings.prices]:
        raise typer.BadParameter(f"{unknown[0]} is no topic of kafka.prices: {', '.join(settings.prices)}")
    return replace(settings, prices=tuple(topics)) if topics else settings


@contextmanager
def _work_folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="contribd-audit-") as folder:
        yield Path(folder)


class _Asked(NamedTuple):
    """``given``: all that decides what is verified, as JSON has it."""

    span: Span
    rules: tuple[Path, ...]
    partitions: tuple[int, ...]
    given: Mapping[str, Any]


def _verified(
    loaded: Loaded, settings: "KafkaSettings", asked: _Asked, folder: Path, *, as_json: bool
) -> "tuple[Verified, RulesBook]":
    from contribd.audit.book import Book
    from contribd.audit.kafka_evidence import open_kafka_evidence
    from contribd.audit.rules_book import RulesError
    from contribd.audit.store import ClaimStore
    from contribd.audit.verification import verify as verify_evidence
    from contribd.streams.traffic import TrafficError

    span = asked.span
    try:
        known = _rules_book(loaded, settings, asked.rules)
        _begin_anew(folder)
        with (
            ClaimStore(folder / WORK_FILE) as store,
            open_kafka_evidence(settings, span, _kept(store, asked.given)) as (evidence, bounds),
        ):
            _keep(store, asked.given, bounds)
            for finding in store.findings():
                _print_finding(finding, as_json=as_json)
            with _bar(_total(bounds)) as tick:
                book = Book(store, lambda finding: _print_finding(finding, as_json=as_json), tick)
                may_be_in = _partitions_of((bounds.partitions, *asked.partitions))
                whole = span.since is None and not span.offsets
                since = None if span.since is None else round(span.since.timestamp() * 1000)
                since = store.recall("since", since)  # of one that is gone on with: as it was then
                store.note("since", since)
                verified = verify_evidence(
                    evidence, book, known.mapper, may_be_in, __version__, whole=whole, since=since
                )
                return verified, known
    except (TrafficError, RulesError, sqlite3.Error) as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None


class _Seals(NamedTuple):
    wrong: int
    notes: list[str]


def _seals(settings: "KafkaSettings", places: list[Path] | None, trust: Path | None, *, as_json: bool) -> _Seals | None:
    """What the seals say; None where there are none given."""
    if not places or trust is None:
        return None
    from contribd.streams.traffic import TrafficError

    try:
        findings, notes = audit_seal.verify_seals(settings, places, trust)
    except (TrafficError, OSError) as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
    for finding in findings:
        _print_finding(finding, as_json=as_json)
    return _Seals(len(findings), notes)


def _rules_book(loaded: Loaded, settings: "KafkaSettings", files: Sequence[Path]) -> "RulesBook":
    from contribd.audit.rules_book import RulesBook, read_documents, read_file

    book = RulesBook([loaded.rules])
    if settings.rules_topic is not None:
        for document in read_documents(settings, settings.rules_topic, book.notes.append):
            book.add(document)
    for file in files:
        book.add(read_file(file))
    return book


def _begin_anew(folder: Path) -> None:
    """One that came to its end is not gone on with: much may have been written since."""
    from contribd.audit.store import ClaimStore

    if not (folder / WORK_FILE).exists():
        return
    with ClaimStore(folder / WORK_FILE) as store:
        is_done = store.recall("done", False)
    if is_done:
        for file in folder.glob(f"{WORK_FILE}*"):
            file.unlink()


def _kept(store: "ClaimStore", what: Mapping[str, Any]) -> "Bounds | None":
    """The bounds of the verification that is gone on with; None where it begins. ``what``: what is verified."""
    from contribd.audit.evidence import Bounds

    kept = store.recall("bounds", None)
    if kept is None:
        return None
    if kept["what"] != dict(what):
        other = ", ".join(name for name in what if kept["what"].get(name) != what[name])
        text = f"the work of another verification is there (it differs in {other}): name another folder, or empty it"
        raise typer.BadParameter(text, param_hint="--work")
    return msgspec.convert(kept["bounds"], Bounds, strict=False)


def _keep(store: "ClaimStore", what: Mapping[str, Any], bounds: "Bounds") -> None:
    store.note("bounds", {"what": dict(what), "bounds": msgspec.to_builtins(bounds)})
    store.keep()


def _total(bounds: "Bounds") -> int:
    results = sum(end - first for first, end in bounds.results.values())
    return results + sum(each.end - each.first for each in bounds.stretches)


def _partitions_of(counts: Sequence[int]) -> Callable[[bytes], Sequence[int]]:
    from contribd.streams.client.partitioner import partition_of

    ranges = [range(count) for count in dict.fromkeys(counts)]
    return lambda key: [partition_of(key, numbers) for numbers in ranges]


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how far it is; elsewhere nothing does."""
    console = diagnostics()
    if not console.is_terminal:
        yield lambda _offsets: None
        return
    columns = (TextColumn("verifying"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda offsets: progress.advance(task, offsets)


def _print_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode({"finding": finding.document()}).decode() + "\n")
    else:
        output().print(printable(str(finding)), style="red", soft_wrap=True)


def _show(verified: "Verified", rules: "RulesBook", sealed: _Seals | None, *, as_json: bool) -> None:
    if as_json:
        document = summary_document(verified, rules.notes)
        document["seals"] = None if sealed is None else sealed._asdict()
        sys.stdout.write(msgspec.json.encode({"summary": document}).decode() + "\n")
        return
    if sealed is not None:
        for note in sealed.notes:
            output().print(note, soft_wrap=True)
        output().print("the seals hold" if not sealed.wrong else f"{sealed.wrong} x seal: {MEANINGS[Wrong.SEAL]}")
    for line in summary_lines(verified, rules.notes):
        output().print(line)
