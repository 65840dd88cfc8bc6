"""Where to begin in a partition's log: what the group has committed, against what the log still holds.

Both ends of a log can pass a commit by. Retention deletes at its beginning what was never consumed. At its end, one
that became leader uncleanly lacks what others had, or a topic is deleted and made again: then the same offsets are
given to other records.

Where the log ends before the commit, contribd goes on at that end. All that comes from there on is new, and prices that
come now matter more than offsets that are unique: waiting until the log has grown past the commit could silence a
partition for days. What was written anew below the end is not consumed, since nobody can tell it from what was consumed
before, and a price of before the cut could follow a newer one. Results of offsets between the end and the old commit
then exist twice, of two records; their sources differ in the timestamp.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.structs import OffsetAndMetadata

from contribd.engine.records.offsets import Commit, decode_metadata
from contribd.ops.log import get_logger
from contribd.streams.group.fencing import confirm
from contribd.streams.group.hanging_transactions import HangingTransactions

ASK_MILLISECONDS: Final = 300, 1_000
"""How long the group is asked for what is committed, which the client would do for ever: the first time, and then at a
time. A process that was killed may leave a transaction open, and its partitions have no stable offset before that is
ended; those that we have already are fetched between two tries."""

_log = get_logger("source")


class Start(NamedTuple):
    """Where a partition begins."""

    commit: Commit
    """What its tracker begins with."""
    position: int
    """The first offset to fetch."""
    end: int
    """The log's next offset, as a read_committed consumer sees it."""
    unwritten: bool = False
    """The commit is not the group's yet. It must be before anything is consumed, or a crash would begin elsewhere."""
    problem: str | None = None
    """What an operator must know of, in one line."""
    lost: int = 0
    """Offsets whose records are gone."""


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


class StartOffsets:
    """Finds out where new partitions begin, and puts the consumer there."""

    def __init__(self, hanging: HangingTransactions, *, latest: bool) -> None:
        """``latest``: where to begin without a commit."""
        self._hanging = hanging
        self._latest = latest
        self._patience = ASK_MILLISECONDS[0]
        self.astray: set[TopicPartition] = set()
        """Partitions whose broker has refused the offset that the consumer asked for, which proves a log cut. An end
        that lies before the commit does not: a broker that has just become leader may know of less, and the embedded
        one tells of ends that are too low."""

    def find(self, consumer: Any, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Start]:
        """Where each of ``partitions`` begins. Raises KafkaError; what was done is done again by the next call.

        What is committed counts only between two confirmations that the group knows us: see ``fencing``.
        """
        if not partitions:
            return {}
        asked = list(partitions)
        begins, ends, starts = consumer.beginning_offsets(asked), consumer.end_offsets(asked), {}
        confirm(consumer)
        commits = {tp: self._committed(consumer, tp) for tp in asked}
        confirm(consumer)
        self._patience = ASK_MILLISECONDS[0]
        for tp, committed in commits.items():
            start = find_start(committed, begins[tp], ends[tp], latest=self._latest)
            if start.problem is _CUT and tp not in self.astray:
                start = find_start(committed, begins[tp], committed.offset, latest=self._latest)
            _put(consumer, tp, committed, start)
            starts[tp] = start
        self.astray -= starts.keys()
        return starts

    def _committed(self, consumer: Any, tp: TopicPartition) -> Any:
        try:
            return consumer.committed(tp, metadata=True, timeout_ms=self._patience)
        except KafkaTimeoutError:
            self._patience = ASK_MILLISECONDS[1]
            self._hanging.end(consumer.group_metadata().member_id)
            raise


def _put(consumer: Any, tp: TopicPartition, committed: Any, start: Start) -> None:
    if start.unwritten:
        consumer.commit({tp: OffsetAndMetadata(start.commit.offset, start.commit.metadata, -1)})
    consumer.seek(tp, start.position)
    if start.problem is not None:
        place = {"topic": tp.topic, "partition": tp.partition, "committed": committed.offset, "log_end": start.end}
        _log.error(start.problem, **place, goes_on_at=start.position, offsets_lost=start.lost)


_CUT: Final = (
    "the log ends before what the group has consumed: it was cut back, or its topic made anew; going on at its end "
    "(what was written anew below it is not contributed, and offsets up to the old commit are given out a second time)"
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
