"""What was last posted, as it is read in the results topic: whose, how far back, and what ends it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from contribd.engine.events import LastKnown
from contribd.engine.records.last_posted import KnownPost
from contribd.engine.records.offsets import Partition
from contribd.streams.client.errors import KafkaError, TopicMissing
from contribd.streams.client.port import WholeResult
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import last_posts as module
from contribd.streams.group.last_posts import MOST, PAUSE, SINCE, LastPosts
from contribd.streams.runtime import Runtime

P, Q = Partition("prices", 3), Partition("prices", 12)
NOW = 1_800_000_000.0
SENT = "2027-01-15T07:59:59.500000Z"
SENT_AT = 1_799_999_999_500_000


def result(
    fields: dict[str, Any] | None = None,
    *,
    ric: str = "EUR=",
    status: str = "ACK",
    source: str = "prices:3:1",
    mapping: str = "ruled",
    type_: str = "Update",
    posts: int = 1,
    withdrawal: bool = False,
) -> WholeResult:
    post = {"post_id": 1, "type": type_, "sent_at": SENT, "answer": status}
    value = msgspec.json.encode({"status": status, "mapping": mapping, "fields": fields, "posts": [post] * posts})
    return WholeResult(status.encode(), b"S", ric.encode(), b"" if withdrawal else source.encode(), withdrawal, value)


class _Topic:
    """A results topic of these, two to a poll."""

    def __init__(self, *results: WholeResult, length: int = 0) -> None:
        self.waiting = list(results)
        self.length = length
        self.gone_to: list[Any] = []
        self.closed = False

    def go_to(self, time: int | None) -> int:
        self.gone_to.append(time)
        return self.length or len(self.waiting)

    def go_to_last(self, most: int) -> int:
        self.gone_to.append(("last", most))
        return most

    def poll_whole(self, _seconds: float) -> list[WholeResult]:
        found, self.waiting = self.waiting[:2], self.waiting[2:]
        return found

    def left(self) -> int:
        return len(self.waiting)

    def close(self) -> None:
        self.closed = True


class Reading:
    """One whose background is run when the test says so."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *topics: _Topic | Exception, remembering: tuple[str, ...] = ("ruled",)
    ) -> None:
        self.mono = 0.0
        self.work: list[Callable[[], None]] = []
        self.events: list[LastKnown] = []
        self.told: list[str] = []
        self.announced = {P}
        left = list(topics)

        def opened() -> _Topic:
            found = left.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        runtime = SimpleNamespace(
            mono=lambda: self.mono,
            background=lambda _name, work: self.work.append(work),
            clocks=lambda: (self.mono, self.mono, NOW),
        )
        write = lambda text, **_details: self.told.append(text)  # noqa: E731
        monkeypatch.setattr(module, "_log", SimpleNamespace(info=write, warning=write))
        settings = KafkaSettings(
            ("k:9092",), "g", ("prices",), "results", None, "latest", "i", remembering=frozenset(remembering)
        )
        kafka: Any = SimpleNamespace(results=opened)
        asked: Runtime = runtime  # type: ignore[assignment]
        self.posts = LastPosts(kafka, settings, asked, self.events.append)

    def step(self, after: float = 0.0) -> None:
        self.mono += after
        self.posts.follow(lambda: self.announced)

    def read(self) -> dict[tuple[str, str], KnownPost]:
        """What is told of partitions that are new, in one event."""
        self.posts.begin([P])
        self.step()
        while self.work:
            self.work.pop(0)()
        self.step()
        [event] = self.events
        return dict(event.posts)


def test_the_newest_value_of_each_field_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 1, "ASK": 2}), result({"BID": 1.5}), result({"BID": 7}, ric="GBP="))
    known = Reading(monkeypatch, topic).read()
    assert known == {
        ("S", "EUR="): KnownPost({"BID": msgspec.json.decode(b"1.5"), "ASK": 2}, SENT_AT, frozenset({P})),
        ("S", "GBP="): KnownPost({"BID": 7}, SENT_AT, frozenset({P})),
    }
    assert topic.closed


