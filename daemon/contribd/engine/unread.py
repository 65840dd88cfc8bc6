"""Posts that the ADS may still have to read, though nobody waits for their answers any more."""

from contribd.engine.ledger import Ledger
from contribd.engine.window import Flight


class Unread:
    """Posts of the session that were given up without an answer, by the partitions of their prices.

    They may lie unsent, or on their way to an ADS that does not read. Where others have their partitions, or the posts
    after them go to another ADS, they would arrive behind newer ones.
    """

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: dict[Ledger, int] = {}
        """The last frame that holds such a post of the partition."""

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, flight: Flight) -> None:
        """A post is given up, and its session lives on."""
        for price in flight.group:
            self._frames[price.ledger] = max(flight.frame, self._frames.get(price.ledger, 0))

    def answered(self, frame: int) -> None:
        """The ADS has answered a post of this frame, and so has read it and all that came before."""
        self._frames = {ledger: last for ledger, last in self._frames.items() if last > frame}

    def others(self) -> bool:
        """Whether some are of partitions that are others' now."""
        return any(ledger.closed for ledger in self._frames)

    def clear(self) -> None:
        """The session has ended, and nothing more of it reaches the ADS."""
        self._frames.clear()
