"""Error attribution: which post an Error is about, and which posts of its frame the server dropped.

Theory of operation
===================

An Error has no AckID. It may echo the message it is about; then the post is known. It may echo a whole frame, a cut
text, or nothing; then it is not. And a server that fails on one post of a frame may drop the posts behind it without
an answer. So each Error makes one suspicion: posts of one frame that may never be answered.

The post is known. It has its ERROR. The posts behind it in the frame are suspect.

The post is not known. The Error is attributed to the oldest in-flight post that is in no other suspicion. That post and
those behind it in its frame are suspect. Where the attributed post is answered after all, the Error passes to the next
in the frame; after the last, to the oldest in-flight post that had been sent when the Error came.

An answer to a post behind it: the server went on after the Error, so nothing behind was dropped. Only the attributed
post stays suspect; where the post was known, the suspicion ends.

Dropped for certain. Suspects count as dropped when a post of a later frame is answered, as long as this server has
answered in order in this session; else after a silence (``DROP_GRACE``, or four times the usual time of an answer).

What follows (``contributor``). Dropped posts are posted again at once, the attributed one in a frame of its own. If it
was in a frame of its own already, the Error can be about nothing else: ERROR. Those dropped on silence alone may still
be read, and count as unconfirmed.

The end of the session ends every suspicion.
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

    @property
    def any_answered(self) -> bool:
        """Whether a post of this session was answered."""
        return self._last > (0, 0)

    def passed_over(self, post: InFlightPost) -> bool:
        """Whether a post of a later frame was answered."""
        return post.frame < self._last[0]

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
