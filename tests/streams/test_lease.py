"""What proves that this process still owns its partitions."""

from types import SimpleNamespace
from typing import Any

import pytest

from contribd.streams.group.lease import Joined, Lease

SESSION, ANSWER = 100.0, 30.0
PROVEN = 90.0
"""A tenth less than the session timeout."""


class Member:
    """A consumer with its clock, its heartbeats and its membership."""

    def __init__(self) -> None:
        self.mono = 1000.0
        self.heartbeat = SimpleNamespace(last_send=float("-inf"), last_receive=float("-inf"))
        self._coordinator = SimpleNamespace(heartbeat=self.heartbeat)
        self.metadata: Any = SimpleNamespace(generation_id=-1, member_id="")
        self.lease = Lease(SESSION, ANSWER, clock=lambda: self.mono)
        self.look()

    def group_metadata(self) -> Any:
        return self.metadata

    def look(self, after: float = 0.0) -> Joined | None:
        """The consumer's thread looks, ``after`` seconds later."""
        self.mono += after
        return self.lease.observe(self)

    def join(self, generation: int, member: str = "m", after: float = 0.0) -> Joined | None:
        self.metadata = SimpleNamespace(generation_id=generation, member_id=member)
        return self.look(after)

    def beat(self, took: float = 0.0) -> None:
        """A heartbeat is sent, and answered ``took`` seconds later."""
        self.heartbeat.last_send = self.mono
        self.mono += took
        self.heartbeat.last_receive = self.mono + 1e-9
        self.look()

    @property
    def left(self) -> float:
        """Seconds for which the membership is proven."""
        return self.lease.until(self.metadata) - self.mono


def test_a_new_member_is_proven_less_the_longest_its_answer_can_have_taken() -> None:
    member = Member()
    assert isinstance(member.join(1), Joined)
    assert member.left == pytest.approx(PROVEN - ANSWER)


def test_a_new_member_is_proven_from_when_it_asked_for_its_partitions() -> None:
    member = Member()
    member.lease.synced("m", member.mono)
    member.join(1, after=5.0)
    assert member.left == pytest.approx(PROVEN - 5.0)


def test_what_the_group_answered_an_earlier_member_proves_nothing() -> None:
    member = Member()
    member.lease.synced("before", member.mono)
    member.join(1)
    assert member.left == pytest.approx(PROVEN - ANSWER)


def test_a_process_stopped_while_it_joined_has_proof_of_nothing() -> None:
    member = Member()
    member.join(1, after=500.0)
    assert member.left < 0


def test_an_answered_heartbeat_proves_membership_from_when_it_was_sent() -> None:
    member = Member()
    member.join(1)
    member.beat(took=5.0)
    assert member.left == pytest.approx(PROVEN - 5.0)


def test_a_heartbeat_without_an_answer_proves_nothing() -> None:
    member = Member()
    member.join(1)
    member.beat()
    member.heartbeat.last_send = member.mono + 50.0
    member.look(after=50.0)
    assert member.left == pytest.approx(PROVEN - 50.0)


def test_a_new_generation_keeps_what_heartbeats_proved_and_adds_nothing() -> None:
    member = Member()
    member.join(1)
    member.beat()
    assert isinstance(member.join(2, after=500.0), Joined)
    assert member.left == pytest.approx(PROVEN - 500.0)


def test_out_of_the_group_nothing_is_proven() -> None:
    member = Member()
    member.join(1)
    member.beat()
    assert member.join(-1, "") is None
    assert member.left < 0
