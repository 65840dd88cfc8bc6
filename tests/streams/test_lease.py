"""What proves that this process still owns its partitions."""

import pytest

from contribd.streams.client import port
from contribd.streams.client.port import Heartbeats
from contribd.streams.group.lease import Joined, Lease

SESSION, ANSWER = 100.0, 30.0
PROVEN = 90.0
"""A tenth less than the session timeout."""


class LeaseMember:
    """A consumer with its clock, its heartbeats and its membership."""

    def __init__(self) -> None:
        self.mono = 1000.0
        self.heartbeats = Heartbeats(float("-inf"), float("-inf"))
        self.member = port.Member(-1, "")
        self.lease = Lease(SESSION, ANSWER, clock=lambda: self.mono)
        self.look()

    def look(self, after: float = 0.0) -> Joined | None:
        """The consumer's thread looks, ``after`` seconds later."""
        self.mono += after
        return self.lease.observe(self.member, self.heartbeats)

    def join(self, generation: int, member: str = "m", after: float = 0.0) -> Joined | None:
        self.member = port.Member(generation, member)
        return self.look(after)

    def beat(self, took: float = 0.0) -> None:
        """A heartbeat is sent, and answered ``took`` seconds later."""
        self.heartbeats = Heartbeats(self.mono, self.mono + took + 1e-9)
        self.mono += took
        self.look()

    @property
    def left(self) -> float:
        """Seconds for which the membership is proven."""
        return self.lease.until(self.member) - self.mono


def test_a_new_member_is_proven_less_the_longest_its_answer_can_have_taken() -> None:
    member = LeaseMember()
    assert isinstance(member.join(1), Joined)
    assert member.left == pytest.approx(PROVEN - ANSWER)


def test_a_new_member_is_proven_from_when_it_asked_for_its_partitions() -> None:
    member = LeaseMember()
    member.lease.synced("m", member.mono)
    member.join(1, after=5.0)
    assert member.left == pytest.approx(PROVEN - 5.0)


def test_an_answer_that_comes_after_a_look_proves_it_too() -> None:
    """A join has two answers: the consumer is a member from the first on, and has its partitions with the second."""
    member = LeaseMember()
    member.join(1, after=ANSWER)
    asked_at = member.mono
    assert member.left == pytest.approx(PROVEN - 2 * ANSWER)
    member.look(after=5.0)
    member.lease.synced("m", asked_at)
    member.look()
    assert member.left == pytest.approx(PROVEN - 5.0)
    member.lease.synced("m", member.mono)
    member.look(after=1.0)
    assert member.left == pytest.approx(PROVEN - 6.0), "of the first such request alone"


def test_what_the_group_answered_an_earlier_member_proves_nothing() -> None:
    member = LeaseMember()
    member.lease.synced("before", member.mono)
    member.join(1)
    assert member.left == pytest.approx(PROVEN - ANSWER)


def test_a_process_stopped_while_it_joined_has_proof_of_nothing() -> None:
    member = LeaseMember()
    member.join(1, after=500.0)
    assert member.left < 0


def test_an_answered_heartbeat_proves_membership_from_when_it_was_sent() -> None:
    member = LeaseMember()
    member.join(1)
    member.beat(took=5.0)
    assert member.left == pytest.approx(PROVEN - 5.0)


def test_a_heartbeat_without_an_answer_proves_nothing() -> None:
    member = LeaseMember()
    member.join(1)
    member.beat()
    member.heartbeats = member.heartbeats._replace(sent=member.mono + 50.0)
    member.look(after=50.0)
    assert member.left == pytest.approx(PROVEN - 50.0)


def test_a_new_generation_keeps_what_heartbeats_proved_and_adds_nothing() -> None:
    member = LeaseMember()
    member.join(1)
    member.beat()
    assert isinstance(member.join(2, after=500.0), Joined)
    assert member.left == pytest.approx(PROVEN - 500.0)


def test_out_of_the_group_nothing_is_proven() -> None:
    member = LeaseMember()
    member.join(1)
    member.beat()
    assert member.join(-1, "") is None
    assert member.left < 0
