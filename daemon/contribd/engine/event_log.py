"""Where the engine says what an operator should know; whoever runs it writes that down."""

from collections.abc import Callable
from typing import TypeAlias

EventLog: TypeAlias = Callable[..., None]
"""Takes a level (``info``, ``warning``), a sentence and key=value details."""


def silent(_level: str, _event: str, **_details: object) -> None:
    """A ``EventLog`` that nobody reads."""
