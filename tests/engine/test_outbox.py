"""Settlements on their way: one transaction at a time, nothing of a failed one lost."""

import pytest
from tests.engine.rig import P0, P1, START

from contribd.engine.limits import MAX_BATCH_RESULTS, Bounds
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.outbox import Batch, Outbox
from contribd.engine.records.price import Record, Settlement, unposted
from contribd.mapping.outcome import RejectCode, Rejected


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def tracker(partition: Partition = P0, records: int = 3, size: int = 1) -> OffsetTracker:
    made = OffsetTracker(partition, 0)
    for offset in range(records):
        made.take(offset, size)
    return made


def settlement(one: OffsetTracker, offset: int, size: int = 1) -> Settlement:
    return unposted(one, Record(offset, -1, None, b"x" * size), Rejected(RejectCode.BAD_RECORD, "no"), START)


def offsets(batch: Batch | None) -> list[int]:
    assert batch is not None
    return [one.offset for one in batch.settlements]


def test_nothing_settled_gives_no_transaction(outbox: Outbox) -> None:
    assert outbox.take() is None
    assert not outbox.can_take


def test_a_transaction_carries_its_results_and_the_offsets_they_settle(outbox: Outbox) -> None:
    zero, one = tracker(P0), tracker(P1)
    for each in (settlement(zero, 0), settlement(one, 1)):
        outbox.add(each)
    batch = outbox.take()
    assert offsets(batch) == [0, 1]
    assert batch is not None
    assert batch.commits == {P0: (1, ""), P1: (0, "contribd1:Ag==")}


def test_only_one_transaction_is_under_way(outbox: Outbox) -> None:
    one = tracker()
    outbox.add(settlement(one, 0))
    batch = outbox.take()
    outbox.add(settlement(one, 1))
    assert outbox.take() is None
    assert batch is not None
    outbox.committed(batch.number)
    assert offsets(outbox.take()) == [1]


def test_a_failed_transaction_is_offered_again_as_it_was(outbox: Outbox) -> None:
    one = tracker()
    outbox.add(settlement(one, 0))
    first = outbox.take()
    outbox.add(settlement(one, 1))
    assert first is not None
    assert outbox.not_committed(first.number) == []
    again = outbox.take()
    assert again is not None
    assert (again.settlements, again.commits) == (first.settlements, first.commits)
    assert again.number != first.number


def test_what_is_settled_meanwhile_does_not_change_the_offsets_under_way(outbox: Outbox) -> None:
    one = tracker()
    outbox.add(settlement(one, 0))
    batch = outbox.take()
    outbox.add(settlement(one, 1))
    assert batch is not None
    assert batch.commits == {P0: (1, "")}
    assert one.commit() == (1, "")


def test_a_durable_transaction_frees_its_instruments(outbox: Outbox) -> None:
    instrument = Instrument(("TRCC", "EUR="))
    outbox.add(settlement(tracker(), 0), instrument)
    batch = outbox.take()
    assert batch is not None
    assert outbox.committed(batch.number) == [instrument]
    assert len(outbox) == 0


def test_a_revoked_partition_s_pending_results_are_forgotten(outbox: Outbox) -> None:
    gone, kept, instrument = tracker(P0), tracker(P1), Instrument(("TRCC", "EUR="))
    outbox.add(settlement(gone, 0), instrument)
    outbox.add(settlement(kept, 0))
    gone.stop()
    gone.close()
    assert outbox.close({gone}) == [instrument]
    batch = outbox.take()
    assert batch is not None
    assert list(batch.commits) == [P1]


def test_a_revoked_partition_s_results_under_way_are_forgotten_only_if_they_were_not_written(outbox: Outbox) -> None:
    gone, kept, instrument = tracker(P0), tracker(P1), Instrument(("TRCC", "EUR="))
    outbox.add(settlement(gone, 0), instrument)
    outbox.add(settlement(kept, 0))
    batch = outbox.take()
    gone.stop()
    gone.close()
    assert outbox.close({gone}) == []
    assert outbox.holds(gone)
    assert batch is not None
    assert outbox.not_committed(batch.number) == [instrument]
    again = outbox.take()
    assert again is not None
    assert list(again.commits) == [P1]
    assert not outbox.holds(gone)


def test_a_failed_transaction_of_revoked_partitions_alone_leaves_nothing(outbox: Outbox) -> None:
    gone = tracker()
    outbox.add(settlement(gone, 0))
    batch = outbox.take()
    gone.stop()
    gone.close()
    outbox.close({gone})
    assert batch is not None
    outbox.not_committed(batch.number)
    assert outbox.take() is None
    assert len(outbox) == 0


def test_an_outcome_of_another_transaction_is_a_defect(outbox: Outbox) -> None:
    outbox.add(settlement(tracker(), 0))
    batch = outbox.take()
    assert batch is not None
    with pytest.raises(RuntimeError, match="not the one being written"):
        outbox.committed(batch.number + 1)
    with pytest.raises(RuntimeError, match="not the one being written"):
        Outbox().not_committed(1)


def test_a_transaction_is_bounded_in_results(outbox: Outbox) -> None:
    one = tracker(records=MAX_BATCH_RESULTS + 1)
    for offset in range(MAX_BATCH_RESULTS + 1):
        outbox.add(settlement(one, offset))
    assert len(offsets(outbox.take())) == MAX_BATCH_RESULTS


def test_a_transaction_is_bounded_in_bytes_but_takes_one_result_at_least() -> None:
    outbox = Outbox(Bounds(batch_bytes=100))
    one = tracker(records=4)
    for offset, size in enumerate((500, 50, 50, 1)):
        outbox.add(settlement(one, offset, size))
    for expected in ([0], [1, 2], [3]):
        batch = outbox.take()
        assert offsets(batch) == expected
        assert batch is not None
        outbox.committed(batch.number)
