"""What is settled of one partition: a contiguous prefix, and a bitmap of the settled offsets above it.

The prefix counts records seen, not numbers: offsets in a log have gaps (transaction markers, compaction). A commit
carries the prefix as its offset and the bitmap in its metadata, so a restart skips exactly what has its result. Of
records with several posts that are settled in part, the metadata tells which (``parts``).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from contribd.engine.limits import MAX_SPAN
from contribd.engine.records.commit_metadata import MOST_ROOM, NOTHING, About, Commit, Room, encode_metadata, text_bits
from contribd.engine.records.keys import Key, tags_of
from contribd.engine.records.ledger import Ledger
from contribd.engine.records.partition_rules import PartitionRules
from contribd.engine.records.parts import Parts, Told
from contribd.engine.records.parts_text import encode
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.states import TRACKER_TRANSITIONS, TrackerEvent, TrackerState

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


class OffsetTracker:
    """Offsets of one assigned partition, for as long as it is assigned."""

    __slots__ = (
        "_about",
        "_base",
        "_committed_above",
        "_earlier",
        "_flags",
        "_floor",
        "_last_seen",
        "_ledger",
        "_others",
        "_others_from",
        "_returned",
        "_room",
        "_run_ahead",
        "_seen",
        "partition",
        "passed",
        "rules",
        "start",
        "state",
        "turn",
        "waiting",
        "waiting_bytes",
        "withdrawing",
    )

    def __init__(
        self,
        partition: Partition,
        start: int,
        settled_above: frozenset[int] = frozenset(),
        room: Room = MOST_ROOM,
        *,
        catching_up: bool = False,
        about: About = NOTHING,
        turn: int = 0,
        others: int = 0,
        curves_per_told: int = 1,
        others_bits: int = 0,
        same_rules: bool = False,
        earlier: Mapping[int, Told] | None = None,
    ) -> None:
        """``start``, ``settled_above``, ``earlier``, ``about`` and ``turn`` are what the group's last commit says (see
        ``commit_metadata``), or the results topic where the group has lost it.

        Nothing is taken that a commit has no ``room`` to tell of, counted from the oldest record without a durable
        result; of ``curves_per_told`` different lists of tags it is to tell of one. While it catches up, what its last
        owner was allowed to take is taken too: that may have been ``others`` offsets past it, and ``others_bits``. Bits
        count only where that owner had the ``same_rules``: others may make less of the same records. Where the results
        topic was asked, that owner may have counted from as far as there are results.
        """
        self.partition = partition
        self.start = start
        self.state = TrackerState.CATCHING_UP if catching_up else TrackerState.TAKING
        self.waiting = 0
        """Posts of the records taken, and those without any, that are not settled."""
        self.waiting_bytes = 0
        """Bytes of their values."""
        # Whether the prefix has moved past records that an earlier run settled, and no commit has said so: where they
        # are the last ones, nothing else would.
        self.passed = False
        self.withdrawing = 0
        """Withdrawals of its quotes made and not settled."""
        self.turn = turn
        """Part of each commit, which else might not differ from the one before: counts withdrawals settled, and commits
        that leave out what is settled."""
        self._about = about
        self._seen: deque[int] = deque()
        """Records seen, from the first unsettled one on."""
        self._base = start
        self._flags = bytearray()
        """A character an offset from ``base`` on, ``1`` where it is settled; below the prefix they mean nothing."""
        self._committed_above = deque(sorted(settled_above))
        """What an earlier run settled and this one has not reached yet; it has its flags, too."""
        self._last_seen = start - 1
        self._room = room
        """What a commit has room for."""
        self._others = max(room.span, others), max(room.bits, others_bits) if same_rules else None
        """The same for its last owner; no number of bits where it had other rules."""
        self._others_from = about.results_to
        """The highest offset from which its last owner may have counted."""
        self.rules = PartitionRules(about.rules)
        self._returned: Parts | None = None
        """The record that was put back, since a commit may not be able to tell of it beside the others."""
        self._ledger = Ledger(curves_per_told)
        self._earlier = dict(earlier or {})
        """What an earlier run settled of records in part, that this one has not reached yet."""
        self._run_ahead = 0
        """How far past the oldest record without a durable result one may be taken."""
        self._measure()
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
        if self._others[1] is None:
            self.rules.allowed_more(self._last_seen + 1)
        self._move(TrackerEvent.CAUGHT_UP)
        self._measure()

    def stop(self) -> None:
        """It is being revoked, or the daemon is stopping."""
        self._move(TrackerEvent.STOP)

    def close(self) -> None:
        """It is revoked."""
        self._move(TrackerEvent.CLOSE)

    def _move(self, event: TrackerEvent) -> None:
        self.state = TRACKER_TRANSITIONS[self.state, event]

    # Other rules

    def change_rules(self, before: RuleNames, rules: str | None) -> None:
        """What is taken from now on is mapped by other rules, which commits name so; ``before``: those until now."""
        self.rules.change(before, rules, self._last_seen + 1, nothing_waits=self._floor is None)
        self._others = self._others[0], None
        self._measure()

    def tell_anew(self) -> None:
        """Its next commit is another text than any before, though nothing may be settled and no name be left out.

        The same text again would be taken for a sign that a transaction of unknown outcome is durable.
        """
        self.turn += 1

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
        self.turn += 1

    # Its records

    def have_results(self, offsets: Sequence[int]) -> None:
        """Records that are about to be taken turn out to have their results, which the group's offsets do not say.

        They are skipped like those that the offsets do tell of: so the prefix moves past them, too.
        """
        new = [offset for offset in offsets if offset > self._last_seen]
        for offset in new:
            self._mark(offset)
        self._committed_above = deque(sorted({*self._committed_above, *new}))

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
            else:
                self.passed = True
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

    def return_last(self, offset: int, size: int) -> None:
        """The record taken last is not taken after all: nothing of it was posted."""
        self.give_back(size)
        self._seen.pop()
        self._last_seen = offset - 1
        if self._floor == offset:
            self._floor = None
        self._measure()

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

    # Records with several posts

    @property
    def recalls(self) -> bool:
        """Whether records may come of which an earlier run settled some of their posts."""
        return bool(self._earlier)

    def settled_parts(self, offset: int) -> Told | None:
        """What an earlier run settled of the record taken last; None where that is nothing."""
        while self._earlier and (first := next(iter(self._earlier))) < offset:
            del self._earlier[first]  # taken by now, or gone from the log
        return self._earlier.get(offset)

    def split(
        self, offset: int, size: int, keys: Sequence[Key], taken_at: int, told: Told | None = None
    ) -> Parts | None:
        """The record taken last makes these posts; None where there is no room for them beside the others: it is taken
        later, at the latest once it is the oldest one without a durable result.

        ``taken_at``: seconds since 1970 before which it has no result. ``told``: what an earlier run settled of it;
        that is not to be posted.
        """
        parts = Parts(offset, size, len(keys), taken_at, tags_of(keys))
        parts.begin(told)
        self._ledger.add(parts)
        if not self._fits(parts):
            self._ledger.remove(parts)
            self._returned = parts
            return None
        self._measure()
        self.waiting += max(1, parts.left) - 1
        return parts

    def settle_part(self, parts: Parts, number: int) -> None:
        """The result of one of a record's posts is part of the transaction being built."""
        parts.settle(number)
        if parts.left:
            self.waiting -= 1
        elif parts.whole:
            self.settle_whole(parts)
        else:
            self._wait_for_less(parts)

    def settle_whole(self, parts: Parts) -> None:
        """All posts of a record have their results, durable or in the transaction being built."""
        self._ledger.settled(parts)
        self.settle(parts.offset, parts.size)

    def give_back_part(self, parts: Parts) -> None:
        """One of a record's posts will not be settled here."""
        parts.give_back()
        self._wait_for_less(parts)

    def _wait_for_less(self, parts: Parts) -> None:
        self.waiting -= 1
        if not parts.left:
            self.waiting_bytes -= parts.size

    def _fits(self, parts: Parts) -> bool:
        """Whether there is room for it beside the others, or there are none. It is in the ledger."""
        floor, offset, run_ahead = self._floor, parts.offset, self._may_run_ahead()
        if floor is None or floor == offset or offset - floor < run_ahead:
            return True
        return self._last_owner_may_have_taken(offset, run_ahead)

    def _may_run_ahead(self) -> int:
        """How far past the oldest record without a durable result one may be taken."""
        span, bits = self._others if self.catching_up else self._room[:2]
        return span if bits is None or not self._ledger.of else min(span, self._ledger.ahead(bits))

    def _measure(self) -> None:
        self._run_ahead = self._may_run_ahead()
        if (parts := self._returned) is None:
            return
        self._ledger.add(parts)
        if self._fits(parts) or self._floor is None:
            self._returned = None
        else:
            self._run_ahead = min(self._run_ahead, parts.offset - self._floor)
        self._ledger.remove(parts)

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
        self.rules.written(self._floor)
        self._ledger.written()
        self._measure()

    def has_seen(self, offset: int) -> bool:
        """Whether a record there was seen, or would have been by now."""
        return offset <= self._last_seen

    def has_room(self, offset: int) -> bool:
        """Whether a record at ``offset`` may be taken without running further ahead than a commit can say.

        It counts from what is durable, so that the partition's next owner knows how far this one can have posted.
        """
        floor, run_ahead = self._floor, self._run_ahead
        if floor is None or offset - floor < run_ahead:
            return True
        # A record that was put back has been measured with its parts: run_ahead ends at it.
        return self._returned is None and self._last_owner_may_have_taken(offset, run_ahead)

    def _last_owner_may_have_taken(self, offset: int, run_ahead: int) -> bool:
        """Whether the partition is catching up and its last owner may have taken this offset: by that owner's mapping,
        records may have been durable that are not by ours."""
        return self.catching_up and offset - self._others_from < run_ahead

    @property
    def half_full(self) -> bool:
        """Whether half of what may be taken ahead of the oldest record without a durable result is."""
        return self._floor is not None and self._last_seen - self._floor >= self._run_ahead // 2

    def is_far_behind(self, offset: int) -> bool:
        """Whether half of what may be taken ahead of a record is."""
        return self._last_seen - offset >= self._run_ahead // 2

    def bound(self, room: Room) -> None:
        """A commit has so much room from now on."""
        self._room = room
        self._measure()

    def commit(self) -> Commit:
        """What the transaction that carries all settled results must commit.

        Offsets that an earlier run settled and this one has not reached yet stay in the bitmap. What there is no room
        for is left to the results topic, which whoever begins there asks: which parts of records are settled, and then
        which records; what only spares it some work is left out before those.
        """
        self._advance()
        self.passed = False
        if self._about.results_to and self._about.results_to <= self._base:
            self._about = self._about._replace(results_to=0, results_since=0)
        bounded = not (self.catching_up and self._others[1] is None)
        about = self._about._replace(rules=self.rules.of_commit(self._base, bounded=bounded))
        bitmap = int(self._flags[::-1], 2) if self._flags else 0
        partial = self._partial() if self._ledger.of or self._earlier else {}
        parts = encode(self._base, partial)
        if parts and (not self._room.bits or text_bits(bitmap, parts) > self._room.bits):
            about, parts = self._ask_results(about, partial), ""
            self.turn += 1
        metadata = self._with_bitmap(bitmap, about, parts)
        return Commit(self._base, self._without_bitmap(about, partial) if metadata is None else metadata)

    def _with_bitmap(self, bitmap: int, about: About, parts: str) -> str | None:
        """As much as there is room for; None where there is none for the bitmap."""
        if bitmap.bit_length() > MAX_SPAN:
            return None
        forms = about, about._replace(rules=None, results_since=0)
        texts = (encode_metadata(bitmap, self.turn, form, parts) for form in forms)
        return next((text for text in texts if len(text) <= self._room.characters), None)

    def _without_bitmap(self, about: About, partial: Mapping[int, Told]) -> str:
        """All that is settled above the prefix is left to the results topic."""
        settled_to = max(self._base + self._flags.rfind(_SETTLED), about.results_to - 1, *partial) + 1
        self.turn += 1
        said = About(about.topic_id, about.partitions, settled_to)
        metadata = encode_metadata(0, self.turn, said)
        if len(metadata) > self._room.characters:
            metadata = encode_metadata(0, self.turn, said._replace(partitions=0))
        return metadata

    def _ask_results(self, about: About, partial: Mapping[int, Told]) -> About:
        since = [0 if (parts := self._ledger.of.get(offset)) is None else parts.taken_at for offset in partial]
        if about.results_to:
            since.append(about.results_since)
        return about._replace(results_to=max(*partial, about.results_to - 1) + 1, results_since=min(since))

    def _partial(self) -> dict[int, Told]:
        """The records settled in part: by this run, and by an earlier one as far as this one has not reached them."""
        ahead = {offset: told for offset, told in self._earlier.items() if offset > self._last_seen}
        return {**dict(self._ledger.partial()), **ahead}
