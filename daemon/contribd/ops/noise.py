"""Lets each kind of message through once in a while, and says how many like it were left out."""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from contribd.ops.lines import Event, from_record

QUIET = 60.0
"""Seconds between two lines of one kind. A broker that is away makes kafka-python write several lines a second."""

TOLD_BY_US = "kafka"
"""The library whose lines are for debugging alone. It calls a broker that goes away twenty errors, and a clean stop a
failure; what an operator must know of it, contribd says itself (``streams/client/access.py``)."""

_KINDS = 256
"""Kinds remembered; the one unseen for longest is forgotten first. Far above what the libraries have to say."""

# Ports, node ids, addresses, offsets and times differ from line to line and make no new kind of message.
_VARIABLE = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Repeats:
    """Decides which of many alike messages are let through. Safe for use from any thread."""

    def __init__(self, quiet: float = QUIET) -> None:
        self._quiet = quiet
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, source: str, message: str, now: float) -> int | None:
        """How many like it were left out since the last one let through; None: leave this one out, too.

        ``now`` is in monotonic seconds.
        """
        kind = (source, _VARIABLE.sub("#", message)[:300])
        with self._lock:
            let_through, left_out = self._seen.get(kind, (None, 0))
            if let_through is not None and now - let_through < self._quiet:
                self._seen[kind] = (let_through, left_out + 1)
                self._seen.move_to_end(kind)
                return None
            self._seen[kind] = (now, 0)
            self._seen.move_to_end(kind)
            if len(self._seen) > _KINDS:
                self._seen.popitem(last=False)
            return left_out


class Bridge(logging.Handler):
    """Carries what libraries log through the standard library into the daemon's own log, without the repetitions."""

    def __init__(
        self, write: Callable[[Event], None], repeats: Repeats, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._write = write
        self._repeats = repeats
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it among those left out."""
        event = from_record(record)
        left_out = self._repeats.admit(record.name, event["event"], self._clock())
        if left_out is None:
            return
        if record.name.partition(".")[0] == TOLD_BY_US:
            event["level"] = "debug"
        if left_out:
            event["left_out"] = left_out
        self._write(event)
