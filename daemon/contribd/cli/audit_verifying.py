"""A verification as ``contribd audit verify`` runs it, wherever its evidence lies: its work, its bar, its findings."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from contribd import __version__
from contribd.audit.findings import Finding
from contribd.cli.common import diagnostics, output
from contribd.ops.lines import printable

if TYPE_CHECKING:
    from contribd.audit.evidence import Bounds, Opener
    from contribd.audit.rules_book import RulesBook
    from contribd.audit.store import ClaimStore
    from contribd.audit.verification import Verified

WORK_FILE = "verification.sqlite"


class Asked(NamedTuple):
    """What is verified. ``given``: all that decides it, as JSON has it; ``whole``: no beginning was asked for;
    ``since``: milliseconds since 1970; ``partitions``: how many the results topic has had."""

    given: Mapping[str, Any]
    whole: bool
    since: int | None
    partitions: Sequence[int]


class Options(NamedTuple):
    """What else ``contribd audit verify`` was told."""

    rules: Sequence[Path]
    partitions: Sequence[int]
    work: Path | None
    seal: Sequence[Path]
    trust: Path | None
    jobs: int | None
    as_json: bool
    timestamp_trust: Path | None = None


def run(
    opener: "Opener",
    rules: "RulesBook",
    asked: Asked,
    options: Options,
    prepare: Callable[[], None] | None = None,
) -> "Verified":
    """Verifies it, or what is left of it, and prints findings as they are made.

    ``prepare`` is called in each process that shares the work. Raises ``sqlite3.Error``, ``RulesError``, ``JobLost``,
    and what the evidence raises.
    """
    from contribd.audit.book import Book
    from contribd.audit.job_process import Setting
    from contribd.audit.jobs import verified
    from contribd.audit.steps import Terms
    from contribd.audit.store import ClaimStore

    with _work_folder(options.work) as folder:
        _begin_anew(folder)
        with (
            ClaimStore(folder / WORK_FILE) as store,
            opener(_kept(store, asked.given)) as (evidence, bounds),
        ):
            since = store.recall("since", asked.since)  # of one that is gone on with: as it was then
            store.note("since", since)
            _keep(store, asked.given, bounds)
            for finding in store.findings():
                print_finding(finding, as_json=options.as_json)
            terms = Terms((bounds.partitions, *asked.partitions), __version__, asked.whole, since)
            setting = Setting(opener, bounds, folder / WORK_FILE, rules, terms, prepare)
            with bar("verifying", bounds.offsets) as tick:
                book = Book(store, lambda finding: print_finding(finding, as_json=options.as_json), tick)
                return verified(setting, evidence, book, options.jobs)


@contextmanager
def _work_folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="contribd-audit-") as folder:
        yield Path(folder)


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


@contextmanager
def bar(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how far it is; elsewhere nothing does."""
    console = diagnostics()
    if not console.is_terminal:
        yield lambda _offsets: None
        return
    columns = (TextColumn(doing), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda offsets: progress.advance(task, offsets)


def print_finding(finding: Finding, *, as_json: bool) -> None:
    """One line."""
    if as_json:
        sys.stdout.write(msgspec.json.encode({"finding": finding.document()}).decode() + "\n")
    else:
        output().print(printable(str(finding)), style="red", soft_wrap=True)
