"""Orders to pause and to resume: they hold before they are answered, and the answer says what is in force."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.rig import Rig

from contribd.engine.events import Written
from contribd.engine.limits import UNSENT_SECONDS
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.orders import Answer, Asked, Order, Orders
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import Ordering, PauseOrder, ResumeOrder

EUR = Selector(PauseKind.RIC, "EUR*")
EVE, BOB = Caller("eve (uid 7)", 7), Caller("bob (uid 8)", 8)
SINCE = "2027-01-15T08:00:00.000000Z"
IN_FORCE = f"in force: RICs EUR* paused by eve (uid 7) at {SINCE}: feed broken"


class Desk:
    """An engine with orders to it, and what they are answered."""

    def __init__(self, approvals: int = 1, rics: Callable[[], list[str]] | None = None) -> None:
        self.rig = Rig().open().assign()
        source: Any = None
        self.orders = Orders(self.rig.engine, source, Ordering(approvals, rics=rics))
        self.answers: list[Answer] = []

    def give(self, order: Order, by: Caller = EVE) -> list[str]:
        """The lines of the answer, which must come at once; the first one begins with ``refused:`` where it is one."""
        self.orders.take(Asked(order, by, self.answers.append), self.rig.now)
        self.orders.follow(self.rig.now)
        answer = self.answers.pop()
        return [("" if answer.done else "refused: ") + answer.text.splitlines()[0], *answer.text.splitlines()[1:]]

    def pause(self, what: Selector = EUR, by: Caller = EVE, reason: str = "feed broken") -> list[str]:
        return self.give(PauseOrder(what, reason), by)

    def resume(self, what: Selector = EUR, by: Caller = EVE, reason: str = "it is back") -> list[str]:
        return self.give(ResumeOrder(what, reason), by)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_pause_holds_when_it_is_answered_and_the_answer_says_what_is_in_force(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = "in this process alone, until it ends (control.topic is not set)"
    assert desk.pause() == [f"RICs EUR* paused, {alone}", IN_FORCE]
    desk.rig.put({"BID": 1})
    assert desk.rig.posts == []
    [line] = capsys.readouterr().err.splitlines()
    assert "by order: RICs EUR* paused" in line
    assert "eve (uid 7)" in line
    assert "feed broken" in line


def test_the_same_again_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pause()
    capsys.readouterr()
    desk.rig.tick(5.0)
    first, *rest = desk.pause(by=BOB, reason="another")
    assert first.startswith("nothing changes: RICs EUR* paused before")
    assert rest == [IN_FORCE]
    assert "by order: nothing changes: RICs EUR* paused before" in capsys.readouterr().err


def test_it_is_answered_once_nothing_of_it_lies_unsent(desk: Desk) -> None:
    rig = desk.rig
    rig.put({"BID": 1})
    rig.handle(Written(rig.engine.connection.attempt, 10, 100))
    desk.orders.take(Asked(PauseOrder(EUR, "feed broken"), EVE, desk.answers.append), rig.now)
    desk.orders.follow(rig.now)
    assert desk.answers == []
    rig.tick(UNSENT_SECONDS)
    desk.orders.follow(rig.now)
    assert [answer.done for answer in desk.answers] == [True]


def test_each_pause_is_ended_by_its_own_name(desk: Desk) -> None:
    every = Selector(PauseKind.ALL)
    desk.pause()
    desk.rig.tick(1.0)
    desk.pause(every)
    assert desk.resume(every) == ["everything resumed", IN_FORCE]
    assert desk.resume() == ["RICs EUR* resumed", "nothing is paused"]
    desk.rig.put({"BID": 1})
    assert len(desk.rig.posts) == 1
    desk.orders.take(Asked(ResumeOrder(EUR, "again"), EVE, desk.answers.append), desk.rig.now)
    desk.orders.follow(desk.rig.now)
    nothing = "nothing changes: RICs EUR* not paused\nnothing is paused"
    assert desk.answers == [Answer(True, nothing, {"changes": False})]


def test_a_resume_by_another_name_ends_nothing_and_says_what_is_in_force(desk: Desk) -> None:
    desk.pause()
    assert desk.resume(Selector(PauseKind.RIC, "EUR")) == [
        "nothing changes: RICs EUR not paused; a pause is ended by its own name",
        IN_FORCE,
    ]


def test_a_pattern_that_no_known_ric_matches_holds_and_the_answer_says_so() -> None:
    desk = Desk(rics=lambda: ["EUR=", "USD="])
    alone = "in this process alone, until it ends (control.topic is not set)"
    unmatched = " (no RIC known here matches now: it holds for those to come)"
    assert desk.pause() == [f"RICs EUR* paused, {alone}", IN_FORCE]
    assert desk.pause(Selector(PauseKind.RIC, "UR*"))[0] == f"RICs UR* paused{unmatched}, {alone}"
    assert desk.pause(Selector(PauseKind.ALL))[0] == f"everything paused, {alone}"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (Selector(PauseKind.MAPPING, "spit"), "refused: nothing is paused: no mapping in force is called spit"),
        (Selector(PauseKind.DESK, "rates"), "refused: nothing is paused: no mapping in force has desk rates"),
    ],
)
def test_what_does_not_exist_is_not_paused(desk: Desk, what: Selector, said: str) -> None:
    assert desk.pause(what)[0].startswith(said)
    assert desk.rig.engine.pauses.in_force == ()


def test_where_it_takes_two_another_user_has_to_agree(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(approvals=2)
    desk.pause()
    capsys.readouterr()
    first, in_force = desk.resume()
    assert first == "RICs EUR* stays paused: to resume it takes 2 different users, and eve (uid 7) is number 1"
    assert in_force == f"{IN_FORCE}; eve (uid 7) agrees to resume: it is back"
    assert desk.resume(by=Caller("eve2 (uid 7)", 7), reason="again")[0].startswith("nothing changes")
    desk.rig.put({"BID": 1})
    assert desk.rig.posts == []
    assert desk.resume(by=BOB) == ["RICs EUR* resumed", "nothing is paused"]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_who_agreed_to_end_an_earlier_pause_has_not_agreed_to_end_this_one() -> None:
    desk = Desk(approvals=2)
    desk.pause()
    desk.resume(by=EVE)
    desk.resume(by=BOB)
    desk.pause()
    assert "stays paused" in desk.resume(by=BOB)[0]


def test_who_agreed_before_the_same_was_paused_again_has_not_agreed_to_end_that() -> None:
    desk = Desk(approvals=2)
    desk.pause()
    desk.resume(by=EVE)
    desk.rig.tick(5.0)
    [_, in_force] = desk.pause(by=BOB, reason="another")
    assert in_force == IN_FORCE
    first, in_force = desk.resume(by=BOB)
    assert first == "RICs EUR* stays paused: to resume it takes 2 different users, and bob (uid 8) is number 1"
    assert in_force.startswith("in force: RICs EUR* paused by bob (uid 8)")
    assert desk.resume(by=EVE) == ["RICs EUR* resumed", "nothing is paused"]
