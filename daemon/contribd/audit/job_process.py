"""What runs in each of the processes that share a verification: it reads, and tells the one that writes.

It changes nothing itself. What it finds goes through one pipe, which blocks where the other end is behind: so no more
waits than what the pipe holds and the batch at hand. It ends when the other end is closed, however that came about.
"""

import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from contribd.audit.claim import Placed
from contribd.audit.comparing import Covered
from contribd.audit.evidence import Bounds, Evidence, Opener
from contribd.audit.findings import Finding
from contribd.audit.steps import KnownRules, Step, Steps, Terms
from contribd.audit.store import ClaimStore, Rows, rows_of

TOLD: Final = 2_000
"""Offsets between two moments at which it is said how far it is."""


class Setting(NamedTuple):
    """All that such a process begins with; it is pickled. ``file``: of the store; ``prepare`` is called first."""

    opener: Opener
    bounds: Bounds
    file: Path
    rules: KnownRules
    terms: Terms
    prepare: Callable[[], None] | None = None


class Ticked(NamedTuple):
    """So many offsets were passed."""

    offsets: int


class Kept(NamedTuple):
    """How far it is, under a name; with all that was found and counted since it said so last."""

    name: str
    reached: Any
    counts: dict[str, int]
    findings: list[Finding]


class Done(NamedTuple):
    """A step has come to its end. ``notes``: all there are of the rules by now."""

    covered: Covered | None
    notes: list[str]


class Failed(NamedTuple):
    """A step has not. ``trace``: where the error was raised, for whoever mends it."""

    error: Exception
    trace: str


Message: TypeAlias = Rows | Ticked | Kept | Done | Failed


def main(port: Connection, setting: Setting) -> None:
    """All that the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes: the other end decides
    serve(port, setting)


def serve(port: Connection, setting: Setting) -> None:
    """Does the steps that come by ``port``, one after the other."""
    parent = _Parent(port)
    try:
        if setting.prepare is not None:
            setting.prepare()
        with setting.opener(setting.bounds) as (evidence, _):
            while True:
                step = parent.next_step()
                parent.send(_done(step, evidence, setting, parent))
    except Exception as error:  # noqa: BLE001 - told at the other end, whatever it is
        parent.send(Failed(error, traceback.format_exc()))


def _done(step: Step, evidence: Evidence, setting: Setting, parent: "_Parent") -> Done:
    with ClaimStore(setting.file, only_read=True) as store:
        covered = Steps(evidence, _Telling(store, parent), setting.rules.mapper, setting.terms).do(step)
    return Done(covered, setting.rules.notes)


class _Parent:
    """The other end of the pipe. Where it is closed, this process has nothing left to do."""

    def __init__(self, port: Connection) -> None:
        self._port = port

    def next_step(self) -> Step:
        """Waits for it."""
        try:
            step: Step = self._port.recv()
        except (EOFError, OSError):
            raise SystemExit from None
        return step

    def send(self, message: Message) -> None:
        """Waits until there is room."""
        try:
            self._port.send(message)
        except OSError:
            raise SystemExit from None


class _Telling:
    """``Bookkeeping`` that tells the parent. Findings and counts go with how far it is, so that one that is ended has
    told all of a stretch of offsets, or nothing."""

    def __init__(self, store: ClaimStore, parent: _Parent) -> None:
        self.store = store
        self.counts: Counter[str] = Counter()
        self._parent = parent
        self._findings: list[Finding] = []
        self._passed = 0

    def tick(self, offsets: int) -> None:
        """So many were passed."""
        self._passed += offsets
        if self._passed >= TOLD:
            self._parent.send(Ticked(self._passed))
            self._passed = 0

    def add(self, placed: Iterable[Placed]) -> None:
        """Claims for the store."""
        self._parent.send(rows_of(placed))

    def report(self, finding: Finding) -> None:
        """Something is off."""
        self._findings.append(finding)

    def keep(self, name: str, reached: Any) -> None:
        """It reaches so far."""
        self._parent.send(Ticked(self._passed))
        self._parent.send(Kept(name, reached, dict(self.counts), self._findings))
        self._passed, self._findings = 0, []
        self.counts.clear()  # the judge counts in this very object
