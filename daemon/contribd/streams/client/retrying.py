"""Trying again for as long as Kafka is away, with one line a try and an ear for the end."""

from collections.abc import Callable
from typing import Final

import tenacity

from contribd.streams.client.errors import KafkaError, TopicMissing
from contribd.streams.client.settings import first_line
from contribd.streams.runtime import Event

FAILURES: Final = KafkaError, OSError, ValueError
"""What the client raises where Kafka is away, or refuses."""


def pause_after(tries: int) -> float:
    """Seconds from a try that failed, the first being 1, to the next."""
    return min(2.0 ** min(tries - 1, 4), 10.0)


def retrying(stopping: Event, tell: Callable[[str, float], None] | None = None) -> tenacity.Retrying:
    """Tries until one succeeds or ``stopping`` is set; then the loop ends without an error.

    ``tell`` gets what is wrong, in a line, and the seconds to the next try.
    """

    def before_sleep(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if tell is not None and error is not None:
            tell(str(error) if isinstance(error, TopicMissing) else first_line(error), state.upcoming_sleep)

    def sleep(seconds: float) -> None:
        stopping.wait(seconds)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(FAILURES),
        wait=lambda state: pause_after(state.attempt_number),
        sleep=sleep,
        stop=lambda _state: stopping.is_set(),
        before_sleep=before_sleep,
        retry_error_callback=lambda _state: None,
    )
