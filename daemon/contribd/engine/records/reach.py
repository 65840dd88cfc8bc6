"""Which settled records a commit can tell of, where a broker takes less metadata with an offset than is usual.

A record is taken no further ahead of its partition's committed offset than a commit can tell of. But what an earlier
run was allowed is read in one go after an assignment, and merged: the prices of one post may then lie far apart, and
their results can be written only together with all between them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from contribd.engine.records.carrier_promotion import Entry
from contribd.engine.records.offsets import OffsetTracker


def within_reach(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """What can be written now, in one transaction: as much as possible. And what has to wait."""
    groups = list(_groups(entries))
    near = set(range(len(groups)))
    while True:
        offsets: dict[OffsetTracker, Counter[int]] = defaultdict(Counter)
        for number in near:
            for tracker, offset in _places(groups[number]):
                offsets[tracker][offset] += 1
        reach = {tracker: tracker.reach(settling) for tracker, settling in offsets.items()}
        beyond = {each for each in near if any(at >= reach[tracker] for tracker, at in _places(groups[each]))}
        if not beyond:
            break
        near -= beyond
    kept: list[Entry] = []
    waiting: list[Entry] = []
    for number, group in enumerate(groups):
        (kept if number in near else waiting).extend(group)
    return kept, waiting


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Prices that were merged stand right before the one that carried them: each such group, or a price by itself."""
    group: list[Entry] = []
    for entry in entries:
        group.append(entry)
        if entry[0].carried_by is None:
            yield group
            group = []


def _places(group: Iterable[Entry]) -> Iterator[tuple[OffsetTracker, int]]:
    """Of its records; a withdrawal is of none."""
    return ((settlement.tracker, settlement.offset) for settlement, _ in group if settlement.reason is None)
