"""Whether the group knows this process as the member it is.

A coordinator that has just started, or has just become one, may answer from a state of long ago: Kafka 4.1.0 was seen
to load its log a second time, from the beginning, while it served already. For a second or so it refused the members it
had, each in favour of an earlier one of the same name, and gave out offsets that were minutes old. So neither its
refusals nor its offsets are believed by themselves. A heartbeat of ours that it takes shows that its state reaches up
to our own membership, and so to everything that was committed before we became a member. Of our own commits it shows
nothing.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from kafka.coordinator.base import Generation
from kafka.errors import RebalanceInProgressError
from kafka.structs import ConsumerGroupMetadata

PATIENCE: Final = 10.0
"""Seconds after which refusals are believed, where they went on all the while. Nobody posts on the strength of a
heartbeat for longer than that (``settings.NAME_LEASE``)."""

_PAUSE: Final = 5.0
"""Refusals further apart than so many seconds are not of one kind: those that last come at every heartbeat."""


class Fencing:
    """Written by the client's threads, read by all. Times are monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: tuple[float, float] | None = None
        """The first and the last of the refusals that go on."""
        self.member: ConsumerGroupMetadata | None = None
        """What the group knows us as, None before it does."""
        self.replaced = False
        """Another process is the member of our name: this one must end."""

    def known(self) -> None:
        """The group has taken us for its member."""
        self._refused = None

    def refused(self) -> bool:
        """The group says that another has our name; whether it has gone on saying so for long enough to be believed."""
        now, refused = self._clock(), self._refused
        first = now if refused is None or now - refused[1] > _PAUSE else refused[0]
        self._refused = first, now
        self.replaced = self.replaced or now - first >= PATIENCE
        return self.replaced


def confirm(consumer: Any) -> None:
    """Asks the group at once whether it knows this member, in the consumer's thread. Raises KafkaError where not."""
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python beats by itself only
    try:
        consumer._net.run(coordinator._send_heartbeat_request)  # noqa: SLF001
    except RebalanceInProgressError:
        return  # said to members only


def speak_for(consumer: Any, member: ConsumerGroupMetadata, milliseconds: int) -> None:
    """Lets a consumer that is no member ask in the name of ours, by a connection of its own: see ``confirm``.

    Raises KafkaError where no coordinator is found within ``milliseconds``.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - kafka-python joins by itself only
    coordinator.ensure_coordinator_ready(timeout_ms=milliseconds)
    coordinator._generation = Generation(member.generation_id, member.member_id, None)  # noqa: SLF001
    coordinator.config["group_instance_id"] = member.group_instance_id
