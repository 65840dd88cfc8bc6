"""The fencing check: whether the group has really given our static name to another process.

A coordinator that has just started, or has just become one, may answer from a state of long ago: Kafka 4.1.0 was seen
to load its log a second time, from the beginning, while it served already. For a second or so it refused the members it
had, each in favour of an earlier one of the same name, and gave out offsets that were minutes old. So neither its
refusals nor its offsets are believed by themselves. A heartbeat of ours that it takes shows that its state reaches up
to our own membership, and so to everything that was committed before we became a member. Of our own commits it shows
nothing.

The rule. A heartbeat that is taken proves that we are the member, and clears all refusals. A refusal
(``FencedInstanceIdError``) is believed once refusals have come for long enough without a gap (``REFUSAL_GRACE``). Then
this process ends, with exit code 78.
"""

from collections.abc import Callable
from typing import Final

from contribd.streams.client.port import Member
from contribd.streams.runtime import THREADS

REFUSAL_GRACE: Final = 10.0
"""Seconds after which refusals are believed, where they lasted all the while. Nobody posts on the strength of a
heartbeat for longer than that (``settings.NAME_LEASE``)."""

_PAUSE: Final = 5.0
"""Refusals further apart than so many seconds are not of one kind: those that last come at every heartbeat."""


class Fencing:
    """Written by the client's threads, read by all. Times are monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = THREADS.mono) -> None:
        self._clock = clock
        self._refused: tuple[float, float] | None = None
        """The first and the last of the refusals that go on."""
        self.member: Member | None = None
        """What the group knows us as, None before it does."""
        self.replaced = False
        """Another process is the member of our name: this one must end."""

    def known(self) -> None:
        """The group has taken us for its member."""
        self._refused = None

    def refused(self) -> bool:
        """The group says that another has our name; whether it has said so for long enough to be believed."""
        now, refused = self._clock(), self._refused
        first = now if refused is None or now - refused[1] > _PAUSE else refused[0]
        self._refused = first, now
        self.replaced = self.replaced or now - first >= REFUSAL_GRACE
        return self.replaced
