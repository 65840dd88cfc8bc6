"""Static members on real Kafka: who comes back disturbs nobody, and of two processes of one name one ends."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from kafka.errors import FencedInstanceIdError, UnknownMemberIdError
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.holding_member import HoldingMember
from tests.integration.rigs.prices import places, read_results
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.version_flow import MAPPING, Flow
from tests.integration.rigs.versions import VersionFeed, reordered
from tests.integration.rigs.wait import eventually as within
from tests.streams.stream_suite import GroupProcess, Topics, eventually

from contribd.engine.events import Assigned, Revoked, Revoking
from contribd.streams.client.access import Access
from contribd.streams.client.consumer import open_asking
from contribd.streams.group.lease import Joined

CLIENT = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 1000}
LEASE = 6.0
"""Seconds that follow from it."""
HEARTBEAT = 0.2
"""Seconds between those of a member of the suite."""


@pytest.fixture
def cluster(kafka: KafkaBroker) -> KafkaBroker:
    return kafka


def dies(member: GroupProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a member as a kill does: the group hears nothing of it."""
    with monkeypatch.context() as patch:
        patch.setattr("contribd.streams.client.consumer_faults.leave_though_static", lambda _consumer: None)
        member.leave()


def settle(*members: GroupProcess) -> None:
    """Waits until all are in one generation and have had answers to heartbeats in it for a while.

    The client joins a second time where it learns of its topics' partitions only after the first.
    """
    first_proven: dict[int, list[float]] = {}

    def stays() -> bool:
        generations = {member.group.generation for member in members if member.group is not None}
        proven = [member.lease.until(member.group) for member in members]
        if len(generations) != 1 or not all(proven):
            return False
        before = first_proven.setdefault(generations.pop(), proven)
        return all(now > then + 3 * HEARTBEAT for then, now in zip(before, proven, strict=True))

    eventually(stays, "a generation that stays")


def without_joins(events: Sequence[object]) -> list[object]:
    return [event for event in events if not isinstance(event, Joined)]


