"""What the audit needs beside results: the rules behind each digest, and events; written in a thread of its own.

Theory of operation
===================

Results name rules by a digest and do not repeat them. So the rules go into a topic of theirs, under their digest, at
each start and at each reload: compacted, it keeps each set once. Events (a start, a stop, an order) go into another.

Nothing waits for it, and no fault here ends the process. Prices and results go on where these topics cannot be written;
what is to be written is kept in order, topic by topic, and tried again until it is durable, or the process ends. A
record may be written twice, as at every start: rules under their digest are the same, and an event has an id.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Final, NamedTuple

from contribd.ops.log import get_logger
from contribd.streams.client.errors import MessageSizeTooLargeError
from contribd.streams.client.port import RecordWriter
from contribd.streams.client.retrying import FAILURES, pause_after
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Runtime

WAIT_SECONDS: Final = 0.5
"""The longest wait for something to be written."""

MOST: Final = 10_000
"""Records that wait while their topic cannot be written; an order a second for hours. More are not kept."""

LAST_PAUSE: Final = 0.2
"""Seconds between two tries then."""

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

    def __init__(self, settings: KafkaSettings, opened: Callable[[], RecordWriter], *, runtime: Runtime) -> None:
        self._settings, self._opened, self._runtime = settings, opened, runtime
        self._stopping, self._never = runtime.event(), runtime.event()
        self._asked = runtime.queue()
        self._waiting: dict[str, deque[Kept]] = {}
        """By topic: one that cannot be written holds up no other."""
        self._complaints: dict[str, str] = {}
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
        """Writes until ``stop``, however often Kafka goes and comes. Whatever fails, it fails here alone."""
        failures = 0
        writer: RecordWriter | None = None
        while not self._is_over():
            self._take()
            try:
                writer = writer or (self._opened() if self._left else None)
                is_written = writer is None or self._write(writer)
            except Exception as error:  # noqa: BLE001 - what an audit needs besides must not end the contribution
                is_written = False
                self._failed(", ".join(self._waiting), error)
            failures = 0 if is_written else failures + 1
            if not is_written:
                _close(writer)
                writer = None
                self._pause(pause_after(failures))
        _close(writer)
        if self._left:
            _log.warning("stopped before all was written that the audit needs beside results", left=self._left)

    @property
    def _left(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            self._never.wait(LAST_PAUSE)
        else:
            self._stopping.wait(seconds)

    def _is_over(self) -> bool:
        if not self._stopping.is_set():
            return False
        self._ends = self._ends or self._runtime.mono() + LAST_SECONDS
        self._take()
        return not self._left or self._runtime.mono() >= self._ends

    def _take(self) -> None:
        idle = not self._left and not self._stopping.is_set()
        try:
            self._add(self._asked.get(timeout=WAIT_SECONDS) if idle else self._asked.get_nowait())
            while True:
                self._add(self._asked.get_nowait())
        except Empty:
            pass

    def _add(self, kept: Kept) -> None:
        waiting = self._waiting.setdefault(kept.topic, deque())
        if len(waiting) < MOST:
            waiting.append(kept)
        else:
            _log.error(
                "too much waits for a topic of the audit that cannot be written: this is not kept", topic=kept.topic
            )

    def _write(self, writer: RecordWriter) -> bool:
        """What waits, topic by topic; whether all is written."""
        for topic, waiting in self._waiting.items():
            try:
                self._write_topic(writer, topic, waiting)
            except FAILURES as error:
                self._failed(topic, error)
        return not self._left

    def _write_topic(self, writer: RecordWriter, topic: str, waiting: deque[Kept]) -> None:
        while waiting:
            _, key, value = waiting[0]
            try:
                writer.write(topic, key, value)
            except MessageSizeTooLargeError:
                text = "a record of the audit is larger than its topic takes: raise its max.message.bytes"
                _log.error(text, topic=topic, key=key.decode(errors="replace"), bytes=len(value))
            waiting.popleft()
        if self._complaints.pop(topic, None):
            _log.info("a topic of the audit is written again", topic=topic)

    def _failed(self, topic: str, error: Exception) -> None:
        text = explain(error, self._settings) if isinstance(error, FAILURES) else repr(error)
        if text != self._complaints.get(topic):
            _log.warning(
                f"what the audit needs beside results cannot be written yet, trying again: {text}", topic=topic
            )
        self._complaints[topic] = text


def _close(writer: RecordWriter | None) -> None:
    if writer is not None:
        with suppress(Exception):
            writer.close()
