"""Whether this process is still the group's owner of its partitions, as far as can be known without asking."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from kafka.structs import ConsumerGroupMetadata

from contribd.engine.limits import MEMBERSHIP_MARGIN

Generation: TypeAlias = tuple[int, str]
"""A generation of the group, and our member id in it."""


class Joined(NamedTuple):
    """The group has a new generation with us in it. Offsets are committed under ``metadata`` from here on (KIP-447).

    It comes after the ``Revoked`` of what the generation before took away: whoever commits and posts by the generation
    last heard of can never do so for partitions that are not ours any more.
    """

    metadata: ConsumerGroupMetadata


class Lease:
    """What the consumer's heartbeats prove. Written by the consumer's threads, read by the worker.

    The group gives a member's partitions to others once it has heard nothing for the session timeout, counted from
    the last heartbeat it received. That one was sent no earlier than the last heartbeat we know to be answered.

    A new generation proves nothing by itself: the process may have been stopped, or the answer delayed, until after the
    group had given us up. A member we are already keeps what its heartbeats proved. One we have just become was there
    when it asked for its partitions, and where that is not known, it is as old as an answer can be, counted from when
    it was not there yet.
    """

    def __init__(self, lease: float, answer_timeout: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """In seconds, ``clock`` monotonic ones.

        ``lease``: how long after a heartbeat nobody else uses our partitions (``KafkaSettings.lease_seconds``);
        ``answer_timeout``: when the client gives up waiting for an answer.
        """
        self._clock = clock
        self._timeout = lease * (1 - MEMBERSHIP_MARGIN)
        self._answer_timeout = answer_timeout
        self._looked = float("-inf")
        self._proven: tuple[Generation, float] = ((-1, ""), 0.0)
        self._synced = ("", float("-inf"))

    def synced(self, member: str, asked_at: float) -> None:
        """The group has answered this member's request for its partitions, sent at ``asked_at`` (monotonic)."""
        self._synced = (member, asked_at)

    def observe(self, consumer: Any) -> Joined | None:
        """Looks at the consumer, in one of its threads; tells of a new generation once."""
        metadata = consumer.group_metadata()
        generation = generation_of(metadata)
        known, until = self._proven
        heartbeat = consumer._coordinator.heartbeat  # noqa: SLF001 - kafka-python tells of heartbeats nowhere else
        sent, received = heartbeat.last_send, heartbeat.last_receive
        looked, self._looked = self._looked, self._clock()
        if generation != known:
            if metadata.generation_id < 0:
                until = 0.0
            elif generation[1] != known[1]:
                member, asked_at = self._synced
                there = asked_at if member == generation[1] else looked - self._answer_timeout
                until = there + self._timeout
            self._proven = (generation, until)
            return Joined(metadata) if metadata.generation_id >= 0 else None
        if metadata.generation_id >= 0 and received > sent:  # at the same instant it is the answer to the one before
            self._proven = (generation, max(until, sent + self._timeout))
        return None

    def until(self, metadata: ConsumerGroupMetadata | None) -> float:
        """Monotonic time to which we are proven to be the member ``metadata`` tells of; 0 where we are another."""
        generation, until = self._proven
        return until if metadata is not None and generation == generation_of(metadata) else 0.0


def generation_of(metadata: ConsumerGroupMetadata) -> Generation:
    """What tells one membership from another."""
    return metadata.generation_id, metadata.member_id
