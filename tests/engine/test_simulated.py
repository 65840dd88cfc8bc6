"""Cases that the seeded simulation found, as the smallest example of each."""

from tests.engine.rig import Rig, statuses

SECOND = 1_000_000


def test_a_nak_without_a_text_has_none_in_its_result() -> None:
    rig = Rig().open().assign()
    rig.put({"BID": 1})
    rig.ack(1, NakCode="DeniedBySrc")
    [result] = rig.commit()
    assert (result["text"], result["posts"][0]["text"]) == (None, None)


def test_a_rate_does_not_keep_the_worker_awake_while_there_is_no_session() -> None:
    rig = Rig(max_rate=1).open().assign()
    rig.put({"BID": 1})
    rig.lose()
    rig.tick(100)
    assert rig.engine.contributor.wake_at(rig.now) is None


def test_a_price_that_was_posted_with_a_newer_one_and_then_expires_has_that_post_in_its_result() -> None:
    rig = Rig(max_age=2 * SECOND).assign()
    rig.put({"BID": 1}, age=1.0)
    rig.put({"ASK": 2}, age=0.0)
    rig.open()
    rig.tick()
    rig.ack(1, NakCode="NoResources", Text="busy")
    rig.tick(1.001)
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("NAK", "NoResources", "busy")
    assert [(post["post_id"], post["answer"]) for post in result["posts"]] == [(1, "NAK")]
    rig.ack(2)
    assert statuses(rig.commit()) == [(1, "ACK")]
    assert rig.fields == [{"BID": 1, "ASK": 2}, {"ASK": 2}]
