"""``contribd plan``: what would change if this configuration replaced the other, over real traffic."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from contribd import __version__
from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.map_records import Unreadable
from contribd.cli.plan_sides import NoRules, rules_in_force
from contribd.cli.plan_traffic import Traffic, followed, lines_of, topics_of
from contribd.cli.plan_views import plan_lines
from contribd.cli.span_options import OffsetOption, UntilOption, since_option
from contribd.config.digest import NO_RULES
from contribd.config.load import Loaded, load
from contribd.config.rules import Rules
from contribd.control.place import possible_sockets
from contribd.mapping.encode import ENCODER
from contribd.plan.comparing import compare
from contribd.plan.configuration import mapping_changes, value_changes
from contribd.plan.report import Report, SeenTraffic, Side
from contribd.results.filters import FilterError, parse_span
from contribd.streams.span import Span, parse_offsets

EXIT_DIFFERENT: Final = 2

_SEE: Final = "; see --since, --until, --offset and --file"

LAST: Final = "1h"
"""What is compared where nothing is said."""


app = typer.Typer(add_completion=False, rich_markup_mode=None)

AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The configuration that would be replaced. Default: the rules in force in the running daemon.",
        show_default=False,
    ),
]
SinceOption = Annotated[str | None, since_option("1h")]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Records as JSON lines, instead of Kafka's; alone, or with what surrounds them (docs/plan.md).",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        dir_okay=False,
        help="Keep the plan as a JSON document, with both digests and the offsets compared.",
        show_default=False,
    ),
]


@app.command()
def plan(
    config: ConfigOption = None,
    against: AgainstOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    file: FileOption = None,
    as_json: JsonOption = False,
    out: OutOption = None,
    socket: SocketOption = None,
) -> None:
    """Show what would change if this configuration replaced the one in force: both map the same real traffic.

    A dry run: nothing is posted or written, and the running daemon is asked for its rules and nothing else. Exit code:
    0 every record comes out the same, 2 some do not, 1 nothing could be compared, 78 a configuration is wrong.
    """
    if file is not None and (since or until or offset):
        raise typer.BadParameter("leave out --since, --until and --offset with --file")
    if offset and (since or until):
        raise typer.BadParameter("leave out --since and --until with --offset")
    span = _span(since, until, offset)
    candidate = load(config)
    try:
        replaced = load(against).rules if against is not None else rules_in_force(_sockets(candidate, socket))
        opened = lines_of(file, candidate.settings.kafka.prices[0]) if file is not None else topics_of(candidate, span)
        with opened as traffic, followed(traffic) as tick:
            report = _compared(candidate.rules, replaced, traffic, tick)
    except (Unreadable, NoRules) as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
    _show(report, as_json=as_json, out=out)
    if report.gathering.differ:
        raise typer.Exit(EXIT_DIFFERENT)


def _sockets(candidate: Loaded, given: Path | None) -> Iterable[Path]:
    settings = candidate.settings
    return [given] if given else possible_sockets(settings.control.socket, settings.instance, os.environ)


def _span(since: str | None, until: str | None, offsets: list[str] | None) -> Span:
    """Of the prices topics. Raises ``typer.BadParameter`` (exit code 2)."""
    now = datetime.now(UTC)
    try:
        if offsets:
            return Span(offsets=tuple(map(parse_offsets, offsets)))
        return Span(*parse_span(since or (None if until else LAST), until, now))
    except (FilterError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _compared(new: Rules, old: Rules, traffic: Traffic, tick: Callable[[int], None]) -> Report:
    seen = SeenTraffic(traffic.source)
    conflate = old.settings["contribution"]["conflate"], new.settings["contribution"]["conflate"]
    gathering = compare(traffic.records, old.mapper, new.mapper, seen, tick, conflate)
    if not gathering.records:
        why = "".join(f"; {each.topic}:{each.partition}: {each.reason}" for each in traffic.unread()[:3])
        raise Unreadable(f"there is no record to compare in {traffic.source}{why or _SEE}")
    return Report(
        old=Side(old.name, old.digest, old.version or __version__),
        new=Side(new.name, new.digest, new.version or __version__),
        traffic=seen,
        gathering=gathering,
        mappings=mapping_changes(old.mappings, new.mappings, old.tables, new.tables),
        settings=tuple(value_changes(_without(old.settings), _without(new.settings))),
        unread=traffic.unread(),
        notes=(*old.notes, *new.notes),
    )


def _without(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings less those that say where things are, and not what is contributed."""
    return {name: value for name, value in settings.items() if name not in NO_RULES}


def _show(report: Report, *, as_json: bool, out: Path | None) -> None:
    if as_json or out is not None:
        text = msgspec.json.format(ENCODER.encode(report.document()), indent=2).decode() + "\n"
        if out is not None:
            out.write_text(text)
        if as_json:
            sys.stdout.write(text)
            return
    for line in plan_lines(report):
        output().print(line)
