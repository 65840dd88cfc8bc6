"""What the consumer hears of this member, handed to whoever judges it."""

from dataclasses import dataclass

from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import FetchFault
from contribd.streams.group.blocked import BlockedPartitions
from contribd.streams.group.fencing import Fencing
from contribd.streams.group.lease import Lease
from contribd.streams.group.positions import Positions


@dataclass(frozen=True, slots=True)
class Hooks:
    """The consumer's ``MemberHooks``; called in any of its threads."""

    fencing: Fencing
    lease: Lease
    positions: Positions
    blocked: BlockedPartitions

    def known(self) -> None:
        """The group has taken us for its member."""
        self.fencing.known()

    def refused(self) -> bool:
        """The group says that another has our name; whether to believe it."""
        return self.fencing.refused()

    def synced(self, member_id: str, asked_at: float) -> None:
        """The group has answered this member's request for its partitions, sent at ``asked_at`` (monotonic)."""
        self.lease.synced(member_id, asked_at)

    def out_of_range(self, partition: Partition) -> None:
        """The broker has refused the offset that was to be fetched next."""
        self.positions.mark_out_of_range(partition)

    def fetch_failed(self, partition: Partition, fault: FetchFault | None) -> None:
        """Nothing of it can be read, and the consumer has paused it. None: the broker gives again what it refused."""
        self.blocked.failed(partition, fault)
