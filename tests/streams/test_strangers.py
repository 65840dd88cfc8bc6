"""Members of the group that are no contribd of these settings."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from contribd.streams.client.cluster import connect
from contribd.streams.client.errors import KafkaTimeoutError
from contribd.streams.client.port import GroupMember
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import strangers as module
from contribd.streams.group.strangers import AGAIN_SECONDS, SETTLE_SECONDS, Strangers, strangers
from contribd.streams.runtime import THREADS

SETTINGS = KafkaSettings(("127.0.0.1:1",), "desk", ("fx", "rates"), "results", None, "latest", "one", {})
OURS = GroupMember("a", "contribd-one", "contribd-one", ("rates", "fx"))
JOINING = GroupMember("b", None, "contribd-two")
OTHER = GroupMember("c", None, "reporting", ("fx",), "10.0.0.9")
ELSEWHERE = GroupMember("d", None, "contribd-three", ("bonds",))


def test_a_contribd_of_these_settings_is_none() -> None:
    assert strangers([OURS, JOINING], SETTINGS) == []


def test_another_application_and_a_contribd_of_other_topics_are_named_with_the_cure() -> None:
    other, elsewhere = strangers([OURS, OTHER, ELSEWHERE], SETTINGS)
    assert "consumer group desk has a member that is no contribd of these settings: reporting at 10.0.0.9" in other
    assert "prices of the partitions it is given are not contributed" in other.lower()
    assert "contribd-three consumes bonds and not fx, rates" in elsewhere
    assert all("kafka.group_id" in text for text in (other, elsewhere))


@pytest.mark.parametrize("topics", [None, (), ("rates", "fx")])
def test_one_without_a_name_is_known_by_its_topics_alone(topics: tuple[str, ...] | None) -> None:
    assert strangers([GroupMember("e", None, "", topics)], SETTINGS) == []
    [told] = strangers([GroupMember("e", None, "", ("bonds",))], SETTINGS)
    assert "settings: one whose client.id is not told consumes bonds and not fx, rates" in told


class Group:
    """A group whose members come and go; ``members``: an error where it cannot be asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.members: Sequence[GroupMember] | Exception = [OURS]
        self.asked = 0
        self.mono = 0.0
        self.log = Mock()
        monkeypatch.setattr(module, "_log", self.log)
        admin: Any = SimpleNamespace(members=self._members, close=lambda: None)
        kafka = replace(connect(SETTINGS), admin=lambda: admin)
        runtime = replace(THREADS, mono=lambda: self.mono, background=lambda _name, work: work())
        self.strangers = Strangers(SETTINGS, kafka, runtime)

    def _members(self, group: str) -> Sequence[GroupMember]:
        assert group == "desk"
        self.asked += 1
        if isinstance(self.members, Exception):
            raise self.members
        return self.members

    def after(self, seconds: float) -> tuple[str, ...]:
        self.mono += seconds
        self.strangers.follow()
        return self.strangers.warnings()

    @property
    def said(self) -> list[str]:
        return [name for name, _, _ in self.log.mock_calls]


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    return Group(monkeypatch)


def test_it_is_asked_once_after_each_generation(group: Group) -> None:
    group.after(1000)
    assert group.asked == 0
    group.strangers.new_generation()
    assert group.after(SETTLE_SECONDS / 2) == ()
    assert group.asked == 0
    for _ in range(5):
        group.after(AGAIN_SECONDS)
    assert group.asked == 1


def test_a_warning_once_and_once_when_it_ends(group: Group) -> None:
    for members in ([OURS, OTHER], [OURS, OTHER], [OURS, OTHER, ELSEWHERE], [OURS]):
        group.members = [JOINING, OTHER]
        group.strangers.new_generation()
        assert group.after(SETTLE_SECONDS) == group.strangers.warnings()
        group.members = members
        assert len(group.after(AGAIN_SECONDS)) == len(members) - 1
    assert group.said == ["warning", "warning", "info"]


@pytest.mark.parametrize("unanswered", [KafkaTimeoutError(), [], [OURS, JOINING]])
def test_it_is_asked_again_until_the_group_tells_of_all(group: Group, unanswered: Any) -> None:
    group.members = unanswered
    group.strangers.new_generation()
    group.after(SETTLE_SECONDS)
    group.members = [OURS, OTHER]
    assert len(group.after(AGAIN_SECONDS)) == 1
    group.after(AGAIN_SECONDS)
    assert group.asked == 2
