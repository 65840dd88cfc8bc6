"""A partition that cannot be read is told of and paused, and nothing comes out of ``poll`` for the others."""

from types import SimpleNamespace
from typing import Any

import kafka.codec
import pytest
from kafka import TopicPartition, errors
from kafka.consumer.fetcher import CompletedFetch, Fetcher
from kafka.consumer.subscription_state import SubscriptionState
from kafka.record.memory_records import MemoryRecords
from tests.streams import bad_batches
from tests.streams.bad_batches import CODECS, batch

from contribd.streams.client.fetch_faults import keep_apart
from contribd.streams.client.port import FetchFault
from contribd.streams.client.settings import KafkaSettings

BAD, GOOD = TopicPartition("prices", 0), TopicPartition("prices", 1)
FIVE = [b"%d" % number for number in range(5)]
SETTINGS = KafkaSettings(("k:9092",), "group", ("prices",), "results", None, "latest", "host", {})
LARGE = [b"%d" % number + b"x" * 300 for number in range(5)]
"""Worth compressing: the client does not write a batch that grows by it."""


class Cluster:
    """What the fetcher asks of the client besides its subscription."""

    def request_update(self) -> None:
        return

    def update_partition_leader(self, *_: Any) -> bool:
        return False


class Polled:
    """kafka-python's own fetcher and subscription, and answers that are handed to it."""

    def __init__(self) -> None:
        manager = SimpleNamespace(_net=None, cluster=Cluster(), broker_version=(4, 1))
        self.subscription = SubscriptionState("earliest")
        self.subscription.assign_from_user([BAD, GOOD])
        self.fetcher = Fetcher(
            SimpleNamespace(_manager=manager), self.subscription, isolation_level="read_committed", max_poll_records=100
        )
        self.told: list[tuple[TopicPartition, FetchFault | None]] = []
        keep_apart(self, SETTINGS, lambda tp, fault: self.told.append((tp, fault)))
        for tp in (BAD, GOOD):
            self.subscription.seek(tp, 0)

    # What ``keep_apart`` uses of a consumer

    @property
    def _fetcher(self) -> Fetcher:
        return self.fetcher

    @property
    def _subscription(self) -> SubscriptionState:
        return self.subscription

    def pause(self, tp: TopicPartition) -> None:
        self.subscription.pause(tp)

    def highwater(self, tp: TopicPartition) -> int | None:
        end: int | None = self.subscription.assignment[tp].highwater
        return end

    # The test's

    def answer(self, tp: TopicPartition, content: bytes = b"", error: int = 0, end: int = 1000) -> None:
        """What a broker answers to a fetch of where the partition is now."""
        data = SimpleNamespace(
            error_code=error,
            high_watermark=end,
            records=content,
            aborted_transactions=None,
            diverging_epoch=None,
            preferred_read_replica=-1,
            current_leader=None,
        )
        offset = self.subscription.assignment[tp].position.offset
        self.fetcher._completed_fetches.append(CompletedFetch(tp, offset, 12, data, None))

    def poll(self) -> dict[TopicPartition, list[int]]:
        """The offsets of the records that come, as often as the client would ask."""
        found: dict[TopicPartition, list[int]] = {}
        for _ in range(5):
            for tp, records in self.fetcher.fetched_records()[0].items():
                found.setdefault(tp, []).extend(record.offset for record in records)
        return found

    def position(self, tp: TopicPartition) -> int:
        offset: int = self.subscription.assignment[tp].position.offset
        return offset


@pytest.fixture
def polled() -> Polled:
    return Polled()


