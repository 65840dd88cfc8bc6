"""Whether this process is still the group's owner of its partitions, as far as can be known without asking."""

import time
from collections.abc import Callable
from typing import Any

from kafka.structs import ConsumerGroupMetadata

from contribd.engine.limits import MEMBERSHIP_MARGIN


class Membership:
    """What the consumer's heartbeats prove. Written by the source's thread, read by the others.

    The group gives a member's partitions to others once it has heard nothing for the session timeout, counted from
    the last heartbeat it received. That one was sent no earlier than the last heartbeat we know to be answered.
    """

    def __init__(self, session_timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``session_timeout`` in seconds, ``clock`` in monotonic seconds."""
        self._clock = clock
        self._timeout = session_timeout * (1 - MEMBERSHIP_MARGIN)
        self._generation: tuple[int, str] | None = None
        self.metadata: ConsumerGroupMetadata | None = None
        """Under which offsets are committed (KIP-447)."""
        self.until = 0.0
        """Monotonic time to which the membership is proven."""

    def observe(self, consumer: Any) -> None:
        """Looks at the consumer after a poll, in the consumer's thread."""
        metadata = consumer.group_metadata()
        self.metadata = metadata
        heartbeat = consumer._coordinator.heartbeat  # noqa: SLF001 - kafka-python tells of heartbeats nowhere else
        sent, received = heartbeat.last_send, heartbeat.last_receive
        generation = (metadata.generation_id, metadata.member_id)
        if generation != self._generation:
            self._generation = generation
            self.until = self._clock() + self._timeout if metadata.generation_id >= 0 else 0.0
        elif metadata.generation_id >= 0 and received >= sent:
            self.until = max(self.until, sent + self._timeout)
