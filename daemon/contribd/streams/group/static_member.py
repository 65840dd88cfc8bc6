"""Static members (KIP-345): who had our name before, when it has surely stopped posting, and who has it after us.

A process that joins under the name of a member of the group is given that member's partitions at once. The group does
not wait for the one it replaces: a process that is frozen, or cut off from Kafka alone, learns of it later, and posts
meanwhile. So a member with a name posts only for a short while on the strength of one heartbeat (``lease_seconds``),
and its successor touches nothing for a little longer than that.
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
