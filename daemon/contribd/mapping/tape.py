"""What happened while records were mapped, step by step: for explanations and for coverage.

What is compiled while a tape records is the production code with a call around each of its parts, which notes the value
or the error that the part came to. What is compiled otherwise pays nothing for it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from contribd.mapping.mistakes import RAISED, EvaluationError, as_evaluation_error
from contribd.mapping.operators import Value
from contribd.mapping.outcome import Mapped, Rejected
from contribd.mapping.syntax import Node


@dataclass(frozen=True, slots=True)
class Stage:
    """What happens to a value between its expression and the post: ``lookup``, ``as: time``, ``round: 5``."""

    name: str


Subject: TypeAlias = Node | Stage


class Event(NamedTuple):
    """What one part came to, once: ``error`` where it gave no value."""

    subject: Subject
    value: Value
    error: EvaluationError | None


class PartPlace(NamedTuple):
    """Where one of the posts of a record comes from."""

    text: str
    """``points[3]``, ``posts[1]``, ``points[3], posts[1]``."""
    post: int
    """Its place in the mapping's ``posts``; 0 where it has none."""


class PartEnd(NamedTuple):
    """One part of a record that makes several posts is made, or is not: what was noted since the last one is its way.

    ``outcome``: None where it is not made; ``at``: how many events there were.
    """

    place: PartPlace
    outcome: Mapped | Rejected | None
    at: int


class Tape:
    """Notes what was computed, in the order in which it was done."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ends: list[PartEnd] = []

    def around(self, subject: Subject, function: Callable[[], Value]) -> Value:
        """What ``function`` gives or raises, noted."""
        try:
            value = function()
        except RAISED as error:
            self.events.append(Event(subject, None, as_evaluation_error(error)))
            raise
        self.events.append(Event(subject, value, None))
        return value

    def part(self, place: PartPlace, outcome: Mapped | Rejected | None) -> None:
        """Notes the end of a part."""
        self.ends.append(PartEnd(place, outcome, len(self.events)))

    def take(self) -> list[Event]:
        """What was noted since the last time."""
        events, self.events, self.ends = self.events, [], []
        return events


GATE: Final = "post"
"""The name of the last stage: what a value must be to be posted."""

RIC: Final = "ric"
"""The name of the stage in which a RIC is whole, and what it must be to be posted."""

_CURRENT: ContextVar[Tape | None] = ContextVar("tape", default=None)


@contextmanager
def recording(tape: Tape) -> Iterator[None]:
    """All that is compiled within notes on ``tape`` what it does, from then on."""
    token = _CURRENT.set(tape)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_tape() -> Tape | None:
    """The tape that records what is compiled now."""
    return _CURRENT.get()


def noted(name: str, function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """``function`` itself; where a tape records, one that is noted as the stage ``name``."""
    tape = _CURRENT.get()
    if tape is None:
        return function
    stage = Stage(name)
    return lambda value: tape.around(stage, lambda: function(value))
