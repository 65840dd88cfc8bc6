"""The lease: until when this process may post, without asking the group.

Theory of operation
===================

The coordinator gives a member's partitions to others when it has received no heartbeat for the session timeout. A
member that is stopped (SIGSTOP), or cut off from Kafka, is not told. If it went on posting, an older price of ours
could follow a newer one of the next owner. So a member must know by itself when to stop.

The rule. A lease lasts 0.9 of ``lease_seconds`` (``MEMBERSHIP_MARGIN``), counted from when the last answered heartbeat
was sent. The coordinator starts its own timer when that heartbeat arrives, which is not earlier, so our lease ends
first. A heartbeat without an answer extends nothing, since it may not have arrived. ``lease_seconds`` is the session
timeout; for a static member it is shorter (``static_member``).

A new generation is not a heartbeat: its answer may have been delayed until after the group had given us up.

- Same member id: the lease stays what the heartbeats made it.
- Another member id: the coordinator had this member when it received the request for our partitions (SyncGroup). The
  lease counts from when that was sent (``synced``). Where that is not known, it counts from the earliest moment that is
  possible: at the look before this one we were not this member, and an answer takes ``answer_timeout`` at most. That is
  so between the answer to the join and that to the request for our partitions: with the second, the lease begins.
- No generation (-1): no lease.

Two threads. The consumer's threads write what is proven, the worker reads it. The worker asks with the membership of
the last ``Joined`` that it has handled, and gets 0 where the proof is of another. ``Joined`` follows the ``Revoked`` of
all that the generation before took away, so a new lease is never applied to a partition that is not ours any more.

Past the lease nothing is posted (``Engine.lapsed``), and unsent bytes are held back (``WebSocket.hold``).
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from contribd.engine.limits import MEMBERSHIP_MARGIN
from contribd.streams.client.port import Heartbeats, Member
from contribd.streams.runtime import THREADS

Generation: TypeAlias = tuple[int, str]
"""A generation of the group, and our member id in it."""


class Joined(NamedTuple):
    """The group has a new generation with us in it. Offsets are committed under ``member`` from here on (KIP-447).

    It comes after the ``Revoked`` of what the generation before took away: whoever commits and posts by the generation
    last heard of can never do so for partitions that are not ours any more.
    """

    member: Member


class Lease:
    """What the consumer's heartbeats prove. Written by the consumer's threads, read by the worker.

    The group gives a member's partitions to others once it has heard nothing for the session timeout, counted from
    the last heartbeat it received. That one was sent no earlier than the last heartbeat we know to be answered.

    A new generation proves nothing by itself: the process may have been stopped, or the answer delayed, until after the
    group had given us up. A member we are already keeps what its heartbeats proved. One we have just become was there
    when it asked for its partitions, and where that is not known, it is as old as an answer can be, counted from when
    it was not there yet.
    """

    def __init__(self, lease: float, answer_timeout: float = 30.0, clock: Callable[[], float] = THREADS.mono) -> None:
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
        self._begins_with_sync = False
        """Whether the request for our partitions is still to be answered, the first of this member."""

    def synced(self, member_id: str, asked_at: float) -> None:
        """The group has answered this member's request for its partitions, sent at ``asked_at`` (monotonic)."""
        self._synced = (member_id, asked_at)

    def observe(self, member: Member, heartbeats: Heartbeats) -> Joined | None:
        """What the consumer says of itself, in one of its threads; tells of a new generation once."""
        generation = generation_of(member)
        known, until = self._proven
        sent, answered = heartbeats
        looked, self._looked = self._looked, self._clock()
        if generation != known:
            if member.generation < 0:
                until = 0.0
            elif generation[1] != known[1]:
                synced = self._synced_as(member)
                self._begins_with_sync = synced is None
                until = (looked - self._answer_timeout if synced is None else synced) + self._timeout
            self._proven = (generation, until)
            return Joined(member) if member.generation >= 0 else None
        if self._begins_with_sync and (synced := self._synced_as(member)) is not None:
            self._begins_with_sync = False
            until = max(until, synced + self._timeout)
            self._proven = (generation, until)
        if member.generation >= 0 and answered > sent:  # at the same instant it is the answer to the one before
            self._proven = (generation, max(until, sent + self._timeout))
        return None

    def _synced_as(self, member: Member) -> float | None:
        member_id, asked_at = self._synced
        return asked_at if member_id == member.member_id else None

    def until(self, member: Member | None) -> float:
        """Monotonic time to which we are proven to be this ``member``; 0 where we are another."""
        generation, until = self._proven
        return until if member is not None and generation == generation_of(member) else 0.0


def generation_of(member: Member) -> Generation:
    """What tells one membership from another."""
    return member.generation, member.member_id
