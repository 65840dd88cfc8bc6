"""Looking for what dead members left open, where that fails or takes its time."""

import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Never

import pytest
from kafka.errors import KafkaTimeoutError

from contribd.streams.client.cluster import connect
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import hanging_transactions as hanging
from contribd.streams.group.hanging_transactions import PAUSE, HangingTransactions
from contribd.streams.runtime import THREADS

SETTINGS = KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", "one")


class Looks:
    """Each look calls ``look``; what is told goes to ``told``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, look: Callable[[], Never]) -> None:
        self.now, self.number, self.told = 1000.0, 0, list[str]()
        self.threads: list[threading.Thread] = []

        def admin() -> Never:
            self.number += 1
            look()

        runtime = replace(THREADS, mono=lambda: self.now, background=self._start)
        self.hanging = HangingTransactions(replace(connect(SETTINGS), admin=admin), SETTINGS, runtime)
        monkeypatch.setattr(hanging, "_log", SimpleNamespace(warning=lambda _text, *, error: self.told.append(error)))

    def _start(self, name: str, work: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=work, name=name, daemon=True))
        self.threads[-1].start()

    def end(self) -> int:
        """How many looks there were so far."""
        self.hanging.end("us")
        for thread in self.threads:
            thread.join(10)
        return self.number


@pytest.mark.parametrize(
    "error", [KafkaTimeoutError("away"), OSError(24, "Too many open files"), ValueError("'Odd' is not a state")]
)
def test_what_goes_wrong_is_told_once_and_tried_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> Never:
        raise error

    looks = Looks(monkeypatch, fail)
    assert looks.end() == looks.end() == 1
    looks.now += PAUSE
    assert looks.end() == 2
    assert len(looks.told) == 1
    assert str(error.args[-1]) in looks.told[0]


def test_a_look_that_takes_its_time_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()

    def wait() -> Never:
        going_on.wait(20)
        raise KafkaTimeoutError

    looks = Looks(monkeypatch, wait)
    looks.hanging.end("us")
    looks.now += 10 * PAUSE
    looks.hanging.end("us")
    assert looks.number == 1
    going_on.set()
    assert looks.end() == 1
