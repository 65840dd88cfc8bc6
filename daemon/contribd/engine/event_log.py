"""Where the engine says what an operator should know; whoever runs it writes that down."""

from collections.abc import Callable
from typing import TypeAlias

from contribd.engine.limits import LINE_INTERVAL

EventLog: TypeAlias = Callable[..., None]
"""Takes a level (``info``, ``warning``), a sentence and key=value details."""


def silent(_level: str, _event: str, **_details: object) -> None:
    """A ``EventLog`` that nobody reads."""


class SeldomLine:
    """Of a kind that each record, answer or try could make: the first is written, then one in ``LINE_INTERVAL``."""

    def __init__(self) -> None:
        self._next = float("-inf")

    def take(self, mono: float) -> bool:
        """Takes the turn where it has come; whether the line is to be written. ``mono``: monotonic seconds."""
        if mono < self._next:
            return False
        self._next = mono + LINE_INTERVAL
        return True
