"""Static members (KIP-345): who had our name before, when it has surely stopped posting, and who has it after us.

A process that joins under the name of a member of the group is given that member's partitions at once. The group does
not wait for the one it replaces: a process that is frozen, or cut off from Kafka alone, learns of it later, and posts
meanwhile. So a member with a name posts only for a short while on the strength of one heartbeat (``lease_seconds``),
and its successor touches nothing for a little longer than that.

Nor does the group rebalance for a takeover. In a cooperative rebalance (KIP-429) a partition that moves is given to
nobody at first: its owner lets go of it and joins again, and the next generation gives it to another. Where the owner
dies in between, its successor gets what it had kept, and nobody asks for the next generation: the partition would be
nobody's until the group changes for another reason. So a successor joins again once.

Whether there is anybody to take over from is asked before the first join. A coordinator that has just started may
answer that from an old state (``fencing``), and name no member at all. By the time a lease is over, ours has been
confirmed, so what it says then reaches up to our own membership: if it names others than before, the first answer is
not relied on, and this member joins again as a successor does. Where they are named because they started together with
it, one rebalance is the price.
"""

from collections.abc import Callable

from contribd.streams.client.port import GroupMember, Kafka, Member
from contribd.streams.client.settings import KafkaSettings


class StaticMember:
    """When this process may take over what the group gives it."""

    def __init__(self, settings: KafkaSettings, kafka: Kafka, clock: Callable[[], float]) -> None:
        """``clock`` in monotonic seconds."""
        self._settings = settings
        self._kafka = kafka
        self._clock = clock
        self._member_id = ""
        self._rejoined_as = ""
        self._alone = False
        self._free_from = float("-inf")
        self._seen: frozenset[str] = frozenset()
        """The members of the group before the first join."""
        self._doubt_at = float("inf")
        """When to ask the group once more who is in it."""

    def look(self) -> None:
        """Before the first join: asks whether the group has a member of our name. Raises KafkaError."""
        static_id = self._settings.static_id
        if static_id is None:
            self._alone = True
            return
        found = self._members()
        self._seen = frozenset(member.member_id for member in found)
        self._alone = all(member.static_id != static_id for member in found)

    def joined(self, member: Member) -> float:
        """The group has us as this member: seconds until whoever had our name before has stopped posting.

        A member id that is not the first one of this process may have replaced anybody.
        """
        if member.member_id != self._member_id:
            self._member_id = member.member_id
            if not self._alone:
                self._free_from = self._clock() + self._settings.lease_seconds
            elif self._settings.static_id is not None:
                self._doubt_at = self._clock() + self._settings.lease_seconds
            self._alone = self._settings.static_id is None
        return self.wait

    def must_rejoin(self) -> bool:
        """Whether the member it has become took over from another, or may have, and has not joined again for it; said
        once. Raises KafkaError."""
        due = self._rejoined_as != self._member_id and (self.wait > 0.0 or self._others_came_to_light())
        if due:
            self._rejoined_as = self._member_id
        return due

    @property
    def wait(self) -> float:
        """Seconds for which nothing may be taken over yet; 0 where everything may."""
        return max(0.0, self._free_from - self._clock())

    def _others_came_to_light(self) -> bool:
        """Asked once, a lease after the first join: whether the group has members that it did not name before it."""
        now = self._clock()
        if now < self._doubt_at:
            return False
        self._doubt_at = now + self._settings.lease_seconds  # where this fails, what is due else goes on meanwhile
        others = {member.member_id for member in self._members()} - {self._member_id}
        self._doubt_at = float("inf")
        return not others <= self._seen

    def _members(self) -> list[GroupMember]:
        admin = self._kafka.admin()
        try:
            return admin.members(self._settings.group_id)
        finally:
            admin.close()
