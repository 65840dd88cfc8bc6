"""Trying again for as long as Kafka is away, with a word for whatever else is wrong and an ear for the end."""

from collections.abc import Callable
from typing import Final

import tenacity

from contribd.streams.client.errors import KafkaError
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Event

FAILURES: Final = KafkaError, OSError, ValueError
"""What the client raises where Kafka is away, or refuses."""


def pause_after(tries: int) -> float:
    """Seconds from a try that failed, the first being 1, to the next."""
    return min(2.0 ** min(tries - 1, 4), 10.0)


def retrying(stopping: Event, settings: KafkaSettings, tell: Callable[[str, bool], None]) -> tenacity.Retrying:
    """Tries until one succeeds or ``stopping`` is set; then the loop ends without an error.

    ``tell`` gets what is wrong, in a sentence, and whether that is news: another than at the try before.
    """
    told = ""

    def before_sleep(state: tenacity.RetryCallState) -> None:
        nonlocal told
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            text = explain(error, settings)
            tell(text, text != told)
            told = text

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
