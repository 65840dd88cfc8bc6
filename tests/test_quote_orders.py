"""Orders about quotes reach every instance of the group: each does its part, and the one that was asked tells all."""

from typing import Any

import pytest
from tests.engine.rig import P0, P1, START
from tests.order_group import Instance, Topic, together

from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.price import Reply, Status
from contribd.engine.records.standing import OrderKind, PostedResult, StandingQuote, after
from contribd.mapping.outcome import PostType
from contribd.quoting.quote_orders import ALL_SECONDS, DONE_SECONDS
from contribd.streams.order_topic import LEASE

WITHDRAW, REPUBLISH = OrderKind.WITHDRAW, OrderKind.REPUBLISH
FIELDS = {"m": frozenset({"BID"})}
P2 = Partition("prices", 2)


def quote(partition: Partition, *, mapping: str = "m", bid: int | None = 1) -> StandingQuote:
    at = START - 60_000_000
    update = PostType.UPDATE
    result = PostedResult(Status.ACK, mapping, partition, {"BID": bid}, update, update, at, at, (Reply.ACK,))
    found = after(None, result)
    assert found is not None
    return found


@pytest.fixture
def topic() -> Topic:
    made = Topic()
    made.standing = {("TRCC", "EUR="): quote(P0), ("TRCC", "EURGBP="): quote(P1), ("TRCC", "JPY="): quote(P0)}
    return made


def instance(topic: Topic, name: str, partition: Partition = P0, **more: Any) -> Instance:
    return Instance(topic, name, partition=partition, withdraw=WithdrawPolicy(fields=FIELDS), **more)


def group(topic: Topic) -> list[Instance]:
    made = [instance(topic, "a"), instance(topic, "b", P1)]
    together(made)
    return made


def settle(*instances: Instance) -> list[Any]:
    """All that was posted is accepted and durable; what it was."""
    posts = []
    for one in instances:
        posts += [(post["Key"]["Name"], post["Message"]["Fields"]) for post in one.rig.posts]
        ids = one.rig.ids
        one.rig.frames.clear()
        one.rig.ack(*ids)
        one.rig.commit()
    return posts


def said(one: Instance) -> tuple[bool, list[str]]:
    answer = one.answer
    assert answer is not None, "there is no answer yet"
    return answer.done, answer.text.splitlines()


def test_each_instance_withdraws_what_its_partitions_left(topic: Topic) -> None:
    a, b = group(topic)
    a.about_quotes(WITHDRAW)
    together([a, b])
    assert a.answer is None, "nothing is answered by the ADS yet"
    assert settle(a, b) == [("EUR=", {"BID": None}), ("EURGBP=", {"BID": None})]
    together([a, b])
    assert said(a) == (True, ["RICs EUR*: 2 quotes withdrawn, by 2 instances: this one 1, b 1"])


def test_values_are_posted_once_more_by_each(topic: Topic) -> None:
    a, b = group(topic)
    b.about_quotes(REPUBLISH, Selector(PauseKind.ALL))
    together([a, b])
    posts = settle(a, b)
    assert sorted(posts) == [("EUR=", {"BID": 1}), ("EURGBP=", {"BID": 1}), ("JPY=", {"BID": 1})]
    together([a, b])
    assert said(b) == (True, ["everything: 3 quotes posted once more, by 2 instances: this one 1, a 2"])


def test_without_a_topic_of_orders_it_is_this_process_alone(topic: Topic) -> None:
    a = instance(topic, "a")
    together([a])
    a.orders.quotes._topic = None
    a.about_quotes(WITHDRAW)
    a.work()
    assert settle(a) == [("EUR=", {"BID": None})]
    a.work()
    done, lines = said(a)
    assert not done, "nobody has the partition of EURGBP="
    assert lines == [
        "RICs EUR*: 1 quote withdrawn",
        "1 of partitions that no instance had just then: give the order again",
    ]


def test_one_that_begins_to_follow_later_does_nothing_of_it(topic: Topic) -> None:
    a, b = group(topic)
    a.about_quotes(WITHDRAW)
    together([a, b])
    settle(a, b)
    together([a, b])
    later = instance(topic, "c")
    together([a, b, later])
    assert settle(later) == []


def test_an_instance_that_dies_meanwhile_is_named(topic: Topic) -> None:
    a, _ = group(topic)
    a.about_quotes(WITHDRAW)
    for _ in range(3):
        together([a])
        settle(a)
    assert a.answer is None
    topic.mono += LEASE + 1
    together([a])
    done, lines = said(a)
    assert not done
    assert lines == [
        "RICs EUR*: 1 quote withdrawn",
        "1 of partitions that no instance had just then: give the order again",
        "not known of b: see the log there, or give the order again",
    ]


