"""A topic that is gone is told once and makes the daemon not ready; one made anew of its name is not taken for it."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from contribd.engine.events import Revoked, Revoking
from contribd.engine.records.commit_metadata import About, Commit, restate
from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import SeenTopic
from contribd.streams.client.sentences import topics_missing
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import assignment as assignment_module
from contribd.streams.group import topic_watch as watch_module
from contribd.streams.group.assignment import Assignment
from contribd.streams.group.start_rules import Start
from contribd.streams.group.topic_watch import LOOK_SECONDS, MISSING_SECONDS, TopicWatch
from contribd.streams.runtime import THREADS

A, B = Partition("prices", 0), Partition("more", 0)
SETTINGS = KafkaSettings(("k:1",), "g", ("prices", "more"), "results", None, "latest", "one")


def start_of(topic_id: str | None) -> Start:
    return Start(Commit(0, restate("", About(topic_id, 1, 0))), 0, 0)


class Watching:
    """A watch, a clock in hand, and the topics that there are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono = 100.0
        self.there = {"prices": SeenTopic("p1", 1), "more": SeenTopic("m1", 1)}
        self.told: list[tuple[str, str]] = []
        log = SimpleNamespace(
            warning=lambda text, *, topic: self.told.append((text[:25], topic)),
            info=lambda text, *, topic: self.told.append((text[:25], topic)),
        )
        monkeypatch.setattr(watch_module, "_log", log)
        self.watch = TopicWatch(SETTINGS, lambda: self.mono)

    def look(self, after: float = LOOK_SECONDS) -> set[Partition]:
        self.mono += after
        consumer: Any = SimpleNamespace(topics=lambda: self.there)
        return self.watch.look(consumer)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    return Watching(monkeypatch)


def test_a_topic_that_is_gone_is_told_once_and_is_a_reason_until_it_is_back(watching: Watching) -> None:
    watching.look()
    del watching.there["prices"]
    for _ in range(20):
        watching.look()
    assert watching.told == [("a topic that was consumed", "prices")]
    assert watching.watch.reasons() == [f"consuming: {topics_missing(['prices'], 'Read', SETTINGS)}"]
    watching.there["prices"] = SeenTopic("p2", 1)
    watching.look()
    assert watching.told[1:] == [("the topic is there again", "prices")]
    assert watching.watch.reasons() == []


def test_one_that_is_back_at_once_is_not_told(watching: Watching) -> None:
    watching.look()
    gone = watching.there.pop("prices")
    watching.look()
    watching.look(MISSING_SECONDS - 0.1)
    watching.there["prices"] = gone
    watching.look()
    watching.look(MISSING_SECONDS)
    assert watching.told == []


def test_each_is_told_by_itself(watching: Watching) -> None:
    del watching.there["prices"]
    watching.look()
    watching.look(MISSING_SECONDS)
    del watching.there["more"]
    watching.look()
    watching.look(MISSING_SECONDS)
    assert [topic for _, topic in watching.told] == ["prices", "more"]
    assert "no topic prices, more" in watching.watch.reasons()[0]


def test_a_partition_whose_topic_was_made_anew_is_found_while_it_is_consumed(watching: Watching) -> None:
    watching.watch.begin({A: start_of("p1"), B: start_of(None)})
    assert watching.look() == set()
    watching.there = {"prices": SeenTopic("p2", 1), "more": SeenTopic("m2", 1)}
    assert watching.look(LOOK_SECONDS / 2) == set(), "not at each poll"
    assert watching.look() == {A}, "of the other it is not known what it was"
    watching.watch.forget([A])
    assert watching.look() == set()


def test_an_id_that_the_broker_does_not_tell_is_not_another_one(watching: Watching) -> None:
    watching.watch.begin({A: start_of("p1")})
    watching.there = {"prices": SeenTopic(None, 1)}
    assert watching.look() == set()


def test_such_a_partition_is_revoked_in_order_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    told: list[str] = []
    monkeypatch.setattr(assignment_module, "_log", SimpleNamespace(error=lambda text, **_details: told.append(text)))
    paused: list[Collection[Partition]] = []
    consumer: Any = SimpleNamespace(
        topics=lambda: {"prices": SeenTopic("p2", 1)},
        position=lambda _partition: 7,
        assignment=lambda: {A},
        pause=lambda partitions: paused.append(set(partitions)),
        member=lambda: None,
        heartbeats=lambda: None,
    )
    settings = KafkaSettings(("k:1",), "g", ("prices",), "results", None, "latest", "one")
    made = Assignment(
        settings,
        SimpleNamespace(),  # type: ignore[arg-type]
        runtime=THREADS,
        emit=lambda event: (events.append(event), made.release())[0],  # type: ignore[func-returns-value]
        lease=SimpleNamespace(observe=lambda *_: None),  # type: ignore[arg-type]
        static_member=SimpleNamespace(wait=0.0),  # type: ignore[arg-type]
        fencing=SimpleNamespace(),  # type: ignore[arg-type]
        leaving=THREADS.event(),
    )
    made.topics.begin({A: start_of("p1")})
    made.positions.begin({A: start_of("p1")})
    assert made.retake_changed(consumer) == {A}
    assert events == [Revoking(frozenset({A})), Revoked(frozenset({A}))]
    assert made.announced(consumer) == set(), "it is to be announced again"
    assert paused[0] == {A}
    assert told == [], "its offsets are not out of range"
