"""The rules by which a partition's start is found: see ``start_offsets``. Pure."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from contribd.engine.records.commit_metadata import (
    NOTHING,
    About,
    Commit,
    decode_about,
    decode_metadata,
    restate,
)
from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import SeenTopic
from contribd.streams.group.settled_offsets import SettledOffsets

CUT: Final = (
    "the log ends before what the group has consumed: it was cut back; going on at its end "
    "(what was written anew below it is not contributed, and offsets up to the old commit are given out a second time)"
)
DELETED: Final = (
    "records were deleted before they were consumed: they get no result; going on with the oldest there is "
    "(raise the topic's retention, or find out why consumption fell behind)"
)


class Origin(Enum):
    """What a partition's start comes from."""

    COMMITTED = auto()
    NEW = auto()
    """The group has consumed the topic when it had not this partition yet."""
    REMADE = auto()
    """What the group has consumed was another topic of this name."""
    NOWHERE = auto()
    """The group has no offset: it is new, or its offsets are gone."""


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
    origin: Origin = Origin.COMMITTED
    begin: int = 0
    """The log's first offset."""
    settled: SettledOffsets | None = None
    """What has its result though the commit does not say so: such records are passed over."""


def find_start(commit: Commit | None, begin: int, end: int, *, fallback: int, about: About = NOTHING) -> Start:
    """``commit``: the group's, None where it has none; ``begin`` and ``end``: the log's first and next offset.

    ``fallback``: where to begin without a commit. ``about``: what is said beside the offsets from now on.
    """
    if commit is None:
        return Start(Commit(fallback, restate("", about)), fallback, end, unwritten=True, begin=begin)
    if commit.offset > end:
        cut = Commit(end, restate("", about))
        return Start(cut, end, end, True, CUT, commit.offset - end, begin=begin)
    kept = Commit(commit.offset, restate(commit.metadata, about))
    if commit.offset < begin:
        settled = sum(offset < begin for offset in decode_metadata(*commit))
        lost = begin - commit.offset - settled
        return Start(kept, begin, end, False, DELETED if lost else None, lost, begin=begin)
    return Start(kept, commit.offset, end, begin=begin)


def origin_of(
    partition: Partition,
    commit: Commit | None,
    topic: SeenTopic,
    first: SeenTopic,
    beside: Mapping[Partition, Commit],
) -> Origin:
    """``topic``: as it is; ``first``: as this process saw it first. ``beside``: what the group has committed of the
    topic, where ``commit`` is None."""
    if commit is not None:
        other = _differ(decode_about(commit.metadata).topic_id, topic.topic_id)
        return Origin.REMADE if other else Origin.COMMITTED
    said = [decode_about(each.metadata) for each in beside.values()]
    if any(_differ(known, topic.topic_id) for known in (first.topic_id, *(each.topic_id for each in said))):
        return Origin.REMADE
    counts = [first.partitions, *(each.partitions for each in said if each.partitions)]
    newest = max((each.number for each in beside), default=partition.number)
    unsaid = len(counts) == 1 and partition.number > newest
    return Origin.NEW if unsaid or partition.number >= min(counts) else Origin.NOWHERE


def _differ(known: str | None, topic_id: str | None) -> bool:
    return known is not None and topic_id is not None and known != topic_id


def needs_results(start: Start) -> bool:
    """Whether records may have their result though the commit does not say so."""
    if start.origin is Origin.NOWHERE:
        return start.begin < start.end
    return decode_about(start.commit.metadata).results_to > start.position


def passed_over(start: Start, settled: SettledOffsets | None) -> Start:
    """The same start, behind what has its result; what has it further on is passed over when it comes."""
    if settled is None:
        return start
    if start.origin is not Origin.NOWHERE or start.position >= start.end:
        return start._replace(settled=settled)
    position = settled.first_unsettled(start.position)
    in_part = settled.in_part
    last = max(settled.highest, *in_part, position)
    results_to = last + 1 if last > position or last in in_part else 0
    about = decode_about(start.commit.metadata)._replace(results_to=results_to)
    return start._replace(commit=Commit(position, restate("", about)), position=position, settled=settled)
