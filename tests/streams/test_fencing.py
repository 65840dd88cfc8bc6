"""Whether a group that refuses us is believed."""

import pytest

from contribd.streams.group.fencing import REFUSAL_GRACE, Fencing


class Clock:
    def __init__(self) -> None:
        self.mono = 100.0

    def __call__(self) -> float:
        return self.mono


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refuse(fencing: Fencing, clock: Clock, seconds: float) -> None:
    """As heartbeats are refused: a few a second."""
    for _ in range(round(seconds / 0.5)):
        assert not fencing.refused()
        clock.mono += 0.5


def test_a_refusal_is_believed_once_it_has_lasted(clock: Clock) -> None:
    fencing = Fencing(clock)
    refuse(fencing, clock, REFUSAL_GRACE)
    assert fencing.refused()
    assert fencing.replaced


def test_a_heartbeat_that_is_taken_makes_refusals_before_it_void(clock: Clock) -> None:
    fencing = Fencing(clock)
    refuse(fencing, clock, REFUSAL_GRACE)
    fencing.known()
    refuse(fencing, clock, REFUSAL_GRACE)
    assert not fencing.replaced


def test_refusals_with_a_silence_between_them_have_not_lasted(clock: Clock) -> None:
    """A broker that is killed twice may refuse for a moment after each."""
    fencing = Fencing(clock)
    refuse(fencing, clock, 1.0)
    clock.mono += 4 * REFUSAL_GRACE
    refuse(fencing, clock, 1.0)
    assert not fencing.replaced
