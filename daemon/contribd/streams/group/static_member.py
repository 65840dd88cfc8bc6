"""Static members (KIP-345): who had our name before, when it has surely stopped posting, and who has it after us.

A process that joins under the name of a member of the group is given that member's partitions at once. The group does
not wait for the one it replaces: a process that is frozen, or cut off from Kafka alone, learns of it later, and posts
meanwhile. So a member with a name posts only for a short while on the strength of one heartbeat (``lease_seconds``),
and its successor touches nothing for a little longer than that.

Nor does the group rebalance for a takeover. In a cooperative rebalance (KIP-429) a partition that moves is given to
nobody at first: its owner lets go of it and joins again, and the next generation gives it to another. Where the owner
dies in between, its successor gets what it had kept, and nobody asks for the next generation: the partition would be
nobody's until the group changes for another reason. So a successor joins again once.
"""

from collections.abc import Callable

from contribd.streams.client.port import Kafka, Member
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

    def look(self) -> None:
        """Before the first join: asks whether the group has a member of our name. Raises KafkaError."""
        static_id = self._settings.static_id
        self._alone = static_id is None or not self._is_known(static_id)

    def joined(self, member: Member) -> float:
        """The group has us as this member: seconds until whoever had our name before has stopped posting.

        A member id that is not the first one of this process may have replaced anybody.
        """
        if member.member_id != self._member_id:
            self._member_id = member.member_id
            if not self._alone:
                self._free_from = self._clock() + self._settings.lease_seconds
            self._alone = self._settings.static_id is None
        return self.wait

    def must_rejoin(self) -> bool:
        """Whether the member it has become took over from another, and has not joined again for it; said once."""
        due = self.wait > 0.0 and self._rejoined_as != self._member_id
        if due:
            self._rejoined_as = self._member_id
        return due

    @property
    def wait(self) -> float:
        """Seconds for which nothing may be taken over yet; 0 where everything may."""
        return max(0.0, self._free_from - self._clock())

    def _is_known(self, static_id: str) -> bool:
        admin = self._kafka.admin()
        try:
            found = admin.members(self._settings.group_id)
        finally:
            admin.close()
        return any(member.static_id == static_id for member in found)
