"""``contribd results``: what became of the records."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.config_to_read import load_to_read
from contribd.cli.result_steps import step_lines
from contribd.cli.result_views import csv_rows, json_line, lines, summarise
from contribd.config.load import Loaded
from contribd.config.model import Kafka
from contribd.ops.lines import printable
from contribd.ops.log import configure
from contribd.results.filters import FilterError, Filters, parse_source, parse_span, parse_status
from contribd.results.reader import AuditError, Bounds, StoredResult, UnreadableResult, read_results

app = typer.Typer(add_completion=False, rich_markup_mode=None)

RicOption = Annotated[
    list[str] | None,
    typer.Option("--ric", metavar="GLOB", help="RICs like this: EUR=*, *=TRCC. May be repeated.", show_default=False),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        help="ACK, NAK, ERROR, UNANSWERED, CONFLATED, EXPIRED, REJECTED, SUPPRESSED or IGNORED. May be repeated.",
        show_default=False,
    ),
]
CodeOption = Annotated[
    list[str] | None,
    typer.Option("--code", help="SymbolUnknown, MissingField, … May be repeated.", show_default=False),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Settled at or after: 2026-11-22T10:15Z (UTC if it names no zone), or how long ago: 15m, 1h30m, 2d.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Settled at or before; as --since.", show_default=False),
]
OffsetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--offset",
        metavar="TOPIC:PARTITION:OFFSET",
        help="The result of this input record, or its results where it has several posts. May be repeated.",
        show_default=False,
    ),
]
MappingOption = Annotated[
    list[str] | None,
    typer.Option("--mapping", metavar="NAME", help="Of records that it took. May be repeated.", show_default=False),
]
DeskOption = Annotated[
    list[str] | None,
    typer.Option(
        "--desk",
        metavar="NAME",
        help="Of records that its mappings took, those of this configuration. May be repeated.",
        show_default=False,
    ),
]
PostOption = Annotated[
    list[int] | None,
    typer.Option(
        "--post",
        metavar="POSTID",
        min=0,
        help="Whose posts had this PostID, in any session. May be repeated.",
        show_default=False,
    ),
]


@app.command()
def results(
    config: ConfigOption = None,
    ric: RicOption = None,
    status: StatusOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    post: PostOption = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Go on with new results as they come (from now on, or --since).", show_default=False
        ),
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Counts per status and code, and latencies.", show_default=False)
    ] = False,
    steps: Annotated[
        bool,
        typer.Option(
            "--steps", help="Each result step by step, with times: from record to answer.", show_default=False
        ),
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)] = False,
    as_json: JsonOption = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Stop after this many.", show_default=False)
    ] = None,
) -> None:
    """Read the results topic: what became of each record, post by post, as committed, oldest first.

    Where it shows them to people, stderr says at the end how far it looked. With --json: one result a line, exactly as
    it is stored, and where (key "stored"); with --summary one document.
    """
    _refuse(as_csv=as_csv, as_json=as_json, summary=summary, steps=steps, follow=follow)
    filters = build_filters(ric, status, code, since, until, offset)
    loaded = load_to_read(config)
    filters = by_rules(filters, loaded, mapping, desk, post)
    # Who follows wants to know that the broker is away; who waits for an end is told by the error that comes.
    configure("warning" if follow else "error", "console", secrets=sorted(loaded.secrets))
    complaints, looked = _Complaints(), _Looked(loaded.settings.kafka.results)
    reading = _read(loaded.settings.kafka, filters, follow=follow, on_unreadable=complaints, on_bounds=looked)
    with closing(reading) as stream:
        read = looked.noting(stream)
        if summary:
            summarise(islice(read, limit), as_json=as_json)
        else:
            shown = step_lines if steps else lines
            view = json_line if as_json else csv_rows() if as_csv else shown(output())
            for stored in islice(read, limit):
                view(stored)
                if follow:
                    sys.stdout.flush()
    if not (as_json or as_csv or follow):
        looked.tell()
    if complaints.count:
        raise typer.Exit(EXIT_FAILED)


def _refuse(*, as_csv: bool, as_json: bool, summary: bool, steps: bool, follow: bool) -> None:
    """What does not go together. Raises ``typer.BadParameter`` (exit code 2)."""
    if as_csv and (as_json or summary):
        raise typer.BadParameter("leave out --json and --summary with --csv")
    if steps and (as_csv or as_json or summary):
        raise typer.BadParameter("leave out --json, --csv and --summary with --steps")
    if follow and summary:
        raise typer.BadParameter("a summary needs an end: leave out --follow")


def build_filters(
    rics: list[str] | None,
    statuses: list[str] | None,
    codes: list[str] | None,
    since: str | None,
    until: str | None,
    offsets: list[str] | None,
) -> Filters:
    """The filters the options above ask for. Raises ``typer.BadParameter`` (exit code 2)."""
    try:
        begin, end = parse_span(since, until, datetime.now(UTC))
        return Filters(
            rics=tuple(rics or ()),
            statuses=frozenset(map(parse_status, statuses or ())),
            codes=frozenset(codes or ()),
            since=begin,
            until=end,
            sources=frozenset(map(parse_source, offsets or ())),
        )
    except FilterError as error:
        raise typer.BadParameter(str(error)) from None


def by_rules(
    filters: Filters, loaded: Loaded, mappings: list[str] | None, desks: list[str] | None, posts: list[int] | None
) -> Filters:
    """The same, with what takes the configuration to be known. Raises ``typer.BadParameter`` (exit code 2)."""
    return replace(filters, mappings=_mappings(loaded, mappings, desks), posts=frozenset(posts or ()))


def _mappings(loaded: Loaded, names: list[str] | None, desks: list[str] | None) -> frozenset[str] | None:
    """Those meant; None: all. Raises ``typer.BadParameter`` (exit code 2)."""
    if not names and not desks:
        return None
    known = loaded.mapper.desks
    if unknown := [desk for desk in desks or () if desk not in known.values()]:
        there = ", ".join(sorted(set(known.values()))) or "none"
        raise typer.BadParameter(f"no mapping is of desk {unknown[0]!r}; desks there are: {there}")
    return frozenset((*(names or ()), *(name for name, desk in known.items() if desk in (desks or ()))))


class _Looked:
    """Says what of the topic was looked at."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._bounds: Bounds = {}
        self._found = False

    def __call__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def noting(self, results: Iterable[StoredResult]) -> Iterator[StoredResult]:
        """The same, and whether there is any."""
        for stored in results:
            self._found = True
            yield stored

    def tell(self) -> None:
        ranges = ", ".join(
            f"{self._topic}:{number}:{first}..{end - 1}"
            for number, (first, end) in sorted(self._bounds.items())
            if end > first
        )
        looked = f"looked at {ranges}" if ranges else f"looked at nothing: {self._topic} has no such records"
        diagnostics().print(looked if self._found else f"no result; {looked}")


class _Complaints:
    """Says which records of the topic are no results; the rest is shown all the same, and the exit code is 1."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, record: UnreadableResult) -> None:
        self.count += 1
        diagnostics().print(printable(str(record)), style="red")


def _read(
    kafka: Kafka,
    filters: Filters,
    *,
    follow: bool,
    on_unreadable: Callable[[UnreadableResult], None],
    on_bounds: Callable[[Bounds], None],
) -> Generator[StoredResult]:
    try:
        yield from read_results(
            kafka.bootstrap_servers,
            kafka.results,
            filters,
            kafka.client,
            follow=follow,
            on_unreadable=on_unreadable,
            on_bounds=on_bounds,
        )
    except AuditError as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
