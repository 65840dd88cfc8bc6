"""Trying again for as long as Kafka is away, with one line a try and an ear for the end."""

import threading
from collections.abc import Callable
from typing import Final

import tenacity
from kafka.errors import KafkaError

from contribd.streams.client.settings import first_line

WAIT: Final = tenacity.wait_exponential(multiplier=1, max=10)
"""Seconds between two tries."""


class TopicMissing(KafkaError):  # type: ignore[misc]  # the client has no types
    """A topic that does not exist, or that may not be seen."""

    def __str__(self) -> str:
        return str(self.args[0])


def retrying(stopping: threading.Event, tell: Callable[[str, float], None] | None = None) -> tenacity.Retrying:
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
        retry=tenacity.retry_if_exception_type((KafkaError, OSError, ValueError)),
        wait=WAIT,
        sleep=sleep,
        stop=lambda _state: stopping.is_set(),
        before_sleep=before_sleep,
        retry_error_callback=lambda _state: None,
    )