def only_fault(polled: Polled) -> FetchFault:
    [(tp, fault)] = polled.told
    assert tp == BAD
    assert fault is not None
    return fault


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("spoil", bad_batches.SPOILT.values(), ids=bad_batches.SPOILT)
def test_a_bad_batch_holds_its_own_partition_and_no_other(polled: Polled, spoil: Any, codec: str) -> None:
    polled.answer(BAD, spoil(batch(LARGE, codec)))
    polled.answer(GOOD, batch(FIVE))
    assert polled.poll() == {GOOD: [0, 1, 2, 3, 4]}
    fault = only_fault(polled)
    assert (fault.offset, fault.skippable, fault.passing) == (0, True, False)
    assert polled.position(BAD) == 0
    assert polled.subscription.is_paused(BAD)
    assert not polled.subscription.is_paused(GOOD)


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != "none"])
def test_whatever_a_codec_raises_over_noise_stays_in_the_partition(polled: Polled, codec: str) -> None:
    polled.answer(BAD, bad_batches.with_garbage(batch(LARGE, codec)))
    polled.answer(GOOD, batch(FIVE))
    assert polled.poll() == {GOOD: [0, 1, 2, 3, 4]}
    fault = only_fault(polled)
    assert (fault.offset, fault.last) == (0, 4)
    assert fault.what == f"what is compressed in it with {codec} cannot be decompressed"


def test_it_is_tried_anew_once_it_is_resumed_and_read_where_it_was_healed(polled: Polled) -> None:
    good = batch(FIVE)
    polled.answer(BAD, bad_batches.with_wrong_checksum(good))
    polled.poll()
    polled.subscription.resume(BAD)
    polled.answer(BAD, bad_batches.with_wrong_checksum(good))
    assert polled.poll() == {}
    assert [tp for tp, _ in polled.told] == [BAD, BAD]
    polled.subscription.resume(BAD)
    polled.answer(BAD, good)
    assert polled.poll() == {BAD: [0, 1, 2, 3, 4]}


def test_what_comes_before_it_is_given_first(polled: Polled) -> None:
    bad = bad_batches.with_wrong_checksum(batch(FIVE, base=5))
    polled.answer(BAD, batch(FIVE) + bad + batch(FIVE, base=10))
    assert polled.poll() == {BAD: [0, 1, 2, 3, 4]}
    fault = only_fault(polled)
    assert (fault.offset, fault.last) == (5, 9)
    assert polled.position(BAD) == 5


def test_records_before_a_bad_one_in_its_batch_are_given_and_the_fault_names_the_rest(polled: Polled) -> None:
    polled.answer(BAD, bad_batches.with_a_bad_record(batch(FIVE), 3))
    assert polled.poll() == {BAD: [0, 1, 2]}
    fault = only_fault(polled)
    assert (fault.offset, fault.last, fault.what) == (3, 4, "its records cannot be parsed")


@pytest.mark.parametrize(("start", "bad"), [(3, 1), (3, 0), (3, 3), (2, 4)])
def test_a_position_within_a_bad_batch_never_goes_back(polled: Polled, start: int, bad: int) -> None:
    polled.subscription.seek(BAD, start)
    polled.answer(BAD, bad_batches.with_a_bad_record(batch(FIVE), bad))
    polled.poll()
    fault = only_fault(polled)
    assert (fault.offset, fault.last) == (max(start, bad), 4)
    assert polled.position(BAD) == max(start, bad)


@pytest.mark.parametrize(
    ("content", "end", "offsets"),
    [
        pytest.param(bad_batches.with_wrong_checksum(batch(FIVE)), 1000, (0, 4), id="the header can be believed"),
        pytest.param(bad_batches.with_wrong_checksum(batch(FIVE, base=3)), 1000, (3, 7), id="it begins behind a gap"),
        pytest.param(bad_batches.with_last_delta(batch(FIVE), 2**31 - 1), 1000, (0, 0), id="past the log's end"),
        pytest.param(bad_batches.with_last_delta(batch(FIVE), -5), 1000, (0, 0), id="before its beginning"),
        pytest.param(bad_batches.with_last_delta(batch(FIVE), 2), 1000, (0, 0), id="fewer offsets than records"),
        pytest.param(
            bad_batches.with_last_delta(batch(FIVE), 2**20) + batch(FIVE, base=5), 2**30, (0, 4), id="the next one says"
        ),
    ],
)
def test_it_names_the_offsets_that_the_header_makes_plausible(
    polled: Polled, content: bytes, end: int, offsets: tuple[int, int]
) -> None:
    polled.answer(BAD, content, end=end)
    polled.poll()
    fault = only_fault(polled)
    assert (fault.offset, fault.last) == offsets


