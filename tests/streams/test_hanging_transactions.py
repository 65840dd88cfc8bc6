"""Looking for what dead members left open, where that fails or takes its time."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from kafka.errors import KafkaTimeoutError

from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import hanging_transactions as hanging
from contribd.streams.group.hanging_transactions import PAUSE, HangingTransactions

SETTINGS = KafkaSettings(("127.0.0.1:1",), "g", ("prices",), "results", None, "latest", "one")


class Looks:
    """Each look calls ``look``; what is told goes to ``told``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, look: Callable[[], None]) -> None:
        self.now, self.number, self.told = 1000.0, 0, list[str]()
        self.hanging = HangingTransactions(SETTINGS, clock=lambda: self.now)

        def opened(*_: object, **__: object) -> None:
            self.number += 1
            look()

        monkeypatch.setattr(hanging, "opened", opened)
        monkeypatch.setattr(hanging, "_log", SimpleNamespace(warning=lambda _text, *, error: self.told.append(error)))

    def end(self) -> int:
        """How many looks there were so far."""
        self.hanging.end("us")
        self.hanging.wait(10)
        return self.number


@pytest.mark.parametrize(
    "error", [KafkaTimeoutError("away"), OSError(24, "Too many open files"), ValueError("'Odd' is not a state")]
)
def test_what_goes_wrong_is_told_once_and_tried_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> None:
        raise error

    looks = Looks(monkeypatch, fail)
    assert looks.end() == looks.end() == 1
    looks.now += PAUSE
    assert looks.end() == 2
    assert len(looks.told) == 1
    assert str(error.args[-1]) in looks.told[0]


def test_a_look_that_takes_its_time_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()

    def wait() -> None:
        going_on.wait(20)
        raise KafkaTimeoutError

    looks = Looks(monkeypatch, wait)
    looks.hanging.end("us")
    looks.now += 10 * PAUSE
    looks.hanging.end("us")
    assert looks.number == 1
    going_on.set()
    assert looks.end() == 1
