"""Static members (KIP-345): who had our name before, when it has surely stopped posting, and who has it after us.

A process that joins under the name of a member of the group is given that member's partitions at once. The group does
not wait for the one it replaces: a process that is frozen, or cut off from Kafka alone, learns of it later, and posts
meanwhile. So a member with a name posts only for a short while on the strength of one heartbeat (``lease_seconds``),
and its successor touches nothing for a little longer than that.
"""

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import (
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    RebalanceInProgressError,
)
from kafka.structs import ConsumerGroupMetadata

from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.workarounds import opened
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.members import members


class StaticMember:
    """When this process may take over what the group gives it, and whether another has taken over from it."""

    def __init__(self, settings: KafkaSettings, fencing: Fencing, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` in monotonic seconds."""
        self._settings = settings
        self._fencing = fencing
        self._clock = clock
        self._member = ""
        self._alone = False
        self._free_from = float("-inf")

    def look(self) -> None:
        """Before the first join: asks whether the group has a member of our name. Raises KafkaError."""
        self._alone = self._settings.static_id is None or not _has_member(self._settings, self._settings.static_id)

    def joined(self, metadata: ConsumerGroupMetadata) -> float:
        """The group has us as this member: seconds until whoever had our name before has stopped posting.

        A member id that is not the first one of this process may have replaced anybody.
        """
        if metadata.member_id != self._member:
            self._member = metadata.member_id
            if not self._alone:
                self._free_from = self._clock() + self._settings.lease_seconds
            self._alone = self._settings.static_id is None
        return self.wait

    @property
    def wait(self) -> float:
        """Seconds for which nothing may be taken over yet; 0 where everything may."""
        return max(0.0, self._free_from - self._clock())

    def watch(self, consumer: Any, synced: Callable[[str, float], None]) -> None:
        """Notes what the client keeps to itself: which heartbeats are taken and which refused, another having the name,
        and when it asked for its partitions, which the group's answer proves it to have been a member at (``synced``:
        member id, monotonic seconds)."""
        coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python tells of neither
        beat, answered = coordinator._send_heartbeat_request, coordinator._process_sync_group_response  # noqa: SLF001

        async def beating() -> Any:
            try:
                answer = await beat()
            except RebalanceInProgressError:
                self._fencing.known()
                raise
            except FencedInstanceIdError as error:
                if self._fencing.refused():
                    raise
                # The client would never send a heartbeat again.
                raise CoordinatorNotAvailableError(str(error)) from error
            self._fencing.known()
            return answer

        def answering(response: Any, asked_at: float) -> Any:
            assignment = answered(response, asked_at)
            self._fencing.known()
            synced(coordinator._generation.member_id, asked_at)  # noqa: SLF001
            return assignment

        coordinator._send_heartbeat_request = beating  # noqa: SLF001
        coordinator._process_sync_group_response = answering  # noqa: SLF001


def _has_member(settings: KafkaSettings, static_id: str) -> bool:
    admin = opened(KafkaAdminClient, **settings.admin())
    try:
        found = members(admin, settings.group_id)
    finally:
        admin.close()
    return any(member["group_instance_id"] == static_id for member in found)
