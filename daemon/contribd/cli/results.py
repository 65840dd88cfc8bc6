"""``contribd results``: what became of the records."""

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.result_views import csv_rows, json_line, lines, summarise
from contribd.config.load import load
from contribd.config.model import Kafka
from contribd.ops.lines import printable
from contribd.ops.log import configure
from contribd.results.filters import FilterError, Filters, parse_source, parse_status, parse_time
from contribd.results.reader import AuditError, StoredResult, UnreadableResult, read_results

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


@app.command()
def results(
    config: ConfigOption = None,
    ric: RicOption = None,
    status: StatusOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Go on with new results as they come (from now on, or --since).", show_default=False
        ),
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Counts per status and code, and latencies.", show_default=False)
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)] = False,
    as_json: JsonOption = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Stop after this many.", show_default=False)
    ] = None,
) -> None:
    """Read the results topic: what became of each record, post by post, as committed, oldest first.

    With --json: one result a line, exactly as it is stored, and where (key "stored"); with --summary one document.
    """
    if as_csv and (as_json or summary):
        raise typer.BadParameter("leave out --json and --summary with --csv")
    if follow and summary:
        raise typer.BadParameter("a summary needs an end: leave out --follow")
    filters = build_filters(ric, status, code, since, until, offset)
    loaded = load(config)
    # Who follows wants to know that the broker is away; who waits for an end is told by the error that comes.
    configure("warning" if follow else "error", "console", secrets=sorted(loaded.secrets))
    complaints = _Complaints()
    with closing(_read(loaded.settings.kafka, filters, follow=follow, on_unreadable=complaints)) as read:
        if summary:
            summarise(islice(read, limit), as_json=as_json)
        else:
            view = json_line if as_json else csv_rows() if as_csv else lines(output())
            for stored in islice(read, limit):
                view(stored)
                if follow:
                    sys.stdout.flush()
    if complaints.count:
        raise typer.Exit(EXIT_FAILED)


def build_filters(
    rics: list[str] | None,
    statuses: list[str] | None,
    codes: list[str] | None,
    since: str | None,
    until: str | None,
    offsets: list[str] | None,
) -> Filters:
    """The filters the options above ask for. Raises ``typer.BadParameter`` (exit code 2)."""
    now = datetime.now(UTC)
    try:
        return Filters(
            rics=tuple(rics or ()),
            statuses=frozenset(map(parse_status, statuses or ())),
            codes=frozenset(codes or ()),
            since=parse_time(since, now) if since else None,
            until=parse_time(until, now) if until else None,
            sources=frozenset(map(parse_source, offsets or ())),
        )
    except FilterError as error:
        raise typer.BadParameter(str(error)) from None


class _Complaints:
    """Says which records of the topic are no results; the rest is shown all the same, and the exit code is 1."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, record: UnreadableResult) -> None:
        self.count += 1
        diagnostics().print(printable(str(record)), style="red")


def _read(
    kafka: Kafka, filters: Filters, *, follow: bool, on_unreadable: Callable[[UnreadableResult], None]
) -> Generator[StoredResult]:
    try:
        yield from read_results(
            kafka.bootstrap_servers, kafka.results, filters, kafka.client, follow=follow, on_unreadable=on_unreadable
        )
    except AuditError as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
