"""Partitions of which nothing can be read: each waits by itself, is tried again, and may be skipped by an operator.

Theory of operation
===================

The consumer pauses a partition that it cannot read and tells of it (``streams/client/fetch_faults``); the others go on.
Here it is remembered why, said once, and tried again at a pace that no broker feels: a replica may be healed, a right
given back. It is over once the position has moved past the fault, or the broker gives again what it refused.

What ends by itself within seconds, as when a leader moves, is tried again soon, and said only where it does not end.

Where an operator decides to go on behind a batch (``contribd skip``), each of its offsets becomes a record of its own
whose value says why it was not read. They go the way of all records: the engine rejects them, their results and the
offsets are one transaction, and if the partition is revoked before that is durable, the next owner finds the batch as
this one did.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contribd.engine.events import Blocked, Event
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.mapping.outcome import UnreadValue
from contribd.ops.log import get_logger
from contribd.streams.client.port import FetchFault, MemberConsumer

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds until a partition is tried again: the first time, and at most. The pauses double."""

PASSING_PAUSE: Final = 0.1
"""The same while it is taken for something that passes."""

PASSING_SECONDS: Final = 10.0
"""How long that is: a leader that dies has its successor by then."""

SHOWN: Final = 3
"""How many partitions are named where all are asked for."""

CHUNK: Final = 1_000
"""Records made of skipped offsets at a time."""

_log = get_logger("source")


class Skip(NamedTuple):
    """An operator's decision to go on behind what cannot be read."""

    number: int
    """Tells one from another."""
    partition: Partition
    offset: int
    text: str
    """What each result says: who decided it, and why."""
    until: float
    """Monotonic; nobody waits for the answer any more by then."""


class Skipped(NamedTuple):
    """What came of a ``Skip``. ``last``: the last offset that was skipped, None where none was; ``before``: it had been
    skipped already."""

    number: int
    last: int | None
    text: str
    before: bool = False


@dataclass(slots=True)
class _Block:
    """One partition that waits."""

    fault: FetchFault
    since: float
    due: float
    pause: float
    waiting: bool = True
    """Paused until it is due; else it is being tried."""
    told: bool = False
    skipping: Skip | None = None
    next: int = field(default=0)
    """The next offset to be skipped."""


