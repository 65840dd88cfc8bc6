"""A pause reaches every instance of the group, and is answered once none can post against it any more."""

import pytest
from tests.order_group import BOB, EUR, EVE, Instance, Log, Topic, together

from contribd.engine.records.pauses import PauseKind, Selector
from contribd.orders import ANSWER_SECONDS
from contribd.pausing.pause_orders import TOPIC_SECONDS
from contribd.streams.client.port import OrderRecord
from contribd.streams.order_topic import INTERVAL, LEASE, MARGIN

ALL = Selector(PauseKind.ALL)


@pytest.fixture
def topic() -> Topic:
    return Topic()


def group(topic: Topic, *names: str, approvals: int = 1) -> list[Instance]:
    made = [Instance(topic, name, approvals=approvals) for name in names]
    together(made)
    return made


def said(one: Instance) -> tuple[bool, str]:
    answer = one.answer
    assert answer is not None, "there is no answer yet"
    return answer.done, answer.text.splitlines()[0]


def test_nothing_is_posted_before_the_topic_has_been_read_to_its_end(topic: Topic) -> None:
    topic.away.add("a")
    one = Instance(topic, "a")
    one.follow()
    one.work()
    assert not one.posts(1)
    assert one.follower.reasons() == ["orders: no broker"]
    topic.away.clear()
    together([one])
    one.rig.pump()
    assert one.rig.fields == [{"BID": 1}]
    assert one.follower.reasons() == []


def test_a_pause_holds_in_every_instance_before_it_is_answered(topic: Topic) -> None:
    a, b, c = group(topic, "a", "b", "c")
    a.pause()
    assert not a.posts(1), "it holds here at once"
    for one in (a, b):
        one.follow()
        one.work()
    assert b.rig.engine.pauses.in_force
    assert a.answer is None, "it does not hold in c yet"
    together([a, b, c])
    assert not any(one.posts(2) for one in (a, b, c))
    assert said(a) == (True, "RICs EUR* paused, in 3 instances: this one and b, c")


