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

from collections.abc import Collection
from typing import Final, NamedTuple

from contribd.engine.records.offsets import Commit, Partition, decode_metadata
from contribd.ops.log import get_logger
from contribd.streams.client.errors import KafkaTimeoutError
from contribd.streams.client.port import MemberConsumer
from contribd.streams.group.hanging_transactions import HangingTransactions

ASK_SECONDS: Final = 0.3, 1.0
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
    """Offsets whose records are lost."""


def find_start(commit: Commit | None, begin: int, end: int, *, latest: bool) -> Start:
    """``commit``: the group's, None where it has none; ``begin`` and ``end``: the log's first and next offset.

    ``latest``: where to begin without a commit.
    """
    if commit is None:
        position = end if latest else begin
        return Start(Commit(position, ""), position, end, unwritten=True)
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
        self._ask_seconds = ASK_SECONDS[0]
        self.out_of_range: set[Partition] = set()
        """Partitions whose broker has refused the offset that the consumer asked for, which proves a log cut. An end
        that lies before the commit does not: a broker that has just become leader may know of less, and the embedded
        one tells of ends that are too low."""

    def find(self, consumer: MemberConsumer, partitions: Collection[Partition]) -> dict[Partition, Start]:
        """Where each of ``partitions`` begins. Raises KafkaError; what was done is done again by the next call.

        What is committed counts only between two confirmations that the group knows us: see ``fencing``.
        """
        if not partitions:
            return {}
        logs = consumer.log_ends(partitions)
        consumer.confirm()
        commits = {partition: self._committed(consumer, partition) for partition in logs}
        consumer.confirm()
        self._ask_seconds = ASK_SECONDS[0]
        starts = {each: self._start(each, commit, *logs[each]) for each, commit in commits.items()}
        for partition, start in starts.items():
            _put(consumer, partition, commits[partition], start)
        self.out_of_range -= starts.keys()
        return starts

    def _start(self, partition: Partition, commit: Commit | None, begin: int, end: int) -> Start:
        start = find_start(commit, begin, end, latest=self._latest)
        if commit is not None and start.problem is _CUT and partition not in self.out_of_range:
            return find_start(commit, begin, commit.offset, latest=self._latest)
        return start

    def _committed(self, consumer: MemberConsumer, partition: Partition) -> Commit | None:
        try:
            return consumer.committed(partition, self._ask_seconds)
        except KafkaTimeoutError:
            self._ask_seconds = ASK_SECONDS[1]
            self._hanging.end(consumer.member().member_id)
            raise


def _put(consumer: MemberConsumer, partition: Partition, commit: Commit | None, start: Start) -> None:
    if start.unwritten:
        consumer.commit({partition: start.commit})
    consumer.seek(partition, start.position)
    if start.problem is not None and commit is not None:
        topic, number = partition
        place = {"topic": topic, "partition": number, "committed": commit.offset, "log_end": start.end}
        _log.error(start.problem, **place, goes_on_at=start.position, offsets_lost=start.lost)


_CUT: Final = (
    "the log ends before what the group has consumed: it was cut back, or its topic made anew; going on at its end "
    "(what was written anew below it is not contributed, and offsets up to the old commit are given out a second time)"
)
_DELETED: Final = (
    "records were deleted before they were consumed: they get no result; going on with the oldest there is "
    "(raise the topic's retention, or find out why consumption fell behind)"
)
OUT_OF_RANGE: Final = "offset out of range: revoking the partition and assigning it anew"