def test_who_dies_and_comes_back_has_its_partitions_and_disturbs_nobody(
    cluster: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics(cluster, 4)
    one = GroupProcess(topics.settings("one"))
    one.wait_for(*map(topics.partition, range(4)))
    two = GroupProcess(topics.settings("two"))
    eventually(lambda: len(one.owned) == len(two.owned) == 2, "an even share")
    settle(one, two)
    owned, before = one.owned, list(two.events)
    dies(one, monkeypatch)
    topics.produce(b"meanwhile", partition=min(owned).number)
    again = GroupProcess(topics.settings("one"))
    again.wait_for(*owned)
    eventually(lambda: again.values == [b"meanwhile"], "what came meanwhile")
    assert again.owned == owned
    assert again.of(Joined)[0].member.generation == one.of(Joined)[-1].member.generation
    # The successor joins once more, so that no partition is left to nobody: a new generation, in which nothing moves.
    assert without_joins(two.events) == without_joins(before)
    again.leave()
    two.leave()


def test_nothing_is_taken_over_before_whoever_had_the_name_has_stopped_posting(
    cluster: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics(cluster)
    one = GroupProcess(topics.settings("one"))
    one.wait_for(topics.partition())
    eventually(lambda: one.lease.until(one.group) > time.monotonic(), "a proof of membership")
    dies(one, monkeypatch)
    again = GroupProcess(topics.settings("one"))
    eventually(lambda: again.group is not None, "a generation")
    joined = time.monotonic()
    again.wait_for(topics.partition())
    assert time.monotonic() > one.lease.until(one.group)
    assert time.monotonic() - joined > LEASE - 1.0
    again.leave()


def test_what_its_predecessor_had_let_go_of_when_it_died_is_given_to_somebody(
    cluster: KafkaBroker, tmp_path: Path
) -> None:
    """The group has taken it from the one, and waits until that has let go and joined again to give it to another."""
    topics = Topics(cluster, 3)
    settings = topics.settings("one", session_timeout=15.0)  # longer than a restart: it must not end by itself
    one = HoldingMember(settings, log=tmp_path / "one.log")
    try:
        one.says(Assigned, 3)
        two = GroupProcess(topics.settings("two", session_timeout=15.0))
        one.says(Revoking, 3)
        settle(two)
    finally:
        one.kill()
    generation = two.group
    assert generation is not None
    assert two.owned == set()
    again = GroupProcess(settings)
    within(
        lambda: again.owned | two.owned == set(map(topics.partition, range(3))),
        within=settings.lease_seconds + 10.0,
        what="every partition in somebody's hands",
    )
    assert again.of(Joined)[0].member.generation == generation.generation
    assert (len(again.owned), len(two.owned)) == (2, 1)
    again.leave()
    two.leave()


def test_a_name_that_nobody_has_is_used_at_once(cluster: KafkaBroker) -> None:
    topics = Topics(cluster)
    settings = topics.settings("one", session_timeout=30.0)
    one = GroupProcess(settings)
    eventually(lambda: one.group is not None, "a generation")
    joined = time.monotonic()
    one.wait_for(topics.partition())
    one.leave()
    again = GroupProcess(settings)
    again.wait_for(topics.partition())
    again.leave()
    assert time.monotonic() - joined < settings.lease_seconds
    assert not one.source.replaced


def test_of_two_members_of_one_name_the_first_learns_that_it_was_replaced(cluster: KafkaBroker) -> None:
    topics = Topics(cluster)
    one = GroupProcess(topics.settings("one"))
    one.wait_for(topics.partition())
    other = GroupProcess(topics.settings("one"))
    other.wait_for(topics.partition())
    assert time.monotonic() > one.lease.until(one.group)
    eventually(lambda: one.source.replaced, "word of the other")
    one.ends()
    assert not other.source.replaced
    assert one.of(Revoking) + one.of(Revoked) == []
    other.leave()


def make(directory: Path, cluster: KafkaBroker, endpoint: str, topics: tuple[str, str], group: str) -> Daemon:
    """One of the processes that are called ``same``."""
    return Daemon(
        directory,
        kafka=cluster.bootstrap,
        endpoints=[endpoint],
        topics=topics,
        group=group,
        instance="same",
        mapping=MAPPING,
        ads={"ack_timeout": "5s"},
        contribution={"retry": {"attempts": 100}},
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_a_daemon_whose_name_another_has_taken_ends_for_good_and_posts_nothing_old(
    tmp_path: Path, own_kafka: KafkaBroker, new_provider: Callable[..., Provider], frozen: bool
) -> None:
    """Frozen: it is stopped before its successor starts, and thawed while the successor holds its partitions."""
    provider = new_provider()
    topics, group = (unique("prices"), unique("results")), unique("group")
    for topic in topics:
        own_kafka.create_topic(topic, 2)
    first, second = (make(tmp_path / name, own_kafka, provider.url, topics, group) for name in ("first", "second"))
    for daemon in (first, second):
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace("kafka:\n", f"kafka:\n  client: {CLIENT}\n", 1))
    feed = VersionFeed(own_kafka.bootstrap, topics[0], Flow(6000, 40, 400.0), log=tmp_path / "feed.log")
    try:
        first.start()
        feed.start()
        within(lambda: first.results() > 300, within=60, what="results")
        if frozen:
            first.child.send(signal.SIGSTOP)
        second.start(ready=False)
        if frozen:
            within(lambda: "earlier process of this name" in second.child.tail(), within=60, what="a successor")
            first.child.send(signal.SIGCONT)
        assert first.child.wait() == 78
        line = "another contribd runs as instance 'same' of this group: give each its own name"
        assert line in first.child.tail()
        within(lambda: len(read_results(own_kafka, topics[1])) >= 6000, within=120, every=1.0, what="all results")
        assert set(places(read_results(own_kafka, topics[1])).values()) == {1}
        assert reordered(provider.posts()) == []
        assert second.stop() == 0
    finally:
        feed.end()
        for daemon in (first, second):
            daemon.kill()


@pytest.mark.parametrize("static", [True, False])
def test_another_connection_asks_in_a_members_name_and_disturbs_nothing(cluster: KafkaBroker, static: bool) -> None:
    """As the sink does before it believes what the group says is committed."""
    topics = Topics(cluster)
    if not static:
        topics.client = {**topics.client, "group_instance_id": None}
    settings = topics.settings("one")
    member = GroupProcess(settings)
    member.wait_for(topics.partition())
    settle(member)
    generation = member.group
    assert generation is not None
    with closing(open_asking(Access(settings), settings)) as consumer:
        consumer.speak_for(generation, 10.0)
        consumer.confirm()
        consumer.speak_for(generation._replace(member_id="somebody-else"), 10.0)
        with pytest.raises(FencedInstanceIdError if static else UnknownMemberIdError):
            consumer.confirm()
    settle(member)
    assert member.group == generation
    assert member.of(Revoked) == []
    member.leave()
