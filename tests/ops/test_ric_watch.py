"""What is wrong now, RIC by RIC, told from results as the engine writes them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contribd.engine.clock import Now
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.price import Price, Reason, Record, Status, settle, withdraw
from contribd.engine.records.result_encoder import Encoded, ResultEncoder
from contribd.engine.states import TrackerState
from contribd.engine.view import PartitionStatus
from contribd.mapping.outcome import Mapped, PostType
from contribd.ops.last_results import MAX_VALUE, LastResults
from contribd.ops.ric_watch import LOOK_SECONDS, RicWatch
from contribd.ops.snapshot import IsolatedView, WrongView

P0, P1 = Partition("prices", 0), Partition("prices", 1)
START = 1_800_000_000_000_000
ENCODER = ResultEncoder(instance="host-1", version="1.2.3", config="abc")


def mapped(ric: str) -> Mapped:
    return Mapped(ric, "TRCC", "fx", PostType.UPDATE, {"BID": Decimal("1.10")})


def result(
    ric: str, status: Status, offset: int = 5, code: str | None = None, text: str | None = None, at: Partition = P0
) -> Encoded:
    price = Price(OffsetTracker(at, 0), Record(offset, START // 1000, b"k", b"{}"), mapped(ric), START)
    return ENCODER.encode(settle(price, status, START, code, text))


def blanks(ric: str) -> Encoded:
    """The result of a withdrawal."""
    return ENCODER.encode(settle(withdraw(OffsetTracker(P0, 0), mapped(ric), Reason.SILENT, START), Status.ACK, START))


def status_of(partition: Partition, *, paused: bool = False) -> PartitionStatus:
    return PartitionStatus(partition, TrackerState.TAKING, 0, 0, 0, paused)


class Watched:
    """A watch with its clock in hand."""

    def __init__(self, stale_after: float | None = None) -> None:
        self.busy: set[tuple[str, str]] = set()
        self.watch = RicWatch(stale_after, lambda service, ric: (service, ric) in self.busy)
        self.mono = 0.0

    @property
    def now(self) -> Now:
        return Now(self.mono, START + round(self.mono * 1e6))

    def add(self, *results: Encoded) -> None:
        self.watch.add(results, self.now)

    def look(
        self,
        after: float = LOOK_SECONDS,
        *,
        partitions: Sequence[PartitionStatus] = (status_of(P0), status_of(P1)),
        isolated: Sequence[IsolatedView] = (),
        heard: bool = True,
    ) -> dict[str, WrongView]:
        """What is wrong ``after`` seconds, by RIC."""
        self.mono += after
        found = self.watch.look(partitions, isolated, self.now, heard=heard)
        assert sum(dict(found.counts).values()) >= len(found.shown)
        return {each.ric: each for each in found.shown}

    def what(self, after: float = LOOK_SECONDS, **more: Any) -> dict[str, str]:
        return {ric: each.what for ric, each in self.look(after, **more).items()}


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (Status.NAK, "refused"),
        (Status.ERROR, "refused"),
        (Status.UNANSWERED, "unanswered"),
        (Status.REJECTED, "rejected"),
    ],
)
def test_a_ric_is_wrong_by_its_last_answer_until_a_price_of_it_is_accepted(status: Status, what: str) -> None:
    watched = Watched()
    watched.add(result("EUR=", status, code="DeniedBySrc", text="[500]: Unknown Item"), result("GBP=", Status.ACK))
    wrong = watched.look()["EUR="]
    assert (wrong.what, wrong.code, wrong.text) == (what, "DeniedBySrc", "[500]: Unknown Item")
    assert (wrong.since, wrong.last_record_at, wrong.source) == (START / 1e6, START / 1e6, "prices:0:5")
    for other in (Status.CONFLATED, Status.EXPIRED, Status.IGNORED):
        watched.add(result("EUR=", other, offset=6))
    later = watched.look()["EUR="]
    assert (later.what, later.code, later.since, later.source) == (what, "DeniedBySrc", wrong.since, "prices:0:6")
    watched.add(result("EUR=", Status.ACK, offset=7))
    assert watched.what() == {}


def test_since_is_the_first_of_the_same_answers() -> None:
    watched = Watched()
    watched.add(result("EUR=", Status.NAK))
    watched.mono += 10
    watched.add(result("EUR=", Status.ERROR))
    assert watched.look()["EUR="].since == START / 1e6
    watched.add(result("EUR=", Status.UNANSWERED))
    assert watched.look()["EUR="].since == watched.now.wall / 1e6 - LOOK_SECONDS


def test_counts_are_of_all_though_few_are_shown() -> None:
    watched = Watched()
    watched.add(*(result(f"R{number}", Status.NAK) for number in range(150)))
    watched.mono += 1
    found = watched.watch.look([status_of(P0)], (), watched.now, heard=True)
    assert dict(found.counts) == {"refused": 150, "unanswered": 0, "rejected": 0, "isolated": 0, "silent": 0}
    assert len(found.shown) == 100
    assert found.shown[0].ric == "R149"


def test_one_that_is_posted_by_itself_is_told_once() -> None:
    watched = Watched()
    watched.add(result("EUR=", Status.UNANSWERED))
    isolated = [IsolatedView(ric, "TRCC", "silent", 0, 0.0) for ric in ("EUR=", "GBP=")]
    assert watched.what(isolated=isolated) == {"EUR=": "unanswered", "GBP=": "isolated"}


# Silence


def test_a_ric_is_silent_after_its_time_and_until_its_next_record() -> None:
    watched = Watched(stale_after=10.0)
    watched.look()
    watched.add(result("EUR=", Status.ACK), result("GBP=", Status.ACK))
    assert watched.what(10.0) == {}
    watched.add(result("GBP=", Status.CONFLATED))
    assert watched.what(1.0) == {"EUR=": "silent"}
    assert watched.look()["EUR="].since == START / 1e6 + LOOK_SECONDS
    watched.add(result("EUR=", Status.REJECTED))
    assert watched.what() == {"EUR=": "rejected"}


def test_none_is_silent_where_that_is_not_asked_for() -> None:
    watched = Watched()
    watched.add(result("EUR=", Status.ACK))
    assert watched.what(1e6) == {}


def test_one_whose_prices_wait_is_not_silent() -> None:
    watched = Watched(stale_after=10.0)
    watched.look()
    watched.add(result("EUR=", Status.ACK))
    watched.busy.add(("TRCC", "EUR="))
    assert watched.what(20.0) == {}
    watched.busy.clear()
    assert watched.what() == {"EUR=": "silent"}


@pytest.mark.parametrize(
    "deaf",
    [{"heard": False}, {"partitions": [status_of(P0, paused=True), status_of(P1)]}],
    ids=["Kafka is away", "too much waits"],
)
def test_while_no_record_could_come_none_is_silent_and_the_time_begins_anew(deaf: dict[str, Any]) -> None:
    watched = Watched(stale_after=10.0)
    watched.look()
    watched.add(result("EUR=", Status.ACK))
    assert watched.what(100.0, **deaf) == {}
    assert watched.what() == {}
    assert watched.what(10.0) == {}
    assert watched.what() == {"EUR=": "silent"}


def test_a_withdrawal_is_no_record() -> None:
    watched = Watched(stale_after=10.0)
    watched.look()
    watched.add(result("EUR=", Status.ACK))
    watched.mono += 5
    watched.add(blanks("EUR="))
    assert watched.what(6.0) == {"EUR=": "silent"}
    (_, last), *_ = watched.watch.last.find("EUR=", ["TRCC"])
    assert msgspec.json.decode(last.value)["withdrawal"]["reason"] == "silent"
    assert watched.what(partitions=[status_of(P1)]) == {}
    assert len(watched.watch.last) == 0


# What is forgotten


def test_rics_of_a_partition_that_has_gone_are_forgotten_since_others_post_them() -> None:
    watched = Watched(stale_after=10.0)
    watched.look()
    watched.add(result("EUR=", Status.NAK), result("GBP=", Status.NAK, at=P1))
    assert set(watched.what()) == {"EUR=", "GBP="}
    assert set(watched.what(partitions=[status_of(P1)])) == {"GBP="}
    assert set(watched.what(100.0)) == {"GBP="}


def test_those_longest_without_a_record_are_forgotten_first() -> None:
    last = LastResults(size=10)
    last.add([result(ric, Status.NAK) for ric in "ABCDEFGHIJ"], START)
    last.add([result("A", Status.ACK)], START + 1)
    assert (len(last), last.forgotten) == (10, 0)
    last.add([result("K", Status.NAK)], START + 2)
    assert (len(last), last.forgotten) == (9, 2)
    assert [ric for ric in "ABCDK" if last.find(ric, ["TRCC"])] == ["A", "D", "K"]
    assert (b"B", b"TRCC") not in last.wrong


def test_what_was_posted_last_is_kept_beside_what_was_not_posted() -> None:
    last = LastResults()
    last.add([result("A", Status.ACK, offset=1), result("A", Status.EXPIRED, offset=2)], START)
    last.add([result("A", Status.EXPIRED, offset=3)], START)
    (service, found), *others = last.find("A", ["TRCC", "OTHER"])
    assert (service, others) == ("TRCC", [])
    assert [offset(found.value), offset(found.posted)] == [3, 1]
    last.add([result("A", Status.NAK, offset=4)], START)
    assert last.find("A", ["TRCC"])[0][1].posted is None


def offset(value: bytes | None) -> object:
    return msgspec.json.decode(value or b"")["source"]["offset"]


def test_of_a_large_result_only_status_and_source_are_kept() -> None:
    last = LastResults()
    last.add([result("A", Status.NAK, text="x" * MAX_VALUE), result("B", Status.ACK, text="x" * MAX_VALUE)], START)
    kept = [msgspec.json.decode(found.value) for ric in "AB" for _, found in last.find(ric, ["TRCC"])]
    source = {"topic": "prices", "partition": 0, "offset": 5}
    assert kept == [{"status": "NAK", "source": source}, {"status": "ACK", "source": source}]
    assert list(last.wrong) == [(b"A", b"TRCC")]


def test_results_without_a_ric_are_no_rics() -> None:
    last = LastResults()
    last.add([Encoded(None, b"{}", [("status", b"REJECTED"), ("ric", b""), ("service", b""), ("source", b"p:0:1")])], 1)
    assert (len(last), last.wrong) == (0, {})
