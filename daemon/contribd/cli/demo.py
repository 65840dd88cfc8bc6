"""``contribd demo``: everything on this machine, with nothing to install."""

import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from contribd.cli import EXIT_FAILED, EXIT_INTERRUPTED
from contribd.cli.common import JsonOption, diagnostics, output, print_json
from contribd.simulation.demo.embedded_broker import BrokerError
from contribd.simulation.demo.rates import MissingExtraError
from contribd.simulation.demo.show import Demo, DemoOptions, Interrupted, ShowProgress, View
from contribd.simulation.demo.show_summary import Percentiles, ShowSummary
from contribd.simulation.demo.stage import StageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LINE_SECONDS = 1.0
"""In a pipe, progress is one line this often."""
_STYLES = {
    "ACK": "green",
    "NAK": "yellow",
    "ERROR": "red",
    "UNANSWERED": "red",
    "REJECTED": "magenta",
    "IGNORED": "dim",
}


@app.command()
def demo(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long prices flow.")] = 15,
    rate: Annotated[float, typer.Option(min=1, help="Prices a second.")] = 150,
    seed: Annotated[int, typer.Option(help="The same seed gives the same prices.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Go on until Ctrl-C.")] = False,
    json: JsonOption = False,
) -> None:
    """Show everything on this machine: a Kafka broker, a simulated ADS, a pricing engine and the daemon.

    Exit code 0 if every record got exactly one result, 1 if not.
    """
    interrupts = _count_interrupts()
    console = diagnostics() if json else output()
    try:
        with _view(console) as view:
            summary = Demo(DemoOptions(seconds=seconds, rate=rate, seed=seed, keep=keep), view, interrupts).run()
    except (MissingExtraError, StageError, BrokerError) as error:
        diagnostics().print(str(error), style="red")
        raise typer.Exit(EXIT_FAILED) from None
    except Interrupted:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if json:
        print_json(summary.document())
    else:
        print_summary(summary, console)
    if not summary.ok:
        raise typer.Exit(EXIT_FAILED)


def _count_interrupts() -> Callable[[], int]:
    """How many SIGINT and SIGTERM have come from now on."""
    count = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    return lambda: count


def _view(console: Console) -> AbstractContextManager[View]:
    return LiveView(console) if console.is_terminal else nullcontext(PlainView(console))


class PlainView:
    """For a pipe: a line for every event, and one of progress each second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._next = 0.0

    def event(self, text: str) -> None:
        """One line, with the seconds since the start."""
        self._print(f"{time.monotonic() - self._start:6.1f} s  {text}")

    def progress(self, progress: ShowProgress) -> None:
        """One line each second, whatever the calls."""
        if progress.elapsed >= self._next:
            self._next = progress.elapsed + LINE_SECONDS
            statuses = "".join(f"  {name} {count}" for name, count in progress.statuses.items())
            self._print(f"          {progress.records} in, {progress.results} out{statuses}  [{progress.session}]")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False)
        sys.stdout.flush()


class LiveView(AbstractContextManager["LiveView"]):
    """For a terminal: events scroll by above a table that stays."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, transient=True, refresh_per_second=8)
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, text: str) -> None:
        """One line above the table."""
        line = Text(f"{time.monotonic() - self._start:6.1f} s  ", style="dim").append(text, style="not dim bold")
        self._live.console.print(line)

    def progress(self, progress: ShowProgress) -> None:
        """Redraws the table."""
        table = Table.grid(padding=(0, 2))
        table.add_row("records in", str(progress.records))
        table.add_row("results out", str(progress.results))
        for name, count in progress.statuses.items():
            table.add_row(f"  {name}", Text(str(count), style=_STYLES.get(name, "")))
        table.add_row("session", Text(progress.session, style="green" if progress.session == "open" else "yellow"))
        self._live.update(table)


def print_summary(summary: ShowSummary, console: Console) -> None:
    """For people."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in summary.records.items())
    audit = summary.audit
    console.print()
    console.print(f"{audit.records} records in {summary.seconds:.1f} s ({kinds})", style="bold")
    for each in summary.statuses:
        name = f"{each.status} {each.code}" if each.code else each.status
        console.print(f"  {each.count:7}  {name}", style=_STYLES.get(each.status, ""))
    answers = ", ".join(f"{count} {answer}" for answer, count in summary.posts.items())
    console.print(f"{sum(summary.posts.values())} posts ({answers}); the ADS took {summary.posts_taken}", style="bold")
    _print_latency(console, "sent to answered", summary.ack)
    _print_latency(console, "in Kafka to sent", summary.delivery)
    console.print(f"{summary.logins} logins, {summary.reconnects} of them after a lost session")
    if audit.holds:
        verdict = f"records in = results out: {audit.records} = {audit.results}, exactly one each"
        console.print(verdict, style="bold green")
    else:
        verdict = (
            f"records in and results out do not match: {audit.records} in, {audit.results} out; "
            f"{audit.missing} have no result, {audit.repeated} more than one, {audit.foreign} results have no record"
        )
        console.print(verdict, style="bold red")
    if summary.daemon_exit:
        console.print(f"the daemon ended with exit code {summary.daemon_exit} instead of 0", style="bold red")


def _print_latency(console: Console, name: str, found: Percentiles | None) -> None:
    if found is not None:
        values = f"p50 {found.p50:.1f}  p95 {found.p95:.1f}  p99 {found.p99:.1f}  max {found.max:.1f} ms"
        console.print(f"  {name}: {values}")
