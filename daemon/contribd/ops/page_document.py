"""What the page is told: one document for everybody, made at most once a second and only where somebody looks."""

import json
import threading
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from contribd.ops.history import ROWS, STATES, History, Row

RECENT: Final = 15
"""Rows in each document. A page asks every two seconds; one that missed more asks for all."""

FRESH: Final = 1.0
"""Seconds for which a document is given to whoever asks."""

MAX_PARTITIONS: Final = 50
"""Partitions that are listed, those furthest behind first; /status has all."""

TAKEN: Final = (
    "verdict",
    "instance",
    "version",
    "config",
    "taken_at",
    "started_at",
    "stopping",
    "warnings",
    "session",
    "endpoints",
    "services",
    "pauses",
    "reload",
    "clock",
    "window",
    "records_waiting",
    "instruments",
    "live_quotes",
    "last_ack_at",
    "wrong",
    "wrong_counts",
    "results",
    "posts",
    "reconnects",
)
"""Keys of the status document that the page shows, as far as they are there."""


def page_document(status: dict[str, Any], history: History) -> dict[str, Any]:
    """What the page shows, but for what lies further back."""
    partitions = sorted(status["partitions"], key=lambda each: -(each["lag"] or 0))
    return {
        **{key: status[key] for key in TAKEN if key in status},
        "partitions": sorted(partitions[:MAX_PARTITIONS], key=itemgetter("topic", "partition")),
        "partitions_in_all": len(partitions),
        "recent": rows_document(history, RECENT),
    }


def rows_document(history: History, last: int = ROWS) -> dict[str, Any]:
    """The last rows of the history, each in the order of its columns."""
    return {"states": STATES, "columns": Row._fields, "rows": history.rows(last)}


class Cached:
    """One answer for everybody, made anew where it is asked for and older than ``FRESH``. For any thread."""

    def __init__(self, make: Callable[[], dict[str, Any]], clock: Callable[[], float]) -> None:
        """``clock``: monotonic seconds."""
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._body = b""
        self._until = float("-inf")

    def get(self) -> bytes:
        """JSON."""
        with self._lock:
            now = self._clock()
            if now >= self._until:
                self._body = (json.dumps(self._make(), separators=(",", ":")) + "\n").encode()
                self._until = now + FRESH
            return self._body
