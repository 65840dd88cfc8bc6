"""Posts that an Error may have taken with it.

A server that fails on one post of a packed frame drops the rest of the frame without a word. Acks come in the order
of the posts, so an answer to a later frame proves it; without one, a grace period decides. An Error that does not
echo its post is laid at the oldest outstanding post, and proven by posting that one again alone.
"""

from typing import NamedTuple

from contribd.engine.limits import DROP_GRACE
from contribd.engine.window import Flight, Window


class Dropped(NamedTuple):
    """A post the server will not answer. ``blamed``: the Error may be its own, else it was a frame mate's."""

    flight: Flight
    blamed: bool
    text: str


class _Suspicion(NamedTuple):
    frame: int
    deadline: float
    text: str
    blamed: int | None
    mates: tuple[int, ...]


class Suspects:
    """Suspicions in the order of their frames."""

    __slots__ = ("_suspicions",)

    def __init__(self) -> None:
        self._suspicions: list[_Suspicion] = []

    def __len__(self) -> int:
        return len(self._suspicions)

    def clear(self) -> None:
        """The session ended: every post of it is lost anyway."""
        self._suspicions.clear()

    def after_error(self, culprit: Flight, text: str, window: Window, deadline: float) -> None:
        """``culprit`` got an Error of its own: what followed it in its frame is suspect until ``deadline``."""
        mates = tuple(flight.post_id for flight in window.after(culprit))
        if mates:
            self._suspicions.append(_Suspicion(culprit.frame, deadline, text, None, mates))

    def after_nameless_error(self, text: str, window: Window, deadline: float) -> bool:
        """An Error that names no post. False where nothing is outstanding that could have caused it."""
        known = {post for suspicion in self._suspicions for post in (suspicion.blamed, *suspicion.mates)}
        culprit = next((flight for flight in window if flight.post_id not in known), None)
        if culprit is None:
            return False
        mates = tuple(flight.post_id for flight in window.after(culprit) if flight.post_id not in known)
        self._suspicions.append(_Suspicion(culprit.frame, deadline, text, culprit.post_id, mates))
        return True

    def proven(self, window: Window, mono: float, answered_frame: int = 0) -> list[Dropped]:
        """The posts now known to be dropped, taken out of the window.

        ``answered_frame``: the frame of an answer that just came, 0 where only time has passed.
        """
        dropped: list[Dropped] = []
        open_still: list[_Suspicion] = []
        for suspicion in self._suspicions:
            if suspicion.frame < answered_frame or suspicion.deadline <= mono:
                dropped += self._drop(suspicion, window)
            else:
                open_still.append(suspicion)
        self._suspicions = open_still
        return dropped

    def next_deadline(self) -> float | None:
        """The monotonic time at which silence proves the next suspicion."""
        return min((suspicion.deadline for suspicion in self._suspicions), default=None)

    @staticmethod
    def _drop(suspicion: _Suspicion, window: Window) -> list[Dropped]:
        """A blamed post that was answered after all passes the blame on to the next of its frame."""
        blame = suspicion.blamed is not None
        dropped = []
        for post_id in ((suspicion.blamed,) if suspicion.blamed is not None else ()) + suspicion.mates:
            flight = window.pop(post_id)
            if flight is not None:
                dropped.append(Dropped(flight, blame, suspicion.text))
                blame = False
        return dropped


def grace(smoothed_ack: float) -> float:
    """Seconds of silence that count as proof, for a server whose Acks take ``smoothed_ack`` seconds."""
    return max(DROP_GRACE, 4 * smoothed_ack)
