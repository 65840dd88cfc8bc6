"""What is settled of one partition: a contiguous prefix, and a bitmap of the settled offsets above it.

The prefix counts records seen, not numbers: offsets in a log have gaps (transaction markers, compaction). A commit
carries the prefix as its offset and the bitmap in its metadata, so a restart skips exactly what has its result.
"""

import base64
import binascii
from collections import deque
from typing import Final, NamedTuple

from contribd.engine.limits import MAX_METADATA, MAX_RUN_AHEAD

_HEADER: Final = "contribd1:"


class Partition(NamedTuple):
    """A topic's partition."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.number}"


class Commit(NamedTuple):
    """What to commit for one partition: the next offset to consume, and the metadata that goes with it."""

    offset: int
    metadata: str


class Ledger:
    """Offsets of one assigned partition, for as long as it is assigned."""

    __slots__ = (
        "_committed_above",
        "_floor",
        "_last_seen",
        "_run_ahead",
        "_seen",
        "_settled",
        "catching_up",
        "closed",
        "partition",
        "start",
        "stopping",
        "waiting",
        "waiting_bytes",
    )

    def __init__(
        self,
        partition: Partition,
        start: int,
        settled_above: frozenset[int] = frozenset(),
        run_ahead: int = MAX_RUN_AHEAD,
    ) -> None:
        """``start`` and ``settled_above`` are what the group's last commit says (see ``decode_metadata``).

        Nothing ``run_ahead`` or more offsets past the oldest record without a durable result is taken.
        """
        self.partition = partition
        self.start = start
        self.closed = False
        """True once the partition is revoked: nothing of it may be written any more."""
        self.catching_up = False
        """True while nothing of it may be posted yet, since an earlier owner may have posted what comes next."""
        self.stopping = False
        """True once nothing more of it may be posted: it is being revoked, or the daemon is stopping."""
        self.waiting = 0
        """Records taken and not settled."""
        self.waiting_bytes = 0
        """Bytes of their values."""
        self._seen: deque[int] = deque()
        self._settled: set[int] = set()
        self._committed_above = deque(sorted(settled_above))
        self._last_seen = start - 1
        self._run_ahead = run_ahead
        self._floor: int | None = None
        """The oldest record taken whose result is not durable."""

    def take(self, offset: int, size: int) -> bool:
        """Notes a record with a value of ``size`` bytes as seen.

        False where it is settled already or was seen before, and so must be skipped.
        """
        if offset <= self._last_seen:
            return False
        self._last_seen = offset
        if self._settled_earlier(offset):
            if self._seen:
                self._seen.append(offset)
                self._settled.add(offset)
            return False
        self._seen.append(offset)
        if self._floor is None:
            self._floor = offset
        self.waiting += 1
        self.waiting_bytes += size
        return True

    def _settled_earlier(self, offset: int) -> bool:
        """Whether an earlier run settled it. Offsets passed over are gone from the log, and forgotten with it."""
        above = self._committed_above
        while above and above[0] < offset:
            above.popleft()
        if above and above[0] == offset:
            above.popleft()
            return True
        return False

    def give_back(self, size: int) -> None:
        """A taken record will not be settled here: the partition is going, its next owner consumes it again."""
        self.waiting -= 1
        self.waiting_bytes -= size

    def settle(self, offset: int, size: int) -> None:
        """Marks a taken record as settled: its result is part of the transaction being built."""
        self.waiting -= 1
        self.waiting_bytes -= size
        settled, seen = self._settled, self._seen
        settled.add(offset)
        while seen and seen[0] in settled:
            settled.remove(seen.popleft())

    @property
    def prefix(self) -> int:
        """The offset before which everything seen is settled: what a commit carries."""
        return self._seen[0] if self._seen else self._last_seen + 1

    def written(self) -> None:
        """What was settled is durable."""
        self._floor = self._seen[0] if self._seen else None

    def has_room(self, offset: int) -> bool:
        """Whether a record at ``offset`` may be taken without running further ahead than a commit can say.

        It counts from what is durable, so that the partition's next owner knows how far this one can have posted.
        """
        return self._floor is None or offset - self._floor < self._run_ahead

    def commit(self) -> Commit:
        """What the transaction that carries all settled results must commit.

        Offsets that an earlier run settled and this one has not reached yet stay in the bitmap.
        """
        return Commit(self.prefix, encode_metadata(self.prefix, self._settled.union(self._committed_above)))


def encode_metadata(prefix: int, settled: set[int]) -> str:
    """The settled offsets above ``prefix`` as a bitmap, bit ``n`` for offset ``prefix + n``; empty where none is."""
    if not settled:
        return ""
    bits = bytearray((max(settled) - prefix) // 8 + 1)
    for offset in settled:
        distance = offset - prefix
        bits[distance >> 3] |= 1 << (distance & 7)
    text = _HEADER + base64.b64encode(bits).decode("ascii")
    if len(text) > MAX_METADATA:
        raise OverflowError(f"commit metadata of {len(text)} characters; at most {MAX_METADATA} are possible")
    return text


def decode_metadata(prefix: int, metadata: str) -> frozenset[int]:
    """The settled offsets above ``prefix``.

    Metadata that contribd did not write (another consumer's commit, an operator's reset) says nothing: the empty set.
    """
    if not metadata.startswith(_HEADER):
        return frozenset()
    try:
        bits = base64.b64decode(metadata[len(_HEADER) :], validate=True)
    except (binascii.Error, ValueError):
        return frozenset()
    return frozenset(
        prefix + byte_index * 8 + bit
        for byte_index, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )
