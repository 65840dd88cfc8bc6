"""Why it does not contribute: the cause, and not what follows from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from contribd.observe import consuming_reasons

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