@pytest.mark.parametrize("status", ["NAK", "ERROR", "REJECTED", "SUPPRESSED", "CONFLATED", "EXPIRED", "IGNORED"])
def test_what_was_not_accepted_was_not_posted(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    known = Reading(monkeypatch, _Topic(result({"BID": 1}), result({"BID": 2}, status=status))).read()
    assert known["S", "EUR="].fields == {"BID": 1}


def test_a_post_without_an_answer_may_stand_and_one_that_was_not_made_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 2}, status="UNANSWERED"), result({"BID": 3}, status="UNANSWERED", posts=0))
    assert Reading(monkeypatch, topic).read()["S", "EUR="].fields == {"BID": 2}


def test_a_refresh_replaces_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 1, "ASK": 2}), result({"BID": 3}, type_="Refresh"))
    assert Reading(monkeypatch, topic).read()["S", "EUR="].fields == {"BID": 3}


def test_a_withdrawal_and_a_result_without_its_fields_end_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    blanks = result({"BID": None}, withdrawal=True)
    topic = _Topic(result({"BID": 1}), blanks, result({"BID": 1}, ric="GBP="), result(None, ric="GBP="))
    assert Reading(monkeypatch, topic).read() == {}
    again = _Topic(result({"BID": 1}), blanks, result({"ASK": 2}))
    assert Reading(monkeypatch, again).read()["S", "EUR="].fields == {"ASK": 2}


def test_a_ric_that_comes_through_the_partition_of_another_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 1}), result({"BID": 2}, source="prices:12:5"), result({"BID": 3}))
    assert Reading(monkeypatch, topic).read() == {}


def test_rics_of_mappings_that_do_not_ask_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 1}, mapping="plain"), result({"BID": 1}, ric="GBP=", mapping="plain"), result({}))
    assert list(Reading(monkeypatch, topic).read()) == [("S", "EUR=")]


def test_where_no_mapping_asks_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, remembering=())
    reading.posts.begin([P])
    reading.step()
    assert reading.work == []


def test_what_is_no_result_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = result({"BID": 1})._replace(value=b"{")
    assert Reading(monkeypatch, _Topic(bad, result({"BID": 2}))).read()["S", "EUR="].fields == {"BID": 2}


def test_it_reads_as_far_back_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic(result({"BID": 1}))
    Reading(monkeypatch, topic).read()
    assert topic.gone_to == [(NOW - SINCE) * 1000]
    long = _Topic(result({"BID": 1}), length=MOST + 1)
    Reading(monkeypatch, long).read()
    assert long.gone_to == [(NOW - SINCE) * 1000, ("last", MOST)]


def test_of_a_partition_that_is_gone_meanwhile_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, _Topic(result({"BID": 1}), result({"BID": 2}, ric="GBP=", source="prices:12:5")))
    reading.announced = {P, Q}
    reading.posts.begin([P, Q])
    reading.step()
    reading.posts.forget([P])
    reading.work.pop()()
    reading.step()
    assert list(reading.events[0].posts) == [("S", "GBP=")]


def test_partitions_that_come_meanwhile_are_read_for_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, _Topic(), _Topic(result({"BID": 1}, source="prices:12:5")))
    reading.posts.begin([P])
    reading.step()
    reading.announced = {P, Q}
    reading.posts.begin([Q])
    reading.step()
    assert len(reading.work) == 1
    reading.work.pop()()
    reading.step()
    reading.work.pop()()
    reading.step()
    assert [list(event.posts) for event in reading.events] == [[], [("S", "EUR=")]]


def test_a_failure_is_told_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, KafkaError("away"), KafkaError("away"), _Topic(result({"BID": 1})))
    reading.posts.begin([P])
    for _ in range(3):
        reading.step(PAUSE)
        reading.work.pop()()
        reading.step()
        assert reading.work == []
    assert list(reading.events[0].posts) == [("S", "EUR=")]
    assert [text for text in reading.told if "trying again" in text] == [
        "cannot read what was last posted yet, trying again"
    ]


def test_a_topic_that_is_not_there_is_told_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, TopicMissing("there is no topic results"))
    reading.posts.begin([P])
    reading.step()
    reading.work.pop()()
    reading.step(PAUSE)
    assert reading.work == []
    assert reading.told == ["what was last posted is not known yet"]
