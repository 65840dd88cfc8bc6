"""What is settled of one partition: a contiguous prefix, and a bitmap of the settled offsets above it.

The prefix counts records seen, not numbers: offsets in a log have gaps (transaction markers, compaction). A commit
carries the prefix as its offset and the bitmap in its metadata, so a restart skips exactly what has its result.
"""

import base64
import binascii
from collections import deque
from collections.abc import Collection
from typing import Final, NamedTuple

from contribd.engine.limits import MAX_METADATA, MAX_SPAN
from contribd.engine.states import TRACKER_TRANSITIONS, TrackerEvent, TrackerState

_HEADER: Final = "contribd1:"
_TAIL: Final = "."
_TURN: Final = 100_000
"""More than one transaction can hold, so that two in a row never say the same."""
_BESIDE: Final = 36
"""Characters of metadata that are not the bitmap's: the count of withdrawals, a topic's id, a number of partitions."""
_SETTLED: Final = ord("1")
_OPEN: Final = b"0"

_STOPPED: Final = (TrackerState.STOPPING, TrackerState.CLOSED)

_ROOM: Final = 1_024
"""Flags made at a time."""


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


class About(NamedTuple):
    """What a commit says beside what is settled; what it does not say is None or 0."""

    topic_id: str | None = None
    """The topic whose offsets these are (KIP-516), as Kafka prints it: one of the same name may have followed it."""
    partitions: int = 0
    """How many partitions the topic had when this one was assigned: those above are newer than the commit."""
    results_to: int = 0
    """Below this offset, records may have results that the commit does not tell of: the results topic does."""


NOTHING: Final = About()


