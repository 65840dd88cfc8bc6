"""What the page is told: one document for everybody, made at most once a second and only where somebody looks."""

import gzip
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Final

from contribd.ops.history import ROWS, STATES, History, Row
from contribd.ops.http_answer import JSON, HttpAnswer

RECENT: Final = 15
"""Rows in each document. A page asks every two seconds; one that missed more asks for all."""

FRESH: Final = 1.0
"""Seconds for which a document is given to whoever asks."""

COMPRESSION: Final = 1
"""Of 9: a fifth of the size for a fraction of a millisecond."""

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
        self._answers: dict[bool, HttpAnswer] = {}
        """By whether it is compressed: done once for all who take it so."""
        self._until = float("-inf")

    def get(self, *, compressed: bool = False) -> HttpAnswer:
        """JSON; the same object for whoever asks meanwhile."""
        with self._lock:
            now = self._clock()
            if now >= self._until:
                body = (json.dumps(self._make(), separators=(",", ":")) + "\n").encode()
                self._answers = {False: HttpAnswer(HTTPStatus.OK, JSON, body)}
                self._until = now + FRESH
            if compressed and True not in self._answers:
                body = gzip.compress(self._answers[False].body, COMPRESSION, mtime=0)
                self._answers[True] = HttpAnswer(HTTPStatus.OK, JSON, body, compressed=True)
            return self._answers[compressed]
