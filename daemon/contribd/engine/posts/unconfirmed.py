"""Posts that the ADS may still have to read, though nobody waits for their answers any more."""

from typing import NamedTuple

from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.records.offsets import OffsetTracker


class _Last(NamedTuple):
    """The last such post of a partition."""

    frame: int
    post_id: int


class UnconfirmedPosts:
    """Posts of the session that were given up without an answer, by the partitions of their prices.

    They may lie unsent, or on their way to an ADS that does not read. Where others have their partitions, or the posts
    after them go to another ADS, they would arrive behind newer ones.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[OffsetTracker, _Last] = {}

    def __bool__(self) -> bool:
        return bool(self._last)

    def add(self, post: InFlightPost) -> None:
        """A post is given up, and its session lives on."""
        for price in post.group:
            before = self._last.get(price.tracker)
            if before is None or before.frame <= post.frame:
                self._last[price.tracker] = _Last(post.frame, post.post_id)

    def confirm(self, frame: int) -> None:
        """The ADS has answered a post of this frame, and so has read it and all that came before."""
        self._last = {tracker: last for tracker, last in self._last.items() if last.frame > frame}

    def confirm_late(self, post_id: int | None) -> None:
        """An answer came that nobody waited for."""
        frames = [last.frame for last in self._last.values() if last.post_id == post_id]
        if frames:
            self.confirm(max(frames))

    def others(self) -> bool:
        """Whether some are of partitions that are others' now."""
        return any(tracker.closed for tracker in self._last)

    def clear(self) -> None:
        """The session has ended: its connection is lost, with all that had not left this host."""
        self._last.clear()
