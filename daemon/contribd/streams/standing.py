"""Whether the group knows this process as the member it is.

A coordinator that has just started, or has just become one, may answer from a state of long ago: Kafka 4.1 was seen to
load its log a second time, from the beginning, while it served already. For a second or so it refused the members it
had, each in favour of an earlier one of the same name, and gave out offsets that were minutes old. So neither its
refusals nor its offsets are believed by themselves: a heartbeat of ours that it takes shows that its state reaches up
to our own membership, and with that to every commit before it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from kafka.errors import RebalanceInProgressError

PATIENCE: Final = 10.0
"""Seconds after which a refusal is believed, where no heartbeat was taken meanwhile. Nobody posts on the strength of a
heartbeat for longer than that (``settings.NAME_LEASE``)."""

_STEP: Final = 0.05


class Standing:
    """Written by the client's threads, read by all. Times are monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known_at = float("-inf")
        self._refused_since: float | None = None
        self.replaced = False
        """Another process is the member of our name: this one must end."""

    def known(self, asked_at: float) -> None:
        """The group has taken us for its member, asked at ``asked_at``."""
        self._known_at = max(self._known_at, asked_at)
        self._refused_since = None

    def refused(self) -> bool:
        """The group says that another has our name; whether it has said so for long enough to be believed."""
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        self.replaced = self.replaced or now - self._refused_since >= PATIENCE
        return self.replaced

    def known_since(self, moment: float, stopping: threading.Event) -> bool:
        """Waits until the group has taken us for its member, asked after ``moment``; False where it did not in time."""
        while self._known_at <= moment:
            if self.replaced or self._clock() - moment >= PATIENCE or stopping.wait(_STEP):
                return False
        return True


def confirm(consumer: Any) -> None:
    """Asks the group at once whether it knows this member, in the consumer's thread. Raises KafkaError where not."""
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python beats by itself only
    try:
        consumer._net.run(coordinator._send_heartbeat_request)  # noqa: SLF001
    except RebalanceInProgressError:
        return  # said to members only
