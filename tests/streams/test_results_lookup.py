"""What is looked up in the results topic, how far back, and what it cannot tell."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from contribd.engine.limits import STAMP_MARGIN
from contribd.engine.records.offsets import Partition
from contribd.streams.client.errors import KafkaError, TopicAuthorizationFailedError, TopicMissing
from contribd.streams.client.port import ResultSource
from contribd.streams.client.sentences import RIGHTS
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group import results_lookup as lookup_module
from contribd.streams.group.results_lookup import BRIEFLY, ResultsLookup, Wanted
from contribd.streams.runtime import Runtime

P, Q = Partition("prices", 3), Partition("prices", 12)
NOW = 1_800_000_000.0


class _Results:
    """A results topic of these, three to a poll."""

    def __init__(self, sources: list[str], oldest: int | None = None) -> None:
        parts = [each.partition("@") for each in sources]
        self.waiting = [ResultSource(source.encode(), topic_id.encode() or None) for source, _, topic_id in parts]
        self.oldest_stamp = oldest
        self.gone_to: list[Any] = []
        self.closed = False

    def go_to(self, time: int | None) -> int:
        self.gone_to.append(time)
        return len(self.waiting)

    def go_to_last(self, most: int) -> int:
        self.gone_to.append(("last", most))
        return len(self.waiting)

    def poll(self, _seconds: float) -> list[ResultSource]:
        found, self.waiting = self.waiting[:3], self.waiting[3:]
        return found

    def left(self) -> int:
        return len(self.waiting)

    def oldest(self) -> int | None:
        return self.oldest_stamp

    def close(self) -> None:
        self.closed = True


class Looking:
    """A lookup whose background is run when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *results: _Results | Exception) -> None:
        self.mono = 0.0
        self.work: list[Callable[[], None]] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        left = list(results)

        def opened() -> _Results:
            found = left.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        runtime = SimpleNamespace(
            mono=lambda: self.mono,
            background=lambda _name, work: self.work.append(work),
            clocks=lambda: (self.mono, self.mono, NOW),
        )
        write = lambda text, **details: self.told.append((text, details))  # noqa: E731
        monkeypatch.setattr(lookup_module, "_log", SimpleNamespace(info=write, warning=write))
        settings = KafkaSettings(("b:1",), "g", ("prices",), "results", None, "earliest", "i")
        kafka: Any = SimpleNamespace(results=opened)
        made: Runtime = runtime  # type: ignore[assignment]
        self.lookup = ResultsLookup(kafka, settings, made)

    def run(self) -> None:
        work, self.work = self.work, []
        for each in work:
            each()


def test_what_has_its_result_is_found_in_the_background_once(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _Results(["prices:3:5", "prices:3:7@now", "prices:3:8@before", "prices:12:5", "", "prices:3:99", "x:y:z"])
    looking = Looking(monkeypatch, results)
    wanted = {P: Wanted("now", 5, 20, since=round(NOW * 1000))}
    assert looking.lookup.ask(wanted) == {}
    assert looking.lookup.ask(wanted) == {}
    assert len(looking.work) == 1
    looking.run()
    settled = looking.lookup.ask(wanted)[P]
    assert [offset for offset in range(30) if offset in settled] == [5, 7]
    assert settled.problem is None
    assert results.closed
    assert results.gone_to == [round((NOW - STAMP_MARGIN) * 1000)]
    assert looking.work == []
    looking.lookup.forget([P])
    looking.lookup.ask(wanted)
    assert len(looking.work) == 1


@pytest.mark.parametrize(
    ("wanted", "gone_to"),
    [
        ([Wanted("t", 0, 9, since=5_000_000)], 1_400_000),
        ([Wanted("t", 0, 9, since=5_000_000), Wanted("t", 0, 9, since=4_000_000)], 400_000),
        ([Wanted("t", 0, 9, since=5_000_000), Wanted("t", 0, 9)], None),
        ([Wanted("t", 0, 9, since=round((NOW + 3_600) * 1000))], None),
        ([Wanted("t", 0, 9, briefly=True)], ("last", BRIEFLY)),
        ([Wanted("t", 0, 9, briefly=True), Wanted("t", 0, 9, since=5_000_000)], 1_400_000),
    ],
)
def test_it_goes_as_far_back_as_the_first_record_was_written(
    monkeypatch: pytest.MonkeyPatch, wanted: list[Wanted], gone_to: object
) -> None:
    results = _Results([])
    looking = Looking(monkeypatch, results)
    looking.lookup.ask(dict(zip((P, Q), wanted, strict=False)))
    looking.run()
    assert results.gone_to == [gone_to]


def test_results_that_were_deleted_are_said_where_they_may_be_of_the_records_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking = Looking(monkeypatch, _Results(["prices:3:7"], oldest=5_000_000))
    wanted = {P: Wanted("t", 0, 9, since=4_999_999), Q: Wanted("t", 0, 9, since=5_000_001)}
    looking.lookup.ask(wanted)
    looking.run()
    found = looking.lookup.ask(wanted)
    assert found[P].problem == "results written before 1970-01-01T01:23:20Z were deleted from the results topic"
    assert found[Q].problem is None
    assert 7 in found[P]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (TopicMissing("no topic results: allow Read"), "no topic results: allow Read"),
        (
            TopicAuthorizationFailedError({"results"}),
            f"user ANONYMOUS may not read topic results: it needs Read on Topic results {RIGHTS}",
        ),
    ],
)
def test_without_the_right_to_read_it_nothing_is_told_and_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, error: KafkaError, problem: str
) -> None:
    looking = Looking(monkeypatch, error)
    looking.lookup.ask({P: Wanted("t", 0, 9)})
    looking.run()
    settled = looking.lookup.ask({P: Wanted("t", 0, 9)})[P]
    assert (settled.count, settled.problem) == (0, problem)


def test_a_broker_that_is_away_is_asked_again_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch, KafkaError("away"), KafkaError("away"), _Results(["prices:3:7"]))
    wanted = {P: Wanted("t", 0, 9)}
    for _ in range(3):
        assert looking.lookup.ask(wanted) == {}
        looking.run()
        assert looking.work == []
        looking.lookup.ask(wanted)
        looking.mono += 3.0
    assert 7 in looking.lookup.ask(wanted)[P]
    assert [text for text, _ in looking.told] == ["cannot look up what has its result yet, trying again"]


def test_a_long_one_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _Results([f"prices:3:{n}" for n in range(60)])
    looking = Looking(monkeypatch, results)
    poll = results.poll

    def slow(seconds: float) -> list[ResultSource]:
        looking.mono += 1.0
        return poll(seconds)

    monkeypatch.setattr(results, "poll", slow)
    looking.lookup.ask({P: Wanted("t", 0, 99)})
    looking.run()
    assert looking.told == [
        ("still looking up what has its result", {"topic": "results", "read": 30, "left": 30}),
        ("still looking up what has its result", {"topic": "results", "read": 60, "left": 0}),
    ]
