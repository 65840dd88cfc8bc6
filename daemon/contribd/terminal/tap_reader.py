"""Results as they come, read from the end of their topic in a thread of its own, at most so many a second given on.

The daemon does not hear of it: no group, no commits, ``read_committed``. All new results are read, since the filters
need to see them; what costs somebody else is what the brokers send. Where reading fails, it is begun anew at the end.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from contribd.results.reader import AuditError, StoredResult, UnreadableResult
from contribd.terminal.sampler import Sampler
from contribd.terminal.tap_model import Taken, urgency_of

AGAIN_SECONDS: Final = 5.0
"""Until reading is begun anew after a failure."""

Follow = Callable[[Callable[[], bool], Callable[[UnreadableResult], None]], Iterator[StoredResult]]
"""Gives results as they come; is given what says whether to stop, and whom to tell of records that are no results."""


class TapReader:
    """``problem`` says why no broker answers, where that is so."""

    def __init__(self, follow: Follow, rate: int, problem: Callable[[], str | None] = lambda: None) -> None:
        self._follow = follow
        self._problem = problem
        self._sampler: Sampler[StoredResult] = Sampler(rate)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tap-reader", daemon=True)
        self._failure: str | None = None
        self._began = False
        self._unreadable = 0
        self._last_at: float | None = None

    @property
    def failed_at_once(self) -> str | None:
        """Why the very first try failed; None where it did not, or is still under way."""
        return None if self._began else self._failure

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; the thread leaves within a poll."""
        self._stop.set()

    def take(self, now: float) -> Taken:
        """What is to be shown now (Unix seconds)."""
        with self._lock:
            chosen = self._sampler.take(now)
            return Taken(
                chosen,
                Counter(self._sampler.seen),
                Counter(self._sampler.left_out),
                self._unreadable,
                self._failure or self._problem(),
                self._last_at,
            )

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for stored in self._follow(self._stops, self._count_unreadable):
                    self._add(stored)
            except AuditError as error:
                self._failure = str(error)
                self._stop.wait(AGAIN_SECONDS)

    def _stops(self) -> bool:
        """Asked by the reader several times a second once it reads."""
        self._began, self._failure = True, None
        return self._stop.is_set()

    def _add(self, stored: StoredResult) -> None:
        now, result = time.time(), stored.result
        with self._lock:
            self._last_at = now
            self._sampler.add(stored, result.status.value, urgency_of(result), now)

    def _count_unreadable(self, _record: UnreadableResult) -> None:
        with self._lock:
            self._unreadable += 1
