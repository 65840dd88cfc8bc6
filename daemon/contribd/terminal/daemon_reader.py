"""What a running daemon says of itself, asked over HTTP again and again in a thread of its own.

A daemon that does not answer is asked again at the same pace: once it answers, all goes on.
"""

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any, Final

from contribd.terminal.totals import Answer, Process

TIMEOUT: Final = 3.0
"""Seconds for one answer. A daemon answers within milliseconds, from a copy of its state."""

METRICS_EVERY: Final = 5
"""Memory and CPU are asked for with every so many'th status."""

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one answer; a status of a hundred partitions takes some 30 kB."""

_PROCESS: Final = re.compile(r"^process_(resident_memory_bytes|cpu_seconds_total) (\S+)", re.MULTILINE)


class NoAnswer(Exception):
    """The daemon did not answer, or something else did; the text says what."""


class DaemonReader:
    """Asks the daemon at ``url``, the address of its status page."""

    def __init__(self, url: str, interval: float) -> None:
        """``interval``: seconds between two questions."""
        self.url = url.rstrip("/")
        self._interval = interval
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="daemon-reader", daemon=True)
        self._asked = 0
        # A daemon is asked directly: a proxy of this host leads to the world, not to the management network.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def start(self) -> None:
        """Begins to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it, without waiting for an answer that is under way."""
        self._stop.set()

    def take(self) -> list[Answer]:
        """What has come since the last call."""
        found = []
        while True:
            try:
                found.append(self._answers.get_nowait())
            except Empty:
                return found

    def ask(self) -> Answer:
        """Asks once, and waits for the answer."""
        process = None
        try:
            status = _status(self._get("/status"))
            if self._asked % METRICS_EVERY == 0:
                process = _process(self._get("/metrics"))
        except NoAnswer as failure:
            return Answer(time.time(), failure=str(failure))
        self._asked += 1
        return Answer(time.time(), status, process)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._answers.put(self.ask())
            due = max(due + self._interval, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def _get(self, path: str) -> str:
        try:
            with self._opener.open(self.url + path, timeout=TIMEOUT) as answer:
                found: bytes = answer.read(MAX_BYTES)
        except urllib.error.HTTPError as error:
            raise NoAnswer(f"{path} is answered with {error.code} {error.reason}: is this a contribd?") from None
        except (OSError, ValueError, urllib.error.URLError) as error:
            raise NoAnswer(_why(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever else listens there answers what it likes
            raise NoAnswer(f"{path} is answered with what is no HTTP ({type(error).__name__})") from None
        return found.decode(errors="replace")


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"nothing came within {TIMEOUT:g} s"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    return str(getattr(reason, "strerror", None) or reason)


def _status(text: str) -> Mapping[str, Any]:
    try:
        status = json.loads(text)
    except ValueError:
        raise NoAnswer("/status is answered with what is no JSON: is this a contribd?") from None
    if not (isinstance(status, dict) and isinstance(status.get("session"), dict) and "taken_at" in status):
        raise NoAnswer("/status is answered with what is no status of a contribd")
    return status


def _process(text: str) -> Process:
    found = {name: float(value) for name, value in _PROCESS.findall(text)}
    return Process(found.get("resident_memory_bytes"), found.get("cpu_seconds_total"))
