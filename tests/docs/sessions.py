"""A page that is to be followed step by step: its files written, its commands given, what they print compared.

- A block of YAML that begins with ``# FILE`` is written to that file; so is one of JSON whose fence names a file.
- Of a block of ``console`` each ``$ `` begins a command, ``> `` goes on with it; what follows is what it prints.
- What ``contribd top`` says is as old as the daemon's last look at itself, at most a second: it is asked until it says
  what is shown.
- What is printed may differ in times, durations and digests; ``…`` stands for anything. A command with nothing below it
  may print what it likes.

All commands of a page are given to one shell, in an empty folder. Ports are free ones in place of those written.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Final, NamedTuple, Self

from tests.docs.blocks import ROOT, Block, blocks_of

from contribd.simulation.demo.embedded_broker import free_port

SECONDS: Final = 120.0
"""Longest wait for what a command prints."""
PORTS: Final = ("9092", "15000", "9820")
SEEN_LATER: Final = "contribd top "
SOCKET: Final = "/tmp/contribd-tutorial.sock"  # noqa: S108 - never made
FILE: Final = re.compile(r"# ([\w./-]+\.(?:yaml|csv))\n")
DIFFERS: Final = re.compile(
    r"""(?x) \d{4}-\d\d-\d\dT[\d:]+(?:\.\d+)?Z     # a time
      | \b\d\d:\d\d:\d\d\.\d+\b                    # a time of day
      | \b\d+(?:\.\d+)?\ +(?:ms|s)\b               # a duration
      | \b[0-9a-f]{12}\b | \b[0-9a-f]{64}\b        # a digest
      | \b[0-9a-f]{4,8}-\d+\b                      # a session
    """
)


class Step(NamedTuple):
    """A command, and the lines that it prints."""

    line: int
    command: str
    prints: list[str]


def steps_of(text: str, first: int) -> Iterator[Step]:
    """The commands of one block that begins at line ``first``."""
    step: Step | None = None
    for number, line in enumerate(text.splitlines(), first + 1):
        if line.startswith("$ "):
            if step is not None:
                yield step
            step = Step(number, line[2:], [])
        elif step is not None and line.startswith("> ") and not step.prints:
            step = step._replace(command=f"{step.command}\n{line[2:]}")
        elif step is not None:
            step.prints.append(line)
    if step is not None:
        yield step


def alike(shown: Iterable[str], printed: Iterable[str]) -> bool:
    """Whether what is printed is what the page shows."""
    patterns = [re.escape(bare(line)).replace("…", ".*") for line in shown]
    lines = [bare(line) for line in printed]
    return len(patterns) == len(lines) and all(map(re.fullmatch, patterns, lines))


def bare(line: str) -> str:
    """Without what differs from run to run, nor how wide it is."""
    return re.sub(r"(?<=\S)\s+", " ", DIFFERS.sub("#", line)).rstrip()


class Session:
    """A shell in a folder; what it starts ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {port: str(free_port()) for port in PORTS}
        bin_ = folder / ".bin"
        bin_.mkdir()
        (bin_ / "contribd").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m contribd "$@"\n')
        (bin_ / "contribd").chmod(0o755)
        paths = {"PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "daemon")}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONTRIBD")}
        self._shell = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**kept, **paths, "COLUMNS": "200"},
        )  # fmt: skip
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._marks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + 10
        while (left := self._started()) and time.monotonic() < deadline:
            # A broker is ended by what started it, which so must end in order.
            for process in left:
                os.kill(process, signal.SIGTERM)
            time.sleep(0.1)
        for process in [*self._started(), self._shell.pid]:
            os.kill(process, signal.SIGKILL)
        self._shell.wait()
        self._reader.join(10)
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                pipe.close()

    def _started(self) -> list[int]:
        """What the shell has started and is still there. All are of one session."""
        found = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _parent, _group, session, *_ = file.read_text().rpartition(")")[2].split()
                if int(session) == self._shell.pid and state != "Z":
                    found.append(int(file.parent.name))
        return [process for process in found if process != self._shell.pid]

    def _read(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            self._lines.put(line.rstrip("\n"))

    def placed(self, text: str) -> str:
        """With the ports of this session, and its own socket."""
        text = text.replace(SOCKET, f"{self.folder}/control.sock")
        return re.sub(rf"(?<=[: ])(?:{'|'.join(PORTS)})\b", lambda found: self._ports[found[0]], text)

    def shown(self, text: str) -> str:
        """With those of the page."""
        for port, ours in self._ports.items():
            text = text.replace(ours, port)
        return text.replace(str(self.folder), "~/first")

    def give(self, step: Step) -> list[str]:
        """Gives the command; what it prints. Of one that goes on behind ``&``, as many lines as are shown."""
        self._marks += 1
        mark = f"--{self._marks}--"
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{self.placed(step.command)}\necho '{mark}'\n")
        self._shell.stdin.flush()
        wanted = len(step.prints) if step.command.rstrip().endswith("&") else 0
        found: list[str] = []
        over = False
        deadline = time.monotonic() + SECONDS
        while not over or len(found) < wanted:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            except Empty:
                return [*found, f"(nothing more within {SECONDS:g} s)"]
            over |= line == mark
            if line != mark:
                found.append(self.shown(line))
        return found


def followed(page: Path, folder: Path) -> Generator[tuple[Step, list[str]], None, None]:
    """Every command of the page, in order, with what it prints."""
    with Session(folder) as session:
        for block in blocks_of(page):
            if (name := _file_of(block)) is not None:
                _write(folder / name, session.placed(block.text))
            elif block.language == "console":
                for step in steps_of(block.text, block.line):
                    yield step, _given(session, step)


def written(page: Path, folder: Path) -> None:
    """Writes the files of the page as it has them."""
    for block in blocks_of(page):
        if (name := _file_of(block)) is not None:
            _write(folder / name, block.text)


def _file_of(block: Block) -> str | None:
    if block.language == "yaml":
        named = FILE.match(block.text)
        return named and named[1]
    return (block.info or "").partition(" ")[2] or None if block.language == "json" else None


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def _given(session: Session, step: Step) -> list[str]:
    printed = session.give(step)
    deadline = time.monotonic() + SECONDS
    while step.command.startswith(SEEN_LATER) and not alike(step.prints, printed) and time.monotonic() < deadline:
        printed = session.give(step)
    return printed
