"""``contribd tap``: records going in, and what became of them, live and at a bounded rate."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated, Any

import msgspec
import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output
from contribd.cli.config_to_read import load_to_read
from contribd.cli.result_views import View, json_text, lines
from contribd.cli.results import CodeOption, RicOption, StatusOption, build_filters
from contribd.cli.terminal_options import LimitOption, in_terminal, show
from contribd.config.model import Kafka
from contribd.mapping.inputs import Input, as_line
from contribd.ops.lines import printable
from contribd.ops.log import configure
from contribd.results.filters import Filters
from contribd.results.inputs import InputError, opened_inputs
from contribd.results.reader import StoredResult, read_results, reading
from contribd.results.result import Source
from contribd.streams.client.access import Access
from contribd.streams.client.settings import KafkaSettings
from contribd.terminal.tap_model import left_out_text
from contribd.terminal.tap_reader import Follow, TapReader
from contribd.terminal.tap_view import ReadInput, TapView

app = typer.Typer(add_completion=False, rich_markup_mode=None)

TICK_SECONDS = 0.25
TOLD_SECONDS = 1.0
"""How often at most it is said how many results were left out."""


@app.command()
def tap(
    config: ConfigOption = None,
    ric: RicOption = None,
    status: StatusOption = None,
    code: CodeOption = None,
    rate: Annotated[int, typer.Option("--rate", min=1, max=1000, help="Lines a second, at most.")] = 20,
    with_input: Annotated[
        bool,
        typer.Option(
            "--input",
            help="Read the records as well, from the prices topics; each is shown with its result, so not before it.",
            show_default=False,
        ),
    ] = False,
    as_json: JsonOption = False,
    limit: LimitOption = None,
) -> None:
    """Records going in and what became of them, live: the results topic from its end, as committed.

    In a terminal: a table to scroll, sort, filter and pause; ? lists the keys. In a pipe a line a result, with --json
    the result as it is stored; nothing is printed until one comes, of its record neither (--input). Where more results
    come than --rate, those that went wrong are shown first, and it is said how many were left out. The daemon does not
    hear of it.
    """
    filters = build_filters(ric, status, code, None, None, None)
    loaded = load_to_read(config)
    configure("error", "console", secrets=sorted(loaded.secrets))
    kafka = loaded.settings.kafka
    if in_terminal(as_json=as_json):
        show("tap", lambda: view_of(kafka, filters, rate, with_input=with_input))
        return
    reader = _reader(kafka, filters, rate)
    try:
        with ExitStack() as stack:
            read = stack.enter_context(opened_inputs(_prices(kafka))).read if with_input else None
            _print(reader, limit, _json_view(read) if as_json else _line_view(read), as_json=as_json)
    except InputError as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None


def view_of(kafka: Kafka, filters: Filters, rate: int, *, with_input: bool) -> TapView:
    """The live view of a configuration's results topic."""
    subject = f"{kafka.results} at {', '.join(kafka.bootstrap_servers)}"
    return TapView(subject, _reader(kafka, filters, rate), rate, partial(_read_once, kafka) if with_input else None)


def _reader(kafka: Kafka, filters: Filters, rate: int) -> TapReader:
    access = Access(reading(kafka.bootstrap_servers, kafka.results, kafka.client))
    return TapReader(_following(kafka, filters, access), rate, access.problem)


def _following(kafka: Kafka, filters: Filters, access: Access) -> Follow:
    return lambda stop, on_unreadable: read_results(
        kafka.bootstrap_servers,
        kafka.results,
        filters,
        kafka.client,
        follow=True,
        stop=stop,
        on_unreadable=on_unreadable,
        access=access,
    )


def _prices(kafka: Kafka) -> KafkaSettings:
    """Settings of somebody who reads the prices topics and writes nothing."""
    return replace(reading(kafka.bootstrap_servers, kafka.results, kafka.client), prices=tuple(kafka.prices))


def _read_once(kafka: Kafka, source: Source) -> Input:
    with opened_inputs(_prices(kafka)) as inputs:
        return inputs.read(source)


def _line_view(read: ReadInput | None) -> View:
    """A line a result; the record in a line of its own below it."""
    write = lines(output())

    def view(stored: StoredResult) -> None:
        write(stored)
        if read is not None and stored.result.source is not None:
            found, why = _tried(read, stored.result.source)
            sys.stdout.write(f"    {why if found is None else printable(found.decode())}\n")

    return view


def _json_view(read: ReadInput | None) -> View:
    def view(stored: StoredResult) -> None:
        more: dict[str, Any] = {}
        if read is not None and stored.result.source is not None:
            found, why = _tried(read, stored.result.source)
            more = {"input": None, "input_error": why} if found is None else {"input": msgspec.Raw(found)}
        sys.stdout.write(json_text(stored, **more) + "\n")

    return view


def _tried(read: ReadInput, source: Source) -> tuple[bytes | None, str]:
    """The record as a line, or why it cannot be read."""
    try:
        return as_line(read(source)), ""
    except InputError as error:
        return None, f"no record: {error}"


def _print(reader: TapReader, limit: int | None, view: View, *, as_json: bool) -> None:
    reader.start()
    try:
        for stored in islice(_shown(reader, as_json=as_json), limit):
            view(stored)
            sys.stdout.flush()
    finally:
        reader.stop()


def _shown(reader: TapReader, *, as_json: bool) -> Iterator[StoredResult]:
    """What is to be shown, as it comes; says meanwhile how many were left out, and why nothing can be read."""
    told, due, problem = Counter[str](), 0.0, None
    while True:
        time.sleep(TICK_SECONDS)
        now = time.time()
        taken = reader.take(now)
        if taken.problem is not None and taken.problem != problem:
            diagnostics().print(printable(taken.problem), style="red")
        problem = taken.problem
        if reader.failed_at_once:
            raise typer.Exit(EXIT_FAILED)
        yield from taken.results
        if now >= due and taken.left_out != told:
            _tell_left_out(taken.left_out - told, as_json=as_json)
            told, due = taken.left_out, now + TOLD_SECONDS


def _tell_left_out(left_out: Counter[str], *, as_json: bool) -> None:
    text = json.dumps({"left_out": dict(left_out)}) if as_json else f"… {left_out_text(left_out)}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
