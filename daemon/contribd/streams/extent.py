"""Where to begin in a partition's log: what the group has committed, against what the log still holds.

Both ends of a log can pass a commit by. Retention deletes at its beginning what was never consumed. At its end, one
that became leader uncleanly lacks what others had, or a topic is deleted and made again: then the same offsets are
given to other records.

Offsets that were given out twice are never consumed twice. The first records of their numbers may have results and may
have been posted; another result of the same topic, partition and offset would make both worthless to an auditor, and a
record from before the cut could be posted after a newer one. So contribd goes on at the log's end and says so, and
whoever knows what the new records are can set the group's offsets back.
"""

import time
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from contribd.engine.ledger import Commit, decode_metadata
from contribd.ops.log import get_logger

_log = get_logger("source")

CUT_SECONDS: Final = 10.0
"""How long a log must look cut before it is believed: a broker that has just become its leader may know of less."""


class Start(NamedTuple):
    """Where a partition begins."""

    commit: Commit
    """What its ledger begins with."""
    position: int
    """The first offset to fetch."""
    end: int
    """The log's next offset, as a read_committed consumer sees it."""
    unwritten: bool = False
    """The commit is not the group's yet. It must be before anything is consumed, or a crash would begin elsewhere."""
    problem: str | None = None
    """What an operator must know of, in one line."""
    lost: int = 0
    """Offsets that hold no record any more, or other ones."""


def find_start(committed: Any, begin: int, end: int, *, latest: bool) -> Start:
    """``committed``: the group's OffsetAndMetadata or None; ``begin`` and ``end``: the log's first and next offset.

    ``latest``: where to begin without a commit.
    """
    if committed is None or committed.offset < 0:
        position = end if latest else begin
        return Start(Commit(position, ""), position, end, unwritten=True)
    commit = Commit(committed.offset, committed.metadata or "")
    if commit.offset > end:
        return Start(Commit(end, ""), end, end, unwritten=True, problem=_CUT, lost=commit.offset - end)
    if commit.offset < begin:
        settled = sum(offset < begin for offset in decode_metadata(*commit))
        lost = begin - commit.offset - settled
        return Start(commit, begin, end, problem=_DELETED if lost else None, lost=lost)
    return Start(commit, commit.offset, end)


class Starts:
    """Finds out where new partitions begin, and puts the consumer there."""

    def __init__(self, *, latest: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """``latest``: where to begin without a commit; ``clock`` in monotonic seconds."""
        self._latest = latest
        self._clock = clock
        self._cut: dict[TopicPartition, float] = {}
        """Since when logs have looked cut."""

    def find(self, consumer: Any, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Start]:
        """Those of ``partitions`` that can begin: not yet where a log looks cut for a moment. Raises KafkaError."""
        if not partitions:
            return {}
        asked = list(partitions)
        begins, ends, starts = consumer.beginning_offsets(asked), consumer.end_offsets(asked), {}
        for tp in asked:
            committed = consumer.committed(tp, metadata=True)
            start = find_start(committed, begins[tp], ends[tp], latest=self._latest)
            if start.problem is _CUT and not self._believed(tp):
                continue
            self._cut.pop(tp, None)
            _put(consumer, tp, committed, start)
            starts[tp] = start
        return starts

    def _believed(self, tp: TopicPartition) -> bool:
        now = self._clock()
        return now - self._cut.setdefault(tp, now) >= CUT_SECONDS


def _put(consumer: Any, tp: TopicPartition, committed: Any, start: Start) -> None:
    if start.unwritten:
        consumer.commit({tp: OffsetAndMetadata(start.commit.offset, start.commit.metadata, -1)})
    consumer.seek(tp, start.position)
    if start.problem is not None:
        place = {"topic": tp.topic, "partition": tp.partition, "committed": committed.offset, "log_end": start.end}
        _log.error(start.problem, **place, goes_on_at=start.position, offsets_lost=start.lost)


_CUT: Final = (
    "the log ends before what the group has consumed: it was cut back, or its topic made anew; going on at its end, "
    "other records with offsets consumed before are not contributed (to contribute them, stop all and reset the group)"
)
_DELETED: Final = (
    "records were deleted before they were consumed: they get no result; going on with the oldest there is "
    "(raise the topic's retention, or find out why consumption fell behind)"
)
ASTRAY: Final = "the consumer is where its log is not, or not any more: taking the partition anew"


def tell_out_of_range(consumer: Any, tell: Callable[[TopicPartition], None]) -> None:
    """Calls ``tell`` with a partition whose position lies outside its log, in the client's thread.

    The client would go to the log's beginning or end, by its own setting and without a word.
    """
    consumer._subscription.request_offset_reset = lambda tp, _strategy=None: tell(tp)  # noqa: SLF001 - no other way