def test_one_that_died_before_the_order_is_no_problem_where_others_have_its_partitions(topic: Topic) -> None:
    a, _ = group(topic)
    a.rig.assign(P1)
    a.about_quotes(WITHDRAW)
    together([a])
    assert len(settle(a)) == 2
    topic.mono += LEASE + 1
    together([a])
    assert said(a) == (
        True,
        ["RICs EUR*: 2 quotes withdrawn", "b did not answer; others had all partitions with quotes"],
    )


def test_what_takes_long_is_told_as_far_as_it_is(topic: Topic) -> None:
    a, b = group(topic)
    a.about_quotes(WITHDRAW)
    passed = 0.0
    while passed < DONE_SECONDS:
        together([a, b])
        topic.mono += 2
        passed += 2
    settle(a)
    together([a, b])
    assert said(a) == (
        False,
        [
            "RICs EUR*: 1 quote withdrawn, by 2 instances: this one 1, b 0",
            "1 not posted or not answered yet; this goes on",
        ],
    )


def test_the_order_is_answered_at_the_latest_when_its_time_is_up(topic: Topic) -> None:
    a, b = group(topic)
    topic.away.add("a")
    a.about_quotes(WITHDRAW)
    settle(a)
    topic.mono += ALL_SECONDS
    together([a])
    done, lines = said(a)
    assert not done
    assert "the other instances do not know of the order yet: orders: no broker" in lines
    assert b.rig.posts == []


def test_results_that_cannot_be_read_are_told(topic: Topic) -> None:
    a, b = group(topic)
    topic.unreadable = "contribd may not read topic results"
    a.about_quotes(WITHDRAW)
    together([a, b])
    done, lines = said(a)
    assert not done
    assert lines[1:] == [
        f"{name} could not read the results topic, and knew what it posted itself alone: "
        "contribd may not read topic results"
        for name in ("this one", "b")
    ]


def test_what_a_mapping_does_not_list_is_told(topic: Topic) -> None:
    topic.standing = {("TRCC", "EUR="): quote(P0, mapping="n")}
    a, b = group(topic)
    a.about_quotes(WITHDRAW)
    together([a, b])
    done, [first, second] = said(a)
    assert not done
    assert first == "RICs EUR*: 0 quotes withdrawn, by 2 instances: this one 0, b 0"
    assert second == "1 left as they are, since their mappings list no fields under withdraw"


def test_a_refusal_is_told_by_ric(topic: Topic) -> None:
    a, b = group(topic)
    a.about_quotes(WITHDRAW)
    together([a, b])
    b.rig.ack(*b.rig.ids, NakCode="AccessDenied", Text="no right")
    settle(a)
    together([a, b])
    assert said(a) == (
        False,
        [
            "RICs EUR*: 1 quote withdrawn, by 2 instances: this one 1, b 0",
            "1 refused",
            "  EURGBP=: NAK AccessDenied: no right",
        ],
    )


def test_a_name_that_is_none_is_refused(topic: Topic) -> None:
    a, b = group(topic)
    a.about_quotes(WITHDRAW, Selector(PauseKind.MAPPING, "nn"))
    done, [text] = said(a)
    assert not done
    assert text.startswith("nothing is done: no mapping in force is called nn; ")
    together([a, b])
    assert settle(a, b) == []


def test_a_pause_does_not_keep_blanks_back_and_keeps_values_back(topic: Topic) -> None:
    a, b = group(topic)
    a.pause()
    together([a, b])
    assert said(a)[0]
    a.about_quotes(REPUBLISH)
    together([a, b])
    done, lines = said(a)
    assert done
    assert lines[1] == "2 paused, and so not posted"
    a.about_quotes(WITHDRAW)
    together([a, b])
    assert len(settle(a, b)) == 2
    together([a, b])
    assert said(a)[1][0].startswith("RICs EUR*: 2 quotes withdrawn")


def test_what_a_former_owner_left_is_known_where_it_may_have_to_be_withdrawn(topic: Topic) -> None:
    policy = WithdrawPolicy(on_stop=True, fields=FIELDS)
    one = Instance(topic, "a", partition=P0, withdraw=policy)
    together([one])
    quotes = one.orders.quotes
    quotes.assigned(one.now)
    topic.unreadable = "no broker"
    one.orders.follow(one.now)
    quotes.assigned(one.now)
    assert quotes.wake_at() == float("inf"), "the worker need not wake for what is being read"
    one.work()
    assert one.rig.engine.withdrawals.live_quotes == 0
    assert quotes.wake_at() < float("inf")
    topic.unreadable = None
    topic.mono += 6
    one.orders.follow(one.now)
    one.work()
    one.orders.follow(one.now)
    one.work()
    assert one.rig.engine.withdrawals.live_quotes == 2
