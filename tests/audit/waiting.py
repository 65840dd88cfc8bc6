"""``python tests/audit/waiting.py DIR``: two processes verify what never comes, and are ended as commands are."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from contribd.audit.book import Book
from contribd.audit.claim import RawResult
from contribd.audit.evidence import Bounds, Stretch, Unread
from contribd.audit.job_process import Setting
from contribd.audit.jobs import verified
from contribd.audit.rules_book import RulesBook
from contribd.audit.steps import Terms
from contribd.audit.store import ClaimStore
from contribd.mapping.inputs import Input

BOUNDS = Bounds((), {0: (0, 10), 1: (0, 10)}, 2)


class Waiting:
    """``Evidence`` that notes which process reads it, does ``then``, and has nothing."""

    def __init__(self, folder: Path, then: Callable[[], None]) -> None:
        self._folder, self._then = folder, then
        self.results_topic, self.stretches = "results", BOUNDS.stretches

    def results(self, _partition: int, _first: int) -> Iterator[list[RawResult]]:
        """None."""
        (self._folder / f"{os.getpid()}.reads").touch()
        self._then()
        return iter(())

    def records(self, _stretch: Stretch, _first: int) -> Iterator[list[Input]]:
        """None."""
        return iter(())

    def unread(self, _stretch: Stretch) -> list[Unread]:
        """None."""
        return []

    def is_unread(self, _stretch: Stretch, _offset: int) -> bool:
        """None is."""
        return False


def readers(folder: Path) -> list[int]:
    """The processes that have begun to read."""
    return [int(file.stem) for file in folder.glob("*.reads")]


def for_ever() -> None:
    """Waits."""
    while True:
        time.sleep(60)


def killed() -> None:
    """As the kernel does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def opened(folder: Path, then: Callable[[], None], _bounds: Bounds | None) -> Iterator[tuple[Waiting, Bounds]]:
    """As evidence is opened, in any process."""
    yield Waiting(folder, then), BOUNDS


def by_two(folder: Path, then: Callable[[], None]) -> None:
    """Such a verification."""
    with ClaimStore(folder / "work.sqlite") as store:
        opener, terms = partial(opened, folder, then), Terms((2,), "0", whole=True)
        setting = Setting(opener, BOUNDS, folder / "work.sqlite", RulesBook(), terms)
        verified(setting, Waiting(folder, then), Book(store), 2)


if __name__ == "__main__":
    try:
        by_two(Path(sys.argv[1]), for_ever)
    except KeyboardInterrupt:
        sys.exit(130)