class OffsetTracker:
    """Offsets of one assigned partition, for as long as it is assigned."""

    __slots__ = (
        "_about",
        "_base",
        "_committed_above",
        "_flags",
        "_floor",
        "_last_seen",
        "_run_ahead",
        "_seen",
        "_span",
        "partition",
        "start",
        "state",
        "waiting",
        "waiting_bytes",
        "withdrawing",
        "withdrawn",
    )

    def __init__(
        self,
        partition: Partition,
        start: int,
        settled_above: frozenset[int] = frozenset(),
        span: int = MAX_SPAN,
        *,
        catching_up: bool = False,
        about: About = NOTHING,
        others: int = 0,
    ) -> None:
        """``start``, ``settled_above`` and ``about`` are what the group's last commit says (see ``decode_metadata``).

        Nothing ``span`` or more offsets past the oldest record without a durable result is taken; while it catches up,
        nothing that its last owner was not allowed to take either, which may have been ``others`` past it.
        """
        self.partition = partition
        self.start = start
        self.state = TrackerState.CATCHING_UP if catching_up else TrackerState.TAKING
        self.waiting = 0
        """Records taken and not settled."""
        self.waiting_bytes = 0
        """Bytes of their values."""
        self.withdrawing = 0
        """Withdrawals of its quotes made and not settled."""
        self.withdrawn = 0
        """Withdrawals of its quotes settled: part of each commit, which else would not differ from the one before."""
        self._about = about
        self._seen: deque[int] = deque()
        """Records seen, from the first unsettled one on."""
        self._base = start
        self._flags = bytearray()
        """A character an offset from ``base`` on, ``1`` where it is settled; below the prefix they mean nothing."""
        self._committed_above = deque(sorted(settled_above))
        """What an earlier run settled and this one has not reached yet; it has its flags, too."""
        self._last_seen = start - 1
        self._span = span
        """How many offsets a commit can tell of, from its own on."""
        self._run_ahead = max(span, others) if catching_up else span
        """How far past the oldest record without a durable result one may be taken."""
        self._floor: int | None = None
        """The oldest record taken whose result is not durable."""
        for offset in self._committed_above:
            self._mark(offset)

    @property
    def topic_id(self) -> str | None:
        """Which topic of its name it is a partition of."""
        return self._about.topic_id

    # Its state

    @property
    def catching_up(self) -> bool:
        """Whether nothing of it may be posted yet."""
        return self.state is TrackerState.CATCHING_UP

    @property
    def stopping(self) -> bool:
        """Whether nothing more of it may be taken or posted."""
        return self.state in _STOPPED

    @property
    def closed(self) -> bool:
        """Whether it is revoked: nothing of it may be written any more."""
        return self.state is TrackerState.CLOSED

    def end_catch_up(self) -> None:
        """It has caught up: what comes next may be posted."""
        self._move(TrackerEvent.CAUGHT_UP)
        self._run_ahead = self._span

    def stop(self) -> None:
        """It is being revoked, or the daemon is stopping."""
        self._move(TrackerEvent.STOP)

    def close(self) -> None:
        """It is revoked."""
        self._move(TrackerEvent.CLOSE)

    def _move(self, event: TrackerEvent) -> None:
        self.state = TRACKER_TRANSITIONS[self.state, event]

    # Withdrawals of its quotes

    def begin_withdrawal(self) -> None:
        """A withdrawal of one of its quotes was made."""
        self.withdrawing += 1

    def call_off_withdrawal(self) -> None:
        """One is not posted, or not again, and has no result."""
        self.withdrawing -= 1

    def settle_withdrawal(self) -> None:
        """The result of one is part of the transaction being built."""
        self.withdrawing -= 1
        self.withdrawn += 1

    # Its records

    def take(self, offset: int, size: int) -> bool:
        """Marks a record with a value of ``size`` bytes as seen.

        False where it is settled already or was seen before, and so must be skipped.
        """
        if offset <= self._last_seen:
            return False
        self._last_seen = offset
        if self._committed_above and self._settled_earlier(offset):
            if self._seen:
                self._seen.append(offset)
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
            self._unmark(above.popleft())
        if above and above[0] == offset:
            above.popleft()
            return True
        return False

    def give_back(self, size: int) -> None:
        """A taken record will not be settled here: the partition is being revoked, its next owner consumes it again."""
        self.waiting -= 1
        self.waiting_bytes -= size

    def settle(self, offset: int, size: int) -> None:
        """Marks a taken record as settled: its result is part of the transaction being built."""
        self.waiting -= 1
        self.waiting_bytes -= size
        seen, flags, base = self._seen, self._flags, self._base
        if offset != seen[0]:
            try:
                flags[offset - base] = _SETTLED
            except IndexError:
                self._mark(offset)
            return
        seen.popleft()
        end = base + len(flags)
        while seen and (first := seen[0]) < end and flags[first - base] == _SETTLED:
            seen.popleft()

    def _mark(self, offset: int) -> None:
        """Flags an offset that the flags may not reach yet. They then begin at the prefix, so that they never grow past
        what may be run ahead of it."""
        self._advance()
        if (missing := offset - self._base + 1 - len(self._flags)) > 0:
            self._flags.extend(_OPEN * (missing + _ROOM))
        self._flags[offset - self._base] = _SETTLED

    def _unmark(self, offset: int) -> None:
        if self._base <= offset < self._base + len(self._flags):
            self._flags[offset - self._base] = _OPEN[0]

    def _advance(self) -> None:
        """Forgets the flags below the prefix."""
        prefix = self.low_watermark
        del self._flags[: prefix - self._base]
        self._base = prefix

    @property
    def low_watermark(self) -> int:
        """The offset before which everything seen is settled: what a commit carries."""
        return self._seen[0] if self._seen else self._last_seen + 1

    def written(self) -> None:
        """What was settled is durable."""
        self._floor = self._seen[0] if self._seen else None

    def has_seen(self, offset: int) -> bool:
        """Whether a record there was seen, or would have been by now."""
        return offset <= self._last_seen

    def has_room(self, offset: int) -> bool:
        """Whether a record at ``offset`` may be taken without running further ahead than a commit can say.

        It counts from what is durable, so that the partition's next owner knows how far this one can have posted.
        """
        return self._floor is None or offset - self._floor < self._run_ahead

    @property
    def half_full(self) -> bool:
        """Whether half of what may be taken ahead of the oldest record without a durable result is."""
        return self._floor is not None and self._last_seen - self._floor >= self._run_ahead // 2

    def is_far_behind(self, offset: int) -> bool:
        """Whether half of what may be taken ahead of a record is."""
        return self._last_seen - offset >= self._run_ahead // 2

    def bound(self, span: int) -> bool:
        """A commit can tell of so many offsets from now on; whether more than that were taken already."""
        self._span = span
        if not self.catching_up:
            self._run_ahead = span
        return max(self._last_seen, self._last_settled) - self.low_watermark >= span

    @property
    def _last_settled(self) -> int:
        return self._base + self._flags.rfind(_SETTLED)

    def reach(self, settling: Collection[int] = ()) -> int:
        """The offset below which a commit could tell what is settled, if these were too; 0 where what is settled
        already lies beyond it."""
        flags, base = self._flags, self._base
        end = base + len(flags)
        is_open = (at for at in self._seen if at not in settling and not (at < end and flags[at - base] == _SETTLED))
        reach = next(is_open, self._last_seen + 1) + self._span
        return reach if self._last_settled < reach else 0

    def commit(self) -> Commit:
        """What the transaction that carries all settled results must commit.

        Offsets that an earlier run settled and this one has not reached yet stay in the bitmap.
        """
        self._advance()
        if self._about.results_to and self._about.results_to <= self._base:
            self._about = self._about._replace(results_to=0)
        bitmap = int(self._flags[::-1], 2) if self._flags else 0
        return Commit(self._base, encode_metadata(bitmap, self.withdrawn, self._about))