@pytest.mark.parametrize(
    ("content", "what", "cure"),
    [
        (bad_batches.with_wrong_checksum(batch(FIVE)), "its checksum is wrong", "from another replica"),
        (bad_batches.with_codec(batch(FIVE), 7), "its codec, number 7, is none that Kafka has", "what wrote it"),
        (bad_batches.with_garbage(batch(FIVE)), "its records cannot be parsed", "what wrote it"),
        (b"\0" * 40, "what the broker sends is no whole batch", "from another replica"),
        (bad_batches.cut(batch(FIVE)), "what the broker sends is no whole batch", "from another replica"),
    ],
)
def test_it_says_what_is_wrong_and_what_to_do(polled: Polled, content: bytes, what: str, cure: str) -> None:
    polled.answer(BAD, content)
    polled.poll()
    fault = only_fault(polled)
    assert fault.what == what
    assert fault.cure.endswith(cure)


@pytest.fixture
def no_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka.codec, "zstd", None)


@pytest.mark.usefixtures("no_zstd")
def test_a_codec_that_is_not_installed_is_told_by_its_package(polled: Polled) -> None:
    polled.answer(BAD, batch(LARGE, "lz4"))
    assert polled.poll() == {BAD: [0, 1, 2, 3, 4]}
    polled.answer(BAD, ZSTD)
    assert polled.poll() == {}
    fault = only_fault(polled)
    assert fault.what == "it is compressed with zstd, and the Python package zstandard is not installed"
    assert fault.cure == "install zstandard beside contribd and start it again"


ZSTD = batch(LARGE, "zstd", base=5)


@pytest.mark.parametrize(
    ("error", "what", "passing", "skippable"),
    [
        (errors.TopicAuthorizationFailedError, "user ANONYMOUS may not read topic prices: it needs", False, False),
        (errors.UnknownTopicOrPartitionError, "the brokers know no such topic just now", True, False),
        (errors.NotLeaderForPartitionError, "no broker leads the partition just now", True, False),
        (errors.KafkaStorageError, "the broker cannot read its disk", True, False),
        (errors.UnknownError, "the broker failed to read it", False, False),
        (errors.CorruptRecordError, "the broker cannot read its own log there", False, True),
    ],
)
def test_a_refusal_of_one_partition_is_its_own(
    polled: Polled, error: type[errors.BrokerResponseError], what: str, passing: bool, skippable: bool
) -> None:
    polled.answer(BAD, error=error.errno)
    polled.answer(GOOD, batch(FIVE))
    assert polled.poll() == {GOOD: [0, 1, 2, 3, 4]}
    fault = only_fault(polled)
    assert fault.what.startswith(what)
    assert (fault.offset, fault.last, fault.passing, fault.skippable) == (0, 0, passing, skippable)
    polled.subscription.resume(BAD)
    polled.answer(BAD, batch(FIVE))
    assert polled.poll() == {BAD: [0, 1, 2, 3, 4]}
    assert polled.told[1:] == [(BAD, None)]


def test_an_offset_out_of_range_is_left_to_who_is_told_of_it(polled: Polled) -> None:
    asked: list[TopicPartition] = []
    polled.subscription.request_offset_reset = asked.append
    polled.answer(BAD, error=errors.OffsetOutOfRangeError.errno)
    assert polled.poll() == {}
    assert (asked, polled.told) == ([BAD], [])


def test_the_client_without_it_raises_for_all_partitions_and_then_never_comes_back() -> None:
    """What is mended; if a release of the client mends it itself, this can go."""
    bare = Fetcher.PartitionRecords(0, BAD, MemoryRecords(bad_batches.with_wrong_checksum(batch(FIVE))))
    with pytest.raises(errors.CorruptRecordError):
        bare.take(5)
    assert bare.take(5) == []
    assert bare, "it is not drained: the fetcher would ask it for ever"
