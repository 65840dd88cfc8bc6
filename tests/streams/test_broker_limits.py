"""What the brokers take: as they say, and as their refusals show."""

import pytest

from contribd.engine.limits import MAX_METADATA, MAX_RESULT_BYTES, MIN_METADATA, MIN_RESULT_BYTES
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.broker_limits import RECORD_ROOM, USUAL, LearnedLimits
from contribd.streams.client.port import ClusterLimits, TopicLimits
from contribd.streams.client.refusals import Cure

P0 = Partition("prices", 0)
LARGE, SMALL = Encoded(b"k", b"x" * 9_999, []), Encoded(None, b"x" * 100, [])


@pytest.fixture
def limits() -> LearnedLimits:
    return LearnedLimits("results", "rejects")


def learn(limits: LearnedLimits, cure: Cure, topic: str | None = None, metadata: str = "") -> bool:
    return limits.learn(cure, topic, [LARGE, SMALL], [SMALL], {P0: Commit(1, metadata)})


def test_what_the_brokers_say_is_what_is_known(limits: LearnedLimits) -> None:
    topics = {"results": TopicLimits(5_000, keyed=True), "rejects": TopicLimits(3_000, keyed=True)}
    limits.told(ClusterLimits(topics, 100))
    now = limits.now
    assert (now.result, now.reject, now.metadata) == (5_000 - RECORD_ROOM, 3_000 - RECORD_ROOM, 100)
    assert now.keyed
    assert not now.guessed
    assert limits.batch_bytes == 3_000


def test_more_than_the_usual_is_not_used(limits: LearnedLimits) -> None:
    limits.told(ClusterLimits({"results": TopicLimits(99_000_000)}, 99_000))
    assert limits.now == USUAL


def test_records_that_are_compressed_may_be_larger(limits: LearnedLimits) -> None:
    del limits
    compressed = LearnedLimits("results", None, compressed=True)
    compressed.told(ClusterLimits({"results": TopicLimits(5_000)}))
    assert compressed.now.result == MAX_RESULT_BYTES
    assert compressed.batch_bytes is None


def test_half_of_what_was_refused_is_tried_next_and_half_of_that_but_not_for_ever(limits: LearnedLimits) -> None:
    assert learn(limits, Cure.SHORTEN, "results")
    assert (limits.now.result, limits.now.reject) == (5_000, MAX_RESULT_BYTES)
    assert limits.learn(Cure.SHORTEN, "results", [Encoded(b"", b"x" * 2_200, [])], [], {})
    assert limits.now.result == 1_100
    assert limits.learn(Cure.SHORTEN, "results", [Encoded(b"", b"x" * 1_100, [])], [], {})
    assert limits.now.result == MIN_RESULT_BYTES
    assert not limits.learn(Cure.SHORTEN, "results", [Encoded(b"", b"x" * 1_000, [])], [], {})


def test_a_topic_that_is_not_named_is_that_of_the_larger_record(limits: LearnedLimits) -> None:
    assert limits.learn(Cure.SHORTEN, None, [SMALL], [LARGE], {})
    assert (limits.now.result, limits.now.reject) == (MAX_RESULT_BYTES, 5_000)


def test_metadata_is_halved_down_to_what_is_of_use(limits: LearnedLimits) -> None:
    assert learn(limits, Cure.NARROW, metadata="x" * 400)
    assert (limits.now.metadata, limits.now.guessed) == (200, True)
    assert learn(limits, Cure.NARROW, metadata="x" * 60)
    assert limits.now.metadata == MIN_METADATA
    assert not learn(limits, Cure.NARROW, metadata="x" * 50)


def test_rejected_input_without_a_key_gets_one_where_its_topic_wants_one(limits: LearnedLimits) -> None:
    assert not learn(limits, Cure.KEY, "results"), "each result has one"
    assert learn(limits, Cure.KEY, "rejects")
    assert limits.now.keyed
    assert not learn(limits, Cure.KEY, "rejects")


@pytest.mark.parametrize("cure", [Cure.AGAIN, Cure.HELP])
def test_what_passes_or_needs_help_teaches_nothing(limits: LearnedLimits, cure: Cure) -> None:
    assert not learn(limits, cure)


def test_what_was_learned_holds_until_the_brokers_say_something_new(limits: LearnedLimits) -> None:
    silent = ClusterLimits({}, None)
    limits.told(silent)
    learn(limits, Cure.SHORTEN, "results")
    limits.told(silent)
    assert limits.now.result == 5_000
    limits.told(ClusterLimits({"results": TopicLimits(900_000)}, MAX_METADATA))
    assert limits.now.result == 900_000 - RECORD_ROOM
