"""What the results topic says of one RIC, read from its end backwards, on the embedded broker."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.results.conftest import ResultWriter
from tests.results.made_results import result_of

from contribd.engine.records.price import Status
from contribd.ops.ric_search import NotLooked
from contribd.results import further_back
from contribd.results.further_back import ResultsBackwards
from contribd.results.reader import reading
from contribd.streams.client.partitioner import partition_of
from contribd.streams.client.topic_reader import opened_reader

STAMP = 1_795_000_000_000


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further_back, "REST", 0.0)
    monkeypatch.setattr(further_back, "FIRST", 4)


class Topic:
    """A results topic of three partitions, to which results are written as the daemon does: by their RIC."""

    def __init__(self, broker: str, name: str, writer: ResultWriter) -> None:
        self.name = name
        self._writer = writer
        self._number = 0
        self.backwards = ResultsBackwards(reading(broker, name, {}))

    def write(self, ric: str, *statuses: Status, service: str = "TRCC", count: int = 1) -> None:
        for status in statuses * count:
            self._number += 1
            self.write_value(ric, result_of(self._number, ric=ric, service=service, status=status))

    def write_value(self, ric: str, value: bytes) -> None:
        partition = partition_of(ric.encode(), [0, 1, 2])
        stamp = STAMP + 1000 * self._number
        self._writer.write(self.name, value, key=ric.encode(), partition=partition, timestamp_ms=stamp)


@pytest.fixture
def topic(broker: str, new_topic: Callable[..., str], writer: ResultWriter) -> Topic:
    return Topic(broker, new_topic(partitions=3), writer)


def offset(value: bytes | None) -> int | None:
    return None if value is None else int(value.partition(b'"offset": ')[2].partition(b",")[0])


def test_the_last_result_is_found_behind_others_and_how_far_was_looked_is_told(topic: Topic) -> None:
    topic.write("EUR=", Status.NAK, Status.ACK)  # 1, 2
    topic.write("EUR=X", Status.ACK)
    same = next(f"R{n}" for n in range(99) if partition_of(b"R%d" % n, [0, 1, 2]) == partition_of(b"EUR=", [0, 1, 2]))
    topic.write(same, Status.ACK, count=17)
    found = topic.backwards("EUR=", ["TRCC"])
    ((service, last),) = found.found
    assert (service, offset(last.value), last.posted, last.at) == ("TRCC", 2, None, (STAMP + 2000) * 1000)
    assert (found.results, found.whole) == (2, True)
    assert found.read >= 19
    assert found.back_to == pytest.approx((STAMP + 1000) / 1000)
    assert found.place == f"partition {partition_of(b'EUR=', [0, 1, 2])} of topic {topic.name}"


def test_the_last_one_that_was_posted_is_looked_for_where_the_last_was_not(topic: Topic) -> None:
    topic.write("EUR=", Status.NAK, Status.ACK)
    topic.write("EUR=", Status.SUPPRESSED, count=13)
    ((_, last),) = topic.backwards("EUR=", ["TRCC"]).found
    assert (offset(last.value), offset(last.posted)) == (15, 2)


def test_no_more_is_read_than_is_needed_and_never_more_than_the_bound(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.write("EUR=", Status.ACK, count=12)
    near = topic.backwards("EUR=", ["TRCC"])
    assert near.read < 12
    assert not near.whole
    monkeypatch.setattr(further_back, "MOST", 9)
    far = topic.backwards("EUR=", ["TRCC", "OTHER"])
    assert 0 < far.read <= 9
    assert not far.whole
    assert [service for service, _ in far.found] == ["TRCC"]


def test_each_service_has_its_own(topic: Topic) -> None:
    topic.write("EUR=", Status.ACK, service="OTHER")
    topic.write("EUR=", Status.ACK, count=7)
    found = topic.backwards("EUR=", ["TRCC", "OTHER"])
    assert [(service, offset(last.value)) for service, last in found.found] == [("OTHER", 1), ("TRCC", 8)]


def test_what_is_no_result_is_passed_over(topic: Topic) -> None:
    topic.write("EUR=", Status.ACK)
    for value in (b"", b"[1", b"7", b'{"a": 1}'):
        topic.write_value("EUR=", value)
    found = topic.backwards("EUR=", ["TRCC"])
    assert [offset(last.value) for _, last in found.found] == [1]
    assert found.results == 1


def test_an_empty_topic_has_nothing(topic: Topic) -> None:
    found = topic.backwards("EUR=", ["TRCC"])
    assert (found.found, found.read, found.back_to, found.whole) == ([], 0, None, True)


def test_it_reads_no_faster_than_its_pace(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.write("EUR=", Status.EXPIRED, count=20)
    monkeypatch.setattr(further_back, "PACE", 40.0)
    began = time.monotonic()
    read = topic.backwards("EUR=", ["TRCC"]).read
    assert read >= 20
    assert time.monotonic() - began >= read / 40


def test_what_could_not_be_read_in_time_is_not_told(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.write("EUR=", Status.ACK)
    monkeypatch.setattr(further_back, "SECONDS", 0.0)
    with pytest.raises(NotLooked, match="too few results within 0 s: try again"):
        topic.backwards("EUR=", ["TRCC"])


def test_one_search_at_a_time_and_a_rest_between_two(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.write("EUR=", Status.ACK)
    reading_now, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Any:
        reading_now.set()
        assert go_on.wait(20)
        return opened_reader(*arguments)

    monkeypatch.setattr(further_back, "opened_reader", slowly)
    monkeypatch.setattr(further_back, "REST", 60.0)
    first = threading.Thread(target=topic.backwards, args=("EUR=", ["TRCC"]))
    first.start()
    try:
        assert reading_now.wait(20)
        with pytest.raises(NotLooked, match="one search at a time") as busy:
            topic.backwards("EUR=", ["TRCC"])
        assert busy.value.busy
    finally:
        go_on.set()
        first.join(20)
    with pytest.raises(NotLooked, match="try again in a few seconds"):
        topic.backwards("EUR=", ["TRCC"])


@pytest.mark.parametrize(("away", "why"), [(True, "cannot read from Kafka at"), (False, "there is no topic none")])
def test_why_it_cannot_be_read_is_told_and_the_next_may_try(broker: str, away: bool, why: str) -> None:
    servers = "127.0.0.1:1" if away else broker
    backwards = ResultsBackwards(reading(servers, "none", {"bootstrap_timeout_ms": 300}))
    for _ in range(2):
        with pytest.raises(NotLooked, match=why):
            backwards("EUR=", ["TRCC"])
