"""An order is answered once it holds, or with why it does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.records.offsets import Partition
from contribd.orders import ANSWER_SECONDS, Answer, Asked, Orders, SkipOrder
from contribd.pausing.book import Caller
from contribd.streams.group.blocked import Skip, Skipped

P0 = Partition("prices", 0)
ORDER = SkipOrder(P0, 5, "the disk of broker 2")


@dataclass
class Desk:
    """Orders, with an engine and a source that say what the test wants."""

    durable: bool | None = False
    mono: float = 100.0
    skips: list[Skip] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        are_durable: Callable[..., bool | None] = lambda _partition, _offset: self.durable  # noqa: E731
        engine: Any = SimpleNamespace(are_durable=are_durable, withdrawals=SimpleNamespace(wanted=False))
        self.orders = Orders(cast("Engine", engine), SimpleNamespace(skip=self.skips.append))

    def ask(self) -> int:
        self.orders.take(Asked(ORDER, Caller("me (uid 7)", 7), self.answers.append), Now(self.mono, 0))
        return self.skips[-1].number

    def follow(self) -> list[Answer]:
        self.orders.follow(Now(self.mono, 0))
        return self.answers


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_skip_goes_to_the_source_with_who_and_why(desk: Desk) -> None:
    number = desk.ask()
    assert desk.skips == [Skip(number, P0, 5, "skipped by me (uid 7): the disk of broker 2", 100.0 + ANSWER_SECONDS)]


def test_it_is_answered_once_its_results_are_durable(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.orders.skipped(Skipped(desk.ask(), 9, "prices:0:5 to 9 is skipped"))
    assert desk.follow() == []
    desk.durable = True
    assert desk.follow() == [Answer(True, "prices:0:5 to 9 is skipped")]
    assert desk.follow() == desk.answers[:1], "it is answered once"
    [line] = capsys.readouterr().err.splitlines()
    assert "by order: prices:0:5 to 9 is skipped" in line
    assert "me (uid 7)" in line
    assert "the disk of broker 2" in line


def test_what_was_done_before_is_told_as_such_and_not_logged_again(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.durable = True
    desk.orders.skipped(Skipped(desk.ask(), 9, "it was skipped before", before=True))
    assert desk.follow() == [Answer(True, "it was skipped before")]
    assert capsys.readouterr().err == ""


def test_what_the_source_does_not_do_is_answered_at_once(desk: Desk) -> None:
    desk.orders.skipped(Skipped(desk.ask(), None, "nothing waits there"))
    assert desk.answers == [Answer(False, "nothing waits there")]


def test_a_partition_that_is_revoked_before_it_holds(desk: Desk) -> None:
    desk.orders.skipped(Skipped(desk.ask(), 9, "it is skipped"))
    desk.durable = None
    [answer] = desk.follow()
    assert not answer.done
    assert "was revoked before its results were durable" in answer.text


def test_it_does_not_wait_for_ever(desk: Desk) -> None:
    first, second = desk.ask(), desk.ask()
    desk.orders.skipped(Skipped(second, 9, "it is skipped"))
    assert desk.orders.wake_at() == 100.0 + ANSWER_SECONDS
    desk.mono += ANSWER_SECONDS
    texts = [answer.text for answer in desk.follow()]
    assert first != second
    assert "nothing was done within 20 s" in texts[0]
    assert "its results are not durable yet" in texts[1]
    assert not any(answer.done for answer in desk.answers)
    assert desk.orders.wake_at() == float("inf")
    desk.orders.skipped(Skipped(first, 9, "too late"))
    assert len(desk.answers) == 2


def test_who_still_waits_when_the_daemon_ends_is_told_so(desk: Desk) -> None:
    desk.ask()
    desk.orders.leave()
    assert desk.answers == [Answer(False, "the daemon has stopped before it held")]