class BlockedPartitions:
    """Of this member. Belongs to the consumer's thread, but for ``reasons``."""

    def __init__(self, mono: Callable[[], float], emit: Callable[[Event | Skipped], None]) -> None:
        self._mono = mono
        self._emit = emit
        self._blocks: dict[Partition, _Block] = {}
        self._skipped: dict[Partition, range] = {}
        """What was skipped last in each."""
        self._shown: tuple[str, ...] = ()
        self._announced: frozenset[Partition] = frozenset()

    # For any thread

    def reasons(self) -> list[str]:
        """What cannot be read, and what to do; empty where everything can."""
        shown = self._shown
        more = [f"and {len(shown) - SHOWN} more partitions"] if len(shown) > SHOWN else []
        return [*shown[:SHOWN], *more]

    # Told by the consumer

    def failed(self, partition: Partition, fault: FetchFault | None) -> None:
        """Nothing of it can be read; None: the broker gives again what it refused."""
        block = self._blocks.get(partition)
        if fault is None:
            if block is not None and not block.fault.skippable:
                self._end(partition)
        elif block is not None and block.fault == fault:
            self._again(block)
        else:
            self._begin(partition, fault, block)

    def _begin(self, partition: Partition, fault: FetchFault, before: _Block | None) -> None:
        now = self._mono()
        since = before.since if before is not None and before.fault.passing and fault.passing else now
        pause = PASSING_PAUSE if fault.passing else FIRST_PAUSE
        block = self._blocks[partition] = _Block(fault, since, now + pause, pause)
        if not fault.passing:
            self._tell(partition, block)

    def _again(self, block: _Block) -> None:
        if block.waiting:  # the second answer to the same question
            return
        now, passing = self._mono(), block.fault.passing
        if not passing or now - block.since > PASSING_SECONDS:
            block.pause = min(2 * block.pause, LONGEST_PAUSE)
        block.waiting, block.due = True, now + block.pause

    def _tell(self, partition: Partition, block: _Block) -> None:
        fault = block.fault
        block.told = True
        _log.error(
            "a partition cannot be read and waits; the others go on",
            topic=partition.topic,
            partition=partition.number,
            offset=fault.offset,
            to_offset=fault.last,
            reason=fault.what,
            **_to_do(partition, fault),
        )
        self._show()

    # After each poll

    @property
    def paused(self) -> set[Partition]:
        """Those that are not to be fetched just now."""
        return {partition for partition, block in self._blocks.items() if block.waiting}

    def follow(self, consumer: MemberConsumer) -> bool:
        """Sees which are read again and which are to be tried again; whether any may be fetched from now on."""
        if not self._blocks:
            return False
        now, changed = self._mono(), False
        for partition, block in list(self._blocks.items()):
            if (consumer.position(partition) or 0) > block.fault.offset:
                self._end(partition)
                changed = True
            elif block.waiting and block.skipping is None and now >= block.due:
                block.waiting, changed = False, True
            if block.fault.passing and not block.told and now - block.since > PASSING_SECONDS:
                self._tell(partition, block)
        return changed

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._skipped.pop(partition, None)
            if (block := self._blocks.pop(partition, None)) is not None and block.skipping is not None:
                self._emit(Skipped(block.skipping.number, None, f"{partition} was revoked meanwhile"))
        self._show()

    def _end(self, partition: Partition) -> None:
        block = self._blocks.pop(partition)
        if block.told:
            topic, number = partition
            _log.info("a partition can be read again", topic=topic, partition=number, offset=block.fault.offset)
        self._show()

    def _show(self) -> None:
        told = {partition: block.fault for partition, block in sorted(self._blocks.items()) if block.told}
        self._shown = tuple(_sentence(partition, fault) for partition, fault in told.items())
        if (now := frozenset(told)) != self._announced:
            self._announced = now
            self._emit(Blocked(now))

    # Skipping

    def skip(self, skip: Skip, assigned: set[Partition]) -> None:
        """Begins to skip what waits at an offset, or says why not."""
        if self._mono() > skip.until:
            return
        block = self._blocks.get(skip.partition)
        if block is not None and block.told and block.fault.offset == skip.offset and block.fault.skippable:
            if block.skipping is None:
                block.skipping, block.next, block.waiting = skip, skip.offset, True
            return
        done = self._skipped.get(skip.partition, range(0))
        if skip.offset in done:
            self._emit(
                Skipped(skip.number, done[-1], f"{_place(skip.partition, done)} was skipped before", before=True)
            )
        else:
            self._emit(Skipped(skip.number, None, f"{self._why_not(skip, assigned)}; {self._what_waits()}"))

    def _why_not(self, skip: Skip, assigned: set[Partition]) -> str:
        block = self._blocks.get(skip.partition)
        if skip.partition not in assigned:
            return f"{skip.partition} is not assigned to this instance"
        if block is None or not block.told or block.fault.offset != skip.offset:
            return f"{skip.partition} does not wait at offset {skip.offset}"
        return f"{skip.partition} cannot be skipped, since its records may be read later"

    def _what_waits(self) -> str:
        return "; ".join(self.reasons()) or "nothing waits here"

    def take_skipped(self, consumer: MemberConsumer, full: frozenset[Partition]) -> dict[Partition, list[Record]]:
        """What was decided to be skipped, as records, some at a time; of ``full`` ones nothing is to be taken."""
        skipping = {
            partition: block
            for partition, block in self._blocks.items()
            if block.skipping is not None and partition not in full
        }
        if skipping:
            consumer.pause(skipping)
        return {partition: _records(partition, block) for partition, block in skipping.items()}

    def leave_behind(self, consumer: MemberConsumer) -> None:
        """Goes on behind what was handed over whole."""
        for partition, block in list(self._blocks.items()):
            skip, offsets = block.skipping, _range(block.fault)
            if skip is None or block.next <= offsets[-1]:
                continue
            consumer.seek(partition, offsets[-1] + 1)
            self._skipped[partition] = offsets
            del self._blocks[partition]
            self._show()
            self._emit(Skipped(skip.number, offsets[-1], f"{_place(partition, offsets)} is skipped"))


def _records(partition: Partition, block: _Block) -> list[Record]:
    """The next offsets that are skipped."""
    offsets = _range(block.fault)
    first, block.next = block.next, min(block.next + CHUNK, offsets[-1] + 1)
    text = block.skipping.text if block.skipping is not None else ""
    value = UnreadValue(f"{text} ({_place(partition, offsets)} could not be read: {block.fault.what})")
    return [Record(offset, -1, None, value) for offset in range(first, block.next)]


def _range(fault: FetchFault) -> range:
    return range(fault.offset, fault.last + 1)


def _place(partition: Partition, offsets: range) -> str:
    return f"{partition}:{offsets[0]}" + (f" to {offsets[-1]}" if len(offsets) > 1 else "")


def _to_do(partition: Partition, fault: FetchFault) -> dict[str, str]:
    """The cure; where there is no other, the operator's decision. Empty where the fault says what to do."""
    behind = f"go on behind it: contribd skip {partition}:{fault.offset} --reason TEXT"
    todo = [text for text in (fault.cure, behind if fault.skippable else "") if text]
    return {"do": ", or ".join(todo)} if todo else {}


def _sentence(partition: Partition, fault: FetchFault) -> str:
    """The same for readyz and status."""
    todo = "".join(f" ({text})" for text in _to_do(partition, fault).values())
    return f"{partition} cannot be read at offset {fault.offset}: {fault.what}{todo}"
