"""Why it does not contribute: the cause, and not what follows from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from contribd.engine.records.pauses import Pause, PauseKind, Selector
from contribd.observe import consuming_reasons, pause_view

UNCONFIRMED = "the consumer group has not confirmed this member for too long"


@pytest.mark.parametrize(
    ("lapsed", "source", "told"),
    [
        (False, [], []),
        (True, [], [UNCONFIRMED]),
        (True, ["consuming: broker k:9092 does not answer"], ["consuming: broker k:9092 does not answer"]),
        (True, ["consuming: user u may not use consumer group g"], ["consuming: user u may not use consumer group g"]),
    ],
)
def test_what_keeps_it_from_consuming_is_told_alone(lapsed: bool, source: list[str], told: list[str]) -> None:
    engine: Any = SimpleNamespace(partitions=("one",), lapsed=lapsed)
    assert consuming_reasons(engine, source, None) == told


def test_brokers_that_do_not_answer_are_told_of_once_the_group_is_silent_too() -> None:
    engine: Any = SimpleNamespace(partitions=("one",), lapsed=True)
    assert consuming_reasons(engine, [], "no answer") == ["consuming: no answer"]
    assert consuming_reasons(engine, ["consuming: why"], "no answer") == ["consuming: why"]
    engine.lapsed = False
    assert consuming_reasons(engine, [], "no answer") == []


def test_a_member_without_partitions_need_not_be_confirmed() -> None:
    engine: Any = SimpleNamespace(partitions=(), lapsed=True)
    assert consuming_reasons(engine, [], None) == []


@pytest.mark.parametrize(
    ("what", "name", "everything"),
    [
        (Selector(PauseKind.ALL), "everything", True),
        (Selector(PauseKind.RIC, "*"), "RICs *", False),
        (Selector(PauseKind.DESK, "rates"), "desk rates", False),
    ],
)
def test_a_pause_of_everything_is_told_from_one_of_a_part(what: Selector, name: str, everything: bool) -> None:
    view = pause_view(Pause(what, "uid 1000 (anna)", "feed broken", 1_800_000_000_000_000))
    assert (view.id, view.what, view.everything, view.since) == (what.id, name, everything, 1_800_000_000.0)
    assert (view.who, view.reason) == ("uid 1000 (anna)", "feed broken")
