"""Posts sent and not yet answered, by PostID, oldest first."""

from collections.abc import Iterator
from itertools import takewhile

import msgspec

from contribd.engine.clock import Now
from contribd.engine.records.conflation import winners
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.price import Price
from contribd.mapping.outcome import FieldValue, PostType
from contribd.omm.post import MAX_POST_ID


class InFlightPost(msgspec.Struct, eq=False, gc=False):
    """One post in flight: the prices it carries (the newest last), and the fields it holds.

    ``frame``: number of the WebSocket frame that carried it, counted over the process; ``place``: its place in that
    frame, from 0.
    """

    post_id: int
    instrument: Instrument
    group: list[Price]
    type: PostType
    fields: dict[str, FieldValue]
    sent: Now
    frame: int = 0
    place: int = 0
    given_away: frozenset[str] = frozenset()
    """Of its fields those whose values are of prices that others maintain now."""

    def put_into(self, frame: int, place: int) -> None:
        """It is in this frame, at this place."""
        self.frame, self.place = frame, place

    def forget_closed(self) -> None:
        """Lets go of the prices whose partitions were revoked: others maintain what these put into the market."""
        self.given_away |= {name for name, price in winners(self.group).items() if price.tracker.closed}
        self.group = [price for price in self.group if not price.tracker.closed]


class InFlightPosts:
    """The outstanding posts. Posts are added in the order they are sent, so the first is the oldest."""

    __slots__ = ("_last_id", "_posts", "size")

    def __init__(self, size: int, first_id: int = 1) -> None:
        self.size = size
        self._posts: dict[int, InFlightPost] = {}
        self._last_id = first_id - 1

    def __len__(self) -> int:
        return len(self._posts)

    def __iter__(self) -> Iterator[InFlightPost]:
        return iter(self._posts.values())

    @property
    def room(self) -> int:
        """How many more posts may be sent now."""
        return self.size - len(self._posts)

    def next_id(self) -> int:
        """A PostID from 1 to 2**32 - 1 that no outstanding post has."""
        post_id = self._last_id
        while True:
            post_id = post_id + 1 if post_id < MAX_POST_ID else 1
            if post_id not in self._posts:
                self._last_id = post_id
                return post_id

    def add(self, post: InFlightPost) -> None:
        """A post was sent."""
        self._posts[post.post_id] = post

    def get(self, post_id: int) -> InFlightPost | None:
        """The post with this ID, still outstanding; None where there is none."""
        return self._posts.get(post_id)

    def pop(self, post_id: int) -> InFlightPost | None:
        """The post with this ID, no longer outstanding; None where there is none."""
        return self._posts.pop(post_id, None)

    def oldest(self) -> InFlightPost | None:
        """The post sent first of those outstanding."""
        return next(iter(self._posts.values()), None)

    def newest(self) -> InFlightPost | None:
        """The post sent last of those outstanding."""
        return next(reversed(self._posts.values()), None)

    def sent_after(self, post: InFlightPost | None) -> list[InFlightPost]:
        """Those sent after one that is outstanding too; all of them where it is None. Oldest first."""
        posts = list(takewhile(lambda other: other is not post, reversed(self._posts.values())))
        return posts[::-1]

    def pop_all(self) -> list[InFlightPost]:
        """Every outstanding post, oldest first, none of them outstanding any more."""
        posts = list(self._posts.values())
        self._posts.clear()
        return posts

    def after(self, post: InFlightPost) -> list[InFlightPost]:
        """The outstanding posts that followed ``post`` in its own frame."""
        return [other for other in self._posts.values() if other.frame == post.frame and other.place > post.place]
