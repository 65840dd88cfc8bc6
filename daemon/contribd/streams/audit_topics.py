"""What the audit needs beside results: the rules behind each digest, and events; written in a thread of its own.

Theory of operation
===================

Results name rules by a digest and do not repeat them. So the rules go into a topic of theirs, under their digest, at
each start and at each reload: compacted, it keeps each set once. Events (a start, a stop, an order) go into another.

Nothing waits for it. Prices and results go on where these topics cannot be written; what is to be written is kept in
order and tried again until it is durable, or the process ends. A record may be written twice, as at every start: rules
under their digest are the same, and an event has an id.
"""

from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Final, NamedTuple

from contribd.ops.log import get_logger
from contribd.ops.progress import Pulse
from contribd.streams.client.errors import MessageSizeTooLargeError
from contribd.streams.client.port import RecordWriter
from contribd.streams.client.retrying import FAILURES, pause_after
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Runtime

WAIT_SECONDS: Final = 0.5
"""The longest wait for something to be written."""

MOST: Final = 10_000
"""Records that wait while their topics cannot be written; an order a second for hours. More are not kept."""

LAST_SECONDS: Final = 5.0
"""How long the end may take where something is still to be written."""

_log = get_logger("audit")


class Kept(NamedTuple):
    """One record to be written."""

    topic: str
    key: bytes
    value: bytes


class AuditTopics:
    """Other threads call ``keep`` and ``stop``."""

    def __init__(
        self, settings: KafkaSettings, opened: Callable[[], RecordWriter], *, runtime: Runtime, pulse: Pulse
    ) -> None:
        self._settings, self._opened, self._runtime, self._pulse = settings, opened, runtime, pulse
        self._stopping = runtime.event()
        self._asked = runtime.queue()
        self._waiting: deque[Kept] = deque()
        self._complaint = ""
        self._ends: float | None = None
        """When it gives up what is left; None before it is to stop."""

    def keep(self, topic: str, key: bytes, value: bytes) -> None:
        """Writes it as soon as it can be."""
        self._asked.put(Kept(topic, key, value))

    def stop(self) -> None:
        """Ends the thread, once what waits is written, within ``LAST_SECONDS``."""
        self._stopping.set()

    # Its thread

    def run(self) -> None:
        """Writes until ``stop``, however often Kafka goes and comes."""
        failures = 0
        writer: RecordWriter | None = None
        while not self._is_over():
            self._pulse.beat(self._runtime.mono())
            self._take()
            try:
                if self._waiting:
                    writer = writer or self._opened()
                    self._write(writer)
                failures = 0
            except FAILURES as error:
                failures += 1
                self._failed(explain(error, self._settings))
                _close(writer)
                writer = None
                self._stopping.wait(pause_after(failures))
        _close(writer)
        if self._waiting:
            _log.warning("stopped before all was written that the audit needs beside results", left=len(self._waiting))

    def _is_over(self) -> bool:
        if not self._stopping.is_set():
            return False
        self._ends = self._ends or self._runtime.mono() + LAST_SECONDS
        self._take()
        return not self._waiting or self._runtime.mono() >= self._ends

    def _take(self) -> None:
        idle = not self._waiting and not self._stopping.is_set()
        try:
            self._waiting.append(self._asked.get(timeout=WAIT_SECONDS) if idle else self._asked.get_nowait())
            while True:
                self._waiting.append(self._asked.get_nowait())
        except Empty:
            pass
        if len(self._waiting) > MOST:
            _log.error("too much waits for topics of the audit that cannot be written: the newest is not kept")
            while len(self._waiting) > MOST:
                self._waiting.pop()

    def _write(self, writer: RecordWriter) -> None:
        while self._waiting:
            topic, key, value = self._waiting[0]
            try:
                writer.write(topic, key, value)
            except MessageSizeTooLargeError:
                text = "a record of the audit is larger than its topic takes: raise its max.message.bytes"
                _log.error(text, topic=topic, key=key.decode(errors="replace"), bytes=len(value))
            self._waiting.popleft()
        if self._complaint:
            _log.info("topics of the audit are written again")
            self._complaint = ""

    def _failed(self, text: str) -> None:
        if text != self._complaint:
            topics = ", ".join(dict.fromkeys(each.topic for each in self._waiting))
            _log.warning(
                f"what the audit needs beside results cannot be written yet, trying again: {text}", topic=topics
            )
        self._complaint = text


def _close(writer: RecordWriter | None) -> None:
    if writer is not None:
        writer.close()
