"""What ``contribd tap`` shows of results, and how it reads them."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tests.integration.rigs.wait import eventually
from tests.results.made_results import SOURCE, result_of, result_value

from contribd.mapping.inputs import Input
from contribd.mapping.scope import Surroundings
from contribd.results.inputs import InputError
from contribd.results.reader import AuditError, StoredResult, UnreadableResult
from contribd.results.result import Source, decode_result
from contribd.terminal.tap_model import RESULTS, Taken, TapModel, left_out_text, row_of
from contribd.terminal.tap_reader import TapReader
from contribd.terminal.tap_view import TapView

NOW = 1_800_000_000.0


def stored(value: bytes, offset: int = 0) -> StoredResult:
    return StoredResult(decode_result(value), "results", 0, offset, value)


def taken(
    *results: StoredResult, problem: str | None = None, last_at: float | None = NOW, unreadable: int = 0
) -> Taken:
    seen = Counter(each.result.status.value for each in results)
    return Taken(results, seen, Counter(), unreadable, problem, last_at)


def head(model: TapModel, now: float) -> list[str]:
    return ["".join(piece.text for piece in line) for line in model.picture(now).head]


NAK = {"status": "NAK", "code": "SymbolUnknown", "text": "F44: Unable to find item"}
CARRIED = {"topic": "prices", "partition": 3, "offset": 1815, "timestamp": None, "key": None}


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (result_value(), "BID 1.08412 ASK 1.08415"),
        (result_value(fields={"BID": None}), "BID blank"),
        (result_value(**NAK), "SymbolUnknown: F44: Unable to find item"),
        (result_value(status="CONFLATED", posts=[], carried_by=CARRIED), "carried by prices:3:1815"),
        (result_value(status="EXPIRED", posts=[]), "BID 1.08412 ASK 1.08415"),
    ],
)
def test_a_result_says_what_was_posted_or_why_not(value: bytes, what: str) -> None:
    row = dict(zip([column.name for column in RESULTS.columns], row_of(stored(value)).values, strict=True))
    assert (row["what"], row["ric"], row["source"]) == (what, "EUR=TRCC", "prices:3:1812")


def test_the_newest_comes_first_and_the_oldest_make_room() -> None:
    model = TapModel("results", 20, NOW)
    for number in range(2_100):
        model.take(taken(stored(result_of(number), number)), NOW)
    rows = model.picture(NOW).rows["results"]
    assert (len(rows), rows[0].key, rows[-1].key) == (2_000, "results:0:2099", "results:0:100")
    assert model.find("results:0:5") is None
    found = model.find("results:0:2099")
    assert found is not None
    assert found.offset == 2099


def test_the_lines_on_top_say_how_many_came_of_what_and_how_many_were_left_out() -> None:
    model = TapModel("results at kafka1:9092", 20, NOW)
    model.take(Taken((), Counter(ACK=1_000), Counter(ACK=900), 0, None, NOW), NOW)
    model.take(Taken((), Counter(ACK=1_900, NAK=10), Counter(ACK=1_700), 2, None, NOW + 1), NOW + 1)
    assert head(model, NOW + 1) == [
        "results at kafka1:9092   at most 20 lines a second",
        "1,910 results since this view began, 1,700 of them left out   2 records are no results",
        "now  ACK 900/s  NAK 10/s ",
    ]


def test_it_says_for_how_long_nothing_has_come_and_what_cannot_be_read() -> None:
    model = TapModel("results", 20, NOW)
    model.take(taken(problem="no broker answers", last_at=NOW), NOW + 12)
    lines = head(model, NOW + 12)
    assert lines[1] == "NOTHING CAN BE READ: no broker answers; trying again"
    assert "none for 12 s" in lines[2]


def test_what_was_left_out_is_told_by_status() -> None:
    assert left_out_text(Counter(NAK=3, ACK=1_977)) == "1,980 more left out: ACK 1,977, NAK 3"


class Topic:
    """Stands for the results topic: gives what is put in, fails when it is told to."""

    def __init__(self) -> None:
        self.values: list[StoredResult] = []
        self.failure: str | None = None
        self.begun = 0

    def follow(
        self, stop: Callable[[], bool], on_unreadable: Callable[[UnreadableResult], None]
    ) -> Iterator[StoredResult]:
        self.begun += 1
        if self.failure:
            raise AuditError(self.failure)
        on_unreadable(UnreadableResult("results", 0, 1, "no result"))
        while not stop():
            if self.failure:
                raise AuditError(self.failure)
            while self.values:
                yield self.values.pop(0)
            threading.Event().wait(0.005)


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def reader(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> Iterator[TapReader]:
    monkeypatch.setattr("contribd.terminal.tap_reader.AGAIN_SECONDS", 0.01)
    made = TapReader(topic.follow, 20)
    made.start()
    yield made
    made.stop()
    eventually(lambda: not made._thread.is_alive())


def test_what_comes_is_given_on_and_counted(topic: Topic, reader: TapReader) -> None:
    topic.values += [stored(result_value()), stored(result_value(**NAK))]
    eventually(lambda: reader.take(0.99).seen.total() == 2)
    found = reader.take(0.99)
    assert (dict(found.seen), found.unreadable, found.problem) == ({"ACK": 1, "NAK": 1}, 1, None)
    assert found.last_at is not None


def test_reading_that_fails_is_begun_anew_and_told_meanwhile(topic: Topic, reader: TapReader) -> None:
    eventually(lambda: topic.begun)
    topic.failure = "no topic"
    eventually(lambda: topic.begun > 3)
    assert reader.take(0.0).problem == "no topic"
    assert reader.failed_at_once is None
    topic.failure = None
    eventually(lambda: reader.take(0.0).problem is None)


def test_a_first_try_that_fails_is_known_as_that() -> None:
    topic = Topic()
    topic.failure = "no topic"
    reader = TapReader(topic.follow, 20)
    reader.start()
    eventually(lambda: reader.failed_at_once == "no topic")
    reader.stop()


def details(read: Callable[[Source], Input] | None) -> str:
    topic = Topic()
    topic.values.append(stored(result_value(), 7))
    reader = TapReader(topic.follow, 20)
    view = TapView("results", reader, 20, read)
    view.start()
    row = eventually(lambda: view.picture().rows["results"])[0]
    view.stop()
    return view.details(RESULTS, row)


def test_a_result_is_told_as_it_is_stored() -> None:
    text = details(None)
    first, _, document = text.partition("\n\n")
    assert first == "stored at results:0:7"
    assert json.loads(document) == json.loads(result_value())


def test_the_record_is_told_with_it_where_that_is_asked_for() -> None:
    record = Input(b'{"bid": 1}', Surroundings("EURUSD", "prices", 3, 1812, 5, {}))
    assert '"@value": {\n    "bid": 1\n  }' in details(lambda _source: record)

    def gone(source: Source) -> Input:
        raise InputError(f"the log does not have {source} any more")

    assert details(gone).endswith("cannot be read: the log does not have prices:3:1812 any more")
    assert SOURCE["offset"] == 1812
