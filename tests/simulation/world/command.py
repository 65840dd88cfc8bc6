"""``make simulate``: seeded runs of the daemon through every fault there is.

python -m tests.simulation.world.command --seeds 10000 --start 5000 --jobs 2
python -m tests.simulation.world.command --seed 4711 --verbose
"""

from contextlib import closing
from typing import Annotated

import typer
from tests.simulation.world.many import SeedSummary, run_many
from tests.simulation.world.seeded_run import KILLS, REPOSTS, Run, run_seed

from contribd.cli import EXIT_FAILED, EXIT_INTERRUPTED

_SHOWN = 5
"""Broken seeds whose trace is printed."""


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(
    *,
    seed: Annotated[int | None, typer.Option(help="Replay this one.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Run so many.")] = 1000,
    start: Annotated[int, typer.Option(help="The first of them.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a core.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With --seed: print all that happened.")] = False,
) -> None:
    """Run the daemon through simulated faults, one seed or many; exit 1 where a promise is broken."""
    broken = _replay(seed, verbose=verbose) if seed is not None else _run(range(start, start + seeds), jobs)
    if broken:
        raise typer.Exit(EXIT_FAILED)


def _replay(seed: int, *, verbose: bool) -> bool:
    found = run_seed(seed, verbose=verbose)
    if verbose or found.broken is not None:
        _show(found)
    kinds = ", ".join(f"{name} {number}" for name, number in sorted(found.counts.items())) or "none"
    typer.echo(f"seed {seed}: {found.records} records, {found.posts} posts, {found.seconds:.0f} simulated seconds")
    typer.echo(f"faults: {kinds}")
    typer.echo(f"digest {found.digest}: {'every promise kept' if found.broken is None else 'BROKEN'}")
    return found.broken is not None


def _run(seeds: range, jobs: int | None) -> bool:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    summary, interrupted = SeedSummary(), False
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("seeds", total=len(seeds))
        with closing(run_many(seeds, jobs)) as runs:
            try:
                for found in runs:
                    summary.add(found)
                    progress.advance(task)
                    if found.broken is not None:
                        progress.update(task, description=f"seeds ({len(summary.broken)} broken)")
                        progress.console.print(f"seed {found.seed} broke a promise: {found.broken}", markup=False)
            except KeyboardInterrupt:
                interrupted = True
    _report(summary)
    if interrupted:
        typer.echo(f"interrupted: {len(seeds) - summary.seeds} of {len(seeds)} seeds were not run")
        raise typer.Exit(EXIT_FAILED if summary.broken else EXIT_INTERRUPTED)
    return bool(summary.broken)


def _report(summary: SeedSummary) -> None:
    for found in summary.broken[:_SHOWN]:
        _show(found)
    elapsed = summary.elapsed
    typer.echo(
        f"{summary.seeds} seeds in {elapsed:.1f} s ({summary.seeds / elapsed:.1f} a second): "
        f"{summary.records} records, {summary.posts} posts, {summary.simulated / 3600:.1f} simulated hours"
    )
    for name, number in sorted(summary.counts.items()):
        typer.echo(f"  {number:8} {name}")
    if kills := summary.counts[KILLS]:
        typer.echo(f"a kill repeats {summary.counts[REPOSTS] / kills:.2f} posts on average")
    if summary.broken:
        numbers = " ".join(str(found.seed) for found in sorted(summary.broken, key=lambda found: found.seed))
        typer.echo(f"BROKEN by {len(summary.broken)}: {numbers}")
    else:
        typer.echo("every promise kept")


def _show(found: Run) -> None:
    for line in found.trace:
        typer.echo(line)
    if found.broken is not None:
        typer.echo(f"seed {found.seed} broke a promise: {found.text}\n")


if __name__ == "__main__":
    app()
