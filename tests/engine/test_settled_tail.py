"""The last records of a partition have results already: the offset moves past them, though nothing is to be settled."""

import pytest
from tests.engine.rig import P0, Rig

from contribd.engine.events import Records
from contribd.engine.records.commit_metadata import encode_metadata
from contribd.engine.records.price import Record

REJECTED, LAST = (Record(offset, -1, None, b"") for offset in (10, 11))
"""The second has its result already."""


def committed(rig: Rig) -> list[int]:
    """The offsets that the engine commits, one transaction after the other."""
    offsets = []
    while (batch := rig.take()) is not None:
        offsets.append(batch.commits[P0].offset)
        rig.handle_committed(batch.number)
    return offsets


@pytest.mark.parametrize(
    ("metadata", "settled"),
    [(encode_metadata(0b10), {}), ("", {P0: [11]})],
    ids=["the group's offsets say so", "the results topic says so"],
)
def test_those_that_come_after_all_else_is_committed(metadata: str, settled: dict[object, list[int]]) -> None:
    rig = Rig().open().assign(P0, 10, metadata)
    rig.handle(Records([(P0, [REJECTED])]))
    assert committed(rig) == [11]
    rig.handle(Records([(P0, [LAST])], settled))  # type: ignore[arg-type]
    assert committed(rig) == [12]
    assert committed(rig) == []


def test_a_partition_of_which_all_is_settled() -> None:
    rig = Rig().open().assign(P0, 10)
    rig.handle(Records([(P0, [REJECTED, LAST])], {P0: [10, 11]}))
    assert committed(rig) == [12]


def test_those_that_come_with_others_cost_no_transaction_of_their_own() -> None:
    rig = Rig().open().assign(P0, 10)
    rig.handle(Records([(P0, [REJECTED, LAST])], {P0: [11]}))
    assert committed(rig) == [12]
