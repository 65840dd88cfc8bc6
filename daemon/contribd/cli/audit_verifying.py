"""A verification as ``contribd audit verify`` runs it, wherever its evidence lies: its work, its bar, its findings."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from contribd import __version__
from contribd.audit.findings import Finding
from contribd.cli.common import diagnostics, output
from contribd.ops.lines import printable

if TYPE_CHECKING:
    from contribd.audit.evidence import Bounds, Evidence
    from contribd.audit.rules_book import RulesBook
    from contribd.audit.store import ClaimStore
    from contribd.audit.verification import Verified

WORK_FILE = "verification.sqlite"

Opened: TypeAlias = "Callable[[Bounds | None], AbstractContextManager[tuple[Evidence, Bounds]]]"
"""Opens evidence; given the bounds of an earlier run, with these."""


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
    as_json: bool


def run(opened: Opened, rules: "RulesBook", asked: Asked, work: Path | None, *, as_json: bool) -> "Verified":
    """Verifies it, or what is left of it, and prints findings as they are made. Raises ``sqlite3.Error``."""
    from contribd.audit.book import Book
    from contribd.audit.store import ClaimStore
    from contribd.audit.verification import verify

    with _work_folder(work) as folder:
        _begin_anew(folder)
        with (
            ClaimStore(folder / WORK_FILE) as store,
            opened(_kept(store, asked.given)) as (evidence, bounds),
        ):
            _keep(store, asked.given, bounds)
            for finding in store.findings():
                print_finding(finding, as_json=as_json)
            with bar("verifying", _total(bounds)) as tick:
                book = Book(store, lambda finding: print_finding(finding, as_json=as_json), tick)
                may_be_in = _partitions_of((bounds.partitions, *asked.partitions))
                since = store.recall("since", asked.since)  # of one that is gone on with: as it was then
                store.note("since", since)
                return verify(evidence, book, rules.mapper, may_be_in, __version__, whole=asked.whole, since=since)


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


def _total(bounds: "Bounds") -> int:
    results = sum(end - first for first, end in bounds.results.values())
    return results + sum(each.end - each.first for each in bounds.stretches)


def _partitions_of(counts: Sequence[int]) -> Callable[[bytes], Sequence[int]]:
    from contribd.streams.client.partitioner import partition_of

    ranges = [range(count) for count in dict.fromkeys(counts)]
    return lambda key: [partition_of(key, numbers) for numbers in ranges]


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
