"""A snapshot is plain, frozen and says what the engine counted."""

import dataclasses

import pytest
from tests.ops.samples import snapshot

from contribd.engine.counters import EngineCounters
from contribd.ops.snapshot import CountersView, HistogramView


def test_the_engines_counts_are_copied_in_a_stable_order() -> None:
    counted = EngineCounters()
    counted.results["NAK", "SymbolUnknown"] += 2
    counted.results["ACK", ""] += 5
    counted.posts["Update", "ACK"] += 5
    counted.reconnects["ws://ads1", "timeout"] += 1
    counted.unmatched = 3
    counted.future_timestamps = 5
    counters = CountersView.of(counted)
    counted.results["ACK", ""] += 1
    assert counters.results == (("ACK", "", 5), ("NAK", "SymbolUnknown", 2))
    assert counters.posts == (("Update", "ACK", 5),)
    assert counters.reconnects == (("ws://ads1", "timeout", 1),)
    assert counters.unmatched_answers == 3
    assert counters.future_timestamps == 5


def test_a_histogram_is_a_copy_and_cumulates_over_its_bounds() -> None:
    counted = EngineCounters()
    for seconds in (0.0001, 0.001, 0.3, 1000.0):
        counted.ack_seconds.add(seconds)
    frozen = HistogramView.of(counted.ack_seconds)
    counted.ack_seconds.add(1.0)
    assert sum(frozen.counts) == 4
    assert frozen.cumulative()[-1] == 4
    assert frozen.cumulative()[frozen.bounds.index(0.001)] == 2
    assert frozen.sum == pytest.approx(1000.3011)


def test_a_snapshot_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot().__setattr__("waiting", 1)


def test_it_is_ready_exactly_when_there_is_no_reason_against_it() -> None:
    assert snapshot().ready
    assert not snapshot(not_ready=("service TRCC is down",)).ready
