"""Posts that an Error may have taken with it.

A server that fails on one post of a packed frame may drop the rest of the frame without a word. What proves it: an
answer to a later frame, as long as this server has only ever answered in order; else a silence. What disproves it: an
answer to a post that followed in the same frame.

An Error that does not echo its post is laid at the oldest outstanding post. Where that one is answered after all, the
blame passes on: within the frame, then to the next frames sent by the time of the Error. The post that is left is
proven by posting it again alone.
"""

from collections import deque
from typing import NamedTuple

from contribd.engine.limits import DROP_GRACE
from contribd.engine.posts.in_flight import InFlightPost, InFlightPosts


class Dropped(NamedTuple):
    """A post the server will not answer. ``blamed``: the Error may be its own, else it was a frame mate's."""

    post: InFlightPost
    blamed: bool
    text: str


class _Suspicion:
    """``posts``: the PostIDs under suspicion, in order; with ``blamed`` the first of them may have caused the Error.

    ``last_frame``: the last frame sent when the Error came. ``grace``: seconds of silence that prove it.
    """

    __slots__ = ("blamed", "deadline", "frame", "grace", "last_frame", "posts", "text")

    def __init__(self, frame: int, posts: list[int], text: str, deadline: float, grace: float) -> None:
        self.frame = self.last_frame = frame
        self.posts = deque(posts)
        self.text = text
        self.deadline = deadline
        self.grace = grace
        self.blamed = False


class ErrorAttribution:
    """Suspicions in the order of their frames. Times are monotonic seconds."""

    __slots__ = ("_in_order", "_last", "_suspicions")

    def __init__(self) -> None:
        self._suspicions: list[_Suspicion] = []
        self._in_order = True
        self._last = (0, 0)

    def __len__(self) -> int:
        return len(self._suspicions)

    def clear(self) -> None:
        """The session ended: every post of it is lost anyway, and the next server may keep to the order."""
        self._suspicions.clear()
        self._in_order, self._last = True, (0, 0)

    def after_error(
        self, culprit: InFlightPost, text: str, in_flight: InFlightPosts, mono: float, grace: float
    ) -> None:
        """``culprit`` got an Error of its own: what followed it in its frame is suspect."""
        mates = [post.post_id for post in in_flight.after(culprit)]
        if mates:
            self._suspicions.append(_Suspicion(culprit.frame, mates, text, mono + grace, grace))

    def after_nameless_error(self, text: str, in_flight: InFlightPosts, mono: float, grace: float) -> bool:
        """An Error that names no post. False where nothing is outstanding that could have caused it."""
        known = {post_id for suspicion in self._suspicions for post_id in suspicion.posts}
        newest = in_flight.newest()
        suspicion = _Suspicion(0, [], text, mono + grace, grace)
        suspicion.last_frame = 0 if newest is None else newest.frame
        if not self._blame_next(suspicion, in_flight, known):
            return False
        self._suspicions.append(suspicion)
        return True

    def absolve(self, post: InFlightPost, in_flight: InFlightPosts, mono: float) -> bool:
        """A post got an answer of its own; whether any is suspect still."""
        place = (post.frame, post.place)
        if place < self._last:
            self._in_order = False
        else:
            self._last = place
        if not self._suspicions:
            return False
        for suspicion in [s for s in self._suspicions if s.frame == post.frame and post.post_id in s.posts]:
            self._clear_of_suspicion(suspicion, post.post_id, in_flight, mono)
        return bool(self._suspicions)

    def _clear_of_suspicion(self, suspicion: _Suspicion, post_id: int, in_flight: InFlightPosts, mono: float) -> None:
        if not suspicion.blamed:
            self._suspicions.remove(suspicion)
        elif suspicion.posts[0] != post_id:
            # The server went on after the Error, so only the one it skipped is left.
            while len(suspicion.posts) > 1:
                suspicion.posts.pop()
        else:
            suspicion.posts.popleft()
            suspicion.deadline = mono + suspicion.grace
            known = {known for other in self._suspicions if other is not suspicion for known in other.posts}
            if not suspicion.posts and not self._blame_next(suspicion, in_flight, known):
                self._suspicions.remove(suspicion)

    @staticmethod
    def _blame_next(suspicion: _Suspicion, in_flight: InFlightPosts, known: set[int]) -> bool:
        """Lays the Error at the oldest outstanding post it may be about; False where there is none."""
        culprit = next((post for post in in_flight if post.post_id not in known), None)
        if culprit is None or culprit.frame > suspicion.last_frame:
            return False
        mates = [post.post_id for post in in_flight.after(culprit) if post.post_id not in known]
        suspicion.frame, suspicion.blamed = culprit.frame, True
        suspicion.posts = deque((culprit.post_id, *mates))
        return True

    def take_dropped(self, in_flight: InFlightPosts, mono: float, answered_frame: int = 0) -> list[Dropped]:
        """The posts now known to be dropped, taken out of the window.

        ``answered_frame``: the frame of an answer that just came, 0 where only time has passed.
        """
        dropped: list[Dropped] = []
        open_still: list[_Suspicion] = []
        for suspicion in self._suspicions:
            overtaken = self._in_order and suspicion.frame < answered_frame
            if overtaken or suspicion.deadline <= mono:
                dropped += self._drop(suspicion, in_flight)
            else:
                open_still.append(suspicion)
        self._suspicions = open_still
        return dropped

    def next_deadline(self) -> float | None:
        """The monotonic time at which silence proves the next suspicion."""
        return min((suspicion.deadline for suspicion in self._suspicions), default=None)

    @staticmethod
    def _drop(suspicion: _Suspicion, in_flight: InFlightPosts) -> list[Dropped]:
        """A blamed post that is gone for another reason (its own timeout) passes the blame on."""
        blame = suspicion.blamed
        dropped = []
        for post_id in suspicion.posts:
            post = in_flight.pop(post_id)
            if post is not None:
                dropped.append(Dropped(post, blame, suspicion.text))
                blame = False
        return dropped


def grace_for(smoothed_ack: float) -> float:
    """Seconds of silence that count as proof, for a server whose Acks take ``smoothed_ack`` seconds."""
    return max(DROP_GRACE, 4 * smoothed_ack)
