"""What the log says of where partitions begin."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from contribd.engine.limits import MAX_SPAN
from contribd.engine.records.commit_metadata import Commit, decode_about
from contribd.engine.records.offsets import Partition
from contribd.ops.log import get_logger
from contribd.streams.client.port import Topics
from contribd.streams.group.settled_offsets import SettledOffsets
from contribd.streams.group.start_rules import Origin, Start

MOST: Final = 20
"""Partitions named in one line; the rest is counted."""

_log = get_logger("source")


def refusal(partitions: Collection[Partition], logs: Mapping[Partition, tuple[int, int]]) -> str:
    """Why nothing is consumed where ``start_from`` is ``refuse``, and what to do."""
    records = sum(end - begin for begin, end in (logs[each] for each in partitions))
    names = _joined(sorted(map(str, partitions)))
    return (
        f"the group has no committed offset for {names} ({records} offsets in the log), and "
        "kafka.start_from is refuse: set it to latest, earliest or a time for this start, "
        "or set the group's offsets (kafka-consumer-groups --reset-offsets)"
    )


def tell(
    starts: Mapping[Partition, Start], commits: Mapping[Partition, Commit | None], topics: Topics, start_from: str
) -> None:
    """Says where these begin, where that does not go without saying."""
    for partition, start in starts.items():
        commit = commits[partition]
        if start.problem is not None and commit is not None:
            place = {"topic": partition.topic, "partition": partition.number, "committed": commit.offset}
            _log.error(start.problem, **place, log_end=start.end, goes_on_at=start.position, offsets_lost=start.lost)
    _tell_new(_of(starts, Origin.NEW))
    _tell_remade(_of(starts, Origin.REMADE), commits, topics)
    nowhere = _of(starts, Origin.NOWHERE)
    consumed = {each: start for each, start in nowhere.items() if start.settled is not None and _has_any(start.settled)}
    _tell_gone(consumed, start_from)
    _tell_first({each: start for each, start in nowhere.items() if each not in consumed}, start_from)


def _has_any(settled: SettledOffsets) -> bool:
    return bool(settled.count or settled.in_part)


def _of(starts: Mapping[Partition, Start], origin: Origin) -> dict[Partition, Start]:
    return {each: start for each, start in starts.items() if start.origin is origin}


def _tell_new(starts: Mapping[Partition, Start]) -> None:
    if starts:
        _log.info("new partitions: beginning at their beginning", begin_at=_places(starts), records=_to_come(starts))


def _tell_remade(starts: Mapping[Partition, Start], commits: Mapping[Partition, Commit | None], topics: Topics) -> None:
    for topic in sorted({partition.topic for partition in starts}):
        mine = {each: start for each, start in starts.items() if each.topic == topic}
        before = {decode_about(commit.metadata).topic_id for each in mine if (commit := commits[each]) is not None}
        _log.warning(
            "the topic is another one than what the group has consumed: it was deleted and made anew; beginning at its "
            "beginning",
            topic=topic,
            topic_id=topics[topic].topic_id,
            committed_of=_joined(sorted(filter(None, before))) or None,
            begin_at=_places(mine),
            records=_to_come(mine),
        )


def _tell_first(starts: Mapping[Partition, Start], start_from: str) -> None:
    if not starts:
        return
    told = _numbers(starts)
    if told.get("cannot_tell") and told["contributes_at_most"]:
        text = "the group has no committed offset for these partitions, and what has its result cannot be told"
        _log.warning(text, start_from=start_from, **told)
        return
    text = "the group has no committed offset for these partitions, nor do they have results: a first start"
    if told.get("cannot_tell"):
        text = "the group has no committed offset for these partitions"
    _log.info(text, start_from=start_from, **told)


def _tell_gone(starts: Mapping[Partition, Start], start_from: str) -> None:
    if starts:
        text = (
            "the group's offsets are gone for partitions that have results: it was deleted, or they expired; "
            "beginning where start_from says, less what has its result"
        )
        _log.warning(text, start_from=start_from, **_numbers(starts), have_results=_have_results(starts))


def _numbers(starts: Mapping[Partition, Start]) -> dict[str, object]:
    """Records left out below the start, and to come: offsets, of which some may be no records."""
    told: dict[str, object] = {
        "begin_at": _places(starts),
        "leaves_out_at_most": sum(_left_out(start) for start in starts.values()),
        "contributes_at_most": _to_come(starts),
    }
    if problems := sorted({s.settled.problem for s in starts.values() if s.settled is not None and s.settled.problem}):
        told["cannot_tell"] = "; ".join(problems)
    return told


def _left_out(start: Start) -> int:
    """Below the start, and without a result as far as is known.

    Nothing is taken ``MAX_SPAN`` above what has no result, so what lies further below a result has its own.
    """
    settled = start.settled
    if settled is None or not settled.count:
        return start.position - start.begin
    return settled.unsettled(max(start.begin, settled.highest - MAX_SPAN + 1), start.position)


def _to_come(starts: Mapping[Partition, Start]) -> int:
    """From the start on, and without a result as far as is known."""
    return sum(
        start.end - start.position if start.settled is None else start.settled.unsettled(start.position, start.end)
        for start in starts.values()
    )


def _have_results(starts: Mapping[Partition, Start]) -> int:
    return sum(start.settled.count for start in starts.values() if start.settled is not None)


def _places(starts: Mapping[Partition, Start]) -> str:
    return _joined([f"{each}:{start.position}" for each, start in sorted(starts.items())])


def _joined(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - MOST} more" if len(every) > MOST else ""
    return " ".join(every[:MOST]) + more