def span_of(characters: int) -> int:
    """How many offsets a commit can tell of in so many characters of metadata, beside what else it says."""
    return max(0, characters - len(_HEADER) - _BESIDE) // 4 * 24


def offsets_told(metadata: str) -> int:
    """How many offsets a commit with this metadata has room to tell of."""
    return len(metadata[len(_HEADER) :].partition(_TAIL)[0]) // 4 * 24


def encode_metadata(bitmap: int, withdrawn: int = 0, about: About = NOTHING) -> str:
    """The settled offsets above a prefix, bit ``n`` for offset ``prefix + n``, as text; empty where there is nothing.

    ``withdrawn`` only makes it another text: whether a transaction is durable is told by what it committed.
    Raises OverflowError where a broker would not take it.
    """
    bits = base64.b64encode(bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")).decode("ascii")
    return _joined(bits, str(withdrawn % _TURN) if withdrawn else "", about)


def restate(metadata: str, about: About) -> str:
    """The same settled offsets, with this said beside them. What contribd did not write is dropped."""
    if not metadata.startswith(_HEADER):
        return _joined("", "", about)
    bits, _, rest = metadata[len(_HEADER) :].partition(_TAIL)
    return _joined(bits, rest.partition(_TAIL)[0], about)


def _joined(bits: str, withdrawn: str, about: About) -> str:
    """The parts in order; those at the end that say nothing are left out."""
    numbers = (str(number) if number else "" for number in (about.partitions, about.results_to))
    said = _TAIL.join((bits, withdrawn, about.topic_id or "", *numbers)).rstrip(_TAIL)
    text = _HEADER + said if said else ""
    if len(text) > MAX_METADATA:
        raise OverflowError(f"commit metadata of {len(text)} characters; at most {MAX_METADATA} are possible")
    return text


def decode_about(metadata: str) -> About:
    """What a commit's metadata says beside what is settled."""
    if not metadata.startswith(_HEADER):
        return NOTHING
    _, _, topic_id, partitions, results_to, *_ = (*metadata[len(_HEADER) :].split(_TAIL), "", "", "", "")
    return About(topic_id or None, _number(partitions), _number(results_to))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0


def decode_metadata(prefix: int, metadata: str) -> frozenset[int]:
    """The settled offsets above ``prefix``.

    Metadata that contribd did not write (another consumer's commit, an operator's reset) says nothing: the empty set.
    """
    if not metadata.startswith(_HEADER):
        return frozenset()
    try:
        bits = base64.b64decode(metadata[len(_HEADER) :].partition(_TAIL)[0], validate=True)
    except (binascii.Error, ValueError):
        return frozenset()
    return frozenset(
        prefix + byte_index * 8 + bit
        for byte_index, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )
