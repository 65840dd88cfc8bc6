"""A verification shared among processes: they do its steps, and this one alone writes its store and prints.

Theory of operation
===================

A step is one partition of results, then one stretch of prices. Each process takes a step at a time, the largest first,
reads what it needs of Kafka and of the store by itself, and tells what it found through a pipe of its own. Here
messages are taken in the order in which they come. Claims may be written at once, since adding one twice is the same as
once. Findings, counts, and how far a step has come are one message and one transaction: whatever is ended goes on from
there.

A process that cannot go on tells why, and that error is raised here. One that was killed tells nothing: its pipe is
closed, which is an error, too. In either case, and when somebody interrupts, all the others are killed, which they may
be at any time: nothing is theirs.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final, Protocol, assert_never

from contribd.audit.book import Book
from contribd.audit.comparing import Covered
from contribd.audit.evidence import Bounds, Evidence
from contribd.audit.job_process import Done, Failed, Kept, Message, Setting, Ticked, main
from contribd.audit.steps import KnownRules, Step, Steps
from contribd.audit.store import Rows
from contribd.audit.verification import Do, Verified, verify

FEW: Final = 100_000
"""Offsets below which others are of no use: each takes a second of a core to begin."""

A_CORE: Final = 2
"""Processes for each core by default: one waits for Kafka now and then, and of three partitions on two cores none is
left for the end, with a core that has nothing to do."""

MOST: Final = 8
"""Processes by default: each takes memory, and the one that writes has to follow them."""

_END_SECONDS: Final = 5.0
"""How long a process that has closed its pipe may take to end."""


class JobLost(Exception):
    """A process was ended by somebody else; the text says what to do."""


class _Trace(Exception):
    """Where an error was raised in another process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def verified(setting: Setting, evidence: Evidence, book: Book, asked: int | None) -> Verified:
    """Does what is left of a verification, by as many processes as were asked for, or are of use.

    ``evidence``: what ``setting`` opens, open already. Raises what that raises, ``RulesError``, ``JobLost`` and
    ``sqlite3.Error``.
    """
    count = jobs_for(setting.bounds, asked)
    if count == 1:
        return verify(setting.bounds, book, Steps(evidence, book, setting.rules.mapper, setting.terms).do_all)
    with started(count, setting, book) as do:
        return verify(setting.bounds, book, do)


def jobs_for(bounds: Bounds, asked: int | None) -> int:
    """How many processes share it: as many as were asked for, or are of use."""
    most = max(len(bounds.results), len(bounds.stretches), 1)
    if asked is None:
        asked = 1 if bounds.offsets < FEW else min(A_CORE * _cores(), MOST)
    return min(asked, most)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Job(Protocol):
    """One process, behind its pipe."""

    port: Connection

    def lost(self) -> JobLost:
        """What is to be said where the pipe is closed."""

    def end(self) -> None:
        """At once: nothing is its own."""


@contextmanager
def started(count: int, setting: Setting, book: Book) -> Iterator[Do]:
    """So many processes, ended at the end."""
    jobs = list[_Process]()
    try:
        for _ in range(count):
            jobs.append(_Process(setting))
        yield Jobs(jobs, book, setting.rules).do
    finally:
        for job in jobs:
            job.end()


class Jobs:
    """The processes, and what they are at."""

    def __init__(self, jobs: Sequence[Job], book: Book, rules: KnownRules) -> None:
        self._idle: dict[Any, Job] = {job.port: job for job in jobs}
        self._busy: dict[Any, tuple[Job, int]] = {}
        """By their ports, with the number of the step."""
        self._book, self._rules = book, rules

    def do(self, steps: Sequence[Step]) -> list[Covered | None]:
        """Does all of them. Raises what a process has raised, and ``JobLost``."""
        waiting = sorted(range(len(steps)), key=lambda number: steps[number].offsets)
        found: list[Covered | None] = [None] * len(steps)
        while waiting or self._busy:
            while waiting and self._idle:
                self._begin(steps[waiting[-1]], waiting.pop())
            for port in wait(list(self._busy)):
                job, number = self._busy[port]
                message = _received(job)
                if isinstance(message, Done):
                    found[number] = message.covered
                    self._idle[port] = job
                    del self._busy[port]
                self._take(message)
        return found

    def _begin(self, step: Step, number: int) -> None:
        port, job = self._idle.popitem()
        self._busy[port] = job, number
        try:
            job.port.send(step)
        except OSError:
            raise job.lost() from None

    def _take(self, message: Message) -> None:
        match message:
            case Rows():
                self._book.store.add(message)
            case Ticked(offsets):
                self._book.tick(offsets)
            case Kept(name, reached, counts, findings):
                for finding in findings:
                    self._book.report(finding)
                self._book.counts.update(counts)
                self._book.keep(name, reached)
            case Done(_, notes):
                for note in notes:
                    self._rules.note(note)
            case Failed(error, trace):
                raise error from _Trace(trace)
            case _:
                assert_never(message)


def _received(job: Job) -> Message:
    """What it tells. Raises ``JobLost``."""
    try:
        message: Message = job.port.recv()
    except (EOFError, OSError):
        raise job.lost() from None
    return message


class _Process:
    """A ``Job``, with a process of its own."""

    def __init__(self, setting: Setting) -> None:
        context = get_context("spawn")  # not a copy of this process: threads and connections of it are no use there
        self.port, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=main, args=(theirs, setting), daemon=True)
        with _no_interrupt():
            self._process.start()
        theirs.close()  # so that this end hears when theirs is closed

    def lost(self) -> JobLost:
        """What is to be said where the pipe is closed."""
        self._process.join(_END_SECONDS)
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return JobLost(
            f"a process of this verification {how} (where memory is short, fewer --jobs need less); "
            "with --work, the same command goes on from there"
        )

    def end(self) -> None:
        """At once: nothing is its own."""
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()
        self.port.close()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """What begins meanwhile hears nothing of Ctrl-C from its first moment on; this process hears of it afterwards."""
    resource_tracker.ensure_running()  # which would let signals through again if it were begun below
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
