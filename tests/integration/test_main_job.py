"""The main job on the real things: Kafka in, LSEG's own provider as the ADS, results out."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import FedRecords, assert_one_each, feed, read_results, records
from tests.integration.rigs.provider_rig import JournaledPost, Provider
from tests.integration.rigs.wait import eventually

from contribd.results.result import Result

COUNT = 3_000
PARTITIONS = 4


class Job:
    """A daemon between topics of its own and a provider of its own."""

    def __init__(self, directory: Path, kafka: KafkaBroker, provider: Provider, **sections: Any) -> None:
        self.kafka = kafka
        self.provider = provider
        self.prices, self.results_topic = unique("prices"), unique("results")
        kafka.create_topic(self.prices, PARTITIONS)
        kafka.create_topic(self.results_topic, PARTITIONS)
        self.daemon = Daemon(
            directory,
            kafka=kafka.bootstrap,
            endpoints=[provider.url],
            topics=(self.prices, self.results_topic),
            group=unique("group"),
            **sections,
        )

    def run(self, count: int, within: float) -> FedRecords:
        """Feeds ``count`` records and waits until the daemon has settled as many."""
        fed = feed(self.kafka, self.prices, records(count))
        eventually(lambda: self.daemon.results() >= count, within=within, every=0.2, what=f"{count} results")
        return fed

    def results(self) -> list[Result]:
        return read_results(self.kafka, self.results_topic)


@pytest.fixture
def job(tmp_path: Path, kafka: KafkaBroker, new_provider: Callable[..., Provider]) -> Iterator[Callable[..., Job]]:
    made: list[Job] = []

    def make(*, delay: float = 0.0, **sections: Any) -> Job:
        made.append(Job(tmp_path / f"daemon-{len(made)}", kafka, new_provider(delay=delay), **sections))
        return made[-1]

    yield make
    for one in made:
        one.daemon.stop()


def test_every_record_is_posted_in_order_and_gets_one_true_result(job: Callable[..., Job]) -> None:
    one = job(contribution={"conflate": False})
    one.daemon.start()
    fed = one.run(COUNT, within=90)
    assert one.daemon.stop() == 0
    results = one.results()
    assert_one_each(results, fed)
    assert_statuses(results, fed)
    posts = one.provider.posts()
    assert_true(results, fed, posts)
    for pair in ("EURUSD", "USDJPY", "GBPUSD", "USDCZK"):
        posted = [post.fields["BID"] for post in posts if post.ric.endswith(f"{pair}=TRCC")]
        assert [f"{Decimal(bid or 'nan'):g}" for bid in posted] == [f"{Decimal(bid):g}" for bid in fed.bids(pair)], pair

    one.daemon.start()
    eventually(lambda: [p["lag"] for p in one.daemon.status()["partitions"]] == [0] * PARTITIONS, within=30)
    assert one.daemon.stop() == 0
    assert len(one.results()) == len(results), "the second run found something to do"
    assert len(one.provider.posts()) == len(posts)


def test_a_slow_ads_conflates_and_every_conflated_result_names_a_posted_record(job: Callable[..., Job]) -> None:
    one = job(delay=0.2)
    one.daemon.start()
    fed = one.run(COUNT, within=90)
    assert one.daemon.stop() == 0
    results = one.results()
    assert_one_each(results, fed)
    posted = {str(result.source) for result in results if result.posts}
    conflated = [result for result in results if result.status == "CONFLATED"]
    assert len(conflated) > COUNT / 2
    assert {str(result.carried_by) for result in conflated} <= posted
    assert {result.status for result in results} == {"ACK", "NAK", "CONFLATED", "REJECTED"}


def assert_statuses(results: list[Result], fed: FedRecords) -> None:
    """Each kind of record ends as it must."""
    expected: Counter[tuple[str, str | None]] = Counter()
    for record in fed.records.values():
        if record.kind == "poison":
            expected["REJECTED", "BadRecord"] += 1
        elif record.kind == "unmapped":
            expected["REJECTED", "NoMapping"] += 1
        elif record.key == b"USDCZK":
            expected["NAK", "DeniedBySrc"] += 1
        elif record.key == b"USDHUF":
            expected["NAK", "13"] += 1
        else:
            expected["ACK", None] += 1
    assert Counter((result.status.value, result.code) for result in results) == expected


def assert_true(results: list[Result], fed: FedRecords, posts: list[JournaledPost]) -> None:
    """Fields are the record's own, and what the ADS received is what the result says was posted."""
    received = {post.post_id: post for post in posts}
    for result in results:
        if result.fields is None or not result.posts:
            continue
        record = msgspec.json.decode(
            fed.records[result.record.topic, result.record.partition, result.record.offset].value or b""
        )
        assert (result.fields["BID"], result.fields["ASK"]) == (
            Decimal(str(record["bid"])),
            Decimal(str(record["ask"])),
        )
        assert result.fields["CTBTR_1"] == "ACME"
        post = received[result.posts[-1].post_id]
        assert post.ric == result.ric
        assert Decimal(post.fields["BID"] or "nan") == result.fields["BID"]
        assert post.fields["QUOTIM"] is not None


def test_quotes_of_a_silent_engine_and_of_a_stopped_daemon_give_way_to_blanks(job: Callable[..., Job]) -> None:
    one = job(contribution={"withdraw": {"on_stop": True, "silent_after": "3s"}})
    one.daemon.start()
    fed = one.run(400, within=60)
    eventually(lambda: len(_of_records(one)) >= 400, within=30, every=0.2, what="400 results that are durable")
    standing = {result.ric for result in _of_records(one) if result.status == "ACK"}
    eventually(lambda: _blanks(one).keys() == standing, within=60, what="a blank for every quote")

    fed.records |= feed(one.kafka, one.prices, records(100, seed=2)).records
    eventually(lambda: one.daemon.results() >= 500, within=30, what="the results of the second burst")
    assert one.daemon.stop() == 0
    results = one.results()
    assert_one_each(_of_records(one), fed)
    withdrawn = [result for result in results if result.withdrawal]
    assert Counter(result.ric for result in withdrawn) == _blanks(one)
    assert {result.status for result in withdrawn} == {"ACK"}
    assert {str(result.withdrawal.reason) for result in withdrawn if result.withdrawal} == {"stop", "silent"}
    assert_each_quote_gives_way_to_one_blank([post for post in one.provider.posts() if "NAK" not in post.ric])


def assert_each_quote_gives_way_to_one_blank(posts: list[JournaledPost]) -> None:
    """No blank comes after another, and the last post of each RIC is one."""
    blank: dict[str, bool] = {}
    for post in posts:
        is_blank = not any(post.fields.values())
        assert not (is_blank and blank.get(post.ric, True)), f"a blank of {post.ric} takes the place of no quote"
        blank[post.ric] = is_blank
    assert all(blank.values()), "a quote is left in the market"


def _of_records(one: Job) -> list[Result]:
    """The durable results that are no withdrawal's."""
    return [result for result in one.results() if result.source]


def _blanks(one: Job) -> Counter[str]:
    """Posts that hold nothing but blanks, by RIC."""
    return Counter(post.ric for post in one.provider.posts() if not any(post.fields.values()))
