"""Posts into frames."""

from typing import Final

from contribd.engine.posts.in_flight import InFlightPost
from contribd.omm.post import frame

_BRACKETS: Final = 1
"""Bytes of a frame besides its posts, each counted with a comma: two brackets, and one comma less."""


class Packer:
    """Fills frames in order, each with at most ``pack`` posts and ``max_size`` bytes; each post learns its frame and
    place. Frames are counted on from ``number``."""

    def __init__(self, pack: int, max_size: int, number: int) -> None:
        self.number = number
        self._pack = pack
        self._max_size = max_size
        self._texts: list[bytes] = []
        self._size = _BRACKETS
        self._frames: list[bytes] = []

    def add(self, post: InFlightPost, text: bytes, *, alone: bool) -> None:
        """A post, behind those before it; ``alone``: in a frame of its own."""
        size = len(text) + 1
        if self._texts and (alone or len(self._texts) >= self._pack or self._size + size > self._max_size):
            self._flush()
        if not self._texts:
            self.number += 1
        post.put_into(self.number, len(self._texts))
        self._texts.append(text)
        self._size += size
        if alone:
            self._flush()

    def _flush(self) -> None:
        self._frames.append(frame(self._texts))
        self._texts, self._size = [], _BRACKETS

    def finish(self) -> list[bytes]:
        """The texts of all frames."""
        if self._texts:
            self._flush()
        return self._frames