def test_a_frozen_instance_is_waited_for_until_its_lease_has_run_out(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    for _ in range(int(LEASE / INTERVAL) + 2):
        assert b.rig.engine.lapsed(b.now) or a.answer is None, "it could still post"
        topic.mono += INTERVAL
        together([a])
    done, text = said(a)
    assert done
    assert text == (
        "RICs EUR* paused, in this instance. Not heard of, and posting nothing until it has read the order: b"
    )
    b.rig.mono = topic.mono
    assert not b.posts(1)
    together([a, b])
    assert not b.posts(2)


def test_one_whose_worker_hangs_loses_its_lease_though_its_thread_goes_on(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    for _ in range(int(LEASE / INTERVAL) + 2):
        topic.mono += INTERVAL
        b.follow()
        together([a], 1)
    assert said(a)[0]
    b.work()
    assert not b.posts(1)


def test_one_that_is_cut_off_stops_by_itself_before_others_stop_waiting_for_it(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    topic.away.add("b")
    topic.mono += LEASE * (1 - MARGIN)
    for one in (a, b):
        one.follow()
        one.work()
    assert not b.posts(1)
    a.pause()
    together([a])
    assert a.answer is None
    topic.mono += LEASE * MARGIN
    together([a])
    assert said(a)[0]


def test_an_instance_that_leaves_in_order_is_not_waited_for(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    b.follower.stop()
    topic.records.append(OrderRecord(topic.records[-1].offset + 1, b"instance/b", _left(b)))
    together([a])
    a.pause()
    together([a])
    assert said(a) == (True, "RICs EUR* paused, in this instance")


def _left(one: Instance) -> bytes:
    return one.follower._presence.left


def test_with_the_broker_away_it_holds_here_at_once_and_is_written_when_it_is_back(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    topic.away.update("ab")
    a.pause()
    assert not a.posts(1)
    together([a])
    assert a.answer is None
    topic.mono += TOPIC_SECONDS
    together([a])
    done, text = said(a)
    assert not done
    assert (
        text == "RICs EUR* paused in this instance; the others take the order once it is written (orders: no broker)"
        or ("Kafka has not taken it yet" in text)
    )
    topic.away.clear()
    together([a, b])
    assert not b.posts(2)
    a.pause()
    together([a, b])
    assert said(a) == (True, "nothing changes: RICs EUR* paused before, in 2 instances: this one and b")


def test_it_holds_over_a_restart_and_a_compaction_before_the_first_post(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause(ALL)
    a.pause()
    together([a, b])
    b.resume(ALL)
    together([a, b])
    topic.compact()
    again = Instance(topic, "a", process="a2")
    assert not again.posts(1)
    together([again])
    assert again.rig.engine.pauses.in_force == b.rig.engine.pauses.in_force
    assert [pause.what for pause in again.rig.engine.pauses.in_force] == [EUR]
    assert not again.posts(2)


def test_a_resume_reaches_every_instance(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    b.resume()
    together([a, b])
    assert said(b) == (True, "RICs EUR* resumed")
    assert a.posts(1)
    assert b.posts(2)


def test_a_resume_that_cannot_be_written_does_not_resume(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    topic.away.update("ab")
    a.answers.clear()
    a.resume()
    together([a, b])
    assert not a.posts(1)
    topic.mono += TOPIC_SECONDS
    together([a])
    done, text = said(a)
    assert (done, text.split(" (")[0]) == (False, "RICs EUR* stays paused until the order can be written")
    topic.away.clear()
    together([a, b])
    assert b.posts(2)


def test_two_that_agree_at_two_instances_at_once_have_agreed(topic: Topic) -> None:
    a, b = group(topic, "a", "b", approvals=2)
    a.pause()
    together([a, b])
    a.resume(by=EVE)
    b.resume(by=BOB)
    together([a, b], 6)
    assert a.posts(1)
    assert b.posts(2)


def test_an_agreement_is_known_to_every_instance_and_holds_over_a_restart(topic: Topic) -> None:
    a, b = group(topic, "a", "b", approvals=2)
    a.pause()
    together([a, b])
    a.resume(by=EVE)
    together([a, b])
    topic.compact()
    again = Instance(topic, "a", approvals=2, process="a2")
    together([again, b])
    again.resume(by=EVE)
    together([again, b])
    assert "nothing changes" in said(again)[1]
    assert not b.posts(1)
    again.resume(by=BOB)
    together([again, b])
    assert b.posts(2)


def test_a_pause_that_ends_an_answer_in_time_leaves_room_for_the_lease() -> None:
    assert TOPIC_SECONDS + LEASE < ANSWER_SECONDS


def test_what_is_none_of_contribds_in_the_topic_is_passed_over(topic: Topic) -> None:
    for value in (None, b"", b"x", b"7", b'{"kind":"x"}', b'{"kind":"pause"}', b'{"kind":"pause","what":{"ric":""}}'):
        topic.records.append(OrderRecord(len(topic.records), b"x", value))
    [a] = group(topic, "a")
    assert a.posts(1)


def test_a_resume_on_its_way_does_not_end_a_pause_that_is_ordered_meanwhile(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    assert said(a)[0]
    b.resume()
    a.pause()
    assert a.answer is None, "it is answered once it stands in the topic"
    b.follow()
    together([a, b])
    assert said(a)[0]
    assert said(b) == (True, "RICs EUR* resumed"), "nobody had paused it once more when this was written"
    assert not any(one.posts(1) for one in (a, b))


def test_a_resume_that_is_written_after_a_newer_pause_says_that_it_resumes_nothing(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    b.resume()
    a.answers.clear()
    a.pause()
    a.follow()
    together([a, b])
    assert said(b) == (False, "RICs EUR* stays paused: it was paused once more before this order came to hold")
    assert said(a)[0]
    assert not any(one.posts(1) for one in (a, b))
    b.resume()
    together([a, b])
    assert a.posts(2)


def test_a_resume_that_comes_too_late_for_a_newer_pause_holds_where_another_one_ended_that(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    b.resume()
    a.answers.clear()
    a.pause()
    a.follow()
    b.follow()
    a.resume()
    a.follow()
    b.follow()
    b.work()  # it takes all of it at once
    assert said(b) == (True, "RICs EUR* resumed")
    assert b.posts(1)


def test_two_pauses_of_the_same_end_together(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    b.pause()
    together([a, b])
    assert [said(one)[0] for one in (a, b)] == [True, True]
    a.resume()
    together([a, b])
    assert said(a) == (True, "RICs EUR* resumed")
    assert a.posts(1)
    assert b.posts(2)


def test_who_agreed_before_a_newer_pause_has_not_agreed_to_end_it(topic: Topic) -> None:
    a, b = group(topic, "a", "b", approvals=2)
    a.pause()
    together([a, b])
    a.resume(by=EVE)
    together([a, b])
    b.pause(by=BOB)
    together([a, b])
    a.resume(by=BOB)
    together([a, b])
    assert not any(one.posts(1) for one in (a, b))
    b.resume(by=EVE)
    together([a, b])
    assert b.posts(2)


@pytest.mark.parametrize("approvals", [1, 2])
def test_a_pause_that_was_ended_stays_so_where_compaction_leaves_its_later_record_alone(
    topic: Topic, approvals: int
) -> None:
    a, b = group(topic, "a", "b", approvals=approvals)
    a.pause()
    together([a, b])
    [pause] = [record for record in topic.records if record.key.startswith(b"order/")]
    a.resume()
    together([a, b])
    b.resume(by=BOB)
    together([a, b])
    Log(topic, "a", 0).write(pause.key, pause.value or b"")
    topic.compact()
    again = Instance(topic, "b", process="b2")
    together([again])
    assert again.rig.engine.pauses.in_force == ()
    assert again.posts(1)


def test_an_order_that_was_written_twice_counts_once(topic: Topic) -> None:
    a, b = group(topic, "a", "b")
    a.pause()
    together([a, b])
    [pause] = [record for record in topic.records if record.key.startswith(b"order/")]
    a.resume()
    together([a, b])
    Log(topic, "a", 0).write(pause.key, pause.value or b"")
    together([a, b])
    assert a.posts(1)
    assert b.posts(2)
    again = Instance(topic, "b", process="b2")
    together([again])
    assert again.posts(3)
