"""What stands in the market, as it is read in the results topic: the same that the engine knows of its own results."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.engine.rig import START, Rig

from contribd.engine.events import Committed, StandingRead
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.keys import Key
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.records.standing import Merged, StandingQuote, after, result_of
from contribd.streams.client.errors import KafkaError, TopicAuthorizationFailedError, TopicMissing
from contribd.streams.client.port import WholeResult
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.standing_reader import MOST, PATIENCE, Reading, StandingReader

KEY = ("TRCC", "EUR=")


class Recorded:
    """Results of a real engine: as they are written, and as the engine itself knows them."""

    def __init__(self, **more: Any) -> None:
        self.rig = Rig(**more).open().assign()
        self.written: list[WholeResult] = []
        self.known: dict[Key, StandingQuote] = {}
        self._encoder = ResultEncoder(instance="i", version="v", config="c")

    def commit(self) -> None:
        """What was settled is durable."""
        merged = Merged()
        while (batch := self.rig.take()) is not None:
            for settlement in batch.settlements:
                encoded = self._encoder.encode(settlement)
                self.written.append(WholeResult.of(encoded.headers, encoded.value))
                key = settlement.outcome.service or "", settlement.outcome.ric or ""
                result = result_of(settlement, key, merged)
                if result is not None and (quote := after(self.known.get(key), result)) is not None:
                    self.known[key] = quote
            self.rig.handle(Committed(batch.number))

    def post(self, fields: dict[str, Any], **answer: Any) -> None:
        self.rig.put(fields)
        self.rig.ack(self.rig.ids[-1], **answer)
        self.commit()


def reading(*results: WholeResult) -> Reading:
    made = Reading()
    for result in results:
        made.take(result)
    return made


def test_what_is_read_is_what_the_engine_knew() -> None:
    recorded = Recorded()
    recorded.post({"BID": 1, "ASK": 2.5, "TEXT": "a"})
    recorded.rig.put({"BID": 3}, {"BID": 4, "ASK": None})
    recorded.rig.ack(recorded.rig.ids[-1])
    recorded.commit()
    recorded.post({"BID": 9}, NakCode="AccessDenied")
    found = reading(*recorded.written)
    assert found.quotes == recorded.known
    assert found.quotes[KEY].fields == {"BID": 4, "ASK": None, "TEXT": "a"}
    assert found.since == START


def test_a_value_is_as_old_as_the_price_that_was_merged() -> None:
    recorded = Recorded()
    old, new = START - 60_000_000, START
    recorded.rig.put({"BID": 1}, age=90)
    recorded.rig.put({"BID": 2, "ASK": 3}, age=60)
    recorded.rig.put({"BID": 4})
    for _ in range(2):
        recorded.rig.ack(recorded.rig.ids[-1])
        recorded.commit()
    found = reading(*recorded.written)
    assert found.quotes == recorded.known
    assert found.quotes[KEY].stamps == {"BID": new, "ASK": old}


def test_blanks_that_withdrew_it_are_known() -> None:
    recorded = Recorded(withdraw=WithdrawPolicy(on_stop=True, fields={"m": frozenset({"BID"})}))
    recorded.post({"BID": 1, "ASK": 2})
    recorded.rig.stop()
    recorded.rig.tick()
    recorded.rig.ack(recorded.rig.ids[-1])
    recorded.commit()
    found = reading(*recorded.written)
    assert found.quotes == recorded.known
    assert found.quotes[KEY].withdrawn


def test_what_is_no_result_of_a_post_is_passed_over() -> None:
    results = [
        WholeResult(b"ACK", b"TRCC", b"EUR=", b"prices:0:1", False, value)
        for value in (None, b"{}", b"\xff", b'{"status":"ACK","mapping":"m","fields":{},"source":null,"posts":[]}')
    ]
    assert reading(*results).quotes == {}


class Topic:
    """A results topic of these."""

    def __init__(self, *results: WholeResult) -> None:
        self.waiting = list(results)
        self.gone_to: list[int] = []
        self.closed = False

    def go_to_last(self, most: int) -> int:
        self.gone_to.append(most)
        return len(self.waiting)

    def poll_whole(self, _seconds: float) -> list[WholeResult]:
        return [self.waiting.pop(0)]

    def left(self) -> int:
        return len(self.waiting)

    def close(self) -> None:
        self.closed = True


class Reader:
    """One whose background is run when the test says so."""

    def __init__(self, *topics: Topic | Exception) -> None:
        self.mono = 0.0
        self.work: list[Callable[[], None]] = []
        self.read: list[StandingRead] = []
        left = list(topics)

        def opened() -> Topic:
            found = left.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        def wait(seconds: float) -> None:
            self.mono += seconds

        runtime: Any = SimpleNamespace(
            mono=lambda: self.mono,
            event=lambda: SimpleNamespace(wait=wait),
            background=lambda _name, work: self.work.append(work),
        )
        settings = KafkaSettings(("k:9092",), "g", ("prices",), "results", None, "latest", "i")
        kafka: Any = SimpleNamespace(results=opened)
        self.reader = StandingReader(kafka, settings, runtime, self.read.append)

    def run(self) -> None:
        self.work.pop(0)()


def test_one_reading_at_a_time_and_each_begins_after_it_was_asked_for() -> None:
    recorded = Recorded()
    recorded.post({"BID": 1})
    first, second = Topic(), Topic(*recorded.written)
    one = Reader(first, second)
    for number in (1, 2, 3):
        one.reader.read(number)
    assert len(one.work) == 1
    one.run()
    one.reader.follow()
    one.run()
    assert [event.number for event in one.read] == [1, 2, 3]
    assert [len(event.quotes) for event in one.read] == [0, 1, 1]
    assert (first.gone_to, first.closed, second.closed) == ([MOST], True, True)
    one.reader.follow()
    assert one.work == []


def test_where_kafka_is_away_for_a_moment_it_is_tried_again() -> None:
    one = Reader(KafkaError("away"), Topic())
    one.reader.read(1)
    one.run()
    assert one.read == [StandingRead(1, {}, None, None)]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KafkaError("away"), "away"),
        (TopicMissing("no topic results"), "no topic results"),
        (TopicAuthorizationFailedError(), "may not read topic results: it needs Read on Topic results"),
    ],
)
def test_why_it_could_not_be_read_is_told(error: Exception, text: str) -> None:
    one = Reader(*[error] * 20)
    one.reader.read(1)
    one.run()
    [event] = one.read
    assert text in str(event.failure)
    assert one.mono <= PATIENCE + 1
